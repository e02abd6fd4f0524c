"""What a data set holds and what a template makes of it: counts, lengths, and rows that deserve a look."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ift.audit.boundary import boundary_change
from ift.audit.duplicates import find_duplicates
from ift.data.batching import cut_rows
from ift.data.bulk_encoding import encode_all
from ift.data.records import Dataset, Split, split
from ift.data.templates import Template
from ift.roles import Role
from ift.types import Example


@dataclass(frozen=True, slots=True)
class DataReport:
    """Rows are positions in the file. `lengths`: (n,) tokens of each row, end-of-text included.

    repeats: rows that ask what an earlier row asked. leaks: test rows whose question is in the training split. cut:
    rows that lose their end at `max_length`. unstable: rows where whole-text tokenizing would merge across the boundary
    of prompt and response. unplaced: rows without a `split` where others have one: then none counts.
    """

    split: Split
    with_input: int
    tasks: int
    lengths: np.ndarray
    tokens_by_role: dict[str, int]
    empty_outputs: tuple[int, ...]
    repeats: tuple[int, ...]
    leaks: tuple[int, ...]
    cut: tuple[int, ...]
    unstable: tuple[int, ...]
    unplaced: tuple[int, ...]


def data_report(dataset: Dataset, template: Template, *, max_length: int | None = None) -> DataReport:
    """Encode every row and count."""
    examples = dataset.examples
    rows = encode_all(examples, template)
    parts = split(examples)
    duplicates = find_duplicates(examples, train=parts.train, test=parts.test)
    by_role = np.bincount(rows.roles, minlength=len(Role))
    return DataReport(
        split=parts,
        with_input=sum(example.has_input for example in examples),
        tasks=len({example.task for example in examples if example.task}),
        lengths=rows.lengths,
        tokens_by_role={role.label: int(by_role[role]) for role in Role if role is not Role.PAD},
        empty_outputs=tuple(i for i, example in enumerate(examples) if not example.has_output),
        repeats=duplicates.repeats,
        leaks=duplicates.leaks,
        cut=tuple(cut_rows(rows, max_length).tolist()),
        unstable=tuple(i for i, example in enumerate(examples) if boundary_change(template.render(example))),
        unplaced=tuple(i for i, example in enumerate(examples) if not example.split) if _some_placed(examples) else (),
    )


def _some_placed(examples: Sequence[Example]) -> bool:
    return any(example.split for example in examples)
