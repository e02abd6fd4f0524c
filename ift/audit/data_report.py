"""What a data set holds and what a template, a mask and a limit make of it: counts, lengths, and what was found."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ift.audit.findings import Finding
from ift.audit.linter import LintReport, lint
from ift.data.records import Dataset, Split
from ift.data.templates import Template
from ift.masks import TRAIN_ON
from ift.roles import Role


@dataclass(frozen=True, eq=False)
class DataReport:
    """Rows are positions in the file. lint: the linter's last report. trained, max_length: findings are under these."""

    dataset: Dataset
    lint: LintReport
    trained: frozenset[Role]
    max_length: int | None

    @cached_property
    def with_input(self) -> int:
        """Records that have an input."""
        return sum(example.has_input for example in self.dataset.examples)

    @cached_property
    def tasks(self) -> int:
        """Kinds of task that there are."""
        return len({example.task for example in self.dataset.examples if example.task})

    @property
    def split(self) -> Split:
        """Of the whole data set."""
        return self.lint.split

    @property
    def lengths(self) -> np.ndarray:
        """(n,) tokens of each row, end-of-text included."""
        return self.lint.summary.lengths

    @property
    def tokens_by_role(self) -> dict[str, int]:
        """By the role's label, padding aside."""
        return {role.label: self.lint.tokens[role] for role in Role if role is not Role.PAD}

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """All that was found, warnings first."""
        return self.lint.findings(trained=self.trained, max_length=self.max_length)

    def rows_of(self, code: str) -> tuple[int, ...]:
        """The rows of the findings with a code, in order."""
        return tuple(sorted({row for one in self.findings if one.code == code for row in one.positions}))


def data_report(
    dataset: Dataset,
    template: Template,
    *,
    trained: frozenset[Role] = TRAIN_ON["response"],
    max_length: int | None = None,
) -> DataReport:
    """Encode every row, count, and look for what deserves a look."""
    *_, last = lint(dataset.examples, template)
    return DataReport(dataset, last, trained, max_length)
