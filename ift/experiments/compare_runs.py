"""Two to six runs side by side: what differs, their curves, their scores with paired intervals, and a verdict.

Each run is compared with the first one. Records are paired by what they are, so that runs on other data sets share
only the records that both have. No torch: it reads what the runs have written.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

from ift.config import to_dict
from ift.errors import ConfigError, RunError
from ift.evaluation.intervals import mean, paired_interval
from ift.evaluation.measures import measure_of
from ift.evaluation.metrics import CHECK, METRICS
from ift.events import Evaluated, Prepared, Stepped, TrainEvent
from ift.masks import parse_trained
from ift.options import show
from ift.runs.folder import Run
from ift.runs.scores import AnsweredRecord
from ift.types import Finish, Side

FEWEST_RUNS, MOST_RUNS = 2, 6
FEWEST_RECORDS = 20
"""Below that a bootstrap interval is too narrow to be believed: it only knows values that it has seen."""
SCORES = (*METRICS, CHECK, "ended")
"""What is compared, in this order; `ended`: the answer stopped by itself."""
ANYWAY = ("world_size",)
"""Options that say how a run was computed, not what it is."""


class Verdict(StrEnum):
    """Whether chance may explain a difference."""

    DECIDED = "decided"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Difference:
    """A setting that is not the same in all runs, as text, one value per run."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Curve:
    """Validation loss in nats: (step, loss) each.

    role: whose loss, the response's where every run measured it, so that runs with other masks are comparable; else
    empty, for the mean over what each run trains.
    """

    points: tuple[tuple[int, float], ...]
    role: str


@dataclass(frozen=True, slots=True)
class PairedScore:
    """One score of one run against the first one's, on the `n` records that have it in both.

    difference: this run's mean less the first one's. interval: 95 %, paired bootstrap; None without a record. better,
    worse: records on which this run's value is the better one, and the worse.
    """

    score: str
    n: int
    first: float | None
    other: float | None
    difference: float | None
    interval: tuple[float, float] | None
    better: int
    worse: int

    @property
    def verdict(self) -> Verdict:
        """Undecided where the interval holds zero, or where the records are too few for one."""
        is_clear = self.interval is not None and not self.interval[0] <= 0 <= self.interval[1]
        return Verdict.DECIDED if is_clear and self.n >= FEWEST_RECORDS else Verdict.UNDECIDED


@dataclass(frozen=True, slots=True)
class ComparedAnswers:
    """One held-out record as each run answered it; finish: how each answer ended."""

    record: int
    instruction: str
    input: str
    output: str
    answers: tuple[str, ...]
    finish: tuple[Finish, ...]
    right: tuple[float | None, ...]

    @property
    def is_split(self) -> bool:
        """Whether some runs are right here and others not."""
        return len(set(self.right)) > 1


@dataclass(frozen=True, slots=True)
class RunsComparison:
    """Several runs, by name, side by side.

    same: options that all runs share. scores: one list per run but the first. missing: runs that nobody has scored.
    """

    runs: tuple[str, ...]
    differences: tuple[Difference, ...]
    same: Mapping[str, str]
    curves: tuple[Curve, ...]
    scores: tuple[tuple[PairedScore, ...], ...]
    answers: tuple[ComparedAnswers, ...]
    missing: tuple[str, ...]

    def headline(self, number: int = 1, *, about: str = "exact_match") -> PairedScore | None:
        """The score that the verdict on a run is about, by the run's number: `about`, else the records' own check."""
        scores = {score.score: score for score in self.scores[number - 1]} if self.scores else {}
        found = (scores[name] for name in (about, "exact_match", CHECK) if name in scores)
        return next((score for score in found if score.n), None)

    def to_dict(self) -> dict[str, object]:
        """For JSON, each score with its verdict."""
        scores = [[{**asdict(score), "verdict": score.verdict} for score in run] for run in self.scores]
        return {**asdict(self), "same": dict(self.same), "scores": scores}


def compare_runs(runs: Sequence[Run]) -> RunsComparison:
    """Two to six runs, each against the first.

    Raises:
        ConfigError: they are not two to six different ones.
        RunError: a run's files can't be used; the error names the file.
    """
    if len({run.path.resolve() for run in runs}) != len(runs) or not FEWEST_RUNS <= len(runs) <= MOST_RUNS:
        fix = f"Give {FEWEST_RUNS} to {MOST_RUNS} different run folders."
        raise ConfigError(f"{len(runs)} runs can't be compared", where=", ".join(run.id for run in runs), fix=fix)
    events = [run.training.read()[0] for run in runs]
    differences, same = _settings(runs, events)
    answers = [run.answers(Side.AFTER) for run in runs]
    missing = tuple(run.id for run, found in zip(runs, answers, strict=True) if not found)
    rows = _paired(answers) if not missing else []
    return RunsComparison(
        runs=tuple(run.id for run in runs),
        differences=differences,
        same=same,
        curves=_curves(events),
        scores=tuple(_scores(rows, number) for number in range(1, len(runs))) if rows else (),
        answers=tuple(_answers(row) for row in rows),
        missing=missing,
    )


def verdict_sentence(score: PairedScore, *, first: str, other: str, title: str) -> str:
    """What a score says about two runs; `first` and `other`: what they are called, `title`: the score's name."""
    if score.interval is None or score.difference is None:
        return f"No record has this score in both {first} and {other}."
    low, high = (100 * end for end in score.interval)
    gain = 100 * score.difference
    interval = f"95 % interval [{low:+.1f}, {high:+.1f}]"
    if score.n < FEWEST_RECORDS:
        return f"{title} differs by {gain:+.1f} points, but {score.n} records can't show whether that is luck."
    if score.verdict is Verdict.UNDECIDED:
        return f"{title} differs by {gain:+.1f} points, {interval}. It holds zero, so that chance may explain it."
    return f"{title} is {abs(gain):.1f} points {'higher' if gain > 0 else 'lower'} for {other}, {interval}."


def _settings(
    runs: Sequence[Run], events: Sequence[Sequence[TrainEvent]]
) -> tuple[tuple[Difference, ...], dict[str, str]]:
    columns = [_settings_of(run, found) for run, found in zip(runs, events, strict=True)]
    names = list(dict.fromkeys(name for column in columns for name in column))
    values = {name: tuple(column.get(name, "none") for column in columns) for name in names}
    different = tuple(Difference(name, found) for name, found in values.items() if len(set(found)) > 1)
    return different, {name: found[0] for name, found in values.items() if len(set(found)) == 1}


def _settings_of(run: Run, events: Sequence[TrainEvent]) -> dict[str, str]:
    config = run.config
    options = {name: show(value) for name, value in to_dict(config.options).items() if name not in ANYWAY}
    stepped = [event for event in events if isinstance(event, Stepped)]
    tokens = sum(event.tokens for event in stepped)
    share = sum(event.trained_tokens for event in stepped) / tokens if tokens else None
    prepared = next((event for event in events if isinstance(event, Prepared)), None)
    return {
        **options,
        "template text": config.template_source,
        "template of the test": scores.template if (scores := run.scores) and scores.template else "the run's own",
        "data set": f"sha256 {config.data.sha256[:12]}",
        "counted in the loss": ", ".join(role.title for role in sorted(parse_trained(config.options.train_on))),
        "steps done": str(stepped[-1].step if stepped else 0),
        "share of tokens trained": "none" if share is None else f"{share:.1%}",
        **({"computed on": _environment(prepared)} if prepared else {}),
        **{f"version of {name}": version for name, version in config.versions.items()},
    }


def _environment(prepared: Prepared) -> str:
    return f"{prepared.device}, {prepared.threads} threads, {'bf16' if prepared.bf16 else 'fp32'}"


def _curves(events: Sequence[Sequence[TrainEvent]]) -> tuple[Curve, ...]:
    evaluated = [[event for event in found if isinstance(event, Evaluated)] for found in events]
    role = "response" if all("response" in event.loss_by_role for found in evaluated for event in found) else ""
    curves = []
    for found in evaluated:
        points = {event.step: event.loss_by_role[role] if role else event.loss for event in found}  # resumed: the last
        curves.append(Curve(tuple(sorted(points.items())), role))
    return tuple(curves)


def _paired(answers: Sequence[Sequence[AnsweredRecord]]) -> list[tuple[AnsweredRecord, ...]]:
    """The records that all runs have answered, in the first one's order, by number and text."""
    by_key = [{_key(row): row for row in rows} for rows in answers]
    if any(len(known) != len(rows) for known, rows in zip(by_key, answers, strict=True)):
        raise RunError("A record was answered twice", where="after.jsonl", fix="Run `python -m ift evaluate` again.")
    counts = Counter(key for known in by_key for key in known)
    return [tuple(known[key] for known in by_key) for key in by_key[0] if counts[key] == len(answers)]


def _key(row: AnsweredRecord) -> tuple[int, str, str, str]:
    return row.record, row.instruction, row.input, row.output


def _scores(rows: Sequence[Sequence[AnsweredRecord]], number: int) -> tuple[PairedScore, ...]:
    return tuple(score for name in SCORES if (score := _score(rows, number, name)).n)


def _score(rows: Sequence[Sequence[AnsweredRecord]], number: int, name: str) -> PairedScore:
    pairs = [
        (first, other)
        for row in rows
        if (first := _value(row[0], name)) is not None and (other := _value(row[number], name)) is not None
    ]
    before, after = [first for first, _ in pairs], [other for _, other in pairs]
    means = mean(before), mean(after)
    gain = measure_of(name).gain
    return PairedScore(
        score=name,
        n=len(pairs),
        first=means[0],
        other=means[1],
        difference=None if means[0] is None or means[1] is None else means[1] - means[0],
        interval=paired_interval(before, after),
        better=sum(gain(first, other) > 0 for first, other in pairs),
        worse=sum(gain(first, other) < 0 for first, other in pairs),
    )


def _value(row: AnsweredRecord, name: str) -> float | None:
    if name == "ended":
        return None if row.reason else float(row.finish is not Finish.LENGTH)
    return row.value(name)


def _answers(row: Sequence[AnsweredRecord]) -> ComparedAnswers:
    first = row[0]
    return ComparedAnswers(
        record=first.record,
        instruction=first.instruction,
        input=first.input,
        output=first.output,
        answers=tuple(answer.model_response for answer in row),
        finish=tuple(answer.finish for answer in row),
        right=tuple(answer.right for answer in row),
    )
