"""From encoded rows to the tensors of a training step: shift, pad, mask.

    rows     [0,1,2,3,4,E]            [5,6,E]
    inputs   [0,1,2,3,4]              [5,6,E,E,E]
    targets  [1,2,3,4,E]              [6,E,-100,-100,-100]      E = 50256

Padding and mask go by position and role, never by token value: an end-of-text inside the data is data.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ift.data.rows import RowStore
from ift.errors import ConfigError
from ift.masks import PROMPT_ROLES
from ift.roles import Role, has_role
from ift.types import EOS_ID, IGNORE_INDEX, Encoded


@dataclass(frozen=True, eq=False)
class Batch:
    """What one training step gets, shifted, padded and masked.

    inputs, next_ids, roles: (B, T) int64 / int64 / uint8. `next_ids[b, t]` follows `inputs[b, t]`, unless the targets
    were left unshifted, to see it fail: then it is that input;
    `roles` are the roles of `next_ids`. Beyond `lengths[b]` a row is padding: both hold EOS_ID, the
    role is PAD. first_roles: (B,), the role of `inputs[b, 0]`, which no next id tells. prompt_loss_weight:
    what a trained prompt token weighs in the loss, where all others weigh 1.
    """

    inputs: np.ndarray
    next_ids: np.ndarray
    roles: np.ndarray
    lengths: np.ndarray
    first_roles: np.ndarray
    trained: frozenset[Role]
    prompt_loss_weight: float = 1.0

    @cached_property
    def targets(self) -> np.ndarray:
        """(B, T): the next id where its role is trained, else IGNORE_INDEX."""
        return np.where(has_role(self.roles, self.trained), self.next_ids, IGNORE_INDEX)

    @cached_property
    def target_weights(self) -> np.ndarray:
        """(n,) float64: what each trained target weighs in the loss, row by row."""
        of_prompt = has_role(self.roles[self.targets != IGNORE_INDEX], PROMPT_ROLES)
        return np.where(of_prompt, self.prompt_loss_weight, 1.0)

    @property
    def total_weight(self) -> float:
        """What all trained targets weigh together, the denominator of their mean; their number at a weight of 1."""
        return float(self.target_weights.sum())

    @cached_property
    def input_roles(self) -> np.ndarray:
        """(B, T): the roles of `inputs`.

        A row's end-of-text is no input of its own, but the first cell of its padding holds the same id: it is
        shown as EOS, as in a row that is padded first and shifted then.
        """
        roles = np.concatenate([self.first_roles[:, None], self.roles[:, :-1]], axis=1)
        padding = np.arange(self.width) >= self.lengths[:, None]
        return np.where(padding & (roles != Role.EOS), np.uint8(Role.PAD), roles)

    @property
    def width(self) -> int:
        """T."""
        return int(self.inputs.shape[1])

    @property
    def tokens(self) -> int:
        """Cells that are not padding."""
        return int(self.lengths.sum())

    @property
    def trained_tokens(self) -> int:
        """Targets that count in the loss."""
        return int((self.targets != IGNORE_INDEX).sum())

    @property
    def padding_share(self) -> float:
        """Padded cells / all cells."""
        return 1 - self.tokens / self.inputs.size if self.inputs.size else 0.0

    @property
    def trained_share(self) -> float:
        """Trained targets / cells that are not padding."""
        return self.trained_tokens / self.tokens if self.tokens else 0.0


def pairs(row: Encoded, max_length: int | None = None) -> int:
    """How many (input, next id) pairs per row gives: one less than its ids, cut at `max_length`."""
    return len(row) - 1 if max_length is None else min(len(row) - 1, max_length)


def collate(
    rows: Sequence[Encoded],
    *,
    trained: frozenset[Role],
    width: int | None = None,
    max_length: int | None = None,
    prompt_loss_weight: float = 1.0,
    shift: bool = True,
) -> Batch:
    """Shift each row, cut it at `max_length`, pad all to one width.

    Args:
        rows: any number, also with rows that train nothing.
        trained: the roles whose tokens are targets.
        width: T; None takes the longest row of the batch.
        max_length: cuts inputs and targets after the shift; a cut row loses its end-of-text.
        prompt_loss_weight: what a trained prompt token weighs in the loss.
        shift: False leaves the targets where the inputs are: each token has to predict itself.

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
    ahead = int(shift)
    inputs = np.full((len(rows), T), EOS_ID, dtype=np.int64)
    next_ids = np.full((len(rows), T), EOS_ID, dtype=np.int64)
    roles = np.full((len(rows), T), Role.PAD, dtype=np.uint8)
    for b, (row, n) in enumerate(zip(rows, lengths, strict=True)):
        inputs[b, :n] = row.ids[:-1][:n]
        next_ids[b, :n] = row.ids[ahead:][:n]  # the target at t is the token at t + 1
        roles[b, :n] = row.roles[ahead:][:n]
    first_roles = np.array([row.roles[0] for row in rows], dtype=np.uint8)
    return Batch(inputs, next_ids, roles, lengths, first_roles, trained, prompt_loss_weight)


def pair_counts(rows: Sequence[Encoded], max_length: int | None = None) -> np.ndarray:
    """(n,) int64: the `pairs` of each row."""
    counts = RowStore.of(rows).lengths - 1
    return counts if max_length is None else np.minimum(counts, max_length)


def cut_rows(rows: Sequence[Encoded], max_length: int | None) -> np.ndarray:
    """Positions of the rows that `max_length` costs their end and with it their end-of-text."""
    return np.flatnonzero(pair_counts(rows, max_length) < pair_counts(rows))


@dataclass(frozen=True, slots=True)
class RowSelection:
    """Which rows have a trained target, which have none and are left out, and which of the former are cut.

    All by their positions among the rows given.
    """

    trainable: tuple[int, ...]
    left_out: tuple[int, ...]
    cut: tuple[int, ...]


def target_counts(rows: Sequence[Encoded], *, trained: frozenset[Role], max_length: int | None = None) -> np.ndarray:
    """(n,) int64: how many trained targets each row has after the cut, padding aside."""
    store = RowStore.of(rows)
    counted = np.concatenate([[0], np.cumsum(has_role(store.roles, trained))])  # trained ids up to each place
    first = store.ends - store.lengths + 1  # a row's first id is nobody's target
    counts: np.ndarray = counted[first + pair_counts(store, max_length)] - counted[first]
    return counts


def select_trainable(
    rows: Sequence[Encoded], *, trained: frozenset[Role], max_length: int | None = None
) -> RowSelection:
    """Select the rows that have a trained target after the cut; padding is nobody's target."""
    store = RowStore.of(rows)
    usable = target_counts(store, trained=trained, max_length=max_length) > 0
    cut = np.isin(np.arange(len(store)), cut_rows(store, max_length))
    return RowSelection(
        trainable=tuple(np.flatnonzero(usable).tolist()),
        left_out=tuple(np.flatnonzero(~usable).tolist()),
        cut=tuple(np.flatnonzero(usable & cut).tolist()),
    )


@dataclass(frozen=True, slots=True)
class SelectedBatch:
    """Records as one batch; `selection`: the positions of those that are its rows, and of those left out."""

    batch: Batch
    selection: RowSelection


def batch_for(
    records: Sequence[Encoded],
    *,
    trained: frozenset[Role],
    width: int | None = None,
    max_length: int | None = None,
    prompt_loss_weight: float = 1.0,
    shift: bool = True,
) -> SelectedBatch:
    """The batch of these records: the one way from records to tensors.

    The trainer, the page's grid and `ift batch` all call it, with records from the same encoder
    (`ift.data.bulk_encoding`; the trainer's were encoded before its first step). So what is shown is what is trained.

        records ── select_trainable ──▶ rows with a target ── collate ──▶ inputs, next ids, roles, targets  (B, T)

    Args:
        records: encoded, in the order of the batch.
        trained: the roles whose tokens are targets.
        width: T; None takes the longest row of the batch.
        max_length: cuts inputs and targets after the shift.
        prompt_loss_weight: what a trained prompt token weighs in the loss.
        shift: see `collate`; rows are selected as if their targets were shifted.

    Raises:
        ConfigError: `width` is below the longest row.
    """
    selection = select_trainable(records, trained=trained, max_length=max_length)
    rows = [records[i] for i in selection.trainable]
    batch = collate(
        rows,
        trained=trained,
        width=width,
        max_length=max_length,
        prompt_loss_weight=prompt_loss_weight,
        shift=shift,
    )
    return SelectedBatch(batch, selection)
