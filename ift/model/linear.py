"""The product of rows with a weight, in the way that reads it fastest; and the head where one token is wanted."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

FEW_ROWS = 5
LARGE = 2**19
"""Numbers in a weight that does not stay in a core's own cache from step to step."""
PART = 4096
"""Ids whose logits are looked at together: what nobody else wants need not leave the cache."""
WORTH_IT = 0.125
"""Share of the ids that have to be left out, or a copy of the rest of the head gains nothing."""


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """(…, in) → (…, out), as torch's own `linear`.

    A few rows cost what reading the weight costs, and MKL reads one that is taller than wide up to three times
    faster when it multiplies columns from the left; a single row goes twice, as two columns are as quick as that.
    """
    if torch.is_grad_enabled() or not _is_quicker_by_columns(x, weight):
        return F.linear(x, weight, bias)
    rows = x.reshape(-1, weight.shape[1])
    columns = (rows if len(rows) > 1 else rows.repeat(2, 1)).t()  # (in, n)
    y = weight @ columns if bias is None else torch.addmm(bias[:, None], weight, columns)  # (out, n)
    return y.t()[: len(rows)].reshape(*x.shape[:-1], -1)


def _is_quicker_by_columns(x: Tensor, weight: Tensor) -> bool:
    height, width = weight.shape
    fits = 0 < x.numel() <= FEW_ROWS * width and width <= height and weight.numel() >= LARGE
    return fits and x.device.type == "cpu" and torch.backends.mkl.is_available()


class Linear(nn.Linear):
    """torch's Linear with the product above; without memory (on the meta device) it draws no first weights.

    There is nothing to draw into, and for it torch would load its compiler, which takes seconds.
    """

    def reset_parameters(self) -> None:
        """Draw first weights, where there is memory for them."""
        if not self.weight.is_meta:
            super().reset_parameters()

    def forward(self, x: Tensor) -> Tensor:
        """(…, in) → (…, out)."""
        return linear(x, self.weight, self.bias)


class Embedding(nn.Embedding):
    """torch's Embedding, which draws no first weights without memory either."""

    def reset_parameters(self) -> None:
        """Draw first weights, where there is memory for them."""
        if not self.weight.is_meta:
            super().reset_parameters()


class GreedyHead:
    """The likeliest next token, for a head of weight (V, C) that does not change meanwhile.

    A model that never saw some of its ids has one row for all of them, as training moves them alike, bit for bit: the
    starter for 30,034 of 50,257. Equal rows have equal logits, so that one of them is computed.
    """

    def __init__(self, weight: Tensor) -> None:
        self._ids = distinct_rows(weight) if weight.device.type == "cpu" else None
        self._weight = weight if self._ids is None else weight[self._ids]

    def __call__(self, hidden: Tensor) -> Tensor:
        """(B, C) → (B,), the id with the highest logit."""
        found = likeliest(hidden, self._weight)
        return found if self._ids is None else self._ids[found]


def likeliest(hidden: Tensor, weight: Tensor) -> Tensor:
    """(B, C), (V, C) → (B,), the row of the weight with the highest logit; with many rows part by part, on a CPU."""
    if len(hidden) <= FEW_ROWS or hidden.device.type != "cpu":
        return linear(hidden, weight).argmax(dim=-1)
    parts = [linear(hidden, part).max(dim=-1) for part in weight.split(PART)]
    best = torch.stack([part.values for part in parts]).argmax(dim=0)  # (B,)
    ids = torch.stack([part.indices for part in parts])  # (parts, B)
    return ids.gather(0, best[None])[0] + best * PART


def distinct_rows(weight: Tensor) -> Tensor | None:
    """The ids without those whose row is the same as that of the first of them; None where these are few."""
    values, counts = weight[:, 0].unique(return_counts=True)
    alike = (weight[:, 0] == values[counts.argmax()]).nonzero()[:, 0]
    same = alike[(weight[alike] == weight[alike[:1]]).all(dim=1)]
    if len(same) < WORTH_IT * len(weight):
        return None
    kept = torch.ones(len(weight), dtype=torch.bool)
    kept[same[1:]] = False  # the first stays: among equal logits the lowest id wins, as without this
    return kept.nonzero()[:, 0]
