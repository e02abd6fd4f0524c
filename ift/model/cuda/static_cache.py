"""Keys and values that keep their place in memory, so that a CUDA graph can read and write them step after step.

What changes from step to step is on the device: a row's next token goes to its own position, and what is behind it is
hidden. A step looks at a window of the first rows and columns, whose size is fixed while it is recorded.
B rows, R rows of the window, S columns of the window, H heads, D head size.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

if TYPE_CHECKING:
    from ift.model.gpt2_config import GPT2Config


class Window(NamedTuple):
    """How much of the cache a step looks at."""

    rows: int
    columns: int


class StaticCache:
    """Room for so many rows of `size` tokens each; `window` is what the next step looks at.

    Rows of the window that answer nothing any more are stepped with the others, and write behind nobody: their
    positions stop at the window's end.
    """

    def __init__(self, config: "GPT2Config", *, rows: int, size: int, like: Tensor) -> None:
        shape = (config.n_layer, 2, rows, config.n_head, size, config.n_embd // config.n_head)
        self._kv = like.new_zeros(shape)  # finite everywhere: a hidden column counts zero times, and 0 · NaN is NaN
        self._positions = torch.zeros(rows, dtype=torch.long, device=like.device)
        self._numbers = torch.arange(max(rows, size), device=like.device)
        self._at = self._hidden = self._positions  # of the step at work
        self.rows, self.size = rows, size
        self.window = Window(rows, size)

    def begin(self, lengths: Tensor) -> None:
        """Say how long each row's prompt (B,) is; `fill` stores the prompts then."""
        self._positions.zero_()
        self._positions[: len(lengths)] = lengths

    def fill(self, layer: int, k: Tensor, v: Tensor) -> None:
        """Store a layer's keys and values of all prompts, (B, H, T, D) with T of the longest."""
        for kept, new in zip(self._kv[layer], (k, v), strict=True):
            kept[: len(new), :, : new.shape[2]] = new

    def next(self) -> Tensor:
        """Make room for one more token of each row; gives these tokens' positions (R,)."""
        rows, columns = self.window
        heads = self._kv.shape[3]
        self._at = self._positions[:rows].clamp(max=columns - 1)
        self._positions[:rows] += 1
        is_hidden = self._numbers[:columns] > self._at[:, None]  # (R, S)
        hidden = self._kv.new_zeros(rows, columns).masked_fill_(is_hidden, -torch.inf)
        self._hidden = hidden[:, None].expand(rows, heads, columns).reshape(rows * heads, 1, columns)
        return self._at

    def attend(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Store that token's keys and values and attend from it to all its row has; (R, H, 1, D) each, and back.

        Written out: for one query a row torch's fused attention takes up to eight times as long in fp32.
        """
        rows, columns = self.window
        keys, values = (kept[:rows, :, :columns] for kept in self._kv[layer])
        for kept, new in ((keys, k), (values, v)):
            kept[self._numbers[:rows], :, self._at] = new[:, :, 0]
        keys, values = keys.flatten(0, 1), values.flatten(0, 1)  # (R·H, S, D), no copies
        scores = torch.baddbmm(self._hidden, q.flatten(0, 1), keys.mT, alpha=q.shape[-1] ** -0.5)
        return (scores.softmax(dim=-1) @ values).view(q.shape)

    def move(self, rows: Sequence[int]) -> None:
        """Keep these rows alone, in this order, as the first ones."""
        index = torch.tensor(rows, dtype=torch.long, device=self._kv.device)
        self._positions[: len(rows)] = self._positions[index]
        for layer in self._kv:  # one after the other: a copy of all would double the memory
            layer[:, : len(rows)] = layer[:, index]
