"""Numbers over a whole data set: what a template, a mask and a way to batch make of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from ift.audit.duplicates import find_duplicates
from ift.data.batching import cut_rows, pair_counts, select_trainable
from ift.data.bulk_encoding import encode_all
from ift.data.order import epoch_batches
from ift.data.templates import Template
from ift.roles import Role
from ift.types import Example


@dataclass(frozen=True, slots=True)
class DatasetStatistics:
    """What a run on all these rows would work on; rows are positions in the data set.

    padding: share of padded cells in all cells, by strategy. tokens: (input, target) pairs of all rows.
    trained_by_role: (7,) int64, trained targets by role number. without_eos: rows whose end is cut off.
    without_target: rows that train nothing. same, conflicting: rows that repeat a question, `ift.audit.duplicates`.
    """

    padding: dict[str, float]
    tokens: int
    trained_by_role: np.ndarray
    without_eos: tuple[int, ...]
    without_target: tuple[int, ...]
    same: tuple[int, ...]
    conflicting: tuple[int, ...]


def dataset_statistics(
    examples: Sequence[Example],
    template: Template,
    *,
    trained: frozenset[Role],
    max_length: int,
    batch_size: int,
    seed: int,
) -> DatasetStatistics:
    """Encode every row, as training does, and count."""
    rows = encode_all(examples, template)
    lengths = pair_counts(rows, max_length)
    by_role = np.zeros(len(Role), dtype=np.int64)
    for row, length in zip(rows, lengths, strict=True):
        by_role += np.bincount(row.roles[1:][:length], minlength=len(Role))
    is_trained = np.isin(np.arange(len(Role)), list(trained))
    found = find_duplicates(examples)
    return DatasetStatistics(
        padding=padding_shares(lengths, batch_size=batch_size, block=max_length, seed=seed),
        tokens=int(lengths.sum()),
        trained_by_role=np.where(is_trained, by_role, 0),
        without_eos=tuple(cut_rows(rows, max_length).tolist()),
        without_target=select_trainable(rows, trained=trained, max_length=max_length).left_out,
        same=found.same,
        conflicting=found.conflicting,
    )


def padding_shares(lengths: np.ndarray, *, batch_size: int, block: int, seed: int) -> dict[str, float]:
    """Share of padded cells in all cells when rows of these lengths (n,) int64 are batched in one way or another.

    Args:
        lengths: pairs of each row.
        batch_size: rows per batch.
        block: of packed rows, which are laid end to end and cut there.
        seed: of the trainer's own first epoch.
    """
    if not lengths.sum():
        return {}
    count = -(-len(lengths) // batch_size)
    mixed, grouped = (
        lengths[np.concatenate(list(islice(epoch_batches(len(lengths), batch_size, seed=seed, lengths=by), count)))]
        for by in (None, lengths)
    )
    blocks = -(-int(lengths.sum()) // block)
    return {
        "padded to the data set's longest row": 1 - lengths.sum() / (len(lengths) * lengths.max()),
        "batches as training draws them": _share(mixed, batch_size),
        "the same with group_by_length": _share(grouped, batch_size),
        "batches of rows sorted by length": _share(np.sort(lengths), batch_size),
        "packed end to end": 1 - lengths.sum() / (blocks * block),
        "padding-free, as this trainer computes them": 0.0,
    }


def _share(lengths: np.ndarray, batch_size: int) -> float:
    batches = [lengths[i : i + batch_size] for i in range(0, len(lengths), batch_size)]
    return float(1 - lengths.sum() / sum(len(batch) * int(batch.max()) for batch in batches))
