"""What a server does without being asked: it gives back what visitors left behind."""

import threading
import time

import gradio as gr

from playground.context import Context
from playground.guard.files import Uploads
from playground.guard.sessions import Sessions

TICK_S = 1.0
SWEEP_S = 60.0
INCOMING_KEPT_S = 3_600
"""An uploaded file that a handler takes is copied by it; the widget can read it again for an hour."""


class Housekeeping:
    """A thread of one server."""

    def __init__(self, context: Context, page: gr.Blocks, uploads: Uploads, sessions: Sessions) -> None:
        self._context, self._page, self._uploads, self._sessions = context, page, uploads, sessions
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, name="housekeeping", daemon=True)

    def start(self) -> None:
        """From now on until `end`."""
        self._thread.start()

    def end(self) -> None:
        """Wait until it has."""
        self._ended.set()
        self._thread.join()

    def sweep(self) -> None:
        """Remove what nobody can ask for any more."""
        self._sessions.sweep(self._page)
        self._uploads.sweep(time.time() - INCOMING_KEPT_S)

    def _work(self) -> None:
        swept = time.monotonic()
        while not self._ended.wait(TICK_S):
            if time.monotonic() - swept > SWEEP_S:
                swept = time.monotonic()
                self.sweep()
