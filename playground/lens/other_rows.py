"""Rows of another trainer in the same grid: what a model reads, and what their labels ask it to predict."""

from collections.abc import Callable, Sequence

import numpy as np

from ift.audit.findings import Finding
from ift.audit.tokenized_audit import SpecialIds, audit
from ift.data.batching import Batch
from ift.data.tokenized_rows import TokenizedRow
from ift.data.tokenizer import character_groups
from ift.roles import Role
from ift.types import EOS_ID, IGNORE_INDEX
from playground.lens.payload import Shown, digits, lens, role_shares
from playground.tokenized_uploads import TokenizedUpload

MOST_TOKENS = 2048
"""Of a row, in the grid; the audit reads all."""


def other_rows(upload: TokenizedUpload, chosen: Sequence[int]) -> tuple[Shown, dict]:
    """The batch of some rows, by their positions among those that can be read, and what the grid draws.

    A label that is not the token of its position is shown as the target that it is. Trained tokens have the role
    response, others template: which fields they come from, the rows do not say.
    """
    rows = [_cut(upload.rows[i]) for i in chosen]
    batch, is_trained = _batch(rows, upload.tokenizer.special)
    found = Shown(tuple(upload.records[i] for i in chosen), (), (), (), (), batch)
    value = lens(found, piece=upload.tokenizer.piece)
    piece = upload.tokenizer.piece
    trained = int(is_trained.sum())
    return found, {
        **value,
        "segments": [_segments(row, piece) for row in rows],
        "groups": [_groups(row) if upload.is_gpt2 else [] for row in rows],
        "trained": digits(is_trained),
        "mask": "labels",
        "trained_tokens": trained,
        "trained_share": trained / max(1, batch.tokens),
        "role_shares": role_shares(batch.roles[is_trained]),
    }


def found_in(upload: TokenizedUpload, chosen: Sequence[int]) -> tuple[Finding, ...]:
    """The audit of these rows alone, at their positions in the file."""
    findings = audit([upload.rows[i] for i in chosen], upload.tokenizer.special).findings
    places = [upload.records[i] for i in chosen]
    return tuple(
        Finding(one.code, one.severity, one.what, one.fix, tuple(places[i] for i in one.positions), amount=one.amount)
        for one in findings
    )


def _cut(row: TokenizedRow) -> TokenizedRow:
    """Without padding on the left, at most so long that it can be drawn."""
    real = np.flatnonzero(row.real)
    part = slice(int(real[0]) if len(real) else 0, None)
    ids, labels, is_real = (column[part][: MOST_TOKENS + 1] for column in (row.ids, row.labels, row.real))
    return TokenizedRow(ids, labels, is_real, row.starts)


def _batch(rows: Sequence[TokenizedRow], special: SpecialIds) -> tuple[Batch, np.ndarray]:
    """The rows as (B, T) tensors, and which targets count: their labels say so, whatever the role."""
    width = max(len(row.ids) for row in rows) - 1
    filler = special.pad if special.pad is not None else EOS_ID
    inputs = np.full((len(rows), width), filler, dtype=np.int64)
    next_ids = np.full_like(inputs, filler)
    roles = np.full(inputs.shape, Role.PAD, dtype=np.uint8)
    is_trained = np.zeros(inputs.shape, dtype=bool)
    for b, row in enumerate(rows):
        n = len(row.ids) - 1
        counts = row.labels[1:] != IGNORE_INDEX
        inputs[b, :n] = row.ids[:-1]
        next_ids[b, :n] = np.where(counts, row.labels[1:], row.ids[1:])
        of_real = np.where(counts, Role.RESPONSE, Role.TEMPLATE)
        of_real = np.where(np.isin(row.ids[1:], list(special.eos)), Role.EOS, of_real)
        roles[b, :n] = np.where(row.real[1:], of_real, Role.PAD)
        is_trained[b, :n] = counts
    lengths = np.array([max(0, int(row.real.sum()) - 1) for row in rows], dtype=np.int64)
    first_roles = np.full(len(rows), Role.TEMPLATE, dtype=np.uint8)
    return Batch(inputs, next_ids, roles, lengths, first_roles, frozenset({Role.RESPONSE, Role.EOS})), is_trained


def _groups(row: TokenizedRow) -> list[tuple[int, int, str]]:
    return character_groups(row.ids[:-1].tolist()) if row.ids.max() <= EOS_ID else []


def _segments(row: TokenizedRow, piece: Callable[[int], str]) -> list[tuple[int, str]]:
    """Runs of tokens that are trained, or are not, as text."""
    runs: list[tuple[int, str]] = []
    for token, label, is_real in zip(row.ids.tolist(), row.labels.tolist(), row.real.tolist(), strict=True):
        role = Role.PAD if not is_real else Role.TEMPLATE if label == IGNORE_INDEX else Role.RESPONSE
        text = piece(token).replace("·", " ").replace("↵", "\n")
        if runs and runs[-1][0] == role:
            runs[-1] = (int(role), runs[-1][1] + text)
        else:
            runs.append((int(role), text))
    return runs
