"""Records that are nearly the same, found without comparing each with each.

Of a record's fields every run of three tokens is hashed; a field of fewer is one run. Sixty-four buckets each keep the
smallest hash that falls into them (one-permutation MinHash): two records agree in a bucket about as often as their runs
agree. Records that agree in some whole bands of buckets are compared run by run.

    runs → smallest hash of each of 64 buckets → 16 bands of 4 → 4 the same: compared → at least 90 % shared
"""

import numpy as np

from ift.audit.findings import Block
from ift.roles import Role, has_role

RUN = 3
"""Tokens."""
SHARED = 0.9
"""Of the runs of both: from here on two records are nearly the same."""
_BUCKETS, _BANDS = 64, 16
_AGREE = 4
"""Bands that two records must agree in to be compared: at 90 % shared runs they agree in 10 of 16 on average."""
_CHUNK = 1 << 14
"""Pairs that are compared at once."""
_HASH_BITS, _BUCKET_BITS = 32, 6
_NONE = np.uint32(0xFFFFFFFF)
_FIELD_ROLES = (Role.INSTRUCTION, Role.INPUT, Role.RESPONSE)
_MIX = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], dtype=np.uint64)


class NearDuplicates:
    """Sees records block by block, then pairs each with the first that it is nearly the same as."""

    def __init__(self) -> None:
        self._records: list[np.ndarray] = []
        self._bands: list[np.ndarray] = []
        self._runs: list[np.ndarray] = []
        self._counts: list[np.ndarray] = []

    def see(self, block: Block) -> None:
        """Look at some records."""
        runs = _runs(block)
        self._records.append(np.fromiter(block.records, dtype=np.int64, count=len(block.records)))
        self._bands.append(_bands(_smallest(runs, len(block.rows))))
        self._runs.append(runs.astype(np.uint32))
        self._counts.append(np.bincount(runs >> np.int64(_HASH_BITS), minlength=len(block.rows)))

    def pairs(self) -> dict[int, int]:
        """Record → an earlier one that shares at least `SHARED` of their runs, in order."""
        if not self._records:
            return {}
        records = np.concatenate(self._records)
        order = np.argsort(records, kind="stable")
        later, earlier = (order[side] for side in _likely(np.concatenate(self._bands)[order]))
        near = self._shared(later, earlier) >= SHARED
        found, first = np.unique(records[later[near]], return_index=True)
        return dict(zip(found.tolist(), records[earlier[near]][first].tolist(), strict=True))

    def _shared(self, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        """(n,) float64: of each pair of places, runs that both records have / runs that one of them has."""
        runs, counts = np.concatenate(self._runs), np.concatenate(self._counts)
        starts = np.cumsum(counts) - counts
        shares = np.zeros(len(one))
        fewer, more = np.minimum(counts[one], counts[other]), np.maximum(counts[one], counts[other])
        possible = np.nonzero(fewer >= SHARED * more)[0]
        for pairs in np.split(possible, range(_CHUNK, len(possible), _CHUNK)):
            sides = [_numbered(runs, starts[side[pairs]], counts[side[pairs]]) for side in (one, other)]
            both = np.concatenate(sides)
            both.sort(kind="stable")  # merges what is sorted already
            in_both = both[1:][both[1:] == both[:-1]] >> np.int64(_HASH_BITS)
            common = np.bincount(in_both, minlength=len(pairs))
            shares[pairs] = common / np.maximum(1, counts[one[pairs]] + counts[other[pairs]] - common)
        return shares


def _numbered(values: np.ndarray, starts: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """(sum of counts,) int64: the stretches of values one after the other, each with its number above the hash."""
    number = np.repeat(np.arange(len(starts)), counts)
    places = np.arange(len(number)) + (starts - np.cumsum(counts) + counts)[number]
    keys: np.ndarray = number << np.int64(_HASH_BITS) | values[places]
    return keys


def _runs(block: Block) -> np.ndarray:
    """(runs,) int64, ascending: the different runs of each row, the row's number above the hash."""
    rows = block.rows
    ids = rows.ids.astype(np.uint64)
    row_of = np.repeat(np.arange(len(rows)), rows.lengths)
    inside = has_role(rows.roles, _FIELD_ROLES)
    goes_on = (rows.roles[1:] == rows.roles[:-1]) & (row_of[1:] == row_of[:-1])
    starts = inside.copy()
    starts[1:] &= ~goes_on
    hashes = (ids + np.uint64(1)) * _MIX[0]
    whole = inside.copy()
    for offset in range(1, RUN):  # a run stays in one field of one record
        whole[-offset:] = False
        whole[:-offset] &= goes_on[offset - 1 :]
        further = ((ids[offset:] + np.uint64(1)) * _MIX[offset]) >> np.uint64(offset * 7)
        hashes[:-offset] ^= np.where(whole[:-offset], further, np.uint64(0))
    hashes *= _MIX[0]
    hashes ^= hashes >> np.uint64(29)
    hashes *= _MIX[1]
    kept = whole | starts
    values = np.minimum((hashes[kept] >> np.uint64(_HASH_BITS)).astype(np.int64), int(_NONE) - 1)
    keys = np.sort(row_of[kept] << np.int64(_HASH_BITS) | values)
    return keys[_is_first(keys)]


def _is_first(ascending: np.ndarray) -> np.ndarray:
    """(n,) bool: where a value is not the one before it."""
    first = np.ones(len(ascending), dtype=bool)
    first[1:] = ascending[1:] != ascending[:-1]
    return first


def _smallest(runs: np.ndarray, rows: int) -> np.ndarray:
    """(rows, buckets) uint32: of each row, the smallest hash per bucket; empty buckets take the next one's."""
    buckets = runs >> np.int64(_HASH_BITS - _BUCKET_BITS)  # ascending: the first of a bucket is its smallest
    first = _is_first(buckets)
    smallest = np.full(rows * _BUCKETS, _NONE, dtype=np.uint32)
    smallest[buckets[first]] = runs[first].astype(np.uint32)
    return _filled(smallest.reshape(rows, _BUCKETS))


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
