"""The mean loss of each record's expected answer, without a token generated."""

from collections.abc import Iterator, Sequence

import torch

from ift.data.batching import collate
from ift.data.bulk_encoding import encode_all
from ift.data.templates import Template
from ift.model.gpt2 import GPT2
from ift.model.loss import losses
from ift.roles import Role
from ift.types import IGNORE_INDEX, Example

ROWS = 32
"""Read together. Always the same rows, so that a loss does not depend on where an evaluation was resumed."""
DIGITS = 6
ANSWER = frozenset({Role.RESPONSE, Role.EOS})


def reference_losses(
    model: GPT2, examples: Sequence[Example], records: Sequence[int], template: Template, *, wanted: frozenset[int]
) -> Iterator[tuple[int, float | None]]:
    """(record, mean loss in nats over its expected answer and the end-of-text), in groups of `ROWS`.

    What does not fit in the context does not count; None where nothing of the answer does. A group without a record
    that is wanted is not read.
    """
    rows = encode_all([examples[record] for record in records], template)
    order = sorted(range(len(records)), key=lambda i: len(rows[i]))  # equal neighbors waste no padding
    for start in range(0, len(order), ROWS):
        group = order[start : start + ROWS]
        if wanted.isdisjoint(records[i] for i in group):
            continue
        batch = collate([rows[i] for i in group], trained=ANSWER, max_length=model.config.n_positions)
        found, _ = losses(model, batch)
        counts = (batch.targets != IGNORE_INDEX).sum(axis=1)
        parts = found.double().cpu().split(counts.tolist())
        for i, part in zip(group, parts, strict=True):
            yield records[i], round(float(torch.mean(part)), DIGITS) if len(part) else None
