"""The batch that takes the most memory, once through the model before the first step: trouble shows at once.

It changes neither weights nor optimizer nor random numbers, so that a run is the same with it and without.
"""

import time
from itertools import islice

import psutil
import torch

from ift.data.batching import batch_for, pair_counts, target_counts
from ift.errors import TrainingError, is_out_of_memory
from ift.events import Probed
from ift.model.loss import batch_loss
from ift.plurals import plural
from ift.runs.processes import available_bytes, peak_bytes
from ift.training.estimate import MOMENT_BYTES, advice
from ift.training.trainer import Trainer
from ift.types import Encoded

EPOCHS_SEARCHED = 2
"""For that batch: each epoch has its own order."""


def longest_batch(trainer: Trainer) -> list[Encoded]:
    """The rows of the batch that takes the most memory, of all that will come."""
    config = trainer.config
    size, rows = config.per_device_train_batch_size, trainer.train
    lengths = pair_counts(rows, trainer.max_length)
    targets = target_counts(rows, trained=config.trained, max_length=trainer.max_length)
    model = trainer.model.config
    a_cell, a_target = 16 * model.n_layer * model.n_embd, 3 * model.vocab_size  # numbers kept, about

    def cost(batch: list[int]) -> int:
        in_attention = 4 * model.n_layer * model.n_embd * len(batch) * lengths[batch].max()  # which is padded
        return a_cell * lengths[batch].sum() + in_attention + a_target * targets[batch].sum()

    steps = min(trainer.total_steps - trainer.step, EPOCHS_SEARCHED * config.steps_per_epoch(len(rows)))
    drawn = islice(trainer.order(), max(1, steps))
    batches = (step[i : i + size] for step in drawn for i in range(0, len(step), size))
    return [rows[i] for i in max(batches, key=cost)]


def run_longest(trainer: Trainer) -> Probed:
    """That batch, forward and backward: memory trouble shows now, and not after an hour.

    Weights, optimizer and random numbers stay as they are.

    Raises:
        TrainingError: memory ran out.
    """
    batch = batch_for(longest_batch(trainer), trained=trainer.config.trained, max_length=trainer.max_length).batch
    model, began = trainer.model, time.perf_counter()
    try:
        with torch.random.fork_rng(devices=[model.device] if model.device.type == "cuda" else []):
            model.train()
            batch_loss(model, batch, bf16=trainer.config.bf16).backward()
        if model.device.type == "cuda":
            torch.cuda.synchronize(model.device)  # it is asked for its time, and would still be at work
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        where = f"the largest batch, {plural(len(batch.lengths), 'row')} of up to {batch.width} tokens"
        raise TrainingError("Memory ran out", where=where, fix=advice(trainer.config)) from error
    finally:
        trainer.optimizer.zero_grad()
    trained = sum(weight.numel() for _, weight in trainer.trained())
    to_come = 0 if trainer.optimizer.state else MOMENT_BYTES * trained  # a resumed run has them already
    peak = _peak_bytes(model.device)
    return Probed(
        step=trainer.step,
        rows=len(batch.lengths),
        width=batch.width,
        tokens=batch.tokens,
        trained_tokens=batch.trained_tokens,
        batch_time_s=time.perf_counter() - began,
        peak_bytes=peak,
        needed_bytes=peak + to_come,
    )


def missing_memory(trainer: Trainer, probed: Probed) -> int:
    """The bytes that the machine is short of for what the first step will still take; 0 where there is enough."""
    return max(0, probed.needed_bytes - probed.peak_bytes - free_bytes(trainer.model.device))


def _peak_bytes(device: torch.device) -> int:
    return torch.cuda.max_memory_allocated(device) if device.type == "cuda" else peak_bytes()


def held_bytes(device: torch.device) -> int:
    """Memory that this process holds now, on the device that it computes on."""
    return torch.cuda.memory_allocated(device) if device.type == "cuda" else psutil.Process().memory_info().rss


def free_bytes(device: torch.device) -> int:
    """Memory that this process can still get there."""
    return torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else available_bytes()
