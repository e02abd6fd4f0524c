"""What each score is called, what it means, which way is better, and what it can't see. No torch, no arithmetic."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

JUDGE = "judge:"
"""Before the model's name: a judge's score."""
PAIRS = "pair:"
"""Before the model's name: a judge's choice between both answers; on the fine-tuned model's rows only."""


class Unit(StrEnum):
    """What a score counts."""

    SHARE = "share"
    """From 0 to 1; shown in percent."""
    NATS = "nats"
    POINTS = "points"
    """From 0 to 100."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A score.

    meaning: a few words. blind: what it can't see, a sentence. lower_is_better: of its values.
    """

    name: str
    title: str
    meaning: str
    blind: str
    unit: Unit = Unit.SHARE
    lower_is_better: bool = False

    def gain(self, before: float, after: float) -> float:
        """By how much it got better, in its own unit: above 0 is better, whichever way the values run."""
        return before - after if self.lower_is_better else after - before

    def show(self, value: float | None, *, signed: bool = False) -> str:
        """A value with its unit: `98.6 %`, `0.42 nats`, `71.3`; `none` where there is none."""
        if value is None:
            return "none"
        sign = "+" if signed else ""
        if self.unit is Unit.SHARE:
            return f"{100 * value:{sign}.1f} {'points' if signed else '%'}"
        return f"{value:{sign}.3f} nats" if self.unit is Unit.NATS else f"{value:{sign}.1f}"

    def show_interval(self, interval: tuple[float, float] | None) -> str:
        """A difference's interval with its unit, once: `+98.1 to +99.8 points`; `none` where there is none."""
        if interval is None:
            return "none"
        low, high = (self.show(bound, signed=True) for bound in interval)
        return f"{low.partition(' ')[0]} to {high}"


_ALL = (
    Measure(
        "exact_match",
        "Exact match",
        "same words and numbers; case, articles and marks that carry no meaning ignored",
        "A right answer in other words counts as wrong.",
    ),
    Measure(
        "token_f1",
        "Token F1",
        "shared words, order ignored",
        "“Dog bites man” and “man bites dog” are the same to it, and “not” is one word among many.",
    ),
    Measure(
        "rouge_l",
        "ROUGE-L",
        "longest common word sequence",
        "It knows no synonyms: a wrong name in a right sentence scores high, a paraphrase low.",
    ),
    Measure(
        "chrf",
        "chrF",
        "shared character sequences",
        "It rewards the same spelling, not the same meaning: 1945 and 1954 are nearly alike.",
    ),
    Measure("check", "Own check", "open-ended records: lists and stories, by the record's own rule", "Only that rule."),
    Measure(
        "starts_right",
        "Starts right",
        "the answer begins with the expected one",
        "Whatever follows: a model that never stops can score 100 %.",
    ),
    Measure(
        "ended",
        "Stopped by itself",
        "end-of-text, or the template's own ending",
        "Whether the answer is right: an empty answer stops, too.",
    ),
    Measure(
        "reference_loss",
        "Loss of the expected answer",
        "mean over its tokens and the end-of-text",
        "What the model would write itself: it is shown each right token before the next one.",
        Unit.NATS,
        lower_is_better=True,
    ),
    Measure(
        "format_leak",
        "Format leaks",
        "answers that hold a header of the template",
        "Headers of other templates, and headers that the expected answer has, too.",
        lower_is_better=True,
    ),
    Measure(
        "repetition",
        "Repetition",
        "share of four-word sequences that the answer had already",
        "Lists and songs repeat themselves rightly, and answers below four words can't.",
        lower_is_better=True,
    ),
)
MEASURES: Mapping[str, Measure] = {measure.name: measure for measure in _ALL}
"""In the order in which they are shown."""
LIKENESS = ("exact_match", "token_f1", "rouge_l", "chrf")
"""Those that compare an answer with the expected one; empty where a record has its own check."""


def measure_of(name: str) -> Measure:
    """A score by its name in the files; one that this version does not know has its name for a title."""
    if name in MEASURES:
        return MEASURES[name]
    if name.startswith(JUDGE):
        model = name.removeprefix(JUDGE)
        blind = "It may like long, polite or familiar answers: check it against ratings of your own."
        return Measure(name, f"Judge {model}", "a model's grade, 0 to 100", blind, Unit.POINTS)
    if name.startswith(PAIRS):
        model = name.removeprefix(PAIRS)
        blind = "By how much: 1 is a win in both orders, 0.5 a tie or a change of mind."
        return Measure(name, f"Preferred by {model}", "against the base model's answer, blind", blind)
    return Measure(name, name.replace("_", " ").capitalize(), "", "")


def in_order(names: Collection[str]) -> list[str]:
    """Names of scores as they are shown: the known ones first, in `MEASURES`' order."""
    known = [name for name in MEASURES if name in names]
    return known + [name for name in names if name not in MEASURES]
