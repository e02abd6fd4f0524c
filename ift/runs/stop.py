"""How a process is asked to end: by a signal, a stop file, or the end of its standard input."""

import os
import signal
import sys
import threading
from contextlib import suppress
from types import FrameType

from ift.runs.folder import Run
from ift.runs.ranks import ALONE, World


class StopAsked(BaseException):
    """Somebody asked the process to end."""


class Stop:
    """Whether and why this process is to end: a signal, the run's stop file, or the end of its standard input.

    While `at_once` is set a signal interrupts whatever runs, a download say; else the loop asks at each step.
    `run`: None where another process of the run has its folder.
    """

    def __init__(self, run: Run | None) -> None:
        self.run = run
        self.at_once = True
        self._reason = ""

    @property
    def reason(self) -> str:
        """Why, or empty."""
        return self._reason or self._in_folder()

    def _in_folder(self) -> str:
        return self.run.stop_asked() if self.run else ""

    def agreed(self, world: World = ALONE) -> str:
        """The same for all processes of the run, each of which asks: one that is to end ends all, at the same step."""
        agreed = world.first_reason(self.reason)
        self._reason = self._reason or agreed  # a signal may have come meanwhile
        return agreed

    def ask(self, reason: str) -> None:
        """End at the next step."""
        self._reason = self._reason or reason

    def raise_if_asked(self) -> None:
        """End here, if somebody asked.

        Raises:
            StopAsked: with the reason.
        """
        if self.reason:
            raise StopAsked(self.reason)

    def listen(self, *, attached: bool) -> None:
        """Take over SIGTERM, SIGINT and, unless `nohup` has it ignored, SIGHUP of a terminal that closes.

        `attached`: also end when standard input does, with the process behind it.
        """
        for name in ("SIGTERM", "SIGINT", "SIGHUP"):
            number = getattr(signal, name, None)  # Windows has no SIGHUP
            if number and not (name == "SIGHUP" and signal.getsignal(number) is signal.SIG_IGN):
                signal.signal(number, self._on_signal)
        if attached:
            threading.Thread(target=self._wait_for_parent, daemon=True).start()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._reason = self.reason or signal.Signals(number).name
        if self.at_once:
            raise StopAsked(self._reason)
        with suppress(OSError):  # not print: a signal may come within another one
            os.write(2, b"\nStopping: what is reached is saved.\n")

    def _wait_for_parent(self) -> None:
        while os.read(sys.stdin.fileno(), 4096):  # not sys.stdin.read: its lock, held at exit, would abort the process
            pass
        self._reason = "the server ended"
        signal.raise_signal(signal.SIGTERM)
