"""A batch without its padding; what all rows begin with stands there once, for all of them.

    inputs   [7,8,1,2,3]      unpadded      [7,8,1,2,3,4,5]    positions [0,1,2,3,4,2,3]
             [7,8,4,5,E]      layout        [0,1,2,3,4]        places    [0,1,2,3,4,7,8]
                                            [0,1,5,6,0]

It computes the same numbers as the padded batch, only each of them once: all but attention works on single cells,
and attention is causal, so that two cells with the same cells before them are one, and no real cell ever looks at
padding (whose places point at cell 0). Gradients of a shared cell add up by themselves. No torch.
B rows, T columns, N cells, M cells with a trained target, n trained targets.
"""

from dataclasses import dataclass

import numpy as np

from ift.data.batching import Batch
from ift.roles import Role
from ift.types import IGNORE_INDEX


@dataclass(frozen=True, slots=True, eq=False)
class Unpadded:
    """A batch's cells in a row, and the way there and back; all int64 but `weights`.

    inputs, positions: (N,). layout: (B, T), the cell that stands at each place. places: (N,), a place of each
    cell, counted through the rows. wanted: (M,), the cells with a trained target. targets: (M,), theirs.
    counted: (n,), for each trained target of the batch, row by row, its number among the wanted: a target in the
    shared opening counts once a row. weights: (M,) float32, what the targets of each wanted cell weigh together.
    """

    inputs: np.ndarray
    positions: np.ndarray
    layout: np.ndarray
    places: np.ndarray
    wanted: np.ndarray
    targets: np.ndarray
    counted: np.ndarray
    weights: np.ndarray


def can_unpad(batch: Batch) -> bool:
    """Whether no padding is trained: what is left out can't be predicted from."""
    return Role.PAD not in batch.trained


def unpad(batch: Batch, *, share: bool = True) -> Unpadded:
    """Leave out the padding and all but the first of the openings; `can_unpad` holds.

    `share`: false keeps all openings, where dropout gives each row's its own masks.
    """
    T = batch.width
    trained = batch.targets != IGNORE_INDEX  # (B, T)
    shared = shared_prefix(batch) if share else 0
    own = np.arange(T) < batch.lengths[:, None]  # (B, T): the cells that stand for themselves
    own[1:, :shared] = False
    places = np.flatnonzero(own)
    layout = np.zeros_like(batch.inputs)
    layout[own] = np.arange(len(places))
    layout[:, :shared] = np.arange(shared)  # the first row's, which come first
    wanted = np.flatnonzero(trained.ravel()[places])
    number = np.zeros(len(places), dtype=np.int64)
    number[wanted] = np.arange(len(wanted))
    counted = number[layout[trained]]
    weights = np.bincount(counted, batch.target_weights, minlength=len(wanted))
    return Unpadded(
        inputs=batch.inputs.ravel()[places],
        positions=places % max(1, T),
        layout=layout,
        places=places,
        wanted=wanted,
        targets=batch.targets.ravel()[places[wanted]],
        counted=counted,
        weights=weights.astype(np.float32),
    )


def shared_prefix(batch: Batch) -> int:
    """How many columns from the first on are the same in all rows, inputs and targets, without padding."""
    T = batch.width
    same = np.arange(T) < batch.lengths.min(initial=T)
    for cells in (batch.inputs, batch.targets):
        same &= (cells == cells[:1]).all(axis=0)
    return T if same.all() else int(same.argmin())
