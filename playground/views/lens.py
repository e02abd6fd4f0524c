"""The batch lens: the trainer's own batch as a payload for the live grid. Drawn in the browser, by textContent."""

from collections.abc import Sequence

import numpy as np

from ift.batching import collate, sort_out
from ift.templates import Template
from ift.tokenizer import encode, piece
from ift.types import IGNORE_INDEX, Batch, Example, Role
from playground.views.html import NEW_TO_MODEL, note

UNKNOWN_LISTED = 12


def lens(
    examples: Sequence[Example],
    records: Sequence[int],
    template: Template,
    *,
    trained: frozenset[Role],
    max_length: int | None,
    stamp: int,
    known: frozenset[int] | None = None,
) -> dict:
    """The batch that the trainer would get for these records, and what its tiles say.

    Args:
        examples: the whole data set.
        records: positions in it; those without a trained target are left out, as in training.
        template: the editor's.
        trained: the roles that are targets.
        max_length: of a row; None does not cut.
        stamp: counts the redraws, so that a test can wait for one.
        known: the ids that the chosen model knows; None: all.
    """
    rendered = [template.render(examples[i]) for i in records]
    rows = [encode(row) for row in rendered]
    ready = sort_out(rows, trained=trained, max_length=max_length)
    batch = collate([rows[i] for i in ready.kept], trained=trained, max_length=max_length)
    used = np.unique(np.concatenate([batch.inputs.ravel(), batch.next_ids.ravel()])).tolist()
    return {
        "rows": [records[i] for i in ready.kept],
        "left_out": [records[i] for i in ready.left_out],
        "cut": [records[i] for i in ready.cut],
        "segments": [[(int(part.role), part.text) for part in rendered[i].segments] for i in ready.kept],
        "inputs": batch.inputs.tolist(),
        "next": batch.next_ids.tolist(),
        "roles": _digits(batch.roles),
        "input_roles": _digits(batch.input_roles),
        "trained": _digits(batch.targets != IGNORE_INDEX),
        "lengths": batch.lengths.tolist(),
        "pieces": {str(token): piece(token) for token in used},
        "unknown": [token for token in used if known is not None and token not in known],
        "width": batch.width,
        "padding": batch.inputs.size - batch.tokens,
        "padding_share": batch.padding_share,
        "trained_share": batch.trained_share,
        "trained_tokens": batch.trained_tokens,
        "role_shares": _role_shares(batch),
        "stamp": stamp,
    }


def _digits(values: np.ndarray) -> list[str]:
    """One character a cell: a tenth of the bytes of a list of numbers."""
    return ["".join(map(str, row)) for row in values.astype(np.uint8).tolist()]


def _role_shares(batch: Batch) -> list[float]:
    """Share of each role in the trained targets, by role number."""
    counts = np.bincount(batch.roles[batch.targets != IGNORE_INDEX], minlength=len(Role))
    return (counts / max(1, counts.sum())).tolist()


def notes(value: dict, longest: int) -> str:
    """What the user should know about the rows shown, as HTML; empty where there is nothing."""
    texts = []
    if value["cut"]:
        texts.append(f"Rows {_list(value['cut'])} are cut at {longest} tokens and lose their end of text.")
    if value["left_out"]:
        texts.append(f"Rows {_list(value['left_out'])} have no trained target and are left out.")
    if value["unknown"]:
        pieces = [value["pieces"][str(token)] for token in value["unknown"][:UNKNOWN_LISTED]]
        more = len(value["unknown"]) - len(pieces)
        listed = " ".join(pieces) + (f" and {more} more" if more else "")
        texts.append(f"{NEW_TO_MODEL} Here: {listed}")
    return "".join(note("warn", text) for text in texts)


def _list(rows: Sequence[int]) -> str:
    return ", ".join(map(str, rows))
