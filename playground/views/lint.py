"""The linter's report on a whole data set: how far it is, what it found, and what the template takes."""

from collections.abc import Sequence

from ift.audit.findings import Finding, Severity
from ift.audit.linter import LintReport
from ift.plurals import plural
from ift.roles import Role
from playground.views.findings import found_list
from playground.views.html import block, card, legend, role_bar, tiles


def findings(report: LintReport, found: Sequence[Finding]) -> str:
    """The whole report; `found`: what it finds under the present mask and limit."""
    return block(card("Linter", _lead(report, found), found_list(found)), _tokens(report))


def _lead(report: LintReport, found: Sequence[Finding]) -> str:
    warnings = sum(finding.severity is Severity.WARNING for finding in found)
    said = f"{plural(warnings, 'warning')}, {plural(len(found) - warnings, 'note')}"
    if report.complete:
        return f'<p class="muted">{said}. All {plural(report.total, "row")} were looked at.</p>'
    return f'<p class="muted">{said} so far: {report.rows:,} of {plural(report.total, "row")} were looked at.</p>'


def _tokens(report: LintReport) -> str:
    total = max(1, sum(report.tokens))
    shares = {role: report.tokens[role] / total for role in Role if role is not Role.PAD}
    numbers = tiles(
        [
            (f"{report.template_median:,.0f}", "template tokens in the median row", ""),
            (f"{report.template_share:.0%}", "of all tokens are template", role_bar(shares)),
        ]
    )
    return numbers + legend(shares)
