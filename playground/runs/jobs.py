"""Child processes over run folders: the page starts and stops them, and otherwise only reads what they wrote."""

import hashlib
import os
import re
import secrets
import shutil
import signal
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path

from ift.config import TrainConfig, to_dict
from ift.errors import RunError
from ift.evaluation.evaluation_options import EvaluationOptions
from ift.evaluation.held_out import load_held_out
from ift.events import Started
from ift.runs.folder import OWNER, Run, is_run, list_runs, require_no_heirs
from ift.runs.log import EventLog
from ift.runs.processes import end_process
from ift.runs.state import State
from ift.training.estimate import Estimate
from playground.ownership import Ownership
from playground.runs.children import SHARED_NICE, Estimator, has_ended, start_child
from playground.runs.watch import Watch
from playground.settings import Settings

EVERYTHING = EvaluationOptions()
LOG_TAIL_BYTES = 4096
END_LIMIT_S = 10
"""A killed process is gone in a moment, unless the system itself hangs."""
ANOTHERS = "a run of another visitor"
_NO_NAME = re.compile(r"[/\\:\0]")
"""What no run's name has: it would lead to another folder."""
GOING_ON = (State.STARTING, State.RUNNING)


class Jobs:
    """The children of this server and the runs they work on."""

    def __init__(self, settings: Settings, ownership: Ownership | None = None) -> None:
        self.settings = settings
        self.ownership = ownership or Ownership(settings)
        self._watch = Watch(settings)
        self.disk_bytes = 0  # what all runs and uploads take, as housekeeping last found
        self._children: dict[str, tuple[subprocess.Popen, EventLog]] = {}
        self._begun: dict[str, float] = {}
        self._heard: set[int] = set()
        self._starting = threading.Lock()
        self._estimator = Estimator()

    def run(self, run_id: object) -> Run | None:
        """A run by its name, which comes from the browser; None where it is not there for the visitor who asks."""
        if not isinstance(run_id, str) or not run_id.strip(".") or _NO_NAME.search(run_id):
            return None
        run = Run(self.settings.runs / run_id)
        is_known = run_id in self._children or is_run(run.path) or os.path.isfile(run.path / OWNER)
        return run if is_known and self.ownership.may_see(run) else None

    def runs(self) -> list[Run]:
        """All runs that the visitor who asks may see, newest first."""
        return [run for run in list_runs(self.settings.runs) if self.ownership.may_see(run)]

    def name(self, run: Run | None) -> str | None:
        """What the visitor who asks may know of a run's name."""
        if run is None:
            return None
        return run.id if self.ownership.may_see(run) else ANOTHERS

    def state(self, run: Run, log: EventLog) -> State:
        """Of a training or an evaluation; a child that ended before it could say `started` has failed."""
        child, its_log = self._children.get(run.id, (None, None))
        is_over = child is not None and has_ended(child)  # before the events: what it said last is then never missed
        state = log.state()
        if state in GOING_ON or child is None or its_log != log:
            return state
        if self._is_heard(child, log):
            return state
        return State.FAILED if is_over else State.STARTING  # what the log tells is about a process before it

    def _is_heard(self, child: subprocess.Popen, log: EventLog) -> bool:
        """Whether a child has said `started`; asked twice a second, so a yes is remembered."""
        if child.pid not in self._heard:
            with suppress(RunError):  # a damaged log: that is the child's own doing
                started = log.last_started()
                if not isinstance(started, Started) or started.pid != child.pid:
                    return False
            self._heard.add(child.pid)
        return True

    def busy(self) -> Run | None:
        """The run that is training or being evaluated now: one at a time, as two would only share the cores."""
        own = [Run(self.settings.runs / name) for name in list(self._children)]
        for run in (*own, *self._watch.open_runs(self.state)):
            if any(self.state(run, log) in GOING_ON for log in (run.training, run.evaluation)):
                return run
        return None

    def is_training(self, run: Run) -> bool:
        """Whether a run is being trained, and not only scored."""
        return self.state(run, run.training) in GOING_ON

    def reserve(self, config: TrainConfig) -> Run:
        """The folder of a run that starts later, owned by the visitor who asks; until then it is no run."""
        run = self._new_run(Path(config.model).name)
        self.ownership.claim(run)
        return run

    def give_back(self, run: Run) -> None:
        """Remove a folder that was reserved for a run that won't start.

        Raises:
            RunError: it can't be removed.
        """
        if run.path.is_dir():
            _remove(run.path)

    def note(self, run: Run, text: str) -> None:
        """Write into a run's log why it did not start."""
        with run.log_path.open("a", encoding="utf-8") as file:
            file.write(f"{text}\n")

    def start_training(self, config: TrainConfig, *, template: str | None, source: str, run: Run | None = None) -> Run:
        """Start `python -m ift train` with a preset template, or with the user's own source.

        `run`: a reserved folder; None makes a new one.

        Raises:
            RunError: another run is running.
        """
        with self._starting:  # handlers run in threads: two presses must not both find nobody busy
            self._require_idle()
            run = run or self.reserve(config)
            options = self._options(config, template, source)
            self._spawn(run, ["train", *options, "--out", str(run.path), "--attached"], run.training)
        return run

    def estimate(self, config: TrainConfig, *, template: str | None, source: str) -> Estimate:
        """What `python -m ift estimate --json` says; a run that is started meanwhile ends it.

        Raises:
            RunError: a run or another estimate is running, or it failed.
        """
        with self._starting:
            self._require_idle()
            child = self._estimator.begin(self._options(config, template, source))
        return self._estimator.result(child)

    def resume_training(self, run: Run) -> None:
        """Start `python -m ift train --resume` on a run that was stopped or failed.

        Raises:
            RunError: another run is running, or this one can't be resumed.
        """
        with self._starting:
            self._require_idle()
            if not self.can_resume(run):
                fix = "Choose one that was stopped or failed after its first save."
                raise RunError("The run can't be resumed", where=run.id, fix=fix)
            require_no_heirs(run)
            run.clear_stop()
            self._spawn(run, ["train", "--resume", str(run.path), "--attached"], run.training)

    def can_resume(self, run: Run) -> bool:
        """Whether training ended before its end, with a checkpoint to resume from."""
        return self.state(run, run.training) in (State.STOPPED, State.FAILED) and bool(run.checkpoints())

    def discard(self, run: Run) -> None:
        """End the process in a run folder without its saving anything, and remove the folder.

        Raises:
            RunError: another run began from this one, its process does not end, or the folder can't be removed.
        """
        with self._starting:
            require_no_heirs(run)
            self._kill(run)
            self._children.pop(run.id, None)
            self._begun.pop(run.id, None)
            _remove(run.path)

    def start_evaluation(self, run: Run, options: EvaluationOptions = EVERYTHING) -> None:
        """Start `python -m ift evaluate` on a run; what is answered under the same options is not asked again.

        Raises:
            InputError: another run is running, this one has saved nothing yet, or there is nothing to answer.
        """
        with self._starting:
            self._require_idle()
            run.last_checkpoint()
            load_held_out(run)
            run.evaluation.path.unlink(missing_ok=True)
            run.clear_stop()
            self._spawn(run, ["evaluate", str(run.path), *options.arguments(), "--attached"], run.evaluation)

    def at_work(self) -> list[tuple[Run, float]]:
        """Runs that this server's children work on, and the seconds since each began."""
        now = time.monotonic()
        living = [name for name, (child, _) in list(self._children.items()) if child.poll() is None]
        return [(Run(self.settings.runs / name), now - self._begun.get(name, now)) for name in living]

    def stop(self, run: Run, why: str = "asked to stop") -> None:
        """Ask the process in a run folder, ours or another server's, to save and end; its log says why."""
        for log in (run.training, run.evaluation):
            state = self.state(run, log)
            if state in GOING_ON:
                run.ask_to_stop(why)
            started = log.last_started() if state is State.RUNNING else None
            if isinstance(started, Started) and os.name == "posix":  # on Windows this would kill: there the file asks
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(started.pid, signal.SIGTERM)

    def end(self, run: Run) -> None:
        """End the process in a run folder at once; what it had saved is kept."""
        with self._starting:
            self._kill(run)

    def _kill(self, run: Run) -> None:
        """End what works in a run folder, ours or another server's, and wait until it has."""
        for log in (run.training, run.evaluation):
            started = log.last_started() if self.state(run, log) in GOING_ON else None
            if isinstance(started, Started):
                end_process(started.pid, started.process_time)
        child, _ = self._children.get(run.id, (None, None))
        if child is not None:
            child.kill()
            with suppress(subprocess.TimeoutExpired):  # its threads may end after it counts as dead; told below
                child.wait(END_LIMIT_S)
        until = time.monotonic() + END_LIMIT_S
        while any(self.state(run, log) in GOING_ON for log in (run.training, run.evaluation)):
            if time.monotonic() > until:
                raise RunError("The run's process does not end", where=run.id, fix="Try again in a moment.")
            time.sleep(0.05)

    def log_tail(self, run: Run) -> str:
        """The last line that a run's process printed, for errors from before its first event."""
        if not run.log_path.is_file():
            return ""
        with run.log_path.open("rb") as file:  # its end alone: a page asks twice a second
            file.seek(max(0, file.seek(0, os.SEEK_END) - LOG_TAIL_BYTES))
            text = file.read().decode("utf-8", errors="replace")
        return next((line for line in reversed(text.splitlines()) if line.strip()), "")

    def _require_idle(self) -> None:
        busy = self.busy()
        if busy:
            fix = "Wait until it has ended, or stop it."
            raise RunError("A run is already running", where=self.name(busy) or "", fix=fix)

    def _new_run(self, model: str) -> Run:
        self.settings.runs.mkdir(parents=True, exist_ok=True)
        name = re.sub(r"[^\w.-]+", "-", model)[:60]
        for number in range(1, 1_000_000):
            # where strangers share the page, no name tells how many runs others have
            mark = secrets.token_hex(4) if self.settings.is_shared else f"{number:02d}"
            path = self.settings.runs / f"{name}-{mark}"
            try:
                path.mkdir()
            except FileExistsError:
                continue
            return Run(path)
        raise RunError("There is no free run name", where=str(self.settings.runs), fix="Delete old runs.")

    def _keep_template(self, source: str) -> str:
        folder = self.settings.templates
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{hashlib.sha256(source.encode()).hexdigest()[:12]}.txt"
        path.write_text(source + "\n", encoding="utf-8", newline="\n")
        return str(path)

    def _options(self, config: TrainConfig, template: str | None, source: str) -> list[str]:
        return train_options(config, template or self._keep_template(source))

    def _spawn(self, run: Run, args: list[str], log: EventLog) -> None:
        self._estimator.end()
        before, _ = self._children.get(run.id, (None, None))
        if before is not None:  # it has said its last word, and may still be ending
            with suppress(subprocess.TimeoutExpired):
                before.wait(END_LIMIT_S)
            has_ended(before)
        with run.log_path.open("ab") as output:
            child = start_child(args, output=output, nice=SHARED_NICE if self.settings.is_shared else 0)
        self._heard.discard(child.pid)  # pids are used again
        self._children[run.id] = (child, log)
        self._begun[run.id] = time.monotonic()


def _remove(path: Path) -> None:
    """Under another name first: what is half removed is no run; what an earlier try left goes, too."""
    discarded = path.parent / ".discarded"
    try:
        discarded.mkdir(exist_ok=True)
        os.replace(path, discarded / f"{path.name}-{time.time_ns()}")
        shutil.rmtree(discarded)
    except OSError as error:
        fix = "Check who may write there, and whether a program has a file of it open."
        raise RunError(f"The run can't be removed: {error.strerror}", where=str(path), fix=fix) from error


def train_options(config: TrainConfig, template: str) -> list[str]:
    """The command-line options that give this very config, by one process."""
    values = {**to_dict(config), "template": template}
    del values["world_size"]  # torchrun's to say
    return [word for name, value in values.items() if value not in (None, "") for word in (f"--{name}", str(value))]
