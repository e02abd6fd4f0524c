"""The linter's findings: what, how many rows, which, how to fix."""

from ift.audit.lint_rules import Finding, Severity
from ift.audit.linter import LintReport
from ift.roles import Role
from playground.views.html import block, card, esc, legend, role_bar, row_buttons, tiles

_SIGNS = {Severity.WARNING: ("warn", "!", "Change"), Severity.NOTE: ("acc", "i", "Know")}


def findings(report: LintReport) -> str:
    """The whole report: lead, how much of the tokens is template, and the findings."""
    rows = [_finding(finding) for finding in report.findings]
    items = "".join(rows) or '<li><b class="good">✓</b><span>Nothing to change.</span></li>'
    return block(
        card("Linter", _lead(report), f'<ul class="probs">{items}</ul>'),
        _tokens(report),
    )


def _lead(report: LintReport) -> str:
    notes = len(report.findings) - report.warnings
    said = f"{_count(report.warnings, 'warning')}, {_count(notes, 'note')}"
    if report.complete:
        return f'<p class="muted">{said}. All {report.total:,} rows were looked at.</p>'
    return f'<p class="muted">{said} so far: {report.rows:,} of {report.total:,} rows were looked at.</p>'


def _count(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"


def _finding(finding: Finding) -> str:
    kind, sign, word = _SIGNS[finding.severity]
    count = f" <b>{finding.rows:,} {'row' if finding.rows == 1 else 'rows'}.</b>" if finding.rows else ""
    details = [f'<code class="pre">{esc(line)}</code>' for line in finding.details]
    parts = (*details, row_buttons(finding.examples, total=finding.rows), esc(finding.fix))
    rest = "".join(f'<span class="fix">{part}</span>' for part in parts if part)
    return (
        f'<li data-code="{esc(finding.code)}"><b class="{kind}" role="img" aria-label="{word}">{sign}</b>'
        f"<span>{esc(finding.what)}.{count}{rest}</span></li>"
    )


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
