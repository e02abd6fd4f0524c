"""Processes that the page starts. Each holds its standard input open: when the server ends, they save and end."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import IO

import psutil

from ift.errors import RunError
from ift.paths import ROOT
from ift.training.estimate import Estimate

SHARED_NICE = 10
"""Of a training on a shared page: a key in the template waits for no step, and the training has what is left."""
SHARED_WAIT = {"GOMP_SPINCOUNT": "3000"}
"""A thread of PyTorch's that waits for another one lets go of its core after a tenth of a millisecond, not after some:
where others take a part of the cores, that halves what a step loses, and alone it costs nothing that can be measured.
"""


def start_child(args: Sequence[str], *, output: IO | int, nice: int = 0) -> subprocess.Popen:
    """Start `python -m ift …`; what it prints and its errors go to `output`. nice: how far others come first."""
    waits = SHARED_WAIT if nice else {}
    child = subprocess.Popen(
        [sys.executable, "-m", "ift", *args],
        cwd=ROOT,
        stdin=subprocess.PIPE,  # never written to: its end tells the child that the server has gone
        stdout=output,
        stderr=subprocess.STDOUT,
        env={**waits, **os.environ, "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1", "TQDM_POSITION": "-1"},
        process_group=0,  # Ctrl-C in the server's terminal is the server's; a new session would make `nice` void
    )
    if nice and os.name == "posix":
        with suppress(psutil.Error):  # it may have ended already
            psutil.Process(child.pid).nice(nice)
    return child


def has_ended(child: subprocess.Popen) -> bool:
    """Whether it has; then nothing of it is left here either."""
    if child.poll() is None:  # poll also reaps it
        return False
    child.stdin.close()
    return True


class Estimator:
    """One estimate at a time, in a child process: it may run out of memory."""

    def __init__(self) -> None:
        self._child: subprocess.Popen | None = None

    def begin(self, options: Sequence[str]) -> subprocess.Popen:
        """Start `python -m ift estimate`; `result` waits for what it says.

        Raises:
            RunError: another one is at work.
        """
        if self._child is not None and not has_ended(self._child):
            raise RunError("An estimate is being made already", fix="Wait some seconds.")
        self._child = start_child(["estimate", *options, "--json", "--attached"], output=subprocess.PIPE)
        return self._child

    def result(self, child: subprocess.Popen) -> Estimate:
        """Wait for what it found.

        Raises:
            RunError: it failed, or was ended.
        """
        with child.stdout:
            lines = child.stdout.read().decode("utf-8", errors="replace").splitlines() or [""]
        code = child.wait()
        has_ended(child)
        if code < 0:
            raise RunError("The estimate was ended", fix="Try again when no run is running.")
        if code > 0:
            raise RunError(lines[-1].removeprefix("Error: "))
        return Estimate.from_dict(json.loads(lines[-1]))

    def end(self) -> None:
        """Make way for a run: the estimate would take the memory and the cores that it is about."""
        if self._child is not None:
            self._child.kill()
            self._child.stdin.close()  # this ends the process that it has started in turn
