"""The order of the rows: batches of positions, shuffled anew each epoch."""

import math
from collections.abc import Iterator, Sequence

import numpy as np


def epoch_batches(
    size: int, batch_size: int, *, seed: int, first: int = 0, lengths: Sequence[int] | np.ndarray | None = None
) -> Iterator[list[int]]:
    """Batches of positions, shuffled anew each epoch, without end; an epoch's last batch may be smaller.

    Args:
        size: of the data set, in rows.
        batch_size: rows per batch.
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
