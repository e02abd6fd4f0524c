"""`data`: reads a data set, lists everything that is wrong with it, counts, and writes the good records."""

import json
import sys
from argparse import Namespace
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ift.audit.data_report import DataReport, data_report
from ift.cli.commands import data_options, load_template_or_default
from ift.cli.finding_lines import finding_lines
from ift.cli.progress_bars import counting_bar
from ift.config import TrainConfig
from ift.data.records import Dataset, RecordsError
from ift.data.sources import load_dataset
from ift.errors import ConfigError
from ift.masks import parse_trained
from ift.plurals import agree, plural
from ift.types import Example

SHOWN_PROBLEMS = 20
"""Of a file with many, in the text; JSON has all."""


def run(args: Namespace) -> int:
    """`data`: 0 when every record can be used or those that can't are left out on request, else 2."""
    out = Path(args.write) if args.write else None
    name = args.data or TrainConfig().data
    if out and out.exists() and Path(name).exists() and out.samefile(name):
        raise ConfigError("The data file itself would be replaced", where="write", fix="Name another file.")
    dataset, refused = _read(args, name)
    shown, report = _described(dataset), _report(args, dataset) if dataset.examples else None
    counts = _counted(report) if report else _NO_COUNTS
    print(json.dumps(shown | counts) if args.json else _as_text(shown | counts, dataset, report))
    if refused:
        print(f"Error: {refused}", file=sys.stderr)
        return 2
    if out:
        write_records(dataset.examples, out)
    return 0


def _read(args: Namespace, name: str) -> tuple[Dataset, RecordsError | None]:
    with counting_bar("download", "B") as progress:
        try:
            return load_dataset(name, options=data_options(args), progress=progress), None
        except RecordsError as error:
            return error.dataset, error


def write_records(examples: tuple[Example, ...], path: Path) -> None:
    """One record per line, under our own names, whatever the file called them.

    Raises:
        ConfigError: the file can't be written.
    """
    lines = [json.dumps(_record(example), ensure_ascii=False) + "\n" for example in examples]
    try:
        path.write_text("".join(lines), encoding="utf-8", newline="\n")
    except OSError as error:
        fix = "Name a file in a folder that exists."
        raise ConfigError(f"The records can't be written: {error.strerror}", where=str(path), fix=fix) from error


def _record(example: Example) -> dict[str, object]:
    texts: dict[str, object] = {"instruction": example.instruction, "input": example.input, "output": example.output}
    rest: dict[str, object] = {"split": example.split, "task": example.task, "held_out": list(example.held_out)}
    check: dict[str, object] = (
        {"check": asdict(example.check) | {"any_of": list(example.check.any_of)}} if example.check else {}
    )
    return texts | {name: value for name, value in rest.items() if value} | check


def _report(args: Namespace, dataset: Dataset) -> DataReport:
    trained = parse_trained(args.train_on or TrainConfig().train_on)
    return data_report(dataset, load_template_or_default(args.template), trained=trained, max_length=args.max_length)


_NO_COUNTS: dict[str, object] = {
    "split": {"train": 0, "validation": 0, "test": 0, "from_file": False},
    "empty_splits": ["train", "test", "validation"],
    "findings": [],
}


def _described(dataset: Dataset) -> dict[str, object]:
    reading = dataset.reading
    return {
        "name": dataset.name,
        "sha256": dataset.sha256,
        "records": len(dataset),
        "format": reading.format,
        "layout": reading.layout,
        "fields": dict(reading.fields),
        "unused_fields": dict(reading.unused),
        "did_you_mean": reading.likely,
        "converted": dict(reading.converted),
        "null_inputs": reading.empty_inputs,
        "conversations": dict(reading.conversations),
        "problems": [problem.to_dict() for problem in reading.problems],
        "dropped": reading.dropped,
    }


def _counted(report: DataReport) -> dict[str, object]:
    parts = {name: len(getattr(report.split, name)) for name in ("train", "validation", "test")}
    return {
        "split": {**parts, "from_file": report.split.from_file},
        "empty_splits": list(report.split.empty),
        "with_input": report.with_input,
        "tasks": report.tasks,
        "tokens": {
            "longest": int(report.lengths.max()),
            "mean": float(report.lengths.mean()),
            **report.tokens_by_role,
        },
        "findings": [finding.to_dict() for finding in report.findings],
    }


def _as_text(shown: dict[str, Any], dataset: Dataset, report: DataReport | None) -> str:
    reading = dataset.reading
    count = "all readable" if not reading.problems else f"of {plural(reading.rows, 'row')}"
    inputs = shown.get("with_input", 0)
    with_input = f"{inputs:,} {agree(inputs, 'has|have')} an input"
    lines = [
        f"{shown['name']}: {plural(shown['records'], 'record')}, {count}; {with_input}",
        f"format {reading.format}, layout {reading.layout}: {_mapping(dataset)}",
        *reading.notes(),
    ]
    problems = [f"  {one.place}: {one.problem}. {one.fix}" for one in reading.problems[:SHOWN_PROBLEMS]]
    more = len(reading.problems) - len(problems)
    lines += [f"problems: {len(reading.problems):,}", *problems] if problems else []
    lines += [f"  … and {more:,} more: --json lists all"] if more else []
    return "\n".join([*lines, *_counts_text(shown), *finding_lines(report.findings)] if report else lines)


def _mapping(dataset: Dataset) -> str:
    return ", ".join(f"{ours} from {theirs}" for ours, theirs in dataset.reading.fields.items()) or "none"


def _counts_text(shown: dict[str, Any]) -> list[str]:
    parts, tokens = shown["split"], dict(shown["tokens"])
    return [
        f"train {parts['train']:,}, validation {parts['validation']:,}, test {parts['test']:,}",
        f"tokens per row: {tokens.pop('mean'):.1f} on average, {tokens.pop('longest')} at most",
        *(f"  {role:12} {count:>10,}" for role, count in tokens.items()),
    ]
