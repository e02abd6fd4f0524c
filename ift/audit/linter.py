"""A linter of a template on a whole data set: a first report at once, growing ones until every row was looked at."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ift.audit.duplicates import DuplicateRule
from ift.audit.findings import Block, Finding, Rule, Severity, warnings_first
from ift.audit.lint_rules import BoundaryRule, EndingRule, FieldRule, LeakRule, MarkerRule, SeparatorRule
from ift.audit.mask_findings import mask_findings, split_findings
from ift.audit.record_rules import CharacterRule, EmptyRule, HeadingRule, PlaceholderRule
from ift.audit.row_summary import RowSummary
from ift.data.bulk_encoding import encode_all
from ift.data.records import Split, split
from ift.data.templates import Template
from ift.roles import Role
from ift.types import Example

RULES: tuple[type, ...] = (
    FieldRule,
    SeparatorRule,
    BoundaryRule,
    EmptyRule,
    PlaceholderRule,
    HeadingRule,
    EndingRule,
    MarkerRule,
    CharacterRule,
    LeakRule,
)
SAMPLE = 200
"""Rows of the first report, spread evenly over the data set."""
EVERY = 4000
"""Rows of the second report; each later one is on twice as many as the one before it."""
MUCH = 0.5
"""Share of the template in all tokens from which on it is shown."""


@dataclass(frozen=True, slots=True, eq=False)
class LintReport:
    """What the rows so far show; exact for these rows, and for the data set once `complete`.

    found: what template and records show whatever the mask, warnings first. summary: of the rows so far.
    total: rows of the data set. split: of the whole data set.
    """

    found: tuple[Finding, ...]
    summary: RowSummary
    total: int
    split: Split

    @property
    def rows(self) -> int:
        """Rows looked at so far."""
        return len(self.summary.records)

    @property
    def complete(self) -> bool:
        """Whether every row was looked at."""
        return self.rows == self.total

    @property
    def tokens(self) -> tuple[int, ...]:
        """(7,) tokens by role number, end-of-text included."""
        return tuple(self.summary.by_role.sum(axis=0, dtype=np.int64).tolist())

    @property
    def template_median(self) -> float:
        """Template tokens, header included, of the median row."""
        return float(np.median(_template(self.summary.by_role.T))) if self.rows else 0.0

    @property
    def template_share(self) -> float:
        """Template and header tokens / all tokens."""
        return float(_template(np.array(self.tokens)) / max(1, sum(self.tokens)))

    def findings(self, *, trained: frozenset[Role], max_length: int | None) -> tuple[Finding, ...]:
        """All that is found under a mask and a limit, warnings first."""
        masked = mask_findings(self.summary, self.split, trained=trained, max_length=max_length)
        return warnings_first([*masked, *self.found])


def lint(examples: Sequence[Example], template: Template) -> Iterator[LintReport]:
    """Reports on a sample first, then on more and more rows; the last one is on all. Stop iterating to cancel.

    >>> *_, last = lint([Example("1+1?", "", "2", "train")], Template.parse("Q: {{instruction}} A: {{output}}"))
    >>> [finding.code for finding in last.found if not finding.code.startswith("split")]
    ['ends-with-space', 'unstable-boundary']
    """
    rules: list[Rule] = [rule(template) for rule in RULES]
    parts = split(examples)
    unplaced = tuple(i for i, example in enumerate(examples) if not example.split)
    duplicates = DuplicateRule(examples, train=parts.train, test=parts.test)
    order = _order(len(examples))
    summaries: list[RowSummary] = []
    done = 0
    for end in _ends(len(order)):
        for start in range(done, end, EVERY):
            records = order[start : min(start + EVERY, end)]
            chosen = [examples[record] for record in records]
            block = Block(records, chosen, encode_all(chosen, template))
            summaries.append(RowSummary.of(records, block.rows))
            for rule in (*rules, duplicates):
                rule.see(block)
        done = end
        found = [finding for rule in rules for finding in rule.findings()]
        if done == len(order):  # what only the whole data set can tell
            found += duplicates.findings()
            found += split_findings(parts, unplaced if len(unplaced) < len(examples) else ())
        summary = RowSummary.joined(summaries) if summaries else RowSummary.of((), encode_all((), template))
        yield _with_share(LintReport(warnings_first(found), summary, len(order), parts))


def _ends(size: int) -> list[int]:
    """How many rows each report is on."""
    ends = [min(SAMPLE, size)]
    step = EVERY
    while ends[-1] < size:
        ends.append(min(ends[-1] + step, size))
        step *= 2
    return ends


def _order(size: int) -> list[int]:
    """All positions, those of the sample first."""
    step = max(1, -(-size // SAMPLE))
    return [*range(0, size, step), *(i for i in range(size) if i % step)]


def _template(by_role: np.ndarray) -> np.ndarray:
    """Counts whose first axis is the role: the template's, header included."""
    of_template: np.ndarray = by_role[Role.TEMPLATE] + by_role[Role.HEADER]
    return of_template


def _with_share(report: LintReport) -> LintReport:
    """With a note where most tokens are the template's."""
    if report.template_share <= MUCH:
        return report
    what = f"{report.template_share:.0%} of all tokens are the template: {report.template_median:.0f} in the median row"
    fix = "A shorter template trains faster where its shared prefix is computed in every row (here it is not)."
    much = Finding("much-template", Severity.NOTE, what, fix)
    return LintReport((*report.found, much), report.summary, report.total, report.split)
