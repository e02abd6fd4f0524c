"""`report`: a run's evidence in one file, for people or for other programs."""

import json
from argparse import Namespace
from collections.abc import Callable, Mapping
from pathlib import Path

from ift.cli.arguments import Parser
from ift.errors import ConfigError, RunError
from ift.evaluation.reports import answer_tables
from ift.evaluation.reports.run_report import report
from ift.options import Option, quote
from ift.runs.folder import Run, open_run
from ift.runs.scores import Summary


def add(command: Parser) -> None:
    """The options."""
    command.add_argument("run_folder", metavar="RUN", help="Folder of a run.")
    text = "File to write: .html for the report, .json, .csv or .md for the answers"
    command.option(Option(text, name="out", aliases=("output", "file")), is_required=True, metavar="FILE")
    text = "Seed of the ten answers that the report shows"
    command.option(Option(text, name="seed", kind=int, minimum=0, maximum=2**32 - 1, default=0))


def run(args: Namespace) -> int:
    """Write the file, and print where it is."""
    out, found = Path(args.out), open_run(Path(args.run_folder))
    if out.suffix.lower() == ".html":
        text = report(found, seed=args.seed)
    elif make := _TABLES.get(out.suffix.lower()):
        text = make(found, _scores_of(found))
    else:
        fix = f"Use .html, {', '.join(_TABLES)}."
        raise ConfigError(f"out: {quote(args.out)} is no kind of file that can be written", fix=fix)
    try:
        out.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise ConfigError(f"The file can't be written: {error.strerror}", where=args.out, fix="Check --out.") from error
    print(json.dumps({"path": str(out)}) if args.json else out)
    return 0


def _scores_of(found: Run) -> Summary:
    if summary := found.scores:
        return summary
    raise RunError("The run is not scored yet", where=found.id, fix="Run `python -m ift evaluate` first.")


_TABLES: Mapping[str, Callable[[Run, Summary], str]] = {
    ".json": lambda found, summary: answer_tables.to_json(found.comparison()),
    ".csv": lambda found, summary: answer_tables.to_csv(found.comparison()),
    ".md": lambda found, summary: answer_tables.to_markdown(found.comparison(), summary),
}
