"""Which runs may be going on: asked twice a second by every page, so it must not cost more with every run there is."""

import os
import time
from collections.abc import Callable

from ift.runs.folder import Run, list_runs
from ift.runs.log import EventLog
from ift.runs.state import State
from playground.settings import Settings

LOOK_S = 1.0
"""Between two looks at all runs: one that is resumed from a command line is noticed within it."""

StateOf = Callable[[Run, EventLog], State]
Stamp = tuple[int, int]


class Watch:
    """The runs that are not known to be over.

    What is over is looked at again only when its log has changed: two questions to the file system per run and second,
    however many pages ask.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._over: dict[str, tuple[Stamp, Stamp]] = {}
        self._open: list[Run] = []
        self._looked_at = 0.0
        self._folder = 0

    def open_runs(self, state_of: StateOf) -> list[Run]:
        """Those that were going on at the last look, or have come since."""
        folder = _changed_at(self._settings.runs)
        if time.monotonic() - self._looked_at > LOOK_S or folder != self._folder:
            runs = list_runs(self._settings.runs)
            self._open = [run for run in runs if self._may_go_on(run, state_of)]
            self._over = {run.id: self._over[run.id] for run in runs if run.id in self._over}
            self._looked_at, self._folder = time.monotonic(), folder
        return self._open

    def _may_go_on(self, run: Run, state_of: StateOf) -> bool:
        logs = (run.training, run.evaluation)
        stamps = (_stamp(logs[0]), _stamp(logs[1]))
        if self._over.get(run.id) == stamps:
            return False
        self._over.pop(run.id, None)
        if all(state_of(run, log).is_over or not log.path.exists() for log in logs):
            self._over[run.id] = stamps
            return False
        return True


def _stamp(log: EventLog) -> Stamp:
    try:
        found = os.stat(log.path)
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size


def _changed_at(folder: os.PathLike) -> int:
    try:
        return os.stat(folder).st_mtime_ns
    except OSError:
        return 0
