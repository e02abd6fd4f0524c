"""Findings as the page shows them: in full with their rows on tab 1 and 2, and as chips below the template."""

from collections.abc import Sequence

from ift.audit.findings import Finding, Severity
from ift.plurals import plural
from playground.views.html import esc, row_buttons

_SIGNS = {Severity.WARNING: ("warn", "!", "Change"), Severity.NOTE: ("acc", "i", "Know")}


def found_list(findings: Sequence[Finding], *, filters: bool = False) -> str:
    """All findings in full; `filters`: with a button each that shows its rows alone in the table of records."""
    rows = [_item(finding, filters=filters) for finding in findings]
    items = "".join(rows) or '<li><b class="good">✓</b><span>Nothing to change.</span></li>'
    return f'<ul class="probs">{items}</ul>'


def _item(finding: Finding, *, filters: bool) -> str:
    kind, sign, word = _SIGNS[finding.severity]
    count = f" <b>{plural(finding.rows, 'row')}.</b>" if finding.rows else ""
    return (
        f'<li data-code="{esc(finding.code)}"><b class="{kind}" role="img" aria-label="{word}">{sign}</b>'
        f"<span>{esc(finding.what)}.{count}{_rest(finding, filters=filters)}</span></li>"
    )


def _rest(finding: Finding, *, filters: bool) -> str:
    """Its details, its rows and its fix, a line each."""
    details = [f'<code class="pre">{esc(line)}</code>' for line in finding.details]
    rows = _filter(finding) if filters else row_buttons(finding.examples, total=finding.rows)
    parts = (*details, rows, esc(finding.fix))
    return "".join(f'<span class="fix">{part}</span>' for part in parts if part)


def _filter(finding: Finding) -> str:
    if not finding.rows:
        return ""
    text = f"Show {'this row' if finding.rows == 1 else f'these {finding.rows:,} rows'}"
    return f'<button type="button" class="ift-btn link" data-finding="{esc(finding.code)}">{text}</button>'


def chips(findings: Sequence[Finding], *, total: int) -> str:
    """A chip per finding, which opens to what it means and to its rows; `total`: rows that were looked at."""
    return f'<div class="ift chips">{"".join(_chip(finding, total) for finding in findings)}</div>' if findings else ""


def _chip(finding: Finding, total: int) -> str:
    kind, sign, word = _SIGNS[finding.severity]
    return (
        f'<details class="finding" data-code="{esc(finding.code)}"><summary class="chip {kind}">'
        f'<b role="img" aria-label="{word}">{sign}</b> {esc(chip_text(finding, total))}</summary>'
        f"<p>{esc(finding.what)}.{_rest(finding, filters=False)}</p></details>"
    )


def chip_text(finding: Finding, total: int) -> str:
    """A finding in a few words, and how much of it there is."""
    rows = ""
    if finding.rows:
        rows = f"all {plural(total, 'row')}" if finding.rows == total else f"{finding.rows:,} of {plural(total, 'row')}"
    amount = ", ".join(text for text in (rows, finding.amount) if text)
    return f"{finding.label}: {amount}" if amount else finding.label
