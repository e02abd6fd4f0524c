"""The process that owns a run folder, from its first event to its last. Imports no torch: `started` comes first."""

import os
import platform
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from importlib.metadata import version
from types import FrameType

from ift import __version__
from ift.config import TrainConfig, to_dict
from ift.data.records import Dataset, split
from ift.data.templates import Template
from ift.errors import IftError, is_out_of_memory
from ift.events import Failed, Started, Stopped, TrainEvent
from ift.runs.folder import EventLog, Run
from ift.runs.processes import own_identity
from ift.runs.ranks import ALONE, World

RESERVED_BYTES = 4096
"""Of the disk, for a log's last event."""


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
        return "asked to stop" if self.run and self.run.stop_asked() else ""

    def agreed(self, world: World = ALONE) -> str:
        """The same for all processes of the run, each of which asks: one that is to end ends all, at the same step."""
        agreed = world.first_word(self.reason)
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


def describe(config: TrainConfig, dataset: Dataset, template: Template) -> dict:
    """What config.json holds: everything that decides the result."""
    parts = split(dataset.examples)
    counts = {"train": len(parts.train), "validation": len(parts.validation), "test": len(parts.test)}
    return {
        "config": to_dict(config),
        "template_source": template.source,
        "data": {
            "name": dataset.name,
            "sha256": dataset.sha256,
            "records": len(dataset),
            "split": {**counts, "from_file": parts.from_file},
        },
        "versions": {
            "ift": __version__,
            "torch": version("torch"),
            "tiktoken": version("tiktoken"),
            "python": platform.python_version(),
        },
    }


def logged(log: EventLog, events: Iterator[TrainEvent]) -> Iterator[TrainEvent]:
    """Write down what happens, from `started` to the one event that ends it, whatever that is.

    A log that has events already is gone on with. The error that ended it is raised again once it stands in the log.
    """
    log.mend()
    reserve = log.path.with_name(".reserve")
    before = log.read()[0]
    began = time.perf_counter() - (before[-1].time_s if before else 0.0)
    step = 0

    def write(event: TrainEvent) -> TrainEvent:
        event = replace(event, time_s=round(time.perf_counter() - began, 4))
        log.append(event)
        return event

    def write_last(event: TrainEvent) -> TrainEvent:
        reserve.unlink(missing_ok=True)  # so that a full disk can still be told
        return write(event)

    pid, process_time = own_identity()
    yield write(Started(step=0, pid=pid, process_time=process_time))
    try:
        with suppress(OSError):  # whatever is wrong there, the next event tells it
            reserve.write_bytes(os.urandom(RESERVED_BYTES))
        for event in events:
            step = event.step
            yield write(event)
    except StopAsked as stopped:
        yield write_last(Stopped(step=step, reason=str(stopped)))
    except IftError as error:
        yield write_last(Failed(step=step, what=error.what, where=error.where, fix=error.fix))
        raise
    except Exception as error:
        yield write_last(failure(error, step=step, where=str(log.path.parent)))
        raise
    finally:
        reserve.unlink(missing_ok=True)


def failure(error: Exception, *, step: int, where: str) -> Failed:
    """What an error means that nobody raised on purpose. `step`: those done. `where`: of a fault."""
    if is_out_of_memory(error):
        fix = "Halve per_device_train_batch_size, lower max_length, or see what `python -m ift estimate` advises."
        return Failed(step=step, what="Memory ran out", where=f"step {step + 1}", fix=fix)
    what = f"{type(error).__name__}: {error}".splitlines()[0]
    fix = "This is a fault of the program: run.log in the run folder has the details."
    return Failed(step=step, what=what, where=where, fix=fix)
