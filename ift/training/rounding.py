"""Padding-free batches rounded up to a few sizes: a CUDA graph is captured for one size, and replayed for all of it.

    N 7 cells     [7,8,1,2,3,4,5]    rounded up to 8    [7,8,1,2,3,4,5,0]
    M 2 targets   [3,5]  counts 1 1  rounded up to 4    [3,5,0,0]  counts 1 1 0 0

Rounding up changes no loss and no gradient. A cell that fills up is read by nobody, a target that fills up counts
zero times, and a row that fills up attends to cell 0 alone and is looked up by no cell. No torch.
B rows, T columns, N cells, M cells with a trained target.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ift.data.batching import pair_counts, target_counts
from ift.data.rows import RowStore
from ift.data.unpadded import Unpadded
from ift.roles import Role, has_role
from ift.types import Encoded

WIDTH_STEP, CELLS_STEP, WANTED_STEP = 16, 128, 64
"""What the columns, the cells and the targets of a size are multiples of."""


@dataclass(frozen=True, slots=True, order=True)
class Size:
    """The shape of a padding-free batch: cells (N), wanted (M), width (T) and rows (B)."""

    cells: int
    wanted: int
    width: int
    rows: int

    @classmethod
    def of(cls, unpadded: Unpadded) -> "Size":
        """A batch's own."""
        rows, width = unpadded.layout.shape
        return cls(len(unpadded.inputs), len(unpadded.wanted), width, rows)

    def rounded_up(self) -> "Size":
        """The next multiples of the steps above; the rows stay."""
        return Size(_up(self.cells, CELLS_STEP), _up(self.wanted, WANTED_STEP), _up(self.width, WIDTH_STEP), self.rows)

    def holds(self, other: "Size") -> bool:
        """Whether a batch of the other size can be rounded up to this one."""
        mine, theirs = ((size.cells, size.wanted, size.width, size.rows) for size in (self, other))
        return all(a >= b for a, b in zip(mine, theirs, strict=True))

    def joined(self, other: "Size") -> "Size":
        """The smallest size that holds both."""
        return Size(
            max(self.cells, other.cells),
            max(self.wanted, other.wanted),
            max(self.width, other.width),
            max(self.rows, other.rows),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Rounded:
    """A padding-free batch of a given size.

    inputs, positions, places: (N,). layout: (B, T). wanted, targets: (M,). All int64, as in `Unpadded`. weights: (M,)
    float32, as there, and 0 where a cell only fills up.
    """

    inputs: np.ndarray
    positions: np.ndarray
    layout: np.ndarray
    places: np.ndarray
    wanted: np.ndarray
    targets: np.ndarray
    weights: np.ndarray


def round_up(unpadded: Unpadded, size: Size) -> Rounded:
    """Fill a batch up to a size that holds it.

    Raises:
        ValueError: the batch is larger.
    """
    own = Size.of(unpadded)
    if not size.holds(own):
        raise ValueError(f"{own} can't be rounded up to {size}")
    layout = np.zeros((size.rows, size.width), dtype=np.int64)
    layout[: own.rows, : own.width] = unpadded.layout
    row, column = np.divmod(unpadded.places, max(1, own.width))
    return Rounded(
        inputs=_filled(unpadded.inputs, size.cells),
        positions=_filled(unpadded.positions, size.cells),
        layout=layout,
        places=_filled(row * size.width + column, size.cells),  # counted through wider rows
        wanted=_filled(unpadded.wanted, size.wanted),
        targets=_filled(unpadded.targets, size.wanted),
        weights=_filled(unpadded.weights, size.wanted),
    )


def bounds(
    rows: Sequence[Encoded], batches: Iterable[Sequence[int]], *, trained: frozenset[Role], max_length: int | None
) -> list[Size]:
    """A size that holds each batch of these positions, without collating any.

    What a batch shares at its start is at least what all rows share, so no batch is larger than its bound.
    """
    store = RowStore.of(rows)
    lengths, targets = pair_counts(store, max_length), target_counts(store, trained=trained, max_length=max_length)
    shared, shared_targets = _shared_prefix(store, lengths, trained)
    return [
        Size(
            cells=int(lengths[batch].sum()) - (len(batch) - 1) * shared,
            wanted=int(targets[batch].sum()) - (len(batch) - 1) * shared_targets,
            width=int(lengths[batch].max()),
            rows=len(batch),
        )
        for batch in batches
    ]


def choose_sizes(batches: Sequence[Size], *, most: int) -> list[Size]:
    """At most so many sizes, smallest first, that hold all batches: each for an equal share of them, by cells.

    All have the rows of the largest batch: the last of an epoch, which may have fewer, needs no size of its own.
    """
    ordered = sorted(batches)
    shares = [ordered[len(ordered) * i // most : len(ordered) * (i + 1) // most] for i in range(most)]
    rows = max((size.rows for size in ordered), default=0)
    sizes = {_joined(share, rows).rounded_up() for share in shares if share}
    return sorted(sizes)


def size_for(own: Size, sizes: Iterable[Size]) -> Size:
    """The first size that holds a batch; its own, rounded up, where none does."""
    return next((size for size in sizes if size.holds(own)), own.rounded_up())


def _joined(sizes: Sequence[Size], rows: int) -> Size:
    total = Size(0, 0, 0, rows)
    for size in sizes:
        total = total.joined(size)
    return total


def _shared_prefix(store: RowStore, lengths: np.ndarray, trained: frozenset[Role]) -> tuple[int, int]:
    """How many columns all rows begin with, as `ift.data.unpadded.shared_prefix` counts, and how many are targets."""
    starts = store.ends - store.lengths
    is_target = has_role(store.roles, trained)
    targets = 0
    for column in range(int(lengths.min(initial=2**31)) if len(store) else 0):
        cells = starts + column
        same = [store.ids[cells], store.ids[cells + 1] * is_target[cells + 1], is_target[cells + 1]]
        if not all((values == values[0]).all() for values in same):
            return column, targets
        targets += int(is_target[cells[0] + 1])
    return int(lengths.min(initial=0)) if not len(store) else int(lengths.min()), targets


def _filled(values: np.ndarray, length: int) -> np.ndarray:
    filled = np.zeros(length, dtype=values.dtype)
    filled[: len(values)] = values
    return filled


def _up(number: int, step: int) -> int:
    return -(-max(number, 1) // step) * step
