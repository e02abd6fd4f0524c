"""The batch lens: the trainer's own batch as a payload for the live grid. Drawn in the browser, by textContent."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ift.data.batching import Batch, batch_for
from ift.data.bulk_encoding import encode_all
from ift.data.templates import Template
from ift.data.tokenizer import character_groups, piece
from ift.masks import name_trained
from ift.roles import Role, has_role
from ift.types import IGNORE_INDEX, Encoded, Example, Rendered
from playground.views.html import NEW_TO_MODEL, note

UNKNOWN_LISTED = 12
OWN_RECORD = -1
"""The position of a record that a visitor typed: in no file."""


@dataclass(frozen=True, slots=True)
class Shown:
    """Rows of a data set as one batch of the trainer's. `records`, `left_out`, `cut`: positions in the data set."""

    records: tuple[int, ...]
    left_out: tuple[int, ...]
    cut: tuple[int, ...]
    rendered: tuple[Rendered, ...]
    encoded: tuple[Encoded, ...]
    batch: Batch


def shown(
    examples: Sequence[Example] | Mapping[int, Example],
    records: Sequence[int],
    template: Template,
    *,
    trained: frozenset[Role],
    width: int | None = None,
    max_length: int | None = None,
    own: Example | None = None,
) -> Shown:
    """The batch that the trainer would get for these records; what has no trained target is left out, as in training.

    Args:
        examples: the whole data set, or those of its records that are needed, by position.
        records: positions in it.
        template: the editor's.
        trained: the roles that are targets.
        width: of the batch; None takes its longest row.
        max_length: of a row; None does not cut.
        own: a record that is not in the data set, first in the batch; its position is `OWN_RECORD`.

    Raises:
        ConfigError: a row is longer than `width`.
    """
    chosen = [examples[i] for i in records]
    if own:
        chosen, records = [own, *chosen], (OWN_RECORD, *records)
    rows = encode_all(chosen, template)
    found = batch_for(rows, trained=trained, width=width, max_length=max_length)
    selection = found.selection
    return Shown(
        records=tuple(records[i] for i in selection.trainable),
        left_out=tuple(records[i] for i in selection.left_out),
        cut=tuple(records[i] for i in selection.cut),
        rendered=tuple(template.render(chosen[i]) for i in selection.trainable),
        encoded=tuple(rows[i] for i in selection.trainable),
        batch=found.batch,
    )


def lens(
    found: Shown,
    *,
    known: frozenset[int] | None = None,
    other: frozenset[Role] | None = None,
    piece: Callable[[int], str] = piece,
) -> dict:
    """What the grid draws and its tiles say.

    Args:
        found: the batch.
        known: the ids that the chosen model knows; None: all.
        other: the roles of a second mask, to be shown below the first.
        piece: the text of an id.
    """
    batch = found.batch
    used = np.unique(np.concatenate([batch.inputs.ravel(), batch.next_ids.ravel()])).tolist()
    is_trained = batch.targets != IGNORE_INDEX
    return {
        "rows": list(found.records),
        "left_out": list(found.left_out),
        "cut": list(found.cut),
        "segments": [[(int(part.role), part.text) for part in row.segments] for row in found.rendered],
        "groups": [character_groups(row.ids[:-1].tolist()) for row in found.encoded],
        "inputs": batch.inputs.tolist(),
        "next": batch.next_ids.tolist(),
        "roles": digits(batch.roles),
        "input_roles": digits(batch.input_roles),
        "trained": digits(is_trained),
        "mask": name_trained(batch.trained),
        "other": None if other is None else _other(batch, other),
        "lengths": batch.lengths.tolist(),
        "pieces": {str(token): piece(token) for token in used},
        "unknown": [token for token in used if known is not None and token not in known],
        "width": batch.width,
        "padding": batch.inputs.size - batch.tokens,
        "padding_share": batch.padding_share,
        "trained_share": batch.trained_share,
        "trained_tokens": batch.trained_tokens,
        "role_shares": role_shares(batch.roles[is_trained]),
    }


def _other(batch: Batch, trained: frozenset[Role]) -> dict:
    """The same batch under a second mask."""
    is_trained = has_role(batch.roles, trained)
    return {
        "mask": name_trained(trained),
        "trained": digits(is_trained),
        "trained_tokens": int(is_trained.sum()),
        "role_shares": role_shares(batch.roles[is_trained]),
    }


def digits(values: np.ndarray) -> list[str]:
    """One character a cell: a tenth of the bytes of a list of numbers."""
    return [row.tobytes().decode("ascii") for row in values.astype(np.uint8) + ord("0")]


def role_shares(roles: np.ndarray) -> list[float]:
    """Share of each role in the trained targets (n,), by role number."""
    counts = np.bincount(roles, minlength=len(Role))
    return (counts / max(1, counts.sum())).tolist()


def notes(value: dict) -> str:
    """What the user should know about the tokens shown, as HTML; empty where there is nothing."""
    if not value["unknown"]:
        return ""
    pieces = [value["pieces"][str(token)] for token in value["unknown"][:UNKNOWN_LISTED]]
    more = len(value["unknown"]) - len(pieces)
    listed = " ".join(pieces) + (f" and {more} more" if more else "")
    return note("warn", f"{NEW_TO_MODEL} Here: {listed}")
