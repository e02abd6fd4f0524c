"""A training step of one CUDA device as one CUDA graph per batch size: forward, backward, clipping and AdamW.

Launching a step's hundreds of kernels from Python takes several times as long as a GPU works for them. Batches are
rounded up to a few sizes (`ift.training.rounding`), which changes no number, and nothing of a step is looked at before
its end: a loss or gradient that is not finite makes AdamW skip the step on the device, and is reported afterwards.
With gradient accumulation the backward passes are graphs that add to the gradients, and a last one applies them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

import numpy as np
import torch
from torch import Tensor

from ift.config import TrainConfig
from ift.data.batching import Batch
from ift.data.unpadded import unpad
from ift.model.cuda.graphs import Capture, CudaCapture, Graphs
from ift.model.gpt2 import GPT2
from ift.model.loss import unpadded_loss
from ift.roles import Role
from ift.runs.ranks import World
from ift.training.adamw import AdamW
from ift.training.rounding import Rounded, Size, bounds, choose_sizes, round_up, size_for
from ift.types import Encoded

MOST_SIZES = 4
"""Of one run: a graph more costs its capture, a graph less rounds up further."""
BATCHES_PLANNED = 10_000
"""Batches to come whose sizes are looked at beforehand."""


def capture_for(config: TrainConfig, model: GPT2, world: World) -> Capture | None:
    """How a run's steps are recorded, or None where they are not.

    A graph can't hold what other ranks do meanwhile, so neither DDP's nor FSDP's steps are recorded; gradient
    checkpointing computes in its backward pass with random numbers set back from the CPU; dropout's masks follow from
    seed, step and rank; and trained padding has a batch with no padding-free form.
    """
    drops = config.resid_pdrop or config.embd_pdrop or config.attn_pdrop or config.lora_dropout
    fits = world.size == 1 and not (config.gradient_checkpointing or drops or Role.PAD in config.trained)
    if not (config.cuda_graphs and fits and model.device.type == "cuda"):
        return None
    return CudaCapture(model.device)


class Staged:
    """A batch's arrays on the device, in one block that keeps its place, and in pinned memory on the way there."""

    def __init__(self, size: Size, device: torch.device) -> None:
        N, M = size.cells, size.wanted
        shapes = {"inputs": (N,), "positions": (N,), "layout": (size.rows, size.width), "places": (N,)}
        self._shapes = shapes | {"wanted": (M,), "targets": (M,)}
        total = sum(int(np.prod(shape)) for shape in self._shapes.values())
        is_cuda = device.type == "cuda"
        self._host = torch.zeros(total, dtype=torch.int64, pin_memory=is_cuda)
        self._host_shares = torch.zeros(M, pin_memory=is_cuda)
        self._block = torch.zeros(total, dtype=torch.int64, device=device)
        self.shares = torch.zeros(M, device=device)
        self.arrays = self._views(self._block)
        self._sent = torch.cuda.Event() if is_cuda else None

    def load(self, batch: Rounded, each: float) -> None:
        """Send a batch, of whose targets one of weight 1 has this share in the loss, behind the device's own work."""
        if self._sent:
            self._sent.synchronize()  # the last batch may still be on its way out of the pinned memory
        for name, view in self._views(self._host).items():
            view.copy_(torch.from_numpy(getattr(batch, name)))
        torch.mul(torch.from_numpy(batch.weights), each, out=self._host_shares)
        self._block.copy_(self._host, non_blocking=True)
        self.shares.copy_(self._host_shares, non_blocking=True)
        if self._sent:
            self._sent.record()

    def _views(self, block: Tensor) -> dict[str, Tensor]:
        sizes = [int(np.prod(shape)) for shape in self._shapes.values()]
        return {
            name: part.view(shape) for (name, shape), part in zip(self._shapes.items(), block.split(sizes), strict=True)
        }


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a step came to."""

    loss: float
    norm: float


class GraphStep:
    """A trainer's steps, recorded and replayed; `begin` sends one off and `end` waits for its outcome.

    Args:
        model: its weights that are not frozen are trained.
        optimizer: over them, whose learning rate is a tensor on the model's device.
        config: of the run.
        sizes: what batches are rounded up to.
        capture: how steps are recorded.
    """

    def __init__(
        self, model: GPT2, optimizer: AdamW, config: TrainConfig, sizes: Sequence[Size], capture: Capture
    ) -> None:
        self._model, self._optimizer, self._bf16, self._sizes = model, optimizer, config.bf16, sizes
        self._weights = [weight for weight in model.parameters() if weight.requires_grad]
        self._max_norm = config.max_grad_norm
        device = model.device
        self._total = torch.zeros((), device=device)
        self._found_inf, self._grad_scale = torch.zeros((), device=device), torch.ones((), device=device)
        self._rate = torch.as_tensor(optimizer.lr)
        self._accumulates = config.gradient_accumulation_steps > 1
        work = self._accumulate if self._accumulates else self._whole
        self._batches: Graphs[Size, Staged, Tensor] = Graphs(work, capture)
        self._last: Graphs[str, None, Tensor] = Graphs(lambda _: self._apply_and_clear(), capture)
        self._gradients: list[Tensor] = []
        self._outcome: Tensor | None = None

    @property
    def failure(self) -> str | None:
        """Why nothing is recorded any more; the steps go on one kernel after the other."""
        return self._batches.failure or self._last.failure

    def ready(self, batch: Batch) -> tuple[Rounded, Size]:
        """A batch without its padding, rounded up: what can be done while the device works."""
        unpadded = unpad(batch)
        size = size_for(Size.of(unpadded), self._sizes)
        return round_up(unpadded, size), size

    def begin(self, batches: Sequence[tuple[Rounded, Size]], *, total_weight: float, rate: float) -> None:
        """Send off the step over these batches, whose targets weigh so much in all."""
        if not self._model.training:  # to visit all modules takes as long as to send a batch
            self._model.train()
        self._rate.fill_(rate)
        if self._accumulates:
            self._hold_gradients()
        for batch, size in batches:
            self._batches.buffers(size, partial(Staged, size, self._model.device)).load(batch, 1 / total_weight)
            self._outcome = self._batches.run(size)
        if self._accumulates:
            self._last.buffers("apply", lambda: None)
            self._outcome = self._last.run("apply")

    def _hold_gradients(self) -> None:
        """Graphs that add to gradients must find them where they were."""
        self._gradients = self._gradients or [torch.zeros_like(weight) for weight in self._weights]
        for weight, gradient in zip(self._weights, self._gradients, strict=True):
            weight.grad = gradient

    def end(self) -> Outcome:
        """Wait for the step: its loss, and the norm of its gradient before clipping."""
        if self._outcome is None:
            raise RuntimeError("No step has begun")
        loss, norm = self._outcome.tolist()
        self._outcome = None
        return Outcome(loss, norm)

    def _whole(self, staged: Staged) -> Tensor:
        """With no gradients at first: the backward pass then gives its own instead of adding to zeros."""
        self._optimizer.zero_grad()
        self._total.zero_()
        self._accumulate(staged)
        outcome = self._apply()
        self._optimizer.zero_grad()  # their memory is the next graph's
        return outcome

    def _accumulate(self, staged: Staged) -> Tensor:
        loss = unpadded_loss(self._model, **staged.arrays, shares=staged.shares, bf16=self._bf16)
        loss.backward()
        return self._total.add_(loss.detach())

    def _apply(self) -> Tensor:
        """Clip, and step unless something is not finite; gives loss and norm, (2,)."""
        norm = torch.nn.utils.get_total_norm(self._grads())
        outcome = torch.stack([self._total, norm])
        self._found_inf.copy_(~outcome.isfinite().all())
        if self._max_norm > 0:  # AdamW divides by it as it reads the gradients: no pass of its own
            self._grad_scale.copy_(((norm + 1e-6) / self._max_norm).clamp(min=1))
        self._optimizer.step(grad_scale=self._grad_scale, found_inf=self._found_inf)
        return outcome

    def _grads(self) -> list[Tensor]:
        return [weight.grad for weight in self._weights if weight.grad is not None]

    def _apply_and_clear(self) -> Tensor:
        outcome = self._apply()
        torch._foreach_zero_(self._grads())
        self._total.zero_()
        return outcome


def plan_sizes(
    rows: Sequence[Encoded], steps: Iterable[Sequence[int]], config: TrainConfig, *, max_length: int | None
) -> list[Size]:
    """A few sizes that hold the batches of the steps to come, each the positions of its rows."""
    size = config.per_device_train_batch_size
    batches = (step[i : i + size] for step in steps for i in range(0, len(step), size))
    planned = islice(batches, BATCHES_PLANNED)
    return choose_sizes(bounds(rows, planned, trained=config.trained, max_length=max_length), most=MOST_SIZES)
