"""The event log of a run: append-only, one JSON object per line, read while it is written."""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ift.errors import RunError
from ift.events import Failed, Finished, Started, Stopped, TrainEvent, from_json, to_json
from ift.runs.lines import append_line
from ift.runs.processes import is_alive
from ift.runs.state import State

_TAIL_BYTES = 1 << 20
"""More than almost any event takes."""


_STARTED = b'{"event": "started"'


@dataclass(frozen=True, slots=True)
class EventLog:
    """An append-only file of events, read while it is written."""

    path: Path

    def append(self, event: TrainEvent) -> None:
        """Write one line, whole, at once.

        Raises:
            RunError: it can't be written, for want of space say; no part of it stays.
        """
        append_line(self.path, to_json(event))

    def read(self, offset: int = 0) -> tuple[list[TrainEvent], int]:
        """The complete events from a byte offset on, and the offset to resume from."""
        try:
            with self.path.open("rb") as file:
                file.seek(offset)
                whole = file.read().rpartition(b"\n")[0]
        except FileNotFoundError:
            return [], offset
        lines = whole.split(b"\n") if whole else []
        return [self._event(line, offset) for line in lines], offset + (len(whole) + 1 if whole else 0)

    def _event(self, line: bytes, offset: int) -> TrainEvent:
        try:
            return from_json(line)
        except RunError as error:
            where = f"{self.path}, after byte {offset}" if offset else str(self.path)
            raise RunError(error.what, where=where, fix=error.fix) from error

    def mend(self) -> None:
        """Cut off the half line that a killed process may have left, before another one writes."""
        with suppress(FileNotFoundError), self.path.open("r+b") as file:
            whole = file.read().rpartition(b"\n")[0]
            file.truncate(len(whole) + 1 if whole else 0)

    def last_started(self) -> TrainEvent | None:
        """The process that wrote last: a run that is resumed has one after the other."""
        try:
            raw = self.path.read_bytes()
        except FileNotFoundError:
            return None
        start = raw.rfind(_STARTED)  # quick: a page asks twice a second; in a text the quotes would be escaped
        line, whole, _ = raw[start:].partition(b"\n")
        return from_json(line) if start >= 0 and whole else None

    def state(self) -> State:
        """Derived from the last event and from whether the process lives that wrote last; a damaged log has failed."""
        try:
            started, last = self._ends()
        except RunError:
            return State.FAILED
        if started is None:
            return State.ABSENT
        if isinstance(last, Finished):
            return State.FINISHED
        if isinstance(last, Failed):
            return State.FAILED
        if isinstance(last, Stopped):
            return State.STOPPED
        return State.RUNNING if _lives(started) or _lives(self.last_started()) else State.STOPPED

    def require_whole(self) -> None:
        """Look at its first and last event, as `state` does.

        Raises:
            RunError: one of them is damaged.
        """
        self._ends()

    def _ends(self) -> tuple[TrainEvent | None, TrainEvent | None]:
        """The first and the last complete event; a page asks twice a second, so the middle is not read."""
        try:
            with self.path.open("rb") as file:
                first = file.readline()
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - _TAIL_BYTES))
                tail = file.read().rpartition(b"\n")[0]
                if b"\n" not in tail:  # one event longer than that: a record's text has no limit
                    file.seek(0)
                    tail = file.read().rpartition(b"\n")[0]
        except FileNotFoundError:
            return None, None
        if not first.endswith(b"\n"):
            return None, None
        return from_json(first), from_json(tail.rpartition(b"\n")[2])


def _lives(started: TrainEvent | None) -> bool:
    return isinstance(started, Started) and is_alive(started.pid, started.process_time)
