"""What a server does without being asked: it gives back what visitors left behind."""

import logging
import shutil
import threading
import time

import gradio as gr

from ift.errors import RunError
from ift.runs.folder import Run, list_runs
from playground.context import Context
from playground.guard.files import Uploads
from playground.guard.sessions import Sessions
from playground.runs.tenure import disk_bytes

TICK_S = 1.0
SWEEP_S = 60.0
DATA_KEPT_S = 24 * 3_600
_log = logging.getLogger(__name__)
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
        if self._context.settings.is_shared:
            self._context.tenure.sweep()
            self._sweep_data()
            self._context.jobs.disk_bytes = disk_bytes(self._context.settings.home)

    def _sweep_data(self) -> None:
        """Data sets that were brought long ago and that no run was made with."""
        settings, before = self._context.settings, time.time() - DATA_KEPT_S
        used = {run.config.options.data for run in list_runs(settings.runs) if _is_legible(run)}
        for folder in settings.uploads.iterdir() if settings.uploads.is_dir() else ():
            is_old = folder.is_dir() and folder.stat().st_mtime < before
            if is_old and not any(str(path) in used for path in folder.iterdir()):
                shutil.rmtree(folder, ignore_errors=True)

    def _work(self) -> None:
        swept = -SWEEP_S
        while not self._ended.wait(TICK_S):
            try:
                if self._context.settings.is_shared:
                    self._context.tenure.enforce()
                if time.monotonic() - swept > SWEEP_S:
                    swept = time.monotonic()
                    self.sweep()
            except Exception:  # whatever it is, the next visitor's turn must come all the same
                _log.exception("housekeeping")


def _is_legible(run: Run) -> bool:
    try:
        return bool(run.config)
    except RunError:
        return False
