"""The two sides of a training benchmark; each yields, step by step, what it took."""

import tempfile
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import torch

from ift.data.batching import Batch
from ift.data.unpadded import unpad
from ift.model.gpt2 import GPT2, random_model
from ift.model.gpt2_config import GPT2Config
from ift.model.hf_model import hf_names
from ift.runs.processes import keep_memory
from ift.training.trainer import Trainer
from ift.types import EOS_ID, IGNORE_INDEX
from tests.bench.train import Setup
from tests.bench.turns import Clock

if TYPE_CHECKING:
    from transformers import GPT2LMHeadModel

SEED = 1
"""Of the weights, the same on both sides."""


def ours(setup: Setup) -> Iterator[dict]:
    """The trainer as a run has it, with its collating, clipping and events."""
    torch.set_num_threads(setup.threads)
    keep_memory()
    rows = setup.rows()
    trainer = Trainer(
        random_model(setup.shape, seed=SEED), setup.config(), train=rows, max_length=setup.shape.n_positions
    )
    while True:
        clock = Clock()
        event = next(iter(trainer.advance()))
        took = clock.read()
        yield {**took, "tokens": event.tokens, "trained_tokens": event.trained_tokens, "loss": event.loss}


def products(setup: Setup) -> Iterator[dict]:
    """The matrix products of the same batches alone, in a process of their own: their memory is none of training's."""
    torch.set_num_threads(setup.threads)
    keep_memory()
    limit = Limit(setup)
    for batch in setup.batches():
        yield {"limit_s": limit.seconds(batch)}


def transformers(setup: Setup) -> Iterator[dict]:
    """The plain loop of its documentation, gradient clipping included; batches are made before the clock starts.

    AdamW as torch gives it, and with bf16, where its best is asked for, the fused one.
    """
    torch.set_num_threads(setup.threads)
    model = their_model(setup)
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-5, weight_decay=0.01, fused=setup.bf16 or None)
    for batch in setup.batches():
        ids, mask, labels = map(torch.from_numpy, unshifted(batch))
        clock = Clock()
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=setup.bf16):
            loss = model(input_ids=ids, attention_mask=mask, labels=labels).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        yield {**clock.read(), "loss": loss.item()}


def trl(setup: Setup) -> Iterator[dict]:
    """The step of TRL's `SFTTrainer` on the same batches, with clipping and its own optimizer, the fused AdamW.

    Without the activation checkpointing that it has on by default, as no side has it; nothing else is set
    otherwise than it would be, its metrics of every step included. Collating and its loop's logging are not in it.
    """
    from datasets import Dataset, disable_progress_bars
    from trl import SFTConfig, SFTTrainer

    from tests.bench.data import fast_tokenizer

    disable_progress_bars()
    torch.set_num_threads(setup.threads)
    tokenizer = fast_tokenizer()
    tokenizer.add_special_tokens({"eos_token": "<|endoftext|>", "pad_token": "<|endoftext|>"})
    with tempfile.TemporaryDirectory() as folder:
        trainer = SFTTrainer(
            their_model(setup),
            args=SFTConfig(
                output_dir=folder,
                use_cpu=True,
                bf16=setup.bf16,
                activation_checkpointing=False,
                report_to=[],
                learning_rate=5e-5,
                weight_decay=0.01,
            ),
            processing_class=tokenizer,
            train_dataset=Dataset.from_list([{"input_ids": [EOS_ID] * 2, "labels": [EOS_ID] * 2}]),  # it must have one
        )
        model, optimizer = trainer.accelerator.prepare(trainer.model, trainer.create_optimizer())
        for batch in setup.batches():
            ids, mask, labels = map(torch.from_numpy, unshifted(batch))
            inputs = {"input_ids": ids, "attention_mask": mask, "labels": labels}
            clock = Clock()
            loss = trainer.training_step(model, inputs, (labels != IGNORE_INDEX).sum())
            trainer.accelerator.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
            yield {**clock.read(), "loss": loss.item()}


def their_model(setup: Setup) -> "GPT2LMHeadModel":
    """transformers' model of this shape, with our weights; no dropout."""
    from transformers import GPT2Config, GPT2LMHeadModel

    config = GPT2Config(**hf_shape(setup.shape), embd_pdrop=0.0, attn_pdrop=0.0, resid_pdrop=0.0)
    model = GPT2LMHeadModel(config).train()
    copy_weights(random_model(setup.shape, seed=SEED), model)
    return model


def hf_shape(shape: GPT2Config) -> dict[str, int]:
    """The shape under the names of transformers' own config."""
    return {name: getattr(shape, name) for name in ("n_positions", "n_embd", "n_layer", "n_head")}


@torch.no_grad()
def copy_weights(ours: GPT2, model: torch.nn.Module) -> None:
    """Our weights into transformers' model, whose linear weights are (in, out)."""
    state, theirs = ours.state_dict(), model.transformer.state_dict()
    for name, our_name in hf_names(ours.config).items():
        tensor = state[our_name]
        theirs[name].copy_(tensor.t() if ".c_" in name else tensor)  # a bias is its own transpose


def unshifted(batch: Batch) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """ids, attention mask and labels (B, T + 1) as transformers takes them: it shifts by itself."""
    rows = np.arange(len(batch.lengths))
    ids = np.concatenate([batch.inputs, batch.next_ids[:, -1:]], axis=1)
    ids[rows, batch.lengths] = batch.next_ids[rows, batch.lengths - 1]
    mask = (np.arange(ids.shape[1]) <= batch.lengths[:, None]).astype(np.int64)
    labels = np.concatenate([np.full_like(ids[:, :1], IGNORE_INDEX), batch.targets], axis=1)
    return ids, mask, labels


class Limit:
    """How long the matrix products of a batch take by themselves: forward, and twice as many backward.

    N cells go through every layer, the M with a trained target through the last block's end and the head. It is
    what no training in this precision on this machine can do without; attention is left out.
    """

    def __init__(self, setup: Setup) -> None:
        self.shape, self.dtype = setup.shape, torch.bfloat16 if setup.bf16 else torch.float32
        self.weights: dict[tuple[int, int], torch.Tensor] = {}

    def seconds(self, batch: Batch) -> float:
        """Wall time, in one run over all products."""
        unpadded = unpad(batch)
        N, M, C = len(unpadded.inputs), len(unpadded.wanted), self.shape.n_embd
        ends = [(C, C), (C, 4 * C), (4 * C, C)]
        cells = [(N, size) for _ in range(self.shape.n_layer) for size in ((C, 3 * C), *ends)]
        cells[-3:] = [(M, size) for size in ends]
        cells.append((M, (C, self.shape.vocab_size)))
        return sum(self._three(rows, *size) for rows, size in cells)

    def _three(self, rows: int, size_in: int, size_out: int) -> float:
        make = {"dtype": self.dtype}
        weight = self.weights.setdefault((size_in, size_out), torch.randn(size_out, size_in).to(self.dtype))
        x, y = torch.ones(rows, size_in, **make), torch.ones(rows, size_out, **make)
        began = time.perf_counter()
        torch.mm(x, weight.t())  # forward
        torch.mm(y, weight)  # to the inputs
        torch.mm(y.t(), x)  # to the weight
        return time.perf_counter() - began
