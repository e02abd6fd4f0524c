"""What the mask and the limit make of a data set's rows: the way over whole sets.

`ift.audit.tokenized_audit` finds the same in finished rows, one by one; a test ties both.
"""

from collections.abc import Iterator

import numpy as np

from ift.audit.findings import Finding, Severity
from ift.audit.row_summary import RowSummary
from ift.data.record_checks import SPLITS
from ift.data.records import Split
from ift.plurals import plural
from ift.roles import Role

_TEXTS = {
    "eos-masked": (
        "The end-of-text token is not trained: the model will not learn to stop",
        "Train it, whatever else is masked.",
    ),
    "padding-trained": (
        "Padding is trained: part of the work goes into predicting filler",
        "Set the targets of padding to -100.",
    ),
    "nothing-trained": (
        "Rows have no trained target and are left out",
        "Train other roles, raise max_length, or shorten what comes before the answer.",
    ),
}
_MEANING = {
    "train": "There is nothing to train on: add records, or name a split in each.",
    "validation": "There will be no validation loss.",
    "test": "There will be nothing to score the run with.",
}
_NOTHING_LEFT = {
    "train": "Nothing is left to train on",
    "validation": "Nothing is left to validate on",
}


def mask_findings(
    rows: RowSummary, split: Split, *, trained: frozenset[Role], max_length: int | None
) -> Iterator[Finding]:
    """What is wrong with rows under a mask and a limit, and which splits that leaves empty."""
    if Role.EOS not in trained:
        yield masked("eos-masked")
    if Role.PAD in trained:
        yield masked("padding-trained")
    cut = tuple(rows.records[rows.cut(max_length)].tolist())
    if cut and max_length is not None:
        yield cut_finding(cut, max_length)
    usable = rows.has_target(trained, max_length)
    left_out = tuple(rows.records[~usable].tolist())
    if left_out:
        yield masked("nothing-trained", left_out)
        yield from _emptied(rows, split, usable)


def masked(code: str, rows: tuple[int, ...] = (), *, amount: str = "") -> Finding:
    """What a mask makes of rows, by its code."""
    return Finding(code, Severity.WARNING, *_TEXTS[code], rows, amount=amount)


def cut_finding(rows: tuple[int, ...], max_length: int) -> Finding:
    """Rows that a limit costs their end."""
    at = plural(max_length, "token")
    what = f"Rows are cut at {at} and lose their end-of-text"
    fix = "Raise max_length, shorten the records, or leave them out: a cut row teaches never to stop."
    return Finding("row-cut", Severity.WARNING, what, fix, rows, amount=f"at {at}")


def _emptied(rows: RowSummary, split: Split, usable: np.ndarray) -> Iterator[Finding]:
    """Splits that have records, none of which is left."""
    kept = set(rows.records[usable].tolist())
    for name, what in _NOTHING_LEFT.items():
        part = getattr(split, name)
        if part and kept.isdisjoint(part):
            fix = f"{_MEANING[name].partition(':')[0].rstrip('.')}: no {name} row has a trained target."
            yield Finding("split-empty", Severity.WARNING, what, fix)


def split_findings(split: Split, unplaced: tuple[int, ...]) -> Iterator[Finding]:
    """Splits without a record, and records that name none although others do (`unplaced`)."""
    for name in SPLITS:
        if not getattr(split, name):
            yield Finding("split-empty", Severity.WARNING, f"The {name} split is empty", _MEANING[name])
    if unplaced:
        what = "Records name no split although others do, so that none counts"
        fix = "The parts go by file order: name a split in every record, or in none."
        yield Finding("split-partial", Severity.WARNING, what, fix, unplaced)
