"""The keys and values of what a batch of rows has read so far. B rows, H heads, D head size, S columns."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

if TYPE_CHECKING:
    from ift.model.gpt2_config import GPT2Config


class Cache(Protocol):
    """What the model reads and writes as it reads prompts and then, step by step, one more token of each row."""

    def begin(self, lengths: Tensor) -> None:
        """Say how long each row's prompt (B,) is; `fill` stores the prompts then."""
        ...

    def fill(self, layer: int, k: Tensor, v: Tensor) -> None:
        """Store a layer's keys and values of all prompts, (B, H, T, D) with T of the longest."""
        ...

    def next(self) -> Tensor:
        """Make room for one more token of each row; gives these tokens' positions (B,)."""
        ...

    def attend(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Store that token's keys and values and attend from it to all its row has; (B, H, 1, D) each, and back."""
        ...


class KVCache:
    """Filled once with prompts of any lengths, then one column a step for all rows.

    A row's prompt stands in its first columns, and what comes then behind the longest prompt: the columns between
    are hidden from it. So a step writes one column, and no row ever waits for another one's length.
    """

    def __init__(self, config: "GPT2Config", *, rows: int, size: int, like: Tensor) -> None:
        shape = (rows, config.n_head, size, config.n_embd // config.n_head)
        # (B, H, S, D) each; memory that is not written yet is not looked at, and costs nothing on most systems
        self._keys = [like.new_empty(shape) for _ in range(config.n_layer)]
        self._values = [like.new_empty(shape) for _ in range(config.n_layer)]
        self._seen: Tensor | None = None  # (B, 1, 1, S); None where all prompts have one length: all is seen
        self._lengths = torch.zeros(rows, dtype=torch.long, device=like.device)
        self._end, self._size = 0, size
        self.rows = rows

    def begin(self, lengths: Tensor) -> None:
        """Say how long each row's prompt (B,) is; `fill` stores the prompts then."""
        self._lengths, self._end = lengths, int(lengths.max())
        if int(lengths.min()) < self._end:
            columns = torch.arange(self._size, device=lengths.device)
            seen = (columns < lengths[:, None]) | (columns >= self._end)
            self._seen = seen[:, None, None]

    def fill(self, layer: int, k: Tensor, v: Tensor) -> None:
        """Store a layer's keys and values of all prompts, (B, H, T, D) with T of the longest."""
        self._keys[layer][:, :, : self._end] = k
        self._values[layer][:, :, : self._end] = v

    def next(self) -> Tensor:
        """Open a column for one more token of each row; gives these tokens' positions (B,)."""
        self._lengths = self._lengths + 1
        self._end += 1
        return self._lengths - 1

    def attend(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Store keys and values of the open column, and attend to all a row sees; (B, H, 1, D) each, and back."""
        keys, values = (cached[layer][: self.rows, :, : self._end] for cached in (self._keys, self._values))
        keys[:, :, -1:] = k
        values[:, :, -1:] = v
        seen = None if self._seen is None else self._seen[..., : self._end]
        return F.scaled_dot_product_attention(q, keys, values, attn_mask=seen)

    def drop(self, gone: Collection[int]) -> list[int]:
        """Take rows out; gives the old number of each that stays, in the new order.

        Rows from the end move into the gaps, so that leaving costs no more than these rows' own copies.
        """
        left = self.rows - len(gone)
        if not gone:
            return list(range(left))
        order = list(range(left))
        gaps = [row for row in order if row in gone]
        moved = [row for row in range(left, self.rows) if row not in gone]
        for gap, row in zip(gaps, moved, strict=True):
            order[gap] = row
            for cached in (*self._keys, *self._values):
                cached[gap, :, : self._end] = cached[row, :, : self._end]
        self.rows = left
        kept = torch.tensor(order, dtype=torch.long, device=self._lengths.device)
        self._lengths = self._lengths[kept]
        self._seen = None if self._seen is None else self._seen[kept]
        return order


def row_bytes(config: "GPT2Config", size: int) -> int:
    """Memory of one row with room for `size` tokens, in fp32."""
    return 2 * config.n_layer * config.n_embd * size * 4
