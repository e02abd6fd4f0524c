"""Rating answers by hand: twenty, drawn by seed, each without saying which model wrote it; and a judge's agreement."""

import random
import threading
from collections.abc import Callable, Sequence

from ift.errors import ConfigError
from ift.evaluation.agreement import FEWEST, agreement
from ift.evaluation.measures import JUDGE, measure_of
from ift.runs.folder import Run
from ift.runs.ratings import Rating, Ratings, rated_values
from ift.runs.scores import AnsweredRecord
from ift.types import Side
from playground.answers.answered import AnsweredRuns
from playground.answers.asking import about_run
from playground.answers.table import Row
from playground.context import Context

ASKED = 20
Key = tuple[int, Side]
Sides = dict[Side, list[AnsweredRecord]]


def queries(context: Context, answered: AnsweredRuns) -> list[Callable[[object], dict]]:
    """What to rate, and a rating."""
    writing = threading.Lock()

    def answers_ratings(query: object) -> dict:
        return about_run(context, query, lambda run, asked: _told(run, answered.rows(run)))

    def answers_rate(query: object) -> dict:
        def answer(run: Run, asked: dict) -> dict:
            context.ownership.require(run)
            rows = answered.rows(run)
            side, row, value = _rating(asked, sides_of(rows))
            with writing:
                Ratings(run.path).rate(side, row, value)
            return _told(run, rows)

        return about_run(context, query, answer)

    return [answers_ratings, answers_rate]


def drawn(rows: Sequence[Row], *, seed: int = 0) -> list[Key]:
    """Which answers are rated: of different records, the model's side left to chance, the same ones each time."""
    rng = random.Random(seed)
    whole = [row for row in rows if row.before and row.after and not row.after.reason]
    chosen = rng.sample(whole, min(ASKED, len(whole)))
    return [(row.question.record, rng.choice(list(Side))) for row in chosen]


def sides_of(rows: Sequence[Row]) -> Sides:
    """The answers of each model."""
    before, after = [row.before for row in rows], [row.after for row in rows]
    return {side: [row for row in found if row] for side, found in ((Side.BEFORE, before), (Side.AFTER, after))}


def _rating(asked: dict, sides: Sides) -> tuple[Side, AnsweredRecord, int]:
    """What was sent.

    Raises:
        ConfigError: it is no whole number.
        LookupError: the answer is not there.
    """
    value, side = asked.get("value"), asked.get("side")
    if type(value) is not int:
        raise ConfigError("A rating is a whole number", where="rating", fix="Use 0 to 100.")
    if side not in list(Side):
        raise LookupError(side)
    answers = {row.record: row for row in sides[Side(side)]}
    record = asked.get("record")
    return Side(side), answers[record if type(record) is int else -1], value


def _told(run: Run, rows: Sequence[Row]) -> dict:
    sides, ratings = sides_of(rows), Ratings(run.path).read()
    given = {side: rated_values(ratings, side, answers) for side, answers in sides.items()}
    answers = {(row.record, side): row for side, found in sides.items() for row in found}
    items = [_item(answers[record, side], side, given[side].get(record)) for record, side in drawn(rows)]
    judges = sorted({score.by for row in answers.values() for score in row.scores if score.by.startswith(JUDGE)})
    return {"items": items, "agreement": [_agreement(judge, ratings, sides) for judge in judges]}


def _item(answer: AnsweredRecord, side: Side, value: int | None) -> dict:
    return {
        "record": answer.record,
        "side": side.value,
        "instruction": answer.instruction,
        "input": answer.input,
        "expected": answer.output,
        "answer": answer.model_response,
        "value": value,
    }


def _agreement(judge: str, ratings: Sequence[Rating], sides: Sides) -> dict:
    found = agreement(ratings, sides, judge)
    few = f"at least {FEWEST} rated answers are needed" if found.n < FEWEST else "one side gave every answer one grade"
    return {
        "judge": measure_of(judge).title,
        "n": found.n,
        "correlation": found.correlation,
        "interval": list(found.interval) if found.interval else None,
        "reason": "" if found.correlation is not None else few,
    }
