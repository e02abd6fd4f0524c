"""Records that are nearly the same, found without comparing each with each.

Of a record's fields every run of three tokens is hashed. Sixty-four buckets each keep the smallest hash that falls into
them (one-permutation MinHash): two records agree in a bucket about as often as their runs agree. Records that agree in
some whole bands of buckets are compared run by run.

    runs → smallest hash of each of 64 buckets → 16 bands of 4 → 4 the same: compared → at least 90 % shared
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from ift.audit.findings import Block
from ift.data.tokenizer import encode_text
from ift.roles import Role
from ift.types import Example

RUN = 3
"""Tokens."""
SHARED = 0.9
"""Of the runs of both: from here on two records are nearly the same."""
_BUCKETS, _BANDS = 64, 16
_AGREE = 4
"""Bands that two records must agree in to be compared: at 90 % shared runs they agree in 10 of 16 on average."""
_CHUNK = 1 << 16
_NONE = np.uint32(0xFFFFFFFF)
_FIELD_ROLES = (Role.INSTRUCTION, Role.INPUT, Role.RESPONSE)
_MIX = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], dtype=np.uint64)


class NearDuplicates:
    """Sees records block by block, then pairs each with the first that it is nearly the same as."""

    def __init__(self) -> None:
        self._records: list[np.ndarray] = []
        self._bands: list[np.ndarray] = []

    def see(self, block: Block) -> None:
        """Look at some records."""
        self._records.append(np.fromiter(block.records, dtype=np.int64, count=len(block.records)))
        self._bands.append(_bands(_smallest(block)))

    def pairs(self, examples: Sequence[Example]) -> dict[int, int]:
        """Record → an earlier one that shares at least `SHARED` of their runs, in order."""
        if not self._records:
            return {}
        records = np.concatenate(self._records)
        order = np.argsort(records, kind="stable")
        bands, records = np.concatenate(self._bands)[order], records[order]
        found: dict[int, int] = {}
        for i, j in zip(*(records[side].tolist() for side in _likely(bands)), strict=True):
            if i not in found and shared(examples[i], examples[j]) >= SHARED:
                found[i] = j
        return found


def shared(one: Example, other: Example) -> float:
    """Runs that both records have / runs that one of them has."""
    runs, others = _runs_of(one), _runs_of(other)
    return len(runs & others) / max(1, len(runs | others))


@lru_cache(maxsize=4096)
def _runs_of(example: Example) -> frozenset[tuple[int, ...]]:
    fields = (encode_text(text) for text in (example.instruction, example.input, example.output))
    return frozenset(tuple(ids[i : i + RUN]) for ids in fields for i in range(max(1, len(ids) - RUN + 1)) if ids)


def _smallest(block: Block) -> np.ndarray:
    """(n, buckets) uint32: of each record, the smallest hash per bucket; empty buckets take the next one's."""
    rows = block.rows
    ids = rows.ids.astype(np.uint64)
    hashes = np.zeros(len(ids), dtype=np.uint64)
    for offset, factor in enumerate(_MIX):
        hashes[: len(ids) - offset] ^= (ids[offset:] + np.uint64(1)) * factor >> np.uint64(offset * 7)
    hashes *= _MIX[0]
    hashes ^= hashes >> np.uint64(29)
    hashes *= _MIX[1]
    row_of = np.repeat(np.arange(len(rows)), rows.lengths)
    same = np.isin(rows.roles, _FIELD_ROLES)
    for offset in range(1, RUN):  # a run stays in one field of one record
        same[:-offset] &= (rows.roles[offset:] == rows.roles[:-offset]) & (row_of[offset:] == row_of[:-offset])
        same[len(same) - offset :] = False
    hashes, row_of = hashes[same], row_of[same]
    buckets = (hashes >> np.uint64(58)).astype(np.int64)
    smallest = np.full(len(rows) * _BUCKETS, _NONE, dtype=np.uint32)
    np.minimum.at(smallest, row_of * _BUCKETS + buckets, (hashes >> np.uint64(24)).astype(np.uint32) >> np.uint32(1))
    return _filled(smallest.reshape(len(rows), _BUCKETS))


def _filled(smallest: np.ndarray) -> np.ndarray:
    """Short records leave buckets empty: two of them must not agree by that."""
    filled = smallest.copy()
    for _ in range(_BUCKETS):
        empty = filled == _NONE
        if not empty.any(where=(smallest != _NONE).any(axis=1)[:, None]):
            break
        filled = np.where(empty, np.roll(filled, -1, axis=1), filled)
    return filled


def _bands(smallest: np.ndarray) -> np.ndarray:
    """(n, bands) uint64: a hash of each band; of a record without runs one that no other has."""
    wide = smallest.astype(np.uint64).reshape(len(smallest), _BANDS, -1)
    mixed = np.zeros(wide.shape[:2], dtype=np.uint64)
    for i in range(wide.shape[2]):
        mixed = (mixed ^ wide[:, :, i]) * _MIX[i % len(_MIX)]
        mixed ^= mixed >> np.uint64(31)
    mixed[(smallest == _NONE).all(axis=1)] = 0
    return mixed


def _likely(bands: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Positions of pairs to compare, (n,) of each side: by the later one, then by the earlier one."""
    count = len(bands)
    firsts = np.stack([_first_with_the_same(band) for band in bands.T], axis=1)  # (n, bands)
    later, band = np.nonzero(firsts < np.arange(count)[:, None])
    later, earlier = np.divmod(np.unique(later * count + firsts[later, band]), count)
    chunks = range(0, len(later), _CHUNK)
    agree = [(bands[later[at : at + _CHUNK]] == bands[earlier[at : at + _CHUNK]]).sum(axis=1) for at in chunks]
    likely = np.concatenate([*agree, np.zeros(0, dtype=np.int64)]) >= _AGREE
    return later[likely], earlier[likely]


def _first_with_the_same(keys: np.ndarray) -> np.ndarray:
    """(n,) int64: the first position that has the same key; its own where the key is 0."""
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    firsts: np.ndarray = np.where(keys == 0, np.arange(len(keys)), first[inverse.ravel()])
    return firsts
