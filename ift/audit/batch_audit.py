"""What is wrong with a batch under its mask, its cut and its padding, for every key: all rows at once, by their roles.

`ift.audit.tokenized_audit` finds the same in the ids and labels alone, as other trainers' rows have them; a test ties
both.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from ift.audit.findings import Finding, warnings_first
from ift.audit.mask_findings import cut_finding, masked
from ift.data.batching import Batch
from ift.plurals import plural
from ift.roles import Role
from ift.types import IGNORE_INDEX


def batch_findings(
    batch: Batch, records: Sequence[int], *, left_out: Sequence[int] = (), max_length: int | None = None
) -> tuple[Finding, ...]:
    """What is wrong with a batch, warnings first.

    Args:
        batch: B rows.
        records: of each row, its position in the file.
        left_out: records that have no trained target and are no rows.
        max_length: where rows are cut.
    """
    return warnings_first(list(_findings(batch, records, left_out, max_length)))


def _findings(
    batch: Batch, records: Sequence[int], left_out: Sequence[int], max_length: int | None
) -> Iterator[Finding]:
    def rows(chosen: np.ndarray) -> tuple[int, ...]:
        return tuple(sorted(records[row] for row in np.flatnonzero(chosen).tolist()))

    is_trained = batch.targets != IGNORE_INDEX
    last = np.arange(len(batch.lengths)), batch.lengths - 1
    has_end = batch.roles[last] == Role.EOS
    if max_length is not None and not has_end.all():
        yield cut_finding(rows(~has_end), max_length)
    of_padding = (is_trained & (batch.roles == Role.PAD)).sum(axis=1)
    if of_padding.any():
        yield masked("padding-trained", rows(of_padding > 0), amount=plural(int(of_padding.sum()), "target"))
    masked_end = has_end & ~is_trained[last]
    if masked_end.any():
        yield masked("eos-masked", rows(masked_end))
    if left_out:
        yield masked("nothing-trained", tuple(left_out))
