"""The product of rows with a weight; where the rows are few, in the way that reads a large weight fastest."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

FEW_ROWS = 5
LARGE = 2**19
"""Numbers in a weight that does not stay in a core's own cache from step to step."""


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
