"""Which uploaded files are whose: a handler gets a file only from the visitor who brought it."""

import json
import time
from json import JSONDecodeError
from pathlib import Path
from typing import Any

import gradio as gr

from playground.guard.bodies import objects
from playground.guard.refusals import NOT_THERE, Refused

ALIAS = "/upload/"
"""What the browser is told instead of the folder's path."""


class Uploads:
    """Files in the folder where Gradio puts what is uploaded, by visitor, with the time of the upload."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._owners: dict[str, dict[str, float]] = {}

    def add(self, reply: bytes, visitor: str) -> None:
        """Take down what an upload has answered: a list of paths."""
        try:
            paths = json.loads(reply)
        except (JSONDecodeError, UnicodeDecodeError):
            return
        for path in paths if isinstance(paths, list) else ():
            if isinstance(path, str):
                self._owners.setdefault(path, {})[visitor] = time.time()

    def path(self, name: str, visitor: str) -> str:
        """The file that a browser means.

        Raises:
            Refused: this visitor uploaded no such file.
        """
        path = str(self.folder / name.removeprefix(ALIAS)) if name.startswith(ALIAS) else name
        if visitor not in self._owners.get(path, ()):
            raise Refused(404, NOT_THERE)
        return path

    def check(self, body: dict[str, Any], visitor: str) -> None:
        """Let a request name files only that its visitor uploaded: Gradio would fetch or read any other, too.

        What looks like a file (`path`, `url`) is one; an address is taken out of it.

        Raises:
            Refused: it names another file, or an address.
        """
        for value in objects(body):
            if "path" not in value and "url" not in value and "orig_name" not in value:
                continue
            if not isinstance(value.get("path"), str):
                raise Refused(404, NOT_THERE)
            value["path"] = self.path(value["path"], visitor)
            value["url"] = None

    def sweep(self, before: float, page: gr.Blocks | None = None) -> None:
        """Remove files older than a time (seconds since 1970), and what is left of uploads that were broken off.

        page: Gradio's, which remembers the path of each file that ever came.
        """
        for path in sorted(self.folder.rglob("*"), reverse=True):  # what is in a folder before the folder
            try:
                if path.stat().st_mtime > before:
                    continue
                path.rmdir() if path.is_dir() else path.unlink()
            except OSError:  # a folder that is not empty, or somebody else was quicker
                continue
        self._owners = {path: owners for path, owners in self._owners.items() if Path(path).is_file()}
        for paths in page.temp_file_sets if page else ():
            paths.difference_update([path for path in tuple(paths) if not Path(path).is_file()])
