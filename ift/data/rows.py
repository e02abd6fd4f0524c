"""Many encoded rows in a few arrays: a fraction of the memory of a row each, and counted without a loop."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np

from ift.types import Encoded


@dataclass(frozen=True, slots=True, eq=False)
class RowStore(Sequence[Encoded]):
    """Rows end to end. n rows, N ids in all.

    ids: (N,) uint16. roles: (N,) uint8. ends: (n,) int64, where each row ends. prompt_lengths: (n,) int64.
    """

    ids: np.ndarray
    roles: np.ndarray
    ends: np.ndarray
    prompt_lengths: np.ndarray

    @classmethod
    def of(cls, rows: Sequence[Encoded]) -> "RowStore":
        """Any rows; a store is taken as it is."""
        if isinstance(rows, RowStore):
            return rows
        return cls(
            np.concatenate([np.zeros(0, dtype=np.uint16), *(row.ids for row in rows)]),
            np.concatenate([np.zeros(0, dtype=np.uint8), *(row.roles for row in rows)]),
            np.cumsum([len(row) for row in rows], dtype=np.int64),
            np.array([row.prompt_length for row in rows], dtype=np.int64),
        )

    @classmethod
    def joined(cls, stores: Iterable["RowStore"]) -> "RowStore":
        """The rows of all stores, in order."""
        parts = list(stores)
        if len(parts) == 1:
            return parts[0]
        parts = [cls.of(()), *parts]  # there may be none
        starts = np.cumsum([0, *(len(part.ids) for part in parts)])
        return cls(
            np.concatenate([part.ids for part in parts]),
            np.concatenate([part.roles for part in parts]),
            np.concatenate([part.ends + start for part, start in zip(parts, starts, strict=False)]),
            np.concatenate([part.prompt_lengths for part in parts]),
        )

    def __len__(self) -> int:
        return len(self.ends)

    @overload
    def __getitem__(self, i: int) -> Encoded: ...

    @overload
    def __getitem__(self, i: slice) -> "RowStore": ...

    def __getitem__(self, i: int | slice) -> "Encoded | RowStore":
        """A row, whose arrays are views; or for a slice, these rows."""
        if isinstance(i, slice):
            return self.take(range(len(self))[i])
        i = range(len(self))[i]
        start = self.ends[i - 1] if i else 0
        return Encoded(self.ids[start : self.ends[i]], self.roles[start : self.ends[i]], int(self.prompt_lengths[i]))

    @property
    def lengths(self) -> np.ndarray:
        """(n,) int64: ids of each row, end-of-text included."""
        return np.diff(self.ends, prepend=0)

    def take(self, rows: Sequence[int]) -> "RowStore":
        """These rows only, in this order; views where they stand side by side."""
        chosen = np.array(rows, dtype=np.int64)
        if len(chosen) and np.array_equal(chosen, np.arange(chosen[0], chosen[0] + len(chosen))):
            return self._between(int(chosen[0]), len(chosen))
        lengths = self.lengths[chosen]
        cells = spans(self.ends[chosen] - lengths, lengths)
        return RowStore(self.ids[cells], self.roles[cells], np.cumsum(lengths), self.prompt_lengths[chosen])

    def _between(self, first: int, count: int) -> "RowStore":
        ends = self.ends[first : first + count]
        start = self.ends[first - 1] if first else 0
        cells = slice(start, ends[-1])
        return RowStore(self.ids[cells], self.roles[cells], ends - start, self.prompt_lengths[first : first + count])


def spans(starts: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Positions of spans laid end to end: `sizes[i]` from `starts[i]` on.

    >>> spans(np.array([7, 2]), np.array([3, 2])).tolist()
    [7, 8, 9, 2, 3]
    """
    ends = np.cumsum(sizes)
    places: np.ndarray = np.arange(ends[-1] if len(ends) else 0) + np.repeat(starts - (ends - sizes), sizes)
    return places
