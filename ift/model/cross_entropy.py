"""The tied head and its cross-entropy, chunk by chunk, with the gradients made where a chunk's logits are at hand.

The logits of all targets never stand in memory together, none is computed twice, and the two gradients of the tied
embedding, as the head and as the embedding, meet in one tensor. M targets, C channels, V vocabulary.
"""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import FunctionCtx, once_differentiable

CHUNK_ROWS = 512
"""Targets whose logits stand in memory at once: 100 MB with GPT-2's vocabulary, and a thin share of a pass for W."""
BLOCK_ROWS = 16
"""Targets whose probabilities are computed at once, on a CPU: they stay in its cache."""
ALIGNED = 16
"""Logits of a row end on a multiple of so many: products with rows of 50,257 are up to 1.4 times slower."""


class TiedEmbedding(Function):
    """ids (N,), weight (V, C) → their embeddings (N, C), and the weight again, for the head.

    The head's gradient passes through here, and the embedding's few rows are added to it in place: autograd alone
    would make a second (V, C) of zeros for them and a third for the sum.
    """

    @staticmethod
    def forward(ctx: FunctionCtx, ids: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
        """See the class."""
        ctx.save_for_backward(ids)
        return F.embedding(ids, weight), weight.view_as(weight)

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, embeddings: Tensor, head: Tensor) -> tuple[None, Tensor]:
        """Gradients of both (zeros where there is none) → the weight's; `head` is the head's to give away."""
        (ids,) = ctx.saved_tensors
        return None, head.index_add_(0, ids, embeddings)


class ChunkedLinearCrossEntropy(Function):
    """hidden (M, C), weight (V, C), targets (M,), shares (M,) → the sum of each target's loss times its share, ().

    dtype: of the products, float32 or bfloat16; sums are float32. The gradients are those of one backward pass:
    it gives them away. A weight that stands still gets none.
    """

    @staticmethod
    def forward(
        ctx: FunctionCtx, hidden: Tensor, weight: Tensor, targets: Tensor, shares: Tensor, dtype: torch.dtype
    ) -> Tensor:
        """See the class."""
        W, x = weight.to(dtype), hidden.to(dtype)
        to_hidden = torch.empty_like(hidden) if ctx.needs_input_grad[0] else None
        to_weight = torch.zeros_like(weight) if ctx.needs_input_grad[1] and not len(hidden) else None
        total = shares.new_zeros(())
        for rows, logits in _chunks(x, W):
            share = shares[rows, None]
            total += _turn_into_gradients(logits, targets[rows]) @ shares[rows]
            if to_hidden is not None:
                to_hidden[rows] = logits @ W * share
            if ctx.needs_input_grad[1]:
                to_weight = _add_product(to_weight, logits.t(), (x[rows] * share).to(dtype))
        ctx.gradients = to_hidden, to_weight
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, scale: Tensor) -> tuple[Tensor | None, Tensor | None, None, None, None]:
        """The gradients, times that of the sum."""
        if ctx.gradients is None:
            raise RuntimeError("The gradients of this loss went away with its first backward pass")
        gradients, ctx.gradients = ctx.gradients, None  # nobody else holds them, so that they are added to in place
        if scale.device.type != "cpu" or scale != 1:  # to look at it would be to wait for a GPU
            gradients = [None if gradient is None else gradient.mul_(scale) for gradient in gradients]
        return *gradients, None, None, None


@torch.no_grad()
def chunked_losses(hidden: Tensor, weight: Tensor, targets: Tensor, dtype: torch.dtype) -> Tensor:
    """Each target's loss, (M,) float32, without gradients; arguments as in `ChunkedLinearCrossEntropy`."""
    losses = torch.empty(len(hidden), device=hidden.device)
    for rows, logits in _chunks(hidden.to(dtype), weight.to(dtype)):
        losses[rows] = F.cross_entropy(logits.float(), targets[rows], reduction="none")
    return losses


def _chunks(x: Tensor, W: Tensor) -> Iterator[tuple[slice, Tensor]]:
    """Some rows and their logits (m, V) each, in a buffer that the next chunk takes again."""
    V = len(W)
    buffer = x.new_empty(min(len(x), CHUNK_ROWS), -(-V // ALIGNED) * ALIGNED)
    for first in range(0, len(x), CHUNK_ROWS):
        rows = slice(first, min(first + CHUNK_ROWS, len(x)))
        yield rows, torch.mm(x[rows], W.t(), out=buffer[: rows.stop - first, :V])


def _turn_into_gradients(logits: Tensor, targets: Tensor) -> Tensor:
    """Give each row's loss (m,) float32, and write in place of its logits the gradient of that loss."""
    size = BLOCK_ROWS if logits.device.type == "cpu" else CHUNK_ROWS
    losses = []
    for rows, picked in zip(logits.split(size), targets[:, None].split(size), strict=True):
        log_p = rows.float().log_softmax(dim=-1)
        of_target = log_p.gather(1, picked)
        torch.exp(log_p, out=rows)
        rows.scatter_(1, picked, of_target.expm1().to(rows.dtype))  # p - 1, and only then rounded to bf16
        losses.append(-of_target[:, 0])
    return torch.cat(losses)


def _add_product(total: Tensor | None, a: Tensor, b: Tensor) -> Tensor:
    """`total` + `a` @ `b` in float32, in place; None stands for zeros."""
    if total is None:
        return (a @ b).float()
    return total.addmm_(a, b) if a.dtype == total.dtype else total.add_(a @ b)
