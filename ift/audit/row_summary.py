"""What a mask and a limit do to rows is decided by a few numbers of each: its length, and where roles begin."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ift.data.rows import RowStore
from ift.roles import Role

_NEVER = np.iinfo(np.int32).max


@dataclass(frozen=True, slots=True, eq=False)
class RowSummary:
    """Enough of n rows to judge them under any mask and limit, without their tokens.

    records: (n,) int64, positions in the file. lengths: (n,) int64, ids of each row, end-of-text included.
    first_targets: (n, 7) int32, by role number: how many targets stand before the first of that role.
    by_role: (n, 7) int32, ids of each role.
    """

    records: np.ndarray
    lengths: np.ndarray
    first_targets: np.ndarray
    by_role: np.ndarray

    @classmethod
    def of(cls, records: Iterable[int], rows: RowStore) -> "RowSummary":
        """Of encoded rows."""
        numbers = np.fromiter(records, dtype=np.int64, count=len(rows))
        starts = rows.ends - rows.lengths
        place = np.arange(len(rows.ids)) - np.repeat(starts, rows.lengths) - 1  # a row's first id is nobody's target
        first = np.full((len(rows), len(Role)), _NEVER, dtype=np.int32)
        counts = np.zeros((len(rows), len(Role)), dtype=np.int32)
        if len(rows):
            for role in Role:
                has_role = rows.roles == role
                if has_role.any():
                    where = np.where(has_role & (place >= 0), place, _NEVER)
                    first[:, role] = np.minimum.reduceat(where, starts)
                    counts[:, role] = np.add.reduceat(has_role.astype(np.int32), starts)
        return cls(numbers, rows.lengths, first, counts)

    @classmethod
    def joined(cls, parts: list["RowSummary"]) -> "RowSummary":
        """All together, in the order of the file."""
        records = np.concatenate([part.records for part in parts])
        order = np.argsort(records, kind="stable")
        names = ("lengths", "first_targets", "by_role")
        return cls(records[order], *(np.concatenate([getattr(part, name) for part in parts])[order] for name in names))

    @property
    def pairs(self) -> np.ndarray:
        """(n,) int64: (input, target) pairs of each row, uncut."""
        pairs: np.ndarray = self.lengths - 1
        return pairs

    def cut(self, max_length: int | None) -> np.ndarray:
        """(n,) bool: the rows that a limit costs their end, and with it their end-of-text."""
        longest = len(self.pairs) * [False] if max_length is None else self.pairs > max_length
        return np.asarray(longest, dtype=bool)

    def has_target(self, trained: frozenset[Role], max_length: int | None) -> np.ndarray:
        """(n,) bool: the rows with a trained target after the cut."""
        roles = sorted(trained - {Role.PAD})
        if not roles:
            return np.zeros(len(self.records), dtype=bool)
        limit = self.pairs if max_length is None else np.minimum(self.pairs, max_length)
        found: np.ndarray = self.first_targets[:, roles].min(axis=1) < limit
        return found
