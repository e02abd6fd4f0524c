"""A run is a folder; what stands in it is the truth about it, for the page, the command line and the tests.

config.json     everything that decides the result; written first, never changed
events.jsonl    training's events, append-only
checkpoints/    complete checkpoints only
evaluation.jsonl  evaluation.json    how answering the held-out records went, and what was asked
before.jsonl  after.jsonl  scores.json    the answers, as they come, and last what they come to
run.log         what the process printed
stop            there while somebody wants the run to stop; its text says why
owner.json      whose it is, where strangers share the page that started it
"""

import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import filelock

from ift.data.templates import Template
from ift.errors import RunError
from ift.events import Prepared
from ift.runs.answer_files import AnswerFiles
from ift.runs.lines import write_text
from ift.runs.log import EventLog
from ift.runs.run_config import RunConfig
from ift.runs.scores import AnsweredRecord, ComparedRecord, Summary, compare_answers
from ift.runs.state import State
from ift.types import Side

START_LIMIT_S = 30
"""A run that has not said `started` by then did not start."""
OWNER = "owner.json"
"""The page's own file in a run folder: whose it is."""
_BEFORE_IT_BEGINS = ("run.log", "stop", OWNER)
"""What whoever starts a process may put into its folder: its output, its end, its owner."""
_STEP = "step-"


@dataclass(frozen=True, slots=True)
class Run:
    """A run folder, by its path."""

    path: Path

    @property
    def id(self) -> str:
        """The folder's name."""
        return self.path.name

    @property
    def training(self) -> EventLog:
        """What happened in training."""
        return EventLog(self.path / "events.jsonl")

    @property
    def evaluation(self) -> EventLog:
        """What happened when the held-out records were answered."""
        return EventLog(self.path / "evaluation.jsonl")

    @property
    def answer_files(self) -> AnswerFiles:
        """The held-out records as they were answered."""
        return AnswerFiles(self.path)

    @property
    def log_path(self) -> Path:
        """The child's own output."""
        return self.path / "run.log"

    @property
    def config(self) -> RunConfig:
        """What decides its result.

        Raises:
            RunError: the folder is no run, or a field of its config.json can't be used.
        """
        return RunConfig.from_dict(self._json("config.json"), where=str(self.path / "config.json"))

    @property
    def models(self) -> dict[Side, str]:
        """The two models that are compared: what training began with, and the newest checkpoint.

        Raises:
            RunError: the folder is no run, or has no checkpoint.
        """
        return self.models_at(None)

    def models_at(self, step: int | None) -> dict[Side, str]:
        """What training began with, and the checkpoint of a step; None: the newest.

        Raises:
            RunError: the folder is no run, or has no such checkpoint.
        """
        folder = self.last_checkpoint() if step is None else self.checkpoint(step)
        return {Side.BEFORE: self.config.options.model, Side.AFTER: str(folder)}

    @property
    def question_template(self) -> Template:
        """That of the questions of the last evaluation; the run's own where it did not ask for another.

        Raises:
            RunError: the folder is no run, or a file of it is damaged.
        """
        plan = self.answer_files.plan
        source = plan.sides[Side.AFTER].template if plan else ""
        return Template.parse(source) if source else self.config.template

    @property
    def scores(self) -> Summary | None:
        """What the last evaluation came to, or None.

        Raises:
            RunError: scores.json is damaged.
        """
        path = self.path / "scores.json"
        return Summary.from_dict(self._json(path.name), where=str(path)) if path.is_file() else None

    def answers(self, side: Side) -> tuple[AnsweredRecord, ...]:
        """The rows of before.jsonl or after.jsonl, in the data set's order; while `scores` is None maybe not all yet.

        Raises:
            RunError: the file is damaged.
        """
        return self.answer_files.read(side)

    def comparison(self) -> tuple[ComparedRecord, ...]:
        """Each held-out record that has both answers.

        Raises:
            RunError: a file is damaged.
        """
        return compare_answers(self.answers(Side.BEFORE), self.answers(Side.AFTER))

    def state(self) -> State:
        """Of the training."""
        state = self.training.state()
        if state is not State.ABSENT or not self.path.is_dir():
            return state
        age_s = time.time() - self.path.stat().st_mtime
        return State.STARTING if age_s < START_LIMIT_S else State.FAILED

    def checkpoints(self) -> list[Path]:
        """Complete checkpoints, oldest first."""
        return step_folders(self.path / "checkpoints")

    def last_checkpoint(self) -> Path:
        """The newest complete checkpoint.

        Raises:
            RunError: there is none.
        """
        found = self.checkpoints()
        if not found:
            is_over = self.state().is_over
            fix = "It ended before its first save; train again, perhaps with a smaller save_steps."
            fix = fix if is_over else "Wait for its first save: it has not ended yet."
            raise RunError("The run has saved no checkpoint", where=str(self.path), fix=fix)
        return found[-1]

    def checkpoint(self, step: int) -> Path:
        """The complete checkpoint of a step.

        Raises:
            RunError: there is none.
        """
        self.last_checkpoint()  # raises where there is none at all
        found = {step_of(folder): folder for folder in self.checkpoints()}
        if step not in found:
            fix = f"Use one of {', '.join(map(str, found))}."
            raise RunError(f"The run has no checkpoint of step {step}", where=self.id, fix=fix)
        return found[step]

    def write_json(self, name: str, value: object) -> None:
        """Write a file of the folder so that a reader sees all of it or none."""
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=2)
        self.write_text(name, text + "\n")

    def write_text(self, name: str, text: str) -> None:
        """The same for text."""
        write_text(self.path / name, text)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One writer a folder.

        Raises:
            RunError: another process writes to it.
        """
        try:
            with filelock.FileLock(self.path / ".lock", timeout=0):
                yield
        except filelock.Timeout as error:
            fix = "Wait until it has ended, or stop it."
            raise RunError("Another process is working in this run", where=str(self.path), fix=fix) from error

    def take_back(self) -> None:
        """Remove a run that was refused before it began, and its folder where nothing else stands in it."""
        if self.checkpoints() or any(isinstance(event, Prepared) for event in self.training.read()[0]):
            return
        for name in ("events.jsonl", "config.json", ".lock"):
            (self.path / name).unlink(missing_ok=True)
        with suppress(OSError):
            self.path.rmdir()

    def begin_again(self) -> None:
        """Remove what a training that ended before its first save has left, but what the process printed.

        Raises:
            RunError: it has saved something, and could be resumed.
        """
        if self.checkpoints():
            raise RunError("The run has a checkpoint", where=str(self.path), fix="Resume it.")
        shutil.rmtree(self.path / "checkpoints", ignore_errors=True)
        for name in ("events.jsonl", "config.json", ".lock", ".reserve", "stop"):
            (self.path / name).unlink(missing_ok=True)

    def take_training(self, other: "Run") -> None:
        """Begin as a finished run that was trained alike, without training again; the disk has its checkpoints once."""
        for name in ("checkpoints", "config.json", "events.jsonl"):  # last what says that it has finished
            source, place = other.path / name, self.path / name
            if source.is_dir():
                shutil.copytree(source, place, copy_function=_link, dirs_exist_ok=True)
            else:
                shutil.copy2(source, place)

    def ask_to_stop(self, why: str = "asked to stop") -> None:
        """Ask the process that works in the folder to save and end; its log says why."""
        (self.path / "stop").write_text(why, encoding="utf-8")

    def clear_stop(self) -> None:
        """The process that was asked has ended."""
        (self.path / "stop").unlink(missing_ok=True)

    def stop_asked(self) -> str:
        """Why the process is to end; empty where nobody asked."""
        try:
            return (self.path / "stop").read_text(encoding="utf-8") or "asked to stop"
        except OSError:
            return ""

    def _json(self, name: str) -> object:
        try:
            value: object = json.loads((self.path / name).read_text(encoding="utf-8"))
            return value
        except (OSError, ValueError) as error:
            fix = f"Give a folder that `python -m ift train --out` made; its {name} must be whole."
            raise RunError("This is not a run folder", where=str(self.path / name), fix=fix) from error


def _link(source: str, place: str) -> None:
    """A second name for a file that is never changed; a copy where the disk has no such names."""
    try:
        os.link(source, place)
    except OSError:
        shutil.copy2(source, place)


def step_folders(parent: Path) -> list[Path]:
    """The folders of a run's complete checkpoints, oldest first."""
    found = (folder for folder in parent.glob(f"{_STEP}*") if folder.name.removeprefix(_STEP).isdecimal())
    return sorted(found, key=step_of)


def step_folder(parent: Path, step: int) -> Path:
    """The folder of a step's checkpoint, whether it is there or not."""
    return parent / f"{_STEP}{step:06d}"


def step_of(folder: Path) -> int:
    """The step of a checkpoint, by its folder's name."""
    return int(folder.name.removeprefix(_STEP))


def create_run(path: Path, config: RunConfig) -> Run:
    """Make a run folder.

    `run.log`, `stop` and `owner.json` may be in it already: whoever started the process writes its output there, and
    may have asked it to stop before it came to this.

    Raises:
        RunError: the folder is not empty, or can't be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        others = [entry.name for entry in path.iterdir() if entry.name not in _BEFORE_IT_BEGINS]
    except OSError as error:
        fix = "Give a folder that can be made."
        raise RunError(f"The run folder can't be made: {error.strerror}", where=str(path), fix=fix) from error
    if others:
        raise RunError("The run folder is not empty", where=str(path.absolute()), fix="Give a new folder with --out.")
    run = Run(path)
    try:
        run.write_json("config.json", config.to_dict())
    except OSError as error:
        fix = "Free some space, or give another folder."
        raise RunError(f"The run folder can't be written: {error.strerror}", where=str(path), fix=fix) from error
    return run


def open_run(path: Path) -> Run:
    """An existing run.

    Raises:
        RunError: the folder is no run, or its config.json can't be used.
    """
    run = Run(path)
    run.config  # noqa: B018  # raises
    return run


def is_run(path: Path) -> bool:
    """Whether a folder looks like one of ours: a model's folder has a config.json too, but no events."""
    return os.path.isfile(path / "events.jsonl")  # no error where a folder can't be looked into


def list_runs(folder: Path) -> list[Run]:
    """All runs in a folder, newest first."""
    found = [entry for entry in folder.iterdir() if is_run(entry)] if folder.is_dir() else []
    return [Run(path) for path in sorted(found, key=_made_at, reverse=True)]


def require_no_heirs(run: Run) -> None:
    """Refuse to change a run whose last checkpoint is the base model of one beside it.

    Raises:
        RunError: there is such a run.
    """
    heirs = [other.id for other in list_runs(run.path.parent) if other.id != run.id and _began_from(other, run)]
    if heirs:
        fix = "Discard that one first."
        raise RunError(f"{heirs[0]} began from this run and needs it as it is", where=run.id, fix=fix)


def _began_from(run: Run, base: Run) -> bool:
    try:
        return Path(run.config.options.model) == base.path.absolute()
    except RunError:
        return False  # a damaged run needs no other


def _made_at(path: Path) -> float:
    try:
        return (path / "config.json").stat().st_mtime
    except OSError:
        return 0.0  # a damaged run is listed last, and hides no other
