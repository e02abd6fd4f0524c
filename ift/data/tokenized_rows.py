"""Rows as any trainer keeps them: token ids and labels, before the model shifts them.

The names are Hugging Face's. A label is its own position's id, or -100 where nothing is trained; the model compares
what it says at position t with the label at t + 1.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ift.types import IGNORE_INDEX

_COLUMNS = ("input_ids", "labels", "attention_mask", "position_ids")
_LARGEST = 2**31


@dataclass(frozen=True, slots=True)
class TokenizedRow:
    """One row. All arrays are (n,).

    ids: int64. labels: int64, unshifted, -100 where not trained. real: bool, false for padding. starts: the positions
    at which the documents of a packed row begin, None where the file does not tell.
    """

    ids: np.ndarray
    labels: np.ndarray
    real: np.ndarray
    starts: tuple[int, ...] | None

    @property
    def length(self) -> int:
        """Tokens without the padding at either end."""
        return int(self.real.sum())


@dataclass(frozen=True, slots=True)
class RowProblem:
    """Why a row can't be read: its position in the file, the field, and what is wrong with it."""

    row: int
    field: str
    problem: str


def read_rows(
    raw: Iterable[Mapping[str, object]], *, pad_id: int | None, eos_ids: frozenset[int]
) -> Iterator[TokenizedRow | RowProblem]:
    """Check rows as a file gives them, one after the other.

    Args:
        raw: each with `input_ids` and `labels`, and `attention_mask`, `position_ids` or `seq_lengths` where they are
            known; other fields are left alone.
        pad_id: what stands at the end of rows without an `attention_mask`; where it also ends texts, the first one
            of such a run is no padding.
        eos_ids: the ids that end a text.
    """
    for number, row in enumerate(raw):
        try:
            yield _read(row, pad_id, eos_ids)
        except _ColumnError as error:
            yield RowProblem(number, error.field, error.problem)


class _ColumnError(Exception):
    def __init__(self, field: str, problem: str) -> None:
        super().__init__(field, problem)
        self.field, self.problem = field, problem


def _read(row: Mapping[str, object], pad_id: int | None, eos_ids: frozenset[int]) -> TokenizedRow:
    columns = {name: _integers(name, row[name]) for name in _COLUMNS if row.get(name) is not None}
    for name in ("input_ids", "labels"):
        if name not in columns:
            raise _ColumnError(name, "is missing")
    ids = columns["input_ids"]
    if not len(ids):
        raise _ColumnError("input_ids", "is empty")
    for name, column in columns.items():
        if len(column) != len(ids):
            raise _ColumnError(name, f"has {len(column):,} values, input_ids {len(ids):,}")
    if ids.min() < 0:
        raise _ColumnError("input_ids", f"holds {ids.min()}, which is no token")
    labels = columns["labels"]
    wrong = labels[(labels < 0) & (labels != IGNORE_INDEX)]
    if len(wrong):
        raise _ColumnError("labels", f"holds {wrong[0]}; only -100 is ignored")
    mask = columns.get("attention_mask")
    real = mask != 0 if mask is not None else _without_padding(ids, pad_id, eos_ids)
    return TokenizedRow(ids, labels, real, _starts(row, columns, real))


def _integers(name: str, value: object) -> np.ndarray:
    if not isinstance(value, Sequence | np.ndarray) or isinstance(value, str):
        raise _ColumnError(name, "is not a list of integers")
    if len(value) == 1 and isinstance(value[0], Sequence | np.ndarray):
        value = value[0]  # a batch of one
    if isinstance(value, np.ndarray):
        array = value
    else:
        if any(type(item) is not int for item in value):
            raise _ColumnError(name, "holds something that is no integer")
        if any(abs(item) >= _LARGEST for item in value):
            raise _ColumnError(name, "holds a number that no vocabulary reaches")
        array = np.array(value, dtype=np.int64)
    if array.ndim != 1 or (len(array) and array.dtype.kind not in "iub"):
        raise _ColumnError(name, "is not a list of integers")
    return array.astype(np.int64)


def _without_padding(ids: np.ndarray, pad_id: int | None, eos_ids: frozenset[int]) -> np.ndarray:
    real = np.ones(len(ids), dtype=bool)
    if pad_id is None:
        return real
    others = np.flatnonzero(ids != pad_id)
    first = int(others[-1]) + 1 if len(others) else 0
    real[first + (pad_id in eos_ids and first < len(ids)) :] = False
    return real


def _starts(row: Mapping[str, object], columns: Mapping[str, np.ndarray], real: np.ndarray) -> tuple[int, ...] | None:
    if row.get("seq_lengths") is not None:
        lengths = _integers("seq_lengths", row["seq_lengths"])
        if lengths.sum() > len(real) or (lengths < 1).any():
            raise _ColumnError("seq_lengths", f"adds up to {lengths.sum():,}, input_ids has {len(real):,}")
        return tuple(np.concatenate([[0], np.cumsum(lengths)[:-1]]).tolist())
    if "position_ids" in columns:
        jumps = np.diff(columns["position_ids"]) != 1
        return (0, *(np.flatnonzero(jumps & real[1:]) + 1).tolist())
    return None
