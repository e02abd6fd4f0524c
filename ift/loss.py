"""What a batch costs the model: exact, with nothing computed that no trained target needs."""

import torch
import torch.nn.functional as F
from torch import Tensor

from ift.flat import can_flatten, flatten
from ift.model import GPT2
from ift.precision import autocast
from ift.types import IGNORE_INDEX, Batch


def losses(model: GPT2, batch: Batch, *, bf16: bool | None = False) -> tuple[Tensor, Tensor]:
    """Loss in nats and role of every trained target of a batch, row by row: (n,) float32, (n,) uint8.

    The rows are laid flat, and the head runs only where a target is trained. Where padding is trained, the batch
    is computed as it stands. `bf16`: see `autocast`.
    """
    trained = batch.targets != IGNORE_INDEX
    roles = torch.from_numpy(batch.roles[trained]).to(model.device)
    values = _flat if can_flatten(batch) else _padded
    return values(model, batch, bf16), roles


def _flat(model: GPT2, batch: Batch, bf16: bool | None) -> Tensor:
    flat = flatten(batch)
    inputs, positions, layout, places, wanted, targets, counted = (
        torch.from_numpy(getattr(flat, name)).to(model.device) for name in flat.__slots__
    )
    with autocast(model.device, bf16=bf16):
        hidden = model.flat_hidden(inputs, positions, layout, places, wanted)  # (M, C)
        logits = model.logits(hidden)  # (M, V)
    return F.cross_entropy(logits.float(), targets, reduction="none")[counted]


def _padded(model: GPT2, batch: Batch, bf16: bool | None) -> Tensor:
    inputs = torch.from_numpy(batch.inputs).to(model.device)  # (B, T)
    targets = torch.from_numpy(batch.targets).to(model.device)  # (B, T)
    trained = targets != IGNORE_INDEX
    with autocast(model.device, bf16=bf16):
        logits = model.logits(model.hidden(inputs)[trained])  # (n, V)
    return F.cross_entropy(logits.float(), targets[trained], reduction="none")
