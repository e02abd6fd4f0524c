"""Models to take away: a child process writes each, and an address that nobody can guess gives it out."""

import json
import os
import secrets
import shutil
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from ift.errors import RunError
from ift.runs.folder import Run
from playground.runs.children import has_ended, start_child
from playground.settings import Settings

PREFIX = "ift-take"
KEPT = 3
"""Files at a time: each is as large as a model."""
TARGETS = {
    "hf": ("--to", "hf"),
    "gguf-f16": ("--to", "gguf", "--outtype", "f16"),
    "gguf-q8_0": ("--to", "gguf", "--outtype", "q8_0"),
    "adapter": ("--to", "adapter"),
}
"""What a model can be taken as → the options of `python -m ift export`."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A file that is ready. address: from the page's own on. next_command: what takes it further, for a shell."""

    name: str
    size_bytes: int
    address: str
    next_command: str


class Exports:
    """The exports of one server, one at a time."""

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.home / "exports"
        self._lock = threading.Lock()
        self._offered: dict[str, Path] = {}
        self._child: subprocess.Popen | None = None
        self._run = ""
        self._is_cancelled = False

    def make(self, run: Run, to: str) -> Taken:
        """Write a run's last checkpoint as one of `TARGETS`, into a ZIP file.

        Raises:
            RunError: another one is being written, it can't be written, or it was cancelled.
        """
        if to not in TARGETS:
            raise RunError("There is no such format", where=to[:40], fix=f"Use one of {', '.join(TARGETS)}.")
        if not self._lock.acquire(blocking=False):
            raise RunError("Another model is being written", where=self._run, fix="Try again in a moment.")
        token = secrets.token_urlsafe(16)
        try:
            self._make_room()
            said = self._write(run, to, self._folder / token / f"{run.id}-{to}")
            path = self._offered[token] = Path(said["path"])
        except BaseException:
            shutil.rmtree(self._folder / token, ignore_errors=True)
            raise
        finally:
            self._lock.release()
        command = str(said["next"]).replace(f"{path.parent}/", "")
        return Taken(path.name, path.stat().st_size, f"{PREFIX}/{token}/{path.name}", command)

    def cancel(self, run_id: str) -> None:
        """End the export of a run that is under way; its `make` raises."""
        child = self._child
        if child is not None and self._run == run_id:
            self._is_cancelled = True
            child.kill()

    def route(self) -> Route:
        """For the server: any file that is offered, by its address."""
        return Route(f"/{PREFIX}/{{token}}/{{name}}", self._serve)

    def sweep(self, before: float) -> None:
        """Remove files older than a time (seconds since 1970), and what a server before this one left."""
        if not self._lock.acquire(blocking=False):  # one is being written: next time
            return
        try:
            for token, path in list(self._offered.items()):
                if not path.is_file() or path.stat().st_mtime < before:
                    del self._offered[token]
            self._remove_others()
        finally:
            self._lock.release()

    async def _serve(self, request: Request) -> Response:
        path = self._offered.get(request.path_params["token"])
        if path is None or path.name != request.path_params["name"] or not path.is_file():
            return Response("This file is no longer here: prepare it again.", status_code=404)
        return FileResponse(path, filename=path.name, headers={"Cache-Control": "no-store"})

    def _make_room(self) -> None:
        """Remove the oldest, and what a server before this one left."""
        while len(self._offered) >= KEPT:
            oldest = next(iter(self._offered))
            del self._offered[oldest]
        self._remove_others()

    def _remove_others(self) -> None:
        kept = set(self._offered)
        for folder in self._folder.glob("*"):
            if folder.name not in kept:
                shutil.rmtree(folder, ignore_errors=True)

    def _write(self, run: Run, to: str, out: Path) -> dict:
        args = ["export", str(run.path), *TARGETS[to], "--out", str(out), "--zip", "--json"]
        self._run, self._is_cancelled = run.id, False
        self._child = child = start_child(args, output=subprocess.PIPE)
        try:
            with child.stdout:
                lines = child.stdout.read().decode("utf-8", errors="replace").splitlines() or [""]
            code = child.wait()
            has_ended(child)
        finally:
            self._child = None
        if self._is_cancelled:
            raise RunError("The export was cancelled", where=run.id, fix="Prepare it again when you like.")
        if code:
            said = lines[-1].removeprefix("Error: ").replace(f"{self._folder.parent}{os.sep}", "")
            raise RunError(said or "The export ended", where=run.id)
        return json.loads(lines[-1])
