"""Child processes over run folders: the page starts and stops them, and otherwise only reads what they wrote."""

import hashlib
import os
import re
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

from ift.config import TrainConfig, to_dict
from ift.errors import RunError
from ift.events import Started
from ift.heldout import load_held_out
from ift.runs import EventLog, Run, State, list_runs
from playground.settings import PROJECT, Settings

LOG_TAIL_BYTES = 4096


class Jobs:
    """The children of this server. Each holds its standard input open: when the server ends, they save and end."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._children: dict[str, tuple[subprocess.Popen, EventLog]] = {}
        self._starting = threading.Lock()

    def run(self, run_id: object) -> Run | None:
        """A run by its name, or None. Names are looked up, never made into a path: they come from the browser."""
        return next((run for run in self._known() if run.id == run_id), None)

    def runs(self) -> list[Run]:
        """All runs, newest first."""
        return list_runs(self.settings.runs)

    def state(self, run: Run, log: EventLog) -> State:
        """Of a training or an evaluation; a child that ended before it could say `started` has failed."""
        state = log.state()
        child, its_log = self._children.get(run.id, (None, None))
        if state is not State.ABSENT or child is None or its_log != log:
            return state
        return State.STARTING if child.poll() is None else State.FAILED  # poll also reaps it

    def busy(self) -> Run | None:
        """The run that is training or being evaluated now: one at a time, as two would only share the cores."""
        going_on = (State.STARTING, State.RUNNING)
        for run in self._known():
            if any(self.state(run, log) in going_on for log in (run.training, run.evaluation)):
                return run
        return None

    def start_training(self, config: TrainConfig, *, template: str | None, source: str) -> Run:
        """Start `python -m ift train` in a new run folder, with a preset template, or with the user's own source.

        Raises:
            RunError: another run is going on.
        """
        with self._starting:  # handlers run in threads: two presses must not both find nobody busy
            self._require_idle()
            run = self._new_run(Path(config.model).name)
            options = train_options(config, template or self._keep_template(source))
            self._spawn(run, ["train", *options, "--out", str(run.path), "--attached"], run.training)
        return run

    def start_evaluation(self, run: Run) -> None:
        """Start `python -m ift evaluate` on a run.

        Raises:
            InputError: another run is going on, this one has saved nothing yet, or there is nothing to answer.
        """
        with self._starting:
            self._require_idle()
            run.last_checkpoint()
            load_held_out(run)
            run.evaluation.path.unlink(missing_ok=True)
            run.clear_stop()
            self._spawn(run, ["evaluate", str(run.path), "--attached"], run.evaluation)

    def stop(self, run: Run) -> None:
        """Ask the process in a run folder, ours or another server's, to save and end."""
        for log in (run.training, run.evaluation):
            state = self.state(run, log)
            if state in (State.STARTING, State.RUNNING):
                run.ask_to_stop()
            started = log.last_started() if state is State.RUNNING else None
            if isinstance(started, Started) and os.name == "posix":  # on Windows this would kill: there the file asks
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(started.pid, signal.SIGTERM)

    def log_tail(self, run: Run) -> str:
        """The last line that a run's process printed, for errors from before its first event."""
        if not run.log_path.is_file():
            return ""
        with run.log_path.open("rb") as file:  # its end alone: a page asks twice a second
            file.seek(max(0, file.seek(0, os.SEEK_END) - LOG_TAIL_BYTES))
            text = file.read().decode("utf-8", errors="replace")
        return next((line for line in reversed(text.splitlines()) if line.strip()), "")

    def _known(self) -> list[Run]:
        """All runs, with those that this server has started and that have no events yet."""
        return [*(Run(self.settings.runs / name) for name in list(self._children)), *self.runs()]

    def _require_idle(self) -> None:
        busy = self.busy()
        if busy:
            fix = "Wait until it has ended, or stop it."
            raise RunError("A run is going on already", where=busy.id, fix=fix)

    def _new_run(self, model: str) -> Run:
        self.settings.runs.mkdir(parents=True, exist_ok=True)
        name = re.sub(r"[^\w.-]+", "-", model)[:60]
        for number in range(1, 1_000_000):
            path = self.settings.runs / f"{name}-{number:02d}"
            try:
                path.mkdir()
            except FileExistsError:
                continue
            return Run(path)
        raise RunError("There is no free run name", where=str(self.settings.runs), fix="Delete old runs.")

    def _keep_template(self, source: str) -> str:
        folder = self.settings.home / "templates"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{hashlib.sha256(source.encode()).hexdigest()[:12]}.txt"
        path.write_text(source + "\n", encoding="utf-8", newline="\n")
        return str(path)

    def _spawn(self, run: Run, args: list[str], log: EventLog) -> None:
        with run.log_path.open("ab") as output:
            child = subprocess.Popen(
                [sys.executable, "-m", "ift", *args],
                cwd=PROJECT,
                stdin=subprocess.PIPE,  # never written to: its end tells the child that the server has gone
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1"},
                start_new_session=True,  # Ctrl-C in the server's terminal is the server's
            )
        self._children[run.id] = (child, log)


def train_options(config: TrainConfig, template: str) -> list[str]:
    """The command-line options that give this very config, by one process."""
    values = {**to_dict(config), "template": template}
    del values["world_size"]  # torchrun's to say
    return [word for name, value in values.items() if value is not None for word in (f"--{name}", str(value))]
