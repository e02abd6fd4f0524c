"""What an evaluation came to, for the top of tab 4: the verdict, and each score before and after."""

from dataclasses import dataclass

from ift.evaluation.measures import Measure, Unit, in_order, measure_of
from ift.evaluation.verdict import verdict
from ift.plurals import plural
from ift.runs.scores import Comparison, Outcome, Summary

HUNDRED = 100.0


@dataclass(frozen=True, slots=True)
class Tile:
    """A score before and after. most: the value at the right end of its bar. tone: better, worse, or empty."""

    name: str
    title: str
    meaning: str
    blind: str
    before: float | None
    after: float | None
    before_text: str
    after_text: str
    most: float
    tone: str
    change: str
    outcome: str


def overview(summary: Summary) -> dict[str, object]:
    """The verdict and the tiles; scores that no record has are left out."""
    told = verdict(summary)
    names = in_order([name for name in summary.after if name in summary.before])
    tiles = [tile(measure_of(name), summary.metric(name)) for name in names]
    return {
        "verdict": {
            "tone": told.tone.value,
            "title": told.title,
            "sentence": told.sentence,
            "basis": told.basis,
            "cautions": list(told.cautions),
        },
        "scores": [one for one in tiles if one.before is not None or one.after is not None],
    }


def tile(measure: Measure, found: Comparison) -> Tile:
    """One score as it is shown."""
    values = [value for value in (found.before, found.after) if value is not None]
    most = {Unit.SHARE: 1.0, Unit.POINTS: HUNDRED}.get(measure.unit, max([1e-9, *values]))
    return Tile(
        name=measure.name,
        title=measure.title,
        meaning=measure.meaning,
        blind=measure.blind,
        before=found.before,
        after=found.after,
        before_text=_short(measure, found.before),
        after_text=_short(measure, found.after),
        most=most,
        tone=_tone(measure, found),
        change=_change(measure, found),
        outcome=_outcome(found.outcome),
    )


def _short(measure: Measure, value: float | None) -> str:
    """Without a unit where the title says it."""
    return measure.show(value).removesuffix(" nats")


def _tone(measure: Measure, found: Comparison) -> str:
    """Only where the interval does not hold 0."""
    if found.interval is None or found.interval[0] <= 0 <= found.interval[1]:
        return ""
    rose = found.interval[0] > 0
    return "worse" if rose is measure.lower_is_better else "better"


def _change(measure: Measure, found: Comparison) -> str:
    if found.interval is None or found.before is None or found.after is None:
        return ""
    low, high = (measure.show(bound, signed=True) for bound in found.interval)
    gain = measure.show(found.after - found.before, signed=True)
    return f"{gain}, 95 % interval {low} to {high}"


def _outcome(found: Outcome | None) -> str:
    if found is None:
        return ""
    counts = f"{found.wins:,} better, {found.ties:,} the same, {found.losses:,} worse"
    records = plural(found.wins + found.losses, "record")
    chance = "p < 0.001" if found.p_value < 0.001 else f"p = {found.p_value:.3f}"
    return f"{counts}; sign test over {records} that differ: {chance}"
