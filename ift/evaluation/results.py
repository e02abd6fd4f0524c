"""What an evaluation found: rows, means, and the gain with its interval."""

from collections.abc import Sequence

from ift.evaluation.intervals import mean, paired_interval
from ift.evaluation.metrics import CHECK, METRICS
from ift.runs.scores import AnsweredRecord, GroupSummary, Summary
from ift.types import Completion, Example, Finish, Score, Scored


def summarize(before: Sequence[Scored], after: Sequence[Scored], examples: Sequence[Example]) -> Summary:
    """Means of each metric and of answers that ended by themselves, with the gain's 95 % interval.

    `held_out`: the same means for the records whose fact, and whose wording, no training record has.
    """
    old, new = _columns(before), _columns(after)
    names = sorted({name for row in after for name in examples[row.completion.record].held_out})
    return Summary(
        n=len(after),
        before=_means(before),
        after=_means(after),
        gain_interval_95={name: paired_interval(old[name], new[name]) for name in new},
        held_out={name: _group(name, before, after, examples) for name in names},
    )


def _group(name: str, before: Sequence[Scored], after: Sequence[Scored], examples: Sequence[Example]) -> GroupSummary:
    old, new = ([row for row in rows if name in examples[row.completion.record].held_out] for rows in (before, after))
    return GroupSummary(n=len(new), before=_means(old), after=_means(new))


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


def answered_record(scored: Scored, example: Example) -> AnsweredRecord:
    """A completion with its record and its scores, as it is kept."""
    return AnsweredRecord(
        record=scored.completion.record,
        instruction=example.instruction,
        input=example.input,
        output=example.output,
        model_response=scored.completion.text,
        finish=scored.completion.finish,
        scores=scored.scores,
        task=example.task,
        held_out=example.held_out,
    )
