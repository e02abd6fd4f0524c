"""A linter of a template on a whole data set: a first report at once, growing ones until every row was looked at."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ift.audit.lint_rules import RULES, Finding, Rule, Severity
from ift.data.bulk_encoding import encode_all
from ift.data.rows import RowStore
from ift.data.templates import Template
from ift.roles import Role
from ift.types import Example

SAMPLE = 200
"""Rows of the first report, spread evenly over the data set."""
EVERY = 4000
"""Rows between the reports that follow."""
MUCH = 0.5
"""Share of the template in all tokens from which on it is told."""


@dataclass(frozen=True, slots=True)
class LintReport:
    """What `rows` of `total` rows show; exact for these rows, and for the data set once `complete`.

    findings: warnings first. tokens: by role number, (7,), end-of-text included. template_median: template tokens,
    header included, of the median row.
    """

    rows: int
    total: int
    findings: tuple[Finding, ...]
    tokens: tuple[int, ...]
    template_median: float

    @property
    def complete(self) -> bool:
        """Whether every row was looked at."""
        return self.rows == self.total

    @property
    def template_share(self) -> float:
        """Template and header tokens / all tokens."""
        return _template(self.tokens) / max(1, sum(self.tokens))

    @property
    def warnings(self) -> int:
        """How many findings ask for a change."""
        return sum(finding.severity is Severity.WARNING for finding in self.findings)


def lint(examples: Sequence[Example], template: Template) -> Iterator[LintReport]:
    """Reports on a sample first, then on more and more rows; the last one is on all. Stop iterating to cancel.

    >>> *_, last = lint([Example("1+1?", "", "2")], Template.parse("Q: {{instruction}} A: {{output}}"))
    >>> [finding.code for finding in last.findings]
    ['ends-with-space', 'unstable-boundary']
    """
    rules = [rule(template) for rule in RULES]
    tokens, of_template = np.zeros(len(Role), dtype=np.int64), []
    order = _order(len(examples))
    done = 0
    for end in [*range(min(SAMPLE, len(order)), len(order), EVERY), len(order)]:
        records = order[done:end]
        rows = encode_all([examples[record] for record in records], template)
        tokens += np.bincount(rows.roles, minlength=len(Role))
        of_template.append(_template_tokens(rows))
        for record in records:
            example = examples[record]
            rendered = template.render(example)
            for rule in rules:
                rule.see(record, example, rendered)
        done = end
        yield _report(rules, done, len(order), tuple(tokens.tolist()), np.concatenate(of_template))


def _order(size: int) -> list[int]:
    """All positions, those of the sample first."""
    step = max(1, -(-size // SAMPLE))
    return [*range(0, size, step), *(i for i in range(size) if i % step)]


def _template_tokens(rows: RowStore) -> np.ndarray:
    """(n,) int64: how many tokens of each row are the template's."""
    until = np.concatenate([[0], np.cumsum(np.isin(rows.roles, (Role.TEMPLATE, Role.HEADER)))])
    return until[rows.ends] - until[rows.ends - rows.lengths]


def _template(counts: Sequence[int]) -> int:
    return counts[Role.TEMPLATE] + counts[Role.HEADER]


def _report(
    rules: Sequence[Rule], rows: int, total: int, tokens: tuple[int, ...], of_template: np.ndarray
) -> LintReport:
    median = float(np.median(of_template)) if len(of_template) else 0.0
    findings = [finding for rule in rules for finding in rule.findings()]
    share = _template(tokens) / max(1, sum(tokens))
    if share > MUCH:
        what = f"{share:.0%} of all tokens are the template: {median:.0f} in the median row"
        fix = "A shorter template trains faster where its shared opening is computed in every row (here it is not)."
        findings.append(Finding("much-template", Severity.NOTE, what, fix))
    findings.sort(key=lambda finding: finding.severity is not Severity.WARNING)
    return LintReport(rows, total, tuple(findings), tokens, median)
