"""Child processes over run folders: the page starts and stops them, and otherwise only reads what they wrote."""

import hashlib
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from ift.config import TrainConfig, to_dict
from ift.errors import RunError
from ift.events import Started
from ift.processes import is_alive
from ift.runs import EventLog, Run, State, list_runs
from playground.settings import PROJECT, Settings

_RUN_ID = re.compile(r"[\w.-]+")


class Jobs:
    """The children of this server. Each holds its standard input open: when the server ends, they save and end."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._children: dict[str, tuple[subprocess.Popen, EventLog]] = {}

    def run(self, run_id: str | None) -> Run | None:
        """A run by its name, or None; a name from the browser can't leave the runs folder."""
        if not run_id or not _RUN_ID.fullmatch(run_id) or run_id.startswith("."):
            return None
        run = Run(self.settings.runs / run_id)
        return run if run.path.is_dir() else None

    def runs(self) -> list[Run]:
        """All runs, newest first."""
        return list_runs(self.settings.runs)

    def state(self, run: Run) -> State:
        """Of the training; a child that ended before it could say `started` has failed."""
        child, log = self._children.get(run.id, (None, None))
        ended = child is not None and log == run.training and child.poll() is not None  # poll also reaps it
        state = run.state()
        return State.FAILED if ended and state is State.STARTING else state

    def busy(self) -> Run | None:
        """The run that is training or being evaluated now: one at a time, as two would only share the cores."""
        for run in self.runs():
            if State.RUNNING in (self.state(run), run.evaluation.state()):
                return run
        silent = [
            run_id
            for run_id, (child, log) in self._children.items()
            if child.poll() is None and log.state() is State.ABSENT
        ]
        return self.run(silent[0]) if silent else None

    def start_training(self, config: TrainConfig, *, template: str | None, source: str) -> Run:
        """Start `python -m ift train` in a new run folder, with a preset template, or with the user's own source.

        Raises:
            RunError: another run is going on.
        """
        self._require_idle()
        run = self._new_run(Path(config.model).name)
        args = [
            "train",
            *train_options(config, template or self._keep_template(source)),
            "--out",
            str(run.path),
            "--attached",
        ]
        self._spawn(run, args, run.training)
        return run

    def start_evaluation(self, run: Run) -> None:
        """Start `python -m ift evaluate` on a run.

        Raises:
            RunError: another run is going on, or this one has saved nothing yet.
        """
        self._require_idle()
        run.last_checkpoint()
        run.forget_evaluation()
        self._spawn(run, ["evaluate", str(run.path), "--attached"], run.evaluation)

    def stop(self, run: Run) -> None:
        """Ask the process in a run folder, ours or another server's, to save and end."""
        run.ask_to_stop()
        for log in (run.training, run.evaluation):
            started = next(iter(log.read()[0]), None)
            if isinstance(started, Started) and is_alive(started.pid, started.process_time) and os.name == "posix":
                os.kill(started.pid, signal.SIGTERM)  # on Windows this would kill: there the stop file alone asks

    def log_tail(self, run: Run) -> str:
        """The last line that a run's process printed, for errors from before its first event."""
        text = run.log_path.read_text(encoding="utf-8", errors="replace") if run.log_path.is_file() else ""
        return next((line for line in reversed(text.splitlines()) if line.strip()), "")

    def _require_idle(self) -> None:
        busy = self.busy()
        if busy:
            fix = "Wait until it has ended, or stop it."
            raise RunError("A run is going on already", where=busy.id, fix=fix)

    def _new_run(self, model: str) -> Run:
        self.settings.runs.mkdir(parents=True, exist_ok=True)
        for number in range(1, 1_000_000):
            path = self.settings.runs / f"{model}-{number:02d}"
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
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
                start_new_session=True,  # Ctrl-C in the server's terminal is the server's
            )
        self._children[run.id] = (child, log)


def train_options(config: TrainConfig, template: str) -> list[str]:
    """The command-line options that give this very config."""
    values = {**to_dict(config), "template": template}
    return [word for name, value in values.items() if value is not None for word in (f"--{name}", str(value))]
