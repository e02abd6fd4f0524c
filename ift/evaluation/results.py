"""What an evaluation found: rows, means, and the gain with its interval."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from ift.evaluation.intervals import mean, paired_interval
from ift.evaluation.metrics import CHECK, METRICS
from ift.types import Completion, Example, Finish, Score, Scored


def summarize(before: Sequence[Scored], after: Sequence[Scored], examples: Sequence[Example]) -> dict:
    """Means of each metric and of answers that ended by themselves, with the gain's 95 % interval.

    `held_out`: the same means for the records whose fact, and whose wording, no training record has.
    """
    sides = {"before": before, "after": after}
    summary: dict = {"n": len(after), **{side: _means(rows) for side, rows in sides.items()}}
    columns = {side: _columns(rows) for side, rows in sides.items()}
    summary["gain_interval_95"] = {
        name: paired_interval(columns["before"][name], columns["after"][name]) for name in columns["after"]
    }
    names = sorted({name for row in after for name in examples[row.completion.record].held_out})
    summary["held_out"] = {name: _group(name, sides, examples) for name in names}
    return summary


def _group(name: str, sides: Mapping[str, Sequence[Scored]], examples: Sequence[Example]) -> dict:
    chosen = {
        side: [row for row in rows if name in examples[row.completion.record].held_out] for side, rows in sides.items()
    }
    return {"n": len(chosen["after"]), **{side: _means(rows) for side, rows in chosen.items()}}


def _means(rows: Sequence[Scored]) -> dict[str, float | None]:
    return {name: mean(column) for name, column in _columns(rows).items()}


def _columns(rows: Sequence[Scored]) -> dict[str, list[float | None]]:
    present = {score.by for row in rows for score in row.scores}
    columns = {name: [_value(row.scores, name) for row in rows] for name in (*METRICS, CHECK) if name in present}
    return {
        **columns,
        "ended": [_ended(row.completion) if _is_scored(row) else None for row in rows],
    }


def _is_scored(row: Scored) -> bool:
    return any(score.value is not None for score in row.scores)


def _value(scores: Sequence[Score], name: str) -> float | None:
    return next((score.value for score in scores if score.by == name), None)


def _ended(completion: Completion) -> float:
    return float(completion.finish is not Finish.LENGTH)


def to_row(scored: Scored, example: Example) -> dict:
    """A line of before.jsonl or after.jsonl; `model_response` as in the book."""
    return {
        "record": scored.completion.record,
        "task": example.task,
        "held_out": list(example.held_out),
        "instruction": example.instruction,
        "input": example.input,
        "output": example.output,
        "model_response": scored.completion.text,
        "finish": scored.completion.finish,
        "scores": [asdict(score) for score in scored.scores],
    }
