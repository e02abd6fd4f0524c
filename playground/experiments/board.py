"""What tab 5 shows: each twin with what was measured and what the runs here say, and the queue."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass

from ift.config import TrainConfig
from ift.data.templates import load_template, preset_source
from ift.errors import ConfigError
from ift.evaluation.measures import measure_of
from ift.experiments.compare_runs import MOST_RUNS, RunsComparison, Verdict, compare_runs, verdict_sentence
from ift.experiments.leaderboard import Standing, leaderboards
from ift.experiments.twins import SEED, TWINS, Trial, Twin, TwinResult, measured, twin
from ift.runs.folder import Run
from playground.experiments.run_index import RunIndex, RunLine
from playground.experiments.twin_results import Pairs, TwinResults
from playground.runs.jobs import ANOTHERS, Jobs
from playground.runs.queue import Queue, Ticket

MINUTES_PER_RUN = 2
"""Of the starter on two cores, with its answers: 70 to 110 s were measured."""
MOST_SEEDS = 10
SEEDS = range(SEED, SEED + MOST_SEEDS)
RANKED_SENT, SETS_SENT = 20, 3
"""Places of a leaderboard, and leaderboards, that the page gets."""
ANSWERS_SENT = 200
"""Records of a comparison that the page gets: those on which the runs differ come first."""


@dataclass(frozen=True, slots=True)
class Card:
    """A twin as the page shows it.

    state: new, waiting, running, comparing, decided or undecided. seeds: of whole pairs. runs: those of the first such
    pair. progress: of the run at work, which is the one with run_number among the pair's. here: sentences about the
    runs of this server. shipped: the same about what was measured before.
    """

    name: str
    title: str
    question: str
    sides: tuple[str, ...]
    is_broken: bool
    state: str
    seeds: int
    runs: tuple[str, ...]
    progress: float
    is_answering: bool
    run_number: int
    place: int
    here: tuple[str, ...]
    shipped: tuple[str, ...]
    shipped_verdict: str
    minutes: int


class Board:
    """Twins, runs and the queue of one server."""

    def __init__(self, jobs: Jobs, queue: Queue) -> None:
        self._jobs, self._queue, self._index = jobs, queue, RunIndex(jobs)
        self._results = TwinResults(jobs.settings.runs)

    def show(self) -> dict:
        """All that the tab polls for."""
        lines = self._index.lines()
        tickets = [(place, ticket) for place, ticket in enumerate(self._queue.tickets()) if self._is_own(ticket)]
        waiting = {_trial(ticket): (place, ticket.run) for place, ticket in tickets}
        whole = {line.trial: line for line in reversed(lines) if line.trial and line.is_scored}
        known = {line.id: line for line in lines}
        return {
            "cards": self._cards(whole, waiting, known),
            "runs": [_listed(line) for line in lines],
            "leaderboards": self._leaderboards(known),
            "queue": [{"run": one.run, "place": place, "what": dict(one.belongs_to)} for place, one in tickets],
        }

    def _leaderboards(self, seen: Mapping[str, RunLine]) -> list[dict]:
        lines = {line.id: line for line in self._index.ranked(list(seen.values()))}
        boards = leaderboards(line.standing for line in lines.values() if line.standing)
        return [
            {
                "name": on.name,
                "sha256": on.sha256[:12],
                "records": on.records,
                "runs": len(places),
                "before": places[0][1].before,
                "places": [
                    self._place(place, found, lines[found.run], is_seen=found.run in seen)
                    for place, found in places[:RANKED_SENT]
                ],
            }
            for on, places in list(boards.items())[:SETS_SENT]
            if len(places) > 1
        ]

    def _place(self, place: int, found: Standing, line: RunLine, *, is_seen: bool) -> dict:
        """Of somebody else's run only what its owner calls it and what it reached: the rest is theirs."""
        about = _about(line.config) if is_seen and line.config else ""
        title = line.title or (found.run if is_seen else ANOTHERS)
        own = is_seen and self._jobs.ownership.is_owner(Run(self._jobs.settings.runs / found.run))
        return {"place": place, "title": title, "about": about, "is_own": own, **found.after}

    def begin(self, name: str, *, pairs: int = 1) -> None:
        """Queue what a twin lacks: its first pair, or so many more.

        Raises:
            ConfigError: there is no such twin, or it has enough seeds.
        """
        one = twin(name)
        if one is None or not 1 <= pairs <= MOST_SEEDS:
            raise ConfigError("There is no such experiment", where=str(name)[:40], fix="Reload the page.")
        whole = {line.trial for line in self._index.lines() if line.trial and line.is_scored}
        queued = {_trial(ticket) for ticket in self._queue.tickets() if self._is_own(ticket)}
        missing = [seed for seed in SEEDS if not whole.issuperset(one.trials(seed))]
        if not missing:
            fix = "Compare what there is."
            raise ConfigError(f"{one.title} has been run with {MOST_SEEDS} seeds", where=name, fix=fix)
        wanted = {
            trial: side
            for seed in missing[:pairs]
            for side, trial in zip(one.sides, one.trials(seed), strict=True)
            if trial not in whole | queued
        }
        self._queue.require_room(len(wanted))  # all of them or none
        for trial, side in wanted.items():
            config = trial.config
            belongs = {"twin": one.title, "side": side.label, "seed": str(config.seed)}
            more = {"evaluate": True, "belongs_to": belongs, "asked_with": side.asked_with}
            self._queue.add(config, source=load_template(config.template).source, **more)

    def compare(self, names: Sequence[str], *, of_twin: str = "") -> dict:
        """Runs side by side, as the page shows them; those of a twin under its score, by what its sides are called.

        Raises:
            InputError: they can't be compared.
        """
        runs = [run for name in names[: MOST_RUNS + 1] if (run := self._jobs.run(name))]
        made, one = compare_runs(runs), twin(of_twin)
        titles = [f"“{side.label}”" for side in one.sides] if one and len(one.sides) == len(runs) else list(made.runs)
        about = one.score if one else "exact_match"
        value = made.to_dict()
        split_first = sorted(made.answers, key=lambda answer: not answer.is_split)
        return {
            **value,
            "answers": [{**asdict(answer), "is_split": answer.is_split} for answer in split_first[:ANSWERS_SENT]],
            "answered": len(made.answers),
            "titles": {score.score: measure_of(score.score).title for scores in made.scores for score in scores},
            "verdicts": [_verdict(made, i, about, titles) for i in range(1, len(runs))] if made.scores else [],
        }

    def leave(self, run_id: str) -> None:
        """Take a visitor's own training out of the queue; another's is not there for them."""
        for ticket in self._queue.tickets():
            if ticket.run == run_id and self._is_own(ticket):
                self._queue.cancel(run_id)

    def _is_own(self, ticket: Ticket) -> bool:
        return self._jobs.ownership.may_change(Run(self._jobs.settings.runs / ticket.run))

    def _cards(
        self,
        whole: Mapping[Trial, RunLine],
        waiting: Mapping[Trial, tuple[int, str]],
        known: Mapping[str, RunLine],
    ) -> list[dict]:
        pairs = {one.name: self._pairs(one, whole) for one in TWINS}
        found = self._results.known([one for one in pairs.values() if one.seeds])
        return [asdict(self._card(pairs[one.name], found, whole, waiting, known)) for one in TWINS]

    def _pairs(self, one: Twin, whole: Mapping[Trial, RunLine]) -> Pairs:
        seeds = [seed for seed in SEEDS if all(t in whole for t in one.trials(seed))]
        runs = [[whole[trial].id for trial in one.trials(seed)] for seed in seeds]
        return Pairs.of(self._jobs.settings.runs, one, seeds, runs)

    def _card(
        self,
        pairs: Pairs,
        found: Mapping[Pairs, TwinResult | None],
        whole: Mapping[Trial, RunLine],
        waiting: Mapping[Trial, tuple[int, str]],
        known: Mapping[str, RunLine],
    ) -> Card:
        one, seeds, result = pairs.one, pairs.seeds, found.get(pairs)
        under_way = next(filter(None, (_open(one.trials(seed), whole, waiting) for seed in SEEDS)), ())
        places = [waiting[trial] for trial in under_way]
        at_work = next((known[run] for _, run in places if run in known and known[run].is_at_work), None)
        state = result.verdict.value if result else "comparing" if seeds and pairs not in found else "new"
        if places:
            state = "running" if at_work else "waiting"
        shipped = measured().get(one.name)
        return Card(
            name=one.name,
            title=one.title,
            question=one.question,
            sides=tuple(side.label for side in one.sides),
            is_broken=one.is_broken,
            state=state,
            seeds=len(seeds),
            runs=pairs.runs[0] if pairs.runs else (),
            progress=at_work.progress if at_work else 0.0,
            is_answering=at_work is not None and at_work.is_answering,
            run_number=1 + len(one.sides) - len(under_way),
            place=min((place for place, _ in places), default=0),
            here=tuple(result.sentences(one)) if result else (),
            shipped=tuple(shipped.sentences(one)) if shipped else (),
            shipped_verdict=shipped.verdict.value if shipped and len(shipped.seeds) > 1 else Verdict.UNDECIDED.value,
            minutes=MINUTES_PER_RUN * sum(trial not in whole for trial in one.trials(SEED)),
        )


def _open(trials: Sequence[Trial], whole: Collection[Trial], waiting: Collection[Trial]) -> list[Trial]:
    """Those of a pair that wait or are at work; none where others are missing: then nobody has begun this very pair."""
    missing = [trial for trial in trials if trial not in whole]
    return missing if all(trial in waiting for trial in missing) else []


def _trial(ticket: Ticket) -> Trial:
    return Trial(ticket.options, preset_source(ticket.asked_with) if ticket.asked_with else "")


def _verdict(made: RunsComparison, number: int, about: str, titles: Sequence[str]) -> dict:
    score = made.headline(number, about=about)
    if score is None:
        nothing = {"better": 0, "worse": 0, "n": 0}
        return {"verdict": Verdict.UNDECIDED.value, "sentence": "No record has a score in both runs.", **nothing}
    title = measure_of(score.score).title
    sentence = verdict_sentence(score, first=titles[0], other=titles[number], title=title)
    counts = {"better": score.better, "worse": score.worse, "n": score.n}
    return {"verdict": score.verdict.value, "sentence": sentence, **counts}


def _about(config: TrainConfig) -> str:
    return f"{config.train_on}, lr {config.learning_rate:g}, seed {config.seed}"


def _listed(line: RunLine) -> dict:
    config = line.config
    about = _about(config) if config else line.problem
    state = "damaged" if line.problem else "answering" if line.is_answering else line.state.value
    return {"id": line.id, "about": about, "state": state, "scored": line.is_scored}
