"""What a batch costs the model: exact, with nothing computed that no trained target needs."""

import numpy as np
import torch
from torch import Tensor

from ift.data.batching import Batch
from ift.data.unpadded import can_unpad, unpad
from ift.model.cross_entropy import ChunkedLinearCrossEntropy, chunked_losses
from ift.model.dropout import drops
from ift.model.gpt2 import GPT2
from ift.model.precision import autocast, uses_bf16
from ift.types import IGNORE_INDEX


def losses(model: GPT2, batch: Batch, *, bf16: bool | None = False) -> tuple[Tensor, Tensor]:
    """Loss in nats and role of every trained target of a batch, row by row: (n,) float32, (n,) uint8.

    For reading, without gradients; `batch_loss` is what trains. `bf16`: see `autocast`.
    """
    roles = torch.from_numpy(batch.roles[batch.targets != IGNORE_INDEX]).to(model.device)
    with torch.no_grad():
        hidden, head, targets, counted, _ = _cells(model, batch, bf16)
        return chunked_losses(hidden, head, targets, _dtype(model, bf16))[counted], roles


def batch_loss(model: GPT2, batch: Batch, *, share: float | None = None, bf16: bool | None = False) -> Tensor:
    """The sum of a batch's losses, each times its weight and `share`, ().

    A prompt's token weighs `batch.prompt_loss_weight`, any other 1. `share`: of a loss of weight 1; by default it makes
    the sum the weighted mean, and for a part of a larger batch the caller gives that one's. The gradients that one
    `backward` gives are made here already (`ChunkedLinearCrossEntropy`). `bf16`: see `autocast`.
    """
    hidden, head, wanted, _, weights = _cells(model, batch, bf16)
    each = 1 / (batch.total_weight or 1) if share is None else share
    return ChunkedLinearCrossEntropy.apply(hidden, head, wanted, weights * each, _dtype(model, bf16))


def unpadded_loss(
    model: GPT2,
    inputs: Tensor,
    positions: Tensor,
    layout: Tensor,
    places: Tensor,
    wanted: Tensor,
    targets: Tensor,
    shares: Tensor,
    *,
    bf16: bool | None,
) -> Tensor:
    """The sum of a padding-free batch's losses, each times its share, (); nothing in here waits for a GPU.

    Tensors as in `ift.data.unpadded.Unpadded`, on the model's device; shares: (M,) float32, one per wanted cell.
    """
    with autocast(model.device, bf16=bf16):
        hidden, head = model.unpadded_hidden(inputs, positions, layout, places, wanted)
    return ChunkedLinearCrossEntropy.apply(hidden, head, targets, shares, _dtype(model, bf16))


def _cells(model: GPT2, batch: Batch, bf16: bool | None) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """The cells with a trained target, (M, C), the head, (V, C), targets (M,), `Unpadded.counted` and its `weights`.

    The rows are laid end to end without padding, and only what these cells need is computed. Where padding is trained,
    the batch is computed as it is.
    """
    if not can_unpad(batch):
        return _padded_cells(model, batch, bf16)
    unpadded = unpad(batch, share=not drops(model))
    inputs, positions, layout, places, wanted, targets, counted, weights = (
        torch.from_numpy(getattr(unpadded, name)).to(model.device) for name in unpadded.__slots__
    )
    with autocast(model.device, bf16=bf16):
        hidden, head = model.unpadded_hidden(inputs, positions, layout, places, wanted)
    return hidden, head, targets, counted, weights


def _padded_cells(model: GPT2, batch: Batch, bf16: bool | None) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    trained = batch.targets != IGNORE_INDEX  # (B, T)
    n = int(trained.sum())
    inputs, targets, counted, weights = (
        torch.from_numpy(values).to(model.device)
        for values in (batch.inputs, batch.targets[trained], np.arange(n), batch.target_weights.astype(np.float32))
    )
    with autocast(model.device, bf16=bf16):
        hidden = model.hidden(inputs)[torch.from_numpy(trained).to(model.device)]
    return hidden, model.wte.weight, targets, counted, weights


def _dtype(model: GPT2, bf16: bool | None) -> torch.dtype:
    return torch.bfloat16 if uses_bf16(model.device, bf16=bf16) else torch.float32
