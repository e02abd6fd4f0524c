"""What a model makes of a batch: the loss of every next token, and what it would have written instead."""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F

from ift.data.batching import Batch
from ift.model.gpt2 import GPT2


@torch.inference_mode()
def token_losses(model: GPT2, batch: Batch) -> np.ndarray:
    """(B, T) float32: loss in nats of each next id, trained or not; NaN where a row has ended.

    Row by row, since the logits of a whole batch of long rows would fill the memory. What a row has beyond the
    model's context is NaN, too.
    """
    losses = np.full(batch.inputs.shape, np.nan, dtype=np.float32)
    for b, length in enumerate(batch.lengths):
        n = min(int(length), model.config.n_positions)
        if not n:
            continue
        inputs, next_ids = (torch.from_numpy(ids[b, :n]).to(model.device) for ids in (batch.inputs, batch.next_ids))
        logits = model(inputs[None])[0].float()  # (n, V)
        losses[b, :n] = F.cross_entropy(logits, next_ids, reduction="none").cpu().numpy()
    return losses


@torch.inference_mode()
def top_tokens(model: GPT2, context: Sequence[int], *, k: int = 5) -> list[tuple[int, float]]:
    """The k likeliest next ids after `context` (1 … n_positions ids), with their probabilities, likeliest first."""
    ids = torch.tensor([list(context)[-model.config.n_positions :]], device=model.device)
    probabilities = model.logits(model.hidden(ids)[:, -1]).float().softmax(dim=-1)[0]
    values, best = probabilities.topk(k)
    return list(zip(best.tolist(), values.tolist(), strict=True))
