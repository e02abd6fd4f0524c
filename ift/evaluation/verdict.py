"""What an evaluation can conclude and what it can't, in plain words. No torch."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from ift.evaluation.measures import measure_of
from ift.plurals import plural
from ift.runs.scores import Comparison, Summary

LEADING = ("exact_match", "check")
"""A verdict is about the first of these that has a value: records with their own check have no exact match."""
FEWEST = 20
"""Records below which a bootstrap interval is too narrow to be believed: it only knows values that it has seen."""
STOPS = 0.5
"""Share of answers that have to stop by themselves, or the verdict is about that."""
CEILING = 0.98
"""From this mean on too few records are left that could get better."""
LEAKS = 0.05
REPEATS = 0.25


class Finding(StrEnum):
    """What a verdict is, from what keeps others from being seen to what is good."""

    NOTHING = "nothing answered"
    NEVER_STOPS = "never stops"
    TOO_FEW = "too few records"
    WORSE = "worse"
    LOSS_ROSE = "loss rose"
    CEILING = "ceiling"
    BETTER = "better"
    OPEN = "open"


class Tone(StrEnum):
    """How a verdict is shown."""

    GOOD = "good"
    WARN = "warn"
    BAD = "bad"


_TONES = {Finding.BETTER: Tone.GOOD, Finding.WORSE: Tone.BAD}
_TITLES = {
    Finding.NOTHING: "Nothing answered",
    Finding.NEVER_STOPS: "Never stops",
    Finding.TOO_FEW: "Too few records",
    Finding.WORSE: "Worse",
    Finding.LOSS_ROSE: "Loss rose",
    Finding.CEILING: "Ceiling reached",
    Finding.BETTER: "Better",
    Finding.OPEN: "Undecided",
}
_ADVICE = {
    Finding.NEVER_STOPS: "Train on the end-of-text (train_on response or all): no other answer is exact.",
    Finding.TOO_FEW: "Use at least {fewest} held-out records.",
    Finding.OPEN: "The interval, {interval}, holds 0: more held-out records would narrow it.",
    Finding.CEILING: "These records can't show an improvement: use harder ones.",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """A verdict.

    metric: what it is about, empty where nothing was answered. sentence: what happened. basis: what that rests on.
    cautions: what else has to be known, and what these records can't show; a sentence each.
    """

    finding: Finding
    metric: str
    sentence: str
    basis: str = ""
    cautions: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """Two or three words."""
        return _TITLES[self.finding]

    @property
    def tone(self) -> Tone:
        """Good, bad, or neither."""
        return _TONES.get(self.finding, Tone.WARN)


def verdict(summary: Summary) -> Verdict:
    """What a run's scores come to."""
    name = next((name for name in LEADING if summary.metric(name).interval), None)
    if name is None:
        return Verdict(Finding.NOTHING, "", "No held-out record could be answered: every prompt fills the context.")
    finding = _finding(summary, name)
    return Verdict(
        finding, name, _sentence(summary, name, finding), _basis(summary), tuple(_cautions(summary, name, finding))
    )


def _finding(summary: Summary, name: str) -> Finding:
    found = summary.metric(name)
    low, high = found.interval or (0.0, 0.0)
    ended, loss = summary.after.get("ended"), summary.metric("reference_loss")
    cases = (
        (Finding.NEVER_STOPS, ended is not None and ended < STOPS),
        (Finding.TOO_FEW, summary.n < FEWEST),
        (Finding.WORSE, high < 0),
        (Finding.LOSS_ROSE, loss.interval is not None and loss.interval[0] > 0),
        (Finding.CEILING, (found.before or 0.0) >= CEILING),
        (Finding.BETTER, low > 0),
    )
    return next((finding for finding, is_so in cases if is_so), Finding.OPEN)


def _sentence(summary: Summary, name: str, finding: Finding) -> str:
    found, title = summary.metric(name), measure_of(name).title
    means = f"{_percent(found.before)} to {_percent(found.after)}"
    if finding is Finding.NEVER_STOPS:
        return _never_stops(summary, name)
    if finding is Finding.TOO_FEW:
        return f"{title} went from {means}, but {plural(summary.n, 'record')} can't show whether that is luck."
    if finding is Finding.WORSE:
        return f"Fine-tuning made it worse: {title.lower()} fell from {means}."
    if finding is Finding.LOSS_ROSE:
        loss = summary.metric("reference_loss")
        rose = f"the loss of the expected answers rose from {loss.before:.2f} to {loss.after:.2f} nats"
        return f"{title} went from {means}, but {rose}: the model became more certain of wrong tokens."
    if finding is Finding.CEILING:
        return f"The base model was nearly always right already: {title.lower()} went from {means}."
    if finding is Finding.BETTER:
        return f"{title} rose from {means}."
    return f"{title} may not have changed: it went from {means}."


def _never_stops(summary: Summary, name: str) -> str:
    ended = _percent(summary.after.get("ended"))
    starts = summary.after.get("starts_right")
    if starts is None or starts < STOPS:
        return f"Only {ended} of the answers stop by themselves; the others were cut."
    whole = f"{measure_of(name).title.lower()} is {_percent(summary.after.get(name))}"
    return f"{_percent(starts)} of the answers start right, but only {ended} stop by themselves: {whole}."


def _basis(summary: Summary) -> str:
    decoding = summary.decoding.text if summary.decoding else f"greedy answers of up to {summary.max_new_tokens} tokens"
    records = plural(summary.n, "held-out record")
    if summary.sampled:
        records = f"{records} of {summary.sampled.total:,}, drawn with seed {summary.sampled.seed}"
    asked = ", asked with another template than the run's" if summary.template else ""
    return f"{records}, {decoding}{asked}, paired bootstrap over the records."


def _cautions(summary: Summary, name: str, finding: Finding) -> Iterator[str]:
    found = summary.metric(name)
    if finding in (Finding.BETTER, Finding.WORSE):
        yield f"95 % interval of the difference: {_interval(found)}."
    if advice := _ADVICE.get(finding):
        yield advice.format(interval=_interval(found), fewest=FEWEST)
    if finding is not Finding.CEILING and (found.after or 0.0) >= CEILING:
        yield "Hardly a record is left that could get better: these can't show whether another model is better still."
    yield from _habits(summary, finding)
    yield from _judges(summary)
    yield "The interval is about the choice of records, not about the luck of one training run."


def _habits(summary: Summary, finding: Finding) -> Iterator[str]:
    leaks, repeats = summary.after.get("format_leak"), summary.after.get("repetition")
    if leaks and leaks > LEAKS and finding is not Finding.NEVER_STOPS:  # what never stops begins another record
        yield f"{_percent(leaks)} of the answers hold a header of the template."
    if repeats and repeats > REPEATS:
        yield f"{_percent(repeats)} of what is written was written before in the same answer."


def _judges(summary: Summary) -> Iterator[str]:
    for judge in summary.judges.values():
        if judge.unread:
            total = plural(judge.scored + judge.unread, "answer")
            yield f"{judge.model} gave no verdict on {judge.unread:,} of {total}; each says why."
        if judge.suspected:
            yield f"{plural(judge.suspected, 'answer')} may beg the judge for a grade: read them."


def _interval(found: Comparison) -> str:
    return measure_of(LEADING[0]).show_interval(found.interval)


def _percent(share: float | None) -> str:
    return "none" if share is None else f"{100 * share:.1f} %"
