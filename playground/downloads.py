"""Downloads that the page waits for: how far each is, how fast, and a way to end it."""

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from ift.errors import DownloadError

T = TypeVar("T")
EVERY_S = 0.4
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Download:
    """How far a download is. done, total: bytes; total is 0 where nobody knows. rate: bytes per second."""

    token: str
    done: int = 0
    total: int = 0
    rate: float = 0.0

    @property
    def text(self) -> str:
        """For a person; empty before the first byte."""
        if not self.done:
            return ""
        whole = f" of {self.total / 1e6:,.1f}" if self.total else ""
        return f"{self.done / 1e6:,.1f}{whole} MB, {self.rate / 1e6:,.1f} MB/s"


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """What the work came to."""

    value: T


class Downloads:
    """Those under way, by tokens that only the page that began one knows."""

    def __init__(self) -> None:
        self._cancelled: dict[str, threading.Event] = {}

    def follow(self, work: Callable[[Progress], T]) -> Iterator[Download | Done[T]]:
        """Do the work in a thread of its own; how far it is comes again and again, and its value last.

        Args:
            work: gets a function that it calls with (bytes so far, bytes in all or 0).

        Raises:
            InputError: whatever the work raises; a DownloadError where it was cancelled.
        """
        token, cancelled = secrets.token_urlsafe(8), threading.Event()
        self._cancelled[token] = cancelled
        state: dict[str, object] = {}
        now = [0, 0]

        def progress(done: int, total: int) -> None:
            if cancelled.is_set():
                raise DownloadError("The download was cancelled", fix="Begin again when it suits you.")
            now[:] = done, total

        def run() -> None:
            try:
                state["value"] = work(progress)
            except BaseException as error:
                state["error"] = error

        thread = threading.Thread(target=run, daemon=True)
        began, first = time.monotonic(), 0
        thread.start()
        try:
            while thread.is_alive():
                first = first or now[0]  # what an earlier try had brought already is no speed
                rate = (now[0] - first) / max(EVERY_S, time.monotonic() - began)
                yield Download(token, now[0], now[1], rate)
                thread.join(EVERY_S)
        finally:
            cancelled.set()  # a visitor who has gone needs it no more
            del self._cancelled[token]
        if "error" in state:
            raise state["error"]  # type: ignore[misc]
        yield Done(state["value"])  # type: ignore[arg-type]

    def cancel(self, token: str) -> None:
        """End a download at its next piece."""
        if token in self._cancelled:
            self._cancelled[token].set()
