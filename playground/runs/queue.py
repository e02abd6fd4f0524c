"""Trainings that wait for their turn: one at a time, in the order in which they came, over any number of restarts.

A ticket is a file, its run's folder is made with it, and what there is left to do is read from that folder each time:
nothing about a job is remembered, so that a server killed at any moment runs nothing twice and forgets nothing.

    ticket ──▶ train ──▶ evaluate ──▶ the ticket goes
                 ▲  stopped because the server ended: resumed from its checkpoint, or begun again where there is none
"""

import json
import os
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from enum import Enum, auto
from pathlib import Path

import filelock

from ift.config import TrainConfig, to_dict
from ift.data.templates import PRESETS
from ift.errors import IftError, RunError
from ift.evaluation.evaluation_options import EvaluationOptions
from ift.events import Stopped
from ift.json_fields import from_fields
from ift.runs.folder import OWNER, Run, list_runs
from ift.runs.log import EventLog
from ift.runs.state import State
from playground.runs.jobs import GOING_ON, Jobs

PAUSE_S = 0.5
"""Between two looks at whether the machine is free."""
SERVER_ENDED = "the server ended"
"""Why a child of the page stops by itself: see `ift.runs.stop`."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """A training that waits, or that is at work.

    run: the name of its folder. options: of the training. source: the template's text. evaluate: whether the held-out
    records are answered, too. asked_with: the template of their questions, by name; empty: the run's own. belongs_to:
    what it is part of, an experiment say; empty where it stands alone.
    """

    run: str
    options: TrainConfig
    source: str
    evaluate: bool = False
    belongs_to: Mapping[str, str] = field(default_factory=dict)
    asked_with: str = ""

    def to_dict(self) -> dict[str, object]:
        """For its file."""
        return {**asdict(self), "options": to_dict(self.options), "belongs_to": dict(self.belongs_to)}


class _Step(Enum):
    """What a ticket needs next."""

    TRAIN = auto()
    TRAIN_AGAIN = auto()
    RESUME = auto()
    EVALUATE = auto()
    WAIT = auto()
    NOTHING = auto()


class Queue:
    """The tickets of a server, in its runs' folder."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        self._folder = jobs.settings.runs / ".queue"
        self._lock = threading.Lock()
        self._worker: threading.Thread | None = None

    def add(
        self,
        config: TrainConfig,
        *,
        source: str,
        evaluate: bool = False,
        belongs_to: Mapping[str, str] | None = None,
        asked_with: str = "",
    ) -> Ticket:
        """Put a training in the last place, for the visitor who asks.

        Raises:
            ConfigError: the page's limits have no place for it; see `require_room`.
            RunError: its ticket can't be written.
        """
        self.require_room()
        run = self._jobs.reserve(config)
        ticket = Ticket(run.id, config, source, evaluate, belongs_to or {}, asked_with)
        try:
            self._write(ticket)
        except OSError as error:
            with suppress(OSError):
                run.path.rmdir()
            what = f"The queue can't be written: {error.strerror}"
            raise RunError(
                what, where=str(self._folder), fix="Free some space, or check who may write there."
            ) from error
        self.start()
        return ticket

    def require_room(self, count: int = 1) -> None:
        """Refuse what the page's limits have no place for: so many more trainings of the visitor who asks.

        Raises:
            ConfigError: too many wait, or too many of this visitor's.
        """
        limits = self._jobs.settings.limits
        tickets = [ticket for ticket in self.tickets() if self._next(ticket) is not _Step.NOTHING]  # not yet taken out
        limits.require("waiting", len(tickets) + count, where="queue")
        own = sum(self._jobs.ownership.is_owner(Run(self._jobs.settings.runs / ticket.run)) for ticket in tickets)
        limits.require("trainings_of_one", own + count, where="queue")

    def tickets(self) -> list[Ticket]:
        """Those at work and those that wait, in order; a damaged file is none."""
        found = []
        for path in self._files():
            with suppress(OSError, ValueError, IftError):
                value = json.loads(path.read_text(encoding="utf-8"))
                found.append(from_fields(Ticket, value, where=path.name, fix="Remove the file."))
        return found

    def place(self, run_id: str) -> int | None:
        """How many are before a run: 0 where it is next or at work; None where it has no ticket."""
        names = [ticket.run for ticket in self.tickets()]
        return names.index(run_id) if run_id in names else None

    def cancel(self, run_id: str) -> None:
        """Take a ticket back, and the folder of a run that has not begun; one at work is asked to save and end."""
        with self._lock:
            run = Run(self._jobs.settings.runs / run_id)
            if not self._remove(run_id):
                return
            if run.training.path.exists():
                self._jobs.stop(run)
            else:
                self._jobs.give_back(run)

    def start(self) -> None:
        """See to the tickets in a thread, as long as there are any."""
        with self._lock:
            if self._worker is None and self._files():
                self._worker = threading.Thread(target=self._work, daemon=True)
                self._worker.start()

    def advance(self) -> None:
        """Begin what is next, if the machine is free; take out what is done."""
        with suppress(filelock.Timeout), filelock.FileLock(self._folder / ".lock", timeout=0), self._lock:
            for ticket in self.tickets():
                step = self._next(ticket)
                if step is _Step.NOTHING:
                    self._remove(ticket.run)
                    continue
                if step is not _Step.WAIT and self._jobs.busy() is None:
                    self._begin(ticket, step)
                return

    def _work(self) -> None:
        while True:
            with suppress(OSError):  # the folder may be gone: then there is nothing left to do
                self.advance()
            with self._lock:
                if not self._files():
                    self._worker = None
                    return
            time.sleep(PAUSE_S)

    def _next(self, ticket: Ticket) -> _Step:
        run = Run(self._jobs.settings.runs / ticket.run)
        training, evaluation = (self._jobs.state(run, log) for log in (run.training, run.evaluation))
        if not run.path.is_dir():
            return _Step.NOTHING  # discarded
        if training in GOING_ON or evaluation in GOING_ON:
            return _Step.WAIT
        if training is State.ABSENT:
            return _Step.TRAIN
        if training is State.STOPPED and _was_cut_short(run.training):
            return _Step.RESUME if run.checkpoints() else _Step.TRAIN_AGAIN
        wants = ticket.evaluate and training is State.FINISHED
        is_open = evaluation is State.ABSENT or (evaluation is State.STOPPED and _was_cut_short(run.evaluation))
        return _Step.EVALUATE if wants and is_open else _Step.NOTHING

    def _begin(self, ticket: Ticket, step: _Step) -> None:
        run = Run(self._jobs.settings.runs / ticket.run)
        try:
            if step is _Step.EVALUATE:
                self._jobs.start_evaluation(run, EvaluationOptions(template=ticket.asked_with))
            elif step is _Step.RESUME:
                self._jobs.resume_training(run)
            elif other := self._trained_alike(ticket):
                run.take_training(other)
            else:
                if step is _Step.TRAIN_AGAIN:
                    run.begin_again()
                preset = ticket.options.template if ticket.options.template in PRESETS else None
                self._jobs.start_training(ticket.options, template=preset, source=ticket.source, run=run)
        except IftError as error:
            if self._jobs.busy() is None:  # not that somebody else was quicker: it can't be done
                self._jobs.note(run, str(error))
                self._remove(ticket.run)

    def _trained_alike(self, ticket: Ticket) -> Run | None:
        """For a run that only asks otherwise: one of the same owner that has this very training behind it."""
        if not ticket.asked_with:
            return None
        owner = _bytes_of(self._jobs.settings.runs / ticket.run / OWNER)
        for other in list_runs(self._jobs.settings.runs):
            with suppress(IftError):
                config = other.config
                is_alike = (config.options, config.template_source) == (ticket.options, ticket.source)
                is_own = _bytes_of(other.path / OWNER) == owner
                if is_alike and is_own and other.state() is State.FINISHED and other.checkpoints():
                    return other
        return None

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob("*.json"))

    def _write(self, ticket: Ticket) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{time.time_ns():020d}-{ticket.run}.json"
        part = path.with_suffix(".part")
        with part.open("w", encoding="utf-8") as file:
            json.dump(ticket.to_dict(), file, ensure_ascii=False, allow_nan=False)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)

    def _remove(self, run_id: str) -> bool:
        files = [path for path in self._files() if path.stem.partition("-")[2] == run_id]
        for path in files:
            path.unlink(missing_ok=True)
        return bool(files)


def _bytes_of(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""


def _was_cut_short(log: EventLog) -> bool:
    """Whether nobody asked for the end: the process was killed, or its server ended."""
    events = log.read()[0]
    return not isinstance(events[-1], Stopped) or events[-1].reason == SERVER_ENDED
