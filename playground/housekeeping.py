"""What a server does without being asked: it gives back what visitors left behind."""

import ctypes
import logging
import shutil
import threading
import time
from contextlib import suppress
from pathlib import Path

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
EXPORTS_KEPT_S = 3_600
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

    def tick(self) -> None:
        """What can't wait for the next sweep: closed pages, as many may come and go, and trainings over their time."""
        self._sessions.sweep(self._page)
        if self._context.settings.is_shared:
            self._context.tenure.enforce()

    def sweep(self) -> None:
        """Remove what nobody can ask for any more."""
        self._context.recent.keep_only(self._sessions.visitors)
        self._uploads.sweep(time.time() - INCOMING_KEPT_S, self._page)
        if self._context.settings.is_shared:
            self._context.tenure.sweep()
            self._context.exports.sweep(time.time() - EXPORTS_KEPT_S)
            self._sweep_files()
            self._context.jobs.disk_bytes = disk_bytes(self._context.settings.home)
        _return_memory()

    def _sweep_files(self) -> None:
        """Data sets and templates that were brought long ago and that no run was made with."""
        settings, before = self._context.settings, time.time() - DATA_KEPT_S
        options = [run.config.options for run in list_runs(settings.runs) if _is_legible(run)]
        options += [ticket.options for ticket in self._context.queue.tickets()]
        used = {one.data for one in options} | {one.template for one in options}
        for entry in (*_entries(settings.uploads), *_entries(settings.templates)):
            files = [*entry.iterdir()] if entry.is_dir() else [entry]
            if entry.stat().st_mtime < before and not any(str(file) in used for file in files):
                shutil.rmtree(entry, ignore_errors=True) if entry.is_dir() else entry.unlink(missing_ok=True)

    def _work(self) -> None:
        swept = -SWEEP_S
        while not self._ended.wait(TICK_S):
            try:
                self.tick()
                if time.monotonic() - swept > SWEEP_S:
                    swept = time.monotonic()
                    self.sweep()
            except Exception:  # whatever it is, the next visitor's turn must come all the same
                _log.exception("housekeeping")


def _return_memory() -> None:
    """Give what was freed back to the system: glibc keeps it otherwise, half a megabyte per page that was ever open."""
    with suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL(None).malloc_trim(0)


def _entries(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []


def _is_legible(run: Run) -> bool:
    try:
        return bool(run.config)
    except RunError:
        return False
