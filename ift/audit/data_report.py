"""What a data set holds and what a template makes of it: counts, lengths, and rows that deserve a look."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ift.audit.boundary import boundary_change
from ift.data.batching import cut_rows
from ift.data.bulk_encoding import encode_all
from ift.data.records import Dataset, Split, split
from ift.data.templates import Template
from ift.roles import Role
from ift.types import Example


@dataclass(frozen=True, slots=True)
class Report:
    """Rows are positions in the file. `lengths`: (n,) tokens of each row, end-of-text included.

    repeats: rows that ask what an earlier row asked. leaks: test rows whose question stands in the training
    part. cut: rows that lose their end at `max_length`. unstable: rows where whole-text tokenizing would merge
    across the border of prompt and response. unplaced: rows without a `split` where others have one: then none counts.
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


def inspect(dataset: Dataset, template: Template, *, max_length: int | None = None) -> Report:
    """Encode every row and count."""
    examples = dataset.examples
    rows = encode_all(examples, template)
    parts = split(examples)
    by_role = np.bincount(rows.roles, minlength=len(Role))
    return Report(
        split=parts,
        with_input=sum(example.has_input for example in examples),
        tasks=len({example.task for example in examples if example.task}),
        lengths=rows.lengths,
        tokens_by_role={role.label: int(by_role[role]) for role in Role if role is not Role.PAD},
        empty_outputs=tuple(i for i, example in enumerate(examples) if not example.has_output),
        repeats=_repeats(examples),
        leaks=_leaks(examples, parts),
        cut=tuple(cut_rows(rows, max_length).tolist()),
        unstable=tuple(i for i, example in enumerate(examples) if boundary_change(template.render(example))),
        unplaced=tuple(i for i, example in enumerate(examples) if not example.split) if _some_placed(examples) else (),
    )


def _some_placed(examples: Sequence[Example]) -> bool:
    return any(example.split for example in examples)


def _question(example: Example) -> tuple[str, str]:
    return " ".join(example.instruction.lower().split()), " ".join(example.input.lower().split())


def _repeats(examples: Sequence[Example]) -> tuple[int, ...]:
    seen: set[tuple[str, str]] = set()
    found = []
    for i, example in enumerate(examples):
        question = _question(example)
        if question in seen:
            found.append(i)
        seen.add(question)
    return tuple(found)


def _leaks(examples: Sequence[Example], parts: Split) -> tuple[int, ...]:
    trained = {_question(examples[i]) for i in parts.train}
    return tuple(i for i in parts.test if _question(examples[i]) in trained)
