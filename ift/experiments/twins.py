"""Twins: the same run twice with one difference, and what that difference was measured to do.

A run belongs to a twin because of its options, not because of who started it: any run with a side's options counts.
Seeds are paired, as both sides of a pair see the same rows in the same order. No torch.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from itertools import starmap
from statistics import fmean, stdev

from ift.config import TrainConfig, make_config
from ift.data.templates import preset_source
from ift.errors import RunError
from ift.evaluation.measures import measure_of
from ift.experiments.compare_runs import RunsComparison, Verdict
from ift.json_fields import from_fields
from ift.paths import ASSETS
from ift.plurals import plural

MEASURED = ASSETS / "experiments" / "measured.json"
"""What each twin was measured to do to the starter; the text of a card is made from these numbers."""
SEED = 123
"""Of a twin's first pair; each further pair has the next one."""
ONE_SEED = "One seed each: another may give another result."
_T_95 = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571, 7: 2.447, 8: 2.365, 9: 2.306, 10: 2.262}
"""Student's t for a 95 % interval, by the number of seeds; beyond that about 2.2. Source: any table of it."""


@dataclass(frozen=True, slots=True)
class TwinSide:
    """One of a twin's runs: what it is called, and its options beside the starter's own.

    asked_with: the template of the questions, by name; empty: the one that it was trained with.
    """

    label: str
    options: Mapping[str, object] = field(default_factory=dict)
    asked_with: str = ""

    def config(self, seed: int) -> TrainConfig:
        """Its run's options, with this seed or the side's own distance from it."""
        options = {name: value for name, value in self.options.items() if name != "seeds_ahead"}
        ahead = int(str(self.options.get("seeds_ahead", 0)))
        return make_config({**options, "seed": seed + ahead}, preset="quick")


@dataclass(frozen=True, slots=True)
class Trial:
    """A training and how it is scored; template: of the questions, as text; empty: its own."""

    config: TrainConfig
    template: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Twin:
    """An experiment. question: what to think about first. score: what its verdict is about. is_broken: on purpose."""

    name: str
    title: str
    question: str
    sides: tuple[TwinSide, ...]
    score: str = "exact_match"
    is_broken: bool = False

    @lru_cache(maxsize=4096)  # noqa: B019  # the twins live as long as the program
    def configs(self, seed: int) -> tuple[TrainConfig, ...]:
        """The options of all sides, for the pair of this seed."""
        return tuple(side.config(seed) for side in self.sides)

    @lru_cache(maxsize=4096)  # noqa: B019
    def trials(self, seed: int) -> tuple[Trial, ...]:
        """All sides, for the pair of this seed: runs that differ in their questions alone are trained alike."""
        sources = (preset_source(side.asked_with) if side.asked_with else "" for side in self.sides)
        return tuple(starmap(Trial, zip(self.configs(seed), sources, strict=True)))


@dataclass(frozen=True, slots=True)
class SideResult:
    """A side against the first one, a value per seed. interval: 95 % of the difference; see `side_result`."""

    first: tuple[float, ...]
    other: tuple[float, ...]
    interval: tuple[float, float] | None

    @property
    def difference(self) -> float:
        """The mean over the seeds."""
        return fmean(other - first for first, other in zip(self.first, self.other, strict=True))

    @property
    def verdict(self) -> Verdict:
        """Undecided where the interval holds zero, or where there is none."""
        is_clear = self.interval is not None and not self.interval[0] <= 0 <= self.interval[1]
        return Verdict.DECIDED if is_clear else Verdict.UNDECIDED


@dataclass(frozen=True, slots=True)
class TwinResult:
    """What a twin was measured to do: one result per side but the first."""

    seeds: tuple[int, ...]
    sides: tuple[SideResult, ...]

    @property
    def verdict(self) -> Verdict:
        """Decided where each side is; with one seed that is about these runs, not about what differs."""
        is_decided = bool(self.sides) and all(side.verdict is Verdict.DECIDED for side in self.sides)
        return Verdict.DECIDED if is_decided else Verdict.UNDECIDED

    def sentences(self, twin: Twin) -> list[str]:
        """One per side, with its numbers."""
        measure = measure_of(twin.score)
        found = []
        for number, side in enumerate(self.sides, start=1):
            means = f"{measure.show(fmean(side.first))} against {measure.show(fmean(side.other))}"
            name = f"{chr(ord('A') + number)}: {measure.title.lower()}" if len(self.sides) > 1 else measure.title
            found.append(f"{name} {means}, difference {_difference(side)} over {plural(len(self.seeds), 'seed')}.")
        return found if len(self.seeds) > 1 else [*found, ONE_SEED]


def side_result(
    first: Sequence[float], other: Sequence[float], *, of_records: tuple[float, float] | None = None
) -> SideResult:
    """A side's result from its values per seed.

    Two seeds or more: the interval is Student's over the seeds' differences, so that it has in it what another seed
    changes. One seed: `of_records`, the paired bootstrap's, which has not.
    """
    differences = [b - a for a, b in zip(first, other, strict=True)]
    interval = of_records
    if len(differences) > 1:
        reach = _T_95.get(len(differences), 2.228) * stdev(differences) / math.sqrt(len(differences))
        low, high = fmean(differences) - reach, fmean(differences) + reach
        interval = max(-1.0, low), min(1.0, high)  # of shares
    return SideResult(tuple(first), tuple(other), interval)


def twin_result(one: Twin, seeds: Sequence[int], pairs: Sequence[RunsComparison]) -> TwinResult:
    """A twin's result from its runs compared, a comparison per seed.

    Raises:
        RunError: no record has the twin's score in both runs.
    """
    sides = []
    for number in range(len(one.sides) - 1):
        found = [score for made in pairs for score in made.scores[number : number + 1]]
        scores = [score for of_run in found for score in of_run if score.score == one.score]
        if len(scores) != len(pairs):
            fix = "Answer the held-out records of all of them again."
            raise RunError(f"The runs have no {one.score} to compare", where=", ".join(pairs[0].runs), fix=fix)
        first, other = [score.first or 0.0 for score in scores], [score.other or 0.0 for score in scores]
        sides.append(side_result(first, other, of_records=scores[0].interval))
    return TwinResult(tuple(seeds), tuple(sides))


def twin(name: str) -> Twin | None:
    """A twin by its name."""
    return next((twin for twin in TWINS if twin.name == name), None)


@lru_cache(maxsize=1)
def measured() -> Mapping[str, TwinResult]:
    """What the twins were measured to do, by name; a twin that nobody measured is not there."""
    if not MEASURED.is_file():
        return {}
    value = json.loads(MEASURED.read_text(encoding="utf-8"))
    fix = "Put back the file that came with the program."
    return {
        name: from_fields(TwinResult, one, where=f"{MEASURED.name}: {name}", fix=fix) for name, one in value.items()
    }


def to_json(results: Mapping[str, TwinResult]) -> str:
    """The text of `MEASURED`."""
    rounded = {name: asdict(_rounded(result)) for name, result in results.items()}
    return json.dumps(rounded, indent=1) + "\n"


def _rounded(result: TwinResult) -> TwinResult:
    def six(values: tuple[float, ...]) -> tuple[float, ...]:
        return tuple(round(value, 6) for value in values)

    sides = [
        SideResult(six(side.first), six(side.other), (six(side.interval)[0], six(side.interval)[1]))
        for side in result.sides
        if side.interval
    ]
    return replace(result, sides=tuple(sides))


def _difference(side: SideResult) -> str:
    if side.interval is None:
        return f"{100 * side.difference:+.1f} points"
    low, high = (100 * end for end in side.interval)
    held = "" if side.verdict is Verdict.DECIDED else ", which holds zero"
    return f"{100 * side.difference:+.1f} points [{low:+.1f}, {high:+.1f}]{held}"


TWINS = (
    Twin(
        "mask",
        "Mask: on or off",
        "Does a model learn to answer better when it is not trained on the questions, too?",
        (TwinSide("loss on the response only"), TwinSide("loss on all tokens", {"train_on": "all"})),
    ),
    Twin(
        "end-of-text",
        "End-of-text: kept or masked",
        "Padding is the end-of-text token. What if masking it hides the real one, too?",
        (TwinSide("the first one is a target"), TwinSide("masked like padding", {"train_on": "response,"})),
        score="ended",
    ),
    Twin(
        "seed",
        "The same run, another seed",
        "Nothing differs but the order of the rows. How large a difference is luck?",
        (TwinSide("a seed"), TwinSide("the next seed", {"seeds_ahead": 1})),
    ),
    Twin(
        "template",
        "Template: Alpaca or Phi-3",
        "Phi-3's prompts are shorter. Do the answers change?",
        (TwinSide("### Instruction:"), TwinSide("<|user|>", {"template": "phi3"})),
    ),
    Twin(
        "prompt",
        "Questions: as trained or in another format",
        "The same run is asked with Phi-3's template, which it has never seen. Is the answer still there?",
        (TwinSide("the template it was trained with"), TwinSide("asked with <|user|>", asked_with="phi3")),
    ),
    Twin(
        "lora",
        "LoRA: rank 4, 16 or 64",
        "How small may the update be? The learning rate stays the same for all.",
        (
            TwinSide("all weights"),
            TwinSide("LoRA, r = 4", {"r": 4}),
            TwinSide("LoRA, r = 16", {"r": 16}),
            TwinSide("LoRA, r = 64", {"r": 64}),
        ),
    ),
    Twin(
        "learning-rate",
        "Learning rate: 3e-4 or 1e-3",
        "Faster steps on the same way, or another place to end?",
        (TwinSide("learning_rate 3e-4"), TwinSide("learning_rate 1e-3", {"learning_rate": 1e-3})),
    ),
    Twin(
        "epochs",
        "Epochs: 2 or 4",
        "Twice the time. Twice as good?",
        (TwinSide("num_train_epochs 2"), TwinSide("num_train_epochs 4", {"num_train_epochs": 4.0})),
    ),
    Twin(
        "length",
        "Batches: mixed or sorted by length",
        "Sorted batches have hardly any padding. Is the model another one?",
        (TwinSide("rows as they come"), TwinSide("rows of about equal length", {"group_by_length": True})),
    ),
    Twin(
        "prompt-weight",
        "Prompt tokens: not at all, or a tenth",
        "Between mask on and mask off: a prompt token weighs 0.1.",
        (
            TwinSide("loss on the response only"),
            TwinSide("prompt_loss_weight 0.1", {"train_on": "all", "prompt_loss_weight": 0.1}),
        ),
    ),
    Twin(
        "pretraining",
        "Start: pretrained or random",
        "Can fine-tuning put knowledge in, or only bring it out?",
        (TwinSide("starter weights"), TwinSide("random weights", {"model": "starter-untrained"})),
    ),
    Twin(
        "shift",
        "Targets not shifted",
        "Each token is its own target. What will the loss do, and what the answers?",
        (TwinSide("target[t] = token t + 1"), TwinSide("target[t] = token t", {"shift_targets": False})),
        is_broken=True,
    ),
    Twin(
        "padding",
        "Padding counts in the loss",
        "End-of-text after end-of-text is easy to predict. What does the loss say then?",
        (TwinSide("padding is -100"), TwinSide("padding is trained", {"train_on": "response,eos,pad"})),
        is_broken=True,
    ),
)
"""All of them, in the page's order."""
