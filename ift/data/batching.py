"""From encoded rows to the tensors of a training step: shift, pad, mask.

    rows     [0,1,2,3,4,E]            [5,6,E]
    inputs   [0,1,2,3,4]              [5,6,E,E,E]
    targets  [1,2,3,4,E]              [6,E,-100,-100,-100]      E = 50256

Padding and mask go by position and role, never by token value: an end-of-text inside the data is data.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ift.data.rows import RowStore
from ift.errors import ConfigError
from ift.types import EOS_ID, TRAIN_ON, Batch, Encoded, Role


def pairs(row: Encoded, max_length: int | None = None) -> int:
    """How many (input, next id) pairs a row gives: one less than its ids, cut at `max_length`."""
    return len(row) - 1 if max_length is None else min(len(row) - 1, max_length)


def collate(
    rows: Sequence[Encoded],
    *,
    trained: frozenset[Role],
    width: int | None = None,
    max_length: int | None = None,
) -> Batch:
    """Shift each row, cut it at `max_length`, pad all to one width.

    Args:
        rows: any number, also with rows that train nothing.
        trained: the roles whose tokens are targets.
        width: T; None takes the longest row of the batch.
        max_length: cuts inputs and targets after the shift; a cut row loses its end-of-text.

    Raises:
        ConfigError: `width` is below the longest row.
    """
    lengths = np.array([pairs(row, max_length) for row in rows], dtype=np.int64)
    longest = int(lengths.max(initial=0))
    T = longest if width is None else width
    if longest > T:
        where = f"row {int(lengths.argmax())} of the batch"
        raise ConfigError(
            f"A width of {T} is below the longest row, {longest}", where=where, fix=f"Give {longest} or more."
        )
    inputs = np.full((len(rows), T), EOS_ID, dtype=np.int64)
    next_ids = np.full((len(rows), T), EOS_ID, dtype=np.int64)
    roles = np.full((len(rows), T), Role.PAD, dtype=np.uint8)
    for b, (row, n) in enumerate(zip(rows, lengths, strict=True)):
        inputs[b, :n] = row.ids[:-1][:n]
        next_ids[b, :n] = row.ids[1:][:n]  # the target at t is the token at t + 1
        roles[b, :n] = row.roles[1:][:n]
    first_roles = np.array([row.roles[0] for row in rows], dtype=np.uint8)
    return Batch(inputs, next_ids, roles, lengths, first_roles, trained)


def pair_counts(rows: Sequence[Encoded], max_length: int | None = None) -> np.ndarray:
    """(n,) int64: the `pairs` of each row."""
    counts = RowStore.of(rows).lengths - 1
    return counts if max_length is None else np.minimum(counts, max_length)


def cut_rows(rows: Sequence[Encoded], max_length: int | None) -> np.ndarray:
    """Positions of the rows that `max_length` costs their end and with it their end-of-text."""
    return np.flatnonzero(pair_counts(rows, max_length) < pair_counts(rows))


@dataclass(frozen=True, slots=True)
class Ready:
    """What is left to train on: positions of the rows kept, left out (nothing trained) and cut among the kept."""

    kept: tuple[int, ...]
    left_out: tuple[int, ...]
    cut: tuple[int, ...]


def target_counts(rows: Sequence[Encoded], *, trained: frozenset[Role], max_length: int | None = None) -> np.ndarray:
    """(n,) int64: how many trained targets each row has after the cut, padding aside."""
    store = RowStore.of(rows)
    counted = np.concatenate([[0], np.cumsum(np.isin(store.roles, list(trained)))])  # trained ids up to each place
    first = store.ends - store.lengths + 1  # a row's first id is nobody's target
    return counted[first + pair_counts(store, max_length)] - counted[first]


def sort_out(rows: Sequence[Encoded], *, trained: frozenset[Role], max_length: int | None = None) -> Ready:
    """Tell which rows train something after the cut (padding is nobody's target), which do not, and which are cut."""
    store = RowStore.of(rows)
    usable = target_counts(store, trained=trained, max_length=max_length) > 0
    cut = np.isin(np.arange(len(store)), cut_rows(store, max_length))
    return Ready(
        kept=tuple(np.flatnonzero(usable).tolist()),
        left_out=tuple(np.flatnonzero(~usable).tolist()),
        cut=tuple(np.flatnonzero(usable & cut).tolist()),
    )


def epochs(
    size: int, batch_size: int, *, seed: int, first: int = 0, lengths: Sequence[int] | None = None
) -> Iterator[list[int]]:
    """Batches of positions, shuffled anew each epoch, without end; an epoch's last batch may be smaller.

    Args:
        size: of the data set, in rows.
        batch_size: rows a batch.
        seed: with the epoch's number it decides the order.
        first: how many batches to leave out at the beginning, at no cost.
        lengths: one a row, for batches of rows of about equal length; None mixes them.
    """
    epoch, done = divmod(first, math.ceil(size / batch_size))
    while True:
        order = np.random.default_rng([seed, epoch]).permutation(size)
        if lengths is not None:
            order = _grouped(order, np.asarray(lengths), batch_size)
        yield from (order[i : i + batch_size].tolist() for i in range(done * batch_size, size, batch_size))
        epoch, done = epoch + 1, 0


def _grouped(order: np.ndarray, lengths: np.ndarray, batch_size: int) -> np.ndarray:
    """Sort each stretch of a shuffled order by length, longest first: rows still meet by chance.

    The stretches are those of transformers' LengthGroupedSampler: fifty batches, or a quarter of the rows where
    that is less. The longest row of all stands first, so that memory that is too small shows at once.
    """
    stretch = batch_size * min(50, max(1, len(order) // (4 * batch_size)))
    parts = [order[i : i + stretch] for i in range(0, len(order), stretch)]
    order = np.concatenate([part[np.argsort(-lengths[part], kind="stable")] for part in parts])
    longest = int(lengths[order].argmax())
    order[[0, longest]] = order[[longest, 0]]
    return order


def parse_trained(text: str) -> frozenset[Role]:
    """A name from TRAIN_ON, or role names with commas: `response,eos`.

    Raises:
        ConfigError: an unknown name, or no role at all.
    """
    if text in TRAIN_ON:
        return TRAIN_ON[text]
    labels = {role.label: role for role in Role}
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in labels]
    if unknown or not names:
        fix = f"Give {', '.join(TRAIN_ON)}, or roles with commas: {', '.join(labels)}."
        raise ConfigError(f"{unknown[0] if unknown else text!r} is not a set of roles", where="train_on", fix=fix)
    return frozenset(labels[name] for name in names)


def name_trained(trained: frozenset[Role]) -> str:
    """The inverse of `parse_trained`; a comma ends the one role that has the name of a set, «response»."""
    names = {roles: name for name, roles in TRAIN_ON.items()}
    labels = ",".join(role.label for role in sorted(trained))
    return names.get(trained) or (f"{labels}," if labels in TRAIN_ON else labels)
