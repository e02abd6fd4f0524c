"""The answers for other programs: JSON as the book's scripts read it, CSV that no spreadsheet calculates, Markdown."""

import csv
import html
import io
import json
import random
import re
from collections.abc import Sequence

from ift.evaluation.measures import in_order, measure_of
from ift.runs.scores import AnsweredRecord, ComparedRecord, Summary

_FORMULA = "=+-@＝＋－＠"
"""What a spreadsheet takes a cell that begins with it for; the last four are their wide forms."""
_MARKS = re.compile(r"([\\`*_{}\[\]()#+!|~-])")
DRAWN = 10


def to_json(pairs: Sequence[ComparedRecord]) -> str:
    """A list of the records with `model_response`, the fine-tuned model's answer, as the book keeps them.

    What is beside it does not get in the way of the book's scripts: the base model's answer, and all scores.
    """
    rows = [
        {
            "instruction": pair.after.instruction,
            "input": pair.after.input,
            "output": pair.after.output,
            "model_response": pair.after.model_response.strip(),
            "base_model_response": pair.before.model_response.strip(),
            "record": pair.after.record,
            "task": pair.after.task,
            "finish": {"before": pair.before.finish, "after": pair.after.finish},
            "scores": {
                name: {"before": pair.before.value(name), "after": pair.after.value(name)} for name in _names([pair])
            },
        }
        for pair in pairs
    ]
    return json.dumps(rows, ensure_ascii=False, indent=4, allow_nan=False) + "\n"


def to_csv(pairs: Sequence[ComparedRecord]) -> str:
    """One line per record. A text that a spreadsheet would calculate gets an apostrophe in front; JSON has it exact."""
    names = _names(pairs)
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    texts = ("record", "task", "instruction", "input", "expected", "before", "after", "before_finish", "after_finish")
    writer.writerow([*texts, *(_safe(f"{name}_{side}") for name in names for side in ("before", "after"))])
    for pair in pairs:
        before, after = pair.before, pair.after
        question = [after.task or "", after.instruction, after.input, after.output]
        cells = [*question, before.model_response.strip(), after.model_response.strip(), before.finish, after.finish]
        values = [side.value(name) for name in names for side in (before, after)]
        numbers = ["" if value is None else f"{value:.6g}" for value in values]
        writer.writerow([after.record, *map(_safe, cells), *numbers])
    return file.getvalue()


def _safe(text: str) -> str:
    begins = text.lstrip()[:1]
    return f"'{text}" if (begins and begins in _FORMULA) or text[:1] in ("\t", "\r", "\n") else text


def to_markdown(pairs: Sequence[ComparedRecord], summary: Summary) -> str:
    """A table of the scores and one of the answers; what a record contains is text, not Markdown or HTML."""
    lines = ["| score | before | after | 95 % of the difference |", "|---|---:|---:|---:|"]
    for name in summary.after:
        found, measure = summary.metric(name), measure_of(name)
        cells = (measure.show(found.before), measure.show(found.after), measure.show_interval(found.interval))
        lines.append(f"| {' | '.join((_text(measure.title), *cells))} |")
    lines += ["", "| record | instruction | input | expected | before | after |", "|---:|---|---|---|---|---|"]
    for pair in pairs:
        after = pair.after
        texts = (after.instruction, after.input, after.output, pair.before.model_response, after.model_response)
        lines.append(f"| {after.record} | {' | '.join(map(_text, texts))} |")
    return "\n".join(lines) + "\n"


def _text(text: str) -> str:
    """In a cell: one line, without a mark that means something."""
    escaped = _MARKS.sub(r"\\\1", html.escape(text.strip(), quote=False))
    return "<br>".join(escaped.splitlines())


def draw(pairs: Sequence[ComparedRecord], *, seed: int, count: int = DRAWN) -> list[ComparedRecord]:
    """So many of the records, by seed, in the data set's order: nobody chose them for how they look."""
    chosen = random.Random(seed).sample(range(len(pairs)), min(count, len(pairs)))
    return [pairs[i] for i in sorted(chosen)]


def _names(pairs: Sequence[ComparedRecord]) -> list[str]:
    rows: list[AnsweredRecord] = [row for pair in pairs for row in (pair.before, pair.after)]
    return in_order(dict.fromkeys(score.by for row in rows for score in row.scores))
