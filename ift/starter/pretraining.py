"""Pretraining of the starter as an iterator of typed events; resumes where it was cut off."""

import json
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor

from ift.errors import ConfigError
from ift.events import Evaluated, Stepped, TrainEvent
from ift.model.gpt2 import best_device, initialized
from ift.model.gpt2_config import GPT2Config
from ift.model.precision import autocast
from ift.starter.compact import CompactGPT2, row_of_id
from ift.starter.muon import Muon

VALIDATION_WINDOWS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class PretrainConfig:
    """The recipe. Matrices inside the blocks are trained by Muon, everything else by AdamW.

    sampled_share: of the steps, from the first, whose softmax is estimated from `negatives` of the rows.
    """

    n_positions: int = 256
    n_embd: int = 192
    n_layer: int = 4
    n_head: int = 6
    steps: int = 7_500
    batch_size: int = 16
    learning_rate: float = 4e-3
    weight_decay: float = 0.1
    warmup_steps: int = 60
    max_grad_norm: float = 1.0
    negatives: int = 2_048
    sampled_share: float = 0.85
    eval_steps: int = 250
    save_steps: int = 500
    seed: int = 0

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise ConfigError(f"steps can't be {self.steps}", where="steps", fix="Give 1 or more.")
        if not 0 <= self.seed < 2**32:
            raise ConfigError(f"seed can't be {self.seed}", where="seed", fix="Give 0 to 4294967295.")

    @property
    def tokens(self) -> int:
        """What one run reads, validation included; no window is read twice."""
        return (self.steps * self.batch_size + VALIDATION_WINDOWS) * self.n_positions + 1

    def rate(self, step: int) -> float:
        """The learning rate of step 1 … `steps`: a rise, then a straight line down to 2 %."""
        rise = min(1.0, step / self.warmup_steps)
        return self.learning_rate * rise * max(0.02, 1 - (step - 1) / self.steps)


class Pretrainer:
    """Train a compact model on tokens (n,) uint16; iterate over it for the events.

    `folder` keeps the state: what is found there is gone on with, and it is replaced every `save_steps`.
    """

    def __init__(self, config: PretrainConfig, tokens: np.ndarray, ids: np.ndarray, folder: Path) -> None:
        self.config, self.folder = config, folder
        rows = torch.from_numpy(row_of_id(ids)[tokens])
        held = VALIDATION_WINDOWS * config.n_positions
        self.validation, self.train = rows[: held + 1], rows[held:]
        shape = GPT2Config(len(ids) + 1, config.n_positions, config.n_embd, config.n_layer, config.n_head)
        model = CompactGPT2(shape, torch.from_numpy(ids))
        self.model = initialized(model, seed=config.seed).to(best_device())
        self.optimizers = _optimizers(self.model, config)
        windows = (len(self.train) - 1) // config.n_positions
        self.order = torch.randperm(windows, generator=torch.Generator().manual_seed(config.seed))
        self.step = 0
        if (folder / "state.json").is_file():
            self._restore()

    def __iter__(self) -> Iterator[TrainEvent]:
        while self.step < self.config.steps:
            yield self._step()
            if self.step % self.config.eval_steps == 0 or self.step == self.config.steps:
                yield self._validate()
            if self.step % self.config.save_steps == 0 or self.step == self.config.steps:
                self._save()

    def _window(self, source: Tensor, starts: Tensor) -> tuple[Tensor, Tensor]:
        """Inputs and targets (B, T) each, from positions (B,)."""
        at = starts[:, None] + torch.arange(self.config.n_positions)
        device = self.model.device
        return source[at].to(device), source[at + 1].to(device)

    def _step(self) -> Stepped:
        began = time.perf_counter()
        config, step = self.config, self.step + 1
        first = self.step * config.batch_size
        starts = self.order[first : first + config.batch_size] * config.n_positions
        rate = config.rate(step)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = rate
        with autocast(self.model.device, bf16=None):
            loss = self._loss(*self._window(self.train, starts), step)
        self.model.zero_grad()
        loss.backward()
        norm = float(torch.nn.utils.clip_grad_norm_(self.model.parameters(), config.max_grad_norm))
        for optimizer in self.optimizers:
            optimizer.step()
        self.step = step
        tokens = config.batch_size * config.n_positions
        return Stepped(
            step=step,
            total_steps=config.steps,
            epoch=step / config.steps,
            loss=loss.item(),
            learning_rate=rate,
            grad_norm=norm,
            tokens=tokens,
            trained_tokens=tokens,
            step_time_s=time.perf_counter() - began,
        )

    def _loss(self, inputs: Tensor, targets: Tensor, step: int) -> Tensor:
        is_known = targets != self.model.unknown  # what no row stands for can be read, but is never to be written
        hidden, targets = self.model.hidden(inputs)[is_known], targets[is_known]  # (n, C), (n,)
        if step > self.config.sampled_share * self.config.steps:
            return F.cross_entropy(self.model.logits(hidden).float(), targets)
        rng = torch.Generator().manual_seed(self.config.seed * 1_000_003 + step)
        return self.model.sampled_loss(hidden, targets, negatives=self.config.negatives, rng=rng)

    @torch.inference_mode()
    def _validate(self) -> Evaluated:
        T, size = self.config.n_positions, self.config.batch_size
        total, count = 0.0, 0
        for first in range(0, VALIDATION_WINDOWS, size):
            inputs, targets = self._window(self.validation, torch.arange(first, first + size) * T)
            logits = self.model(inputs).flatten(0, 1).float()
            unknown = self.model.unknown
            total += F.cross_entropy(logits, targets.flatten(), reduction="sum", ignore_index=unknown).item()
            count += int((targets != unknown).sum())
        return Evaluated(
            step=self.step,
            total_steps=self.config.steps,
            loss=total / count,
            trained_tokens=count,
            loss_by_role={},
        )

    def _save(self) -> None:
        staged = self.folder.with_name(self.folder.name + ".part")
        shutil.rmtree(staged, ignore_errors=True)
        staged.mkdir(parents=True)
        save_file({name: tensor.contiguous() for name, tensor in self._tensors().items()}, staged / "state.safetensors")
        (staged / "state.json").write_text(json.dumps({"step": self.step}), encoding="utf-8")
        shutil.rmtree(self.folder, ignore_errors=True)
        os.replace(staged, self.folder)

    def _tensors(self) -> dict[str, Tensor]:
        """All that decides the next step: weights and what the optimizers remember, by name."""
        tensors = {f"model.{name}": tensor for name, tensor in self.model.state_dict().items()}
        for i, optimizer in enumerate(self.optimizers):
            for j, memory in optimizer.state_dict()["state"].items():
                tensors |= {f"{i}.{j}.{name}": value for name, value in memory.items()}
        return tensors

    def _restore(self) -> None:
        tensors = load_file(self.folder / "state.safetensors")
        prefix = "model."
        self.model.load_state_dict({k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)})
        for i, optimizer in enumerate(self.optimizers):
            state: dict[int, dict[str, Tensor]] = {}
            for name, tensor in tensors.items():
                which, _, rest = name.partition(".")
                if which == str(i):
                    j, _, what = rest.partition(".")
                    state.setdefault(int(j), {})[what] = tensor
            optimizer.load_state_dict({**optimizer.state_dict(), "state": state})
        self.step = json.loads((self.folder / "state.json").read_text(encoding="utf-8"))["step"]


def _optimizers(model: CompactGPT2, config: PretrainConfig) -> tuple[torch.optim.Optimizer, ...]:
    named = dict(model.named_parameters())
    matrices = [p for name, p in named.items() if p.dim() == 2 and name.startswith("h.")]
    embeddings = [p for name, p in named.items() if p.dim() == 2 and not name.startswith("h.")]
    vectors = [p for p in named.values() if p.dim() == 1]
    groups = [{"params": embeddings, "weight_decay": 0.01}, {"params": vectors, "weight_decay": 0.0}]
    return (
        Muon(matrices, lr=config.learning_rate, weight_decay=config.weight_decay),
        torch.optim.AdamW(groups, lr=config.learning_rate, betas=(0.9, 0.98), fused=True),
    )
