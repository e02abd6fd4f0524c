"""`lint`: what a template, a mask and a limit do to every row of a data set."""

import json
from argparse import Namespace

from ift.audit.findings import Finding
from ift.audit.linter import LintReport, lint
from ift.cli.commands import load_data_and_template
from ift.cli.finding_lines import finding_lines
from ift.cli.progress_bars import counting_bar
from ift.config import TrainConfig
from ift.masks import parse_trained
from ift.plurals import plural


def run(args: Namespace) -> int:
    """`lint`: looks at all rows; 0 whatever it finds, so that a script reads the findings and decides."""
    trained = parse_trained(args.train_on or TrainConfig().train_on)
    dataset, template = load_data_and_template(args)
    with counting_bar("lint", "row") as progress:
        for report in lint(dataset.examples, template):
            progress(report.rows, report.total)
    findings = report.findings(trained=trained, max_length=args.max_length)
    print(json.dumps(_as_json(report, findings)) if args.json else _as_text(report, findings))
    return 0


def _as_json(report: LintReport, findings: tuple[Finding, ...]) -> dict:
    numbers = {"rows": report.total, "template_median": report.template_median}
    found = [finding.to_dict() for finding in findings]
    return {**numbers, "template_share": report.template_share, "findings": found}


def _as_text(report: LintReport, findings: tuple[Finding, ...]) -> str:
    numbers = f"{report.template_median:.0f} in the median row, {report.template_share:.0%} of all tokens"
    lines = [f"{plural(report.total, 'row')}; template tokens: {numbers}", *finding_lines(findings)]
    return "\n".join(lines)
