"""How long runs work and stay on a shared page: stopped at a time limit, and removed some time after their end.

A run of a page on one's own machine works and stays for as long as its owner likes.
"""

import os
import time
from contextlib import suppress
from pathlib import Path

from ift.errors import IftError
from ift.runs.folder import OWNER, Run, is_run, list_runs
from ift.runs.state import State
from playground.runs.jobs import Jobs
from playground.runs.queue import Queue
from playground.settings import amount

END_GRACE_S = 60
"""For a process that was asked to save and end."""
UNBORN_KEPT_S = 120
"""A folder whose run never began: the server ended while it waited."""


class Tenure:
    """Of one server's runs."""

    def __init__(self, jobs: Jobs, queue: Queue) -> None:
        self._jobs, self._queue, self._limits = jobs, queue, jobs.settings.limits
        self._began = time.time()
        self._asked: dict[str, float] = {}

    def enforce(self) -> None:
        """Stop what works over its time; it saves what it has reached."""
        for run, elapsed_s in self._jobs.at_work():
            if elapsed_s <= self._limits.wall_s:
                continue
            if run.id not in self._asked:
                self._asked[run.id] = time.monotonic()
                self._jobs.stop(run, why=f"this page's limit of {amount(self._limits.wall_s, 'seconds')} is over")
            elif time.monotonic() - self._asked[run.id] > END_GRACE_S:
                self._jobs.end(run)
        going_on = {run.id for run, _ in self._jobs.at_work()}
        self._asked = {name: at for name, at in self._asked.items() if name in going_on}

    def begins_within(self, place: int) -> float:
        """The longest time in seconds until a run begins: what is at work and what is ahead take no longer.

        place: how many tickets are before it, the one at work included.
        """
        left = sum(max(0.0, self._limits.wall_s - elapsed_s) for _, elapsed_s in self._jobs.at_work())
        return left + max(0, place - bool(left)) * self._limits.wall_s

    def leaves_at(self, run: Run) -> float | None:
        """When a run that is over is removed, in seconds since 1970; None where it stays.

        A server that slept counts from its own start, so that nobody's run goes before they could come back.
        """
        if self._limits.kept_s == float("inf") or not self._is_over(run):
            return None
        return max(self._began, _changed_at(run)) + self._limits.kept_s

    def sweep(self) -> None:
        """Remove runs whose time is over, and folders of runs that never began."""
        for run in list_runs(self._jobs.settings.runs):
            leaves_at = self.leaves_at(run)
            if leaves_at is not None and leaves_at < time.time():
                with suppress(IftError):  # another run began from it: it goes after that one
                    self._jobs.discard(run)
        waiting = {self._jobs.settings.runs / ticket.run for ticket in self._queue.tickets()}
        for path in _folders(self._jobs.settings.runs):
            is_unborn = {entry.name for entry in path.iterdir()} <= {OWNER} and path not in waiting
            if is_unborn and time.time() - path.stat().st_mtime > UNBORN_KEPT_S:
                (path / OWNER).unlink(missing_ok=True)
                path.rmdir()

    def _is_over(self, run: Run) -> bool:
        logs = (run.training, run.evaluation)
        states = [self._jobs.state(run, log) for log in logs]
        return all(state.is_over or state is State.ABSENT for state in states)  # a child that starts has no log yet


def disk_bytes(folder: Path) -> int:
    """What all files in a folder take."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += os.stat(os.path.join(place, name)).st_size
    return total


def _folders(parent: Path) -> list[Path]:
    if not parent.is_dir():
        return []
    return [path for path in parent.iterdir() if path.is_dir() and not path.name.startswith(".") and not is_run(path)]


def _changed_at(run: Run) -> float:
    files = (run.training.path, run.evaluation.path, run.path / "scores.json")
    return max((file.stat().st_mtime for file in files if file.exists()), default=0.0)
