"""The audit of other trainers' rows on our own batch: what is shown is judged as whatever comes from elsewhere."""

from collections.abc import Iterator, Sequence

import numpy as np

from ift.audit.findings import Finding, warnings_first
from ift.audit.mask_findings import cut_finding, masked
from ift.audit.tokenized_audit import SpecialIds, audit
from ift.data.batching import Batch
from ift.data.tokenized_rows import TokenizedRow
from ift.types import EOS_ID, IGNORE_INDEX

SPECIAL = SpecialIds(eos=frozenset({EOS_ID}), bos=None, pad=EOS_ID, size=EOS_ID + 1)
"""GPT-2's own ids."""
_JUDGED = ("eos-masked", "padding-trained")
"""What a mask makes of any rows; what else the audit looks for is chosen on purpose here, or can't be."""


def rows_of(batch: Batch) -> Iterator[TokenizedRow]:
    """A batch as Hugging Face has it: ids, and labels that the model shifts, both (T + 1,)."""
    ids = np.concatenate([batch.inputs, batch.next_ids[:, -1:]], axis=1)
    labels = np.concatenate([np.full((len(ids), 1), IGNORE_INDEX), batch.targets], axis=1)
    is_real = np.arange(batch.width + 1) <= batch.lengths[:, None]
    for row in zip(ids, labels, is_real, strict=True):
        yield TokenizedRow(*row, None)


def batch_findings(
    batch: Batch, records: Sequence[int], *, left_out: Sequence[int] = (), max_length: int | None = None
) -> tuple[Finding, ...]:
    """What is wrong with a batch under its mask and its cut, warnings first.

    Args:
        batch: B rows.
        records: of each row, its position in the file.
        left_out: records that have no trained target and are no rows.
        max_length: where rows are cut.
    """
    found = []
    report = audit(rows_of(batch), SPECIAL, limit=None if max_length is None else max_length + 1)
    for finding in report.findings:
        rows = tuple(sorted(records[row] for row in finding.positions))
        if finding.code == "row-cut" and max_length is not None:
            found.append(cut_finding(rows, max_length))
        elif finding.code in _JUDGED:
            found.append(masked(finding.code, rows, amount=finding.amount))
    if left_out:
        found.append(masked("nothing-trained", tuple(left_out)))
    return warnings_first(found)
