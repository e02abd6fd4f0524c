"""What an evaluation found: rows, means, and what got better, with intervals and sign tests."""

from collections.abc import Sequence

from ift.evaluation.intervals import mean, outcome, paired_interval
from ift.evaluation.measures import PAIRS, in_order, measure_of
from ift.runs.evaluation_plan import EvaluationPlan
from ift.runs.scores import AnsweredRecord, GroupSummary, Summary
from ift.types import Example, Finish, Scored, Side

ENDED = "ended"
REFERENCE_LOSS = "reference_loss"


def summarize(before: Sequence[AnsweredRecord], after: Sequence[AnsweredRecord], plan: EvaluationPlan) -> Summary:
    """Means of each score and of answers that ended by themselves, the difference's 95 % interval, and its sign test.

    The rows of both sides are of the same records; their order does not matter. `held_out`: the same means for the
    records whose fact, and whose wording, no training record has.
    """
    before, after = (sorted(rows, key=lambda row: row.record) for rows in (before, after))
    old, new = _columns(before), _columns(after)
    names = sorted({name for row in after for name in row.held_out})
    side = plan.sides[Side.AFTER]
    return Summary(
        n=len(after),
        before=_means(before),
        after=_means(after),
        gain_interval_95={name: paired_interval(old[name], new[name]) for name in new},
        held_out={name: _group(name, before, after) for name in names},
        checkpoint=side.model,
        max_new_tokens=side.decoding.max_new_tokens,
        outcomes={
            name: outcome(old[name], new[name], lower_is_better=measure_of(name).lower_is_better) for name in new
        },
        decoding=side.decoding,
        sampled=plan.sampled,
        template=side.template,
    )


def _group(name: str, before: Sequence[AnsweredRecord], after: Sequence[AnsweredRecord]) -> GroupSummary:
    old, new = ([row for row in rows if name in row.held_out] for rows in (before, after))
    return GroupSummary(n=len(new), before=_means(old), after=_means(new))


def _means(rows: Sequence[AnsweredRecord]) -> dict[str, float | None]:
    return {name: mean(column) for name, column in _columns(rows).items()}


def _columns(rows: Sequence[AnsweredRecord]) -> dict[str, list[float | None]]:
    present = dict.fromkeys(score.by for row in rows for score in row.scores if not score.by.startswith(PAIRS))
    return {name: [_value(row, name) for row in rows] for name in in_order([*present, ENDED])}


def _value(row: AnsweredRecord, name: str) -> float | None:
    if name != ENDED:
        return row.value(name)
    return None if row.reason else float(row.finish is not Finish.LENGTH)


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
        response_ids=scored.completion.ids,
    )
