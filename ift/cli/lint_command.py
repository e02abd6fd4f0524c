"""`lint`: what a template does to every row of a data set."""

import dataclasses
import json
from argparse import Namespace

from ift.audit.lint_rules import Finding, Severity
from ift.audit.linter import LintReport, lint
from ift.cli.commands import load_data_and_template
from ift.cli.progress_bars import counting_bar
from ift.plurals import plural


def run(args: Namespace) -> int:
    """`lint`: looks at all rows; 0 whatever it finds, so that a script reads the findings and decides."""
    dataset, template = load_data_and_template(args)
    with counting_bar("lint", "row") as progress:
        for report in lint(dataset.examples, template):
            progress(report.rows, report.total)
    print(json.dumps(_as_json(report)) if args.json else _as_text(report))
    return 0


def _as_json(report: LintReport) -> dict:
    findings = [{**dataclasses.asdict(one), "severity": one.severity.value} for one in report.findings]
    numbers = {"rows": report.total, "template_median": report.template_median}
    return {**numbers, "template_share": report.template_share, "findings": findings}


def _as_text(report: LintReport) -> str:
    numbers = f"{report.template_median:.0f} in the median row, {report.template_share:.0%} of all tokens"
    lines = [f"{report.total:,} rows; template tokens: {numbers}"]
    for finding in report.findings:
        lines += _finding(finding)
    return "\n".join(lines if report.findings else [*lines, "no warnings"])


def _finding(finding: Finding) -> list[str]:
    word = "warning" if finding.severity is Severity.WARNING else "note"
    rows = f" {plural(finding.rows, 'row')} ({', '.join(map(str, finding.examples))})." if finding.rows else ""
    return [f"{word}: {finding.what}.{rows}", *(f"  {line}" for line in finding.details), f"  {finding.fix}"]
