"""The runs of a server as tab 5 lists them: read once, looked at again only when a file of theirs has changed."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ift.config import TrainConfig
from ift.errors import IftError
from ift.events import Stepped
from ift.experiments.leaderboard import Standing, standing
from ift.experiments.twins import Trial
from ift.runs.folder import Run, list_runs
from ift.runs.run_note import read_note
from ift.runs.state import State
from playground.runs.jobs import GOING_ON, Jobs
from playground.settings import Mode

FILES = ("config.json", "events.jsonl", "evaluation.jsonl", "scores.json", "note.json")
"""What a run's line is read from."""
TAIL_BYTES = 1 << 16
"""Of the log, in which the last step is looked for."""


@dataclass(frozen=True, slots=True)
class RunLine:
    """A run in the list. problem: what is damaged, empty where nothing is. progress: share of the steps done.

    template: of the questions that it was scored with, as text; empty: its own. title: what its owner calls it.
    standing: what it reached on its whole test set.
    """

    id: str
    config: TrainConfig | None
    state: State
    is_scored: bool
    is_answering: bool
    progress: float = 0.0
    problem: str = ""
    template: str = ""
    title: str = ""
    standing: Standing | None = None

    @property
    def is_at_work(self) -> bool:
        """Whether it is being trained or scored."""
        return self.is_answering or not self.state.is_over

    @property
    def trial(self) -> Trial | None:
        """What it is scored for; None where its config can't be read."""
        return Trial(self.config, self.template) if self.config else None


Stamp = tuple[tuple[int, int], ...]


class RunIndex:
    """The lines of all runs, newest first."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        self._kept: dict[str, tuple[Stamp, RunLine]] = {}

    def lines(self) -> list[RunLine]:
        """Those that the visitor who asks may see."""
        return [self._line(run) for run in self._jobs.runs()]

    def ranked(self, seen: Sequence[RunLine]) -> list[RunLine]:
        """The runs with a standing: in a classroom everybody's, else those of `seen`, which the visitor may see."""
        settings = self._jobs.settings
        lines = map(self._line, list_runs(settings.runs)) if settings.mode is Mode.CLASSROOM else seen
        return [line for line in lines if line.standing]

    def _line(self, run: Run) -> RunLine:
        stamp = tuple(_stamp(run.path / name) for name in FILES)
        kept = self._kept.get(run.id)
        if kept and kept[0] == stamp:
            return kept[1]
        line = self._read(run)
        if line.state.is_over and not line.is_answering:
            self._kept[run.id] = (stamp, line)
        return line

    def _read(self, run: Run) -> RunLine:
        state = self._jobs.state(run, run.training)
        is_answering = self._jobs.state(run, run.evaluation) in GOING_ON
        try:
            run.training.require_whole()
            config, scores = run.config, run.scores
            progress = _progress(run) if state in GOING_ON else 1.0
        except IftError as error:
            return RunLine(run.id, None, state, is_scored=False, is_answering=False, problem=error.what)
        found = {"title": read_note(run).title, "standing": standing(run.id, config, scores)}
        found["template"] = scores.template if scores else ""
        return RunLine(run.id, config.options, state, scores is not None, is_answering, progress, **found)


def _progress(run: Run) -> float:
    size = run.training.path.stat().st_size
    with run.training.path.open("rb") as file:  # the end alone, and from a whole line on
        file.seek(max(0, size - TAIL_BYTES))
        skipped = len(file.readline()) if size > TAIL_BYTES else 0
    events, _ = run.training.read(max(0, size - TAIL_BYTES) + skipped)
    last = next((event for event in reversed(events) if isinstance(event, Stepped)), None)
    return last.step / last.total_steps if last else 0.0


def _stamp(path: Path) -> tuple[int, int]:
    try:
        found = os.stat(path)
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size
