"""Findings as lines of text, the same for every command that reports some."""

from collections.abc import Sequence

from ift.audit.findings import Finding
from ift.plurals import plural


def finding_lines(findings: Sequence[Finding]) -> list[str]:
    """What was found, how much and in which rows, and how to fix it; one line says so where nothing was."""
    return [line for finding in findings for line in _lines(finding)] or ["no warnings"]


def _lines(finding: Finding) -> list[str]:
    amount = f" {finding.amount[0].upper()}{finding.amount[1:]}." if finding.amount else ""
    first = ", ".join(map(str, finding.examples)) + (", …" if finding.rows > len(finding.examples) else "")
    rows = f" {plural(finding.rows, 'row')} ({first})." if finding.rows else ""
    what = f"{finding.severity.value}, {finding.code}: {finding.what}.{amount}{rows}"
    return [what, *(f"  {line}" for line in finding.details), f"  {finding.fix}"]
