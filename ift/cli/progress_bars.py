"""Progress bars on stderr; machines read JSON lines on stdout instead."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tqdm import tqdm

from ift.events import (
    Answered,
    Evaluated,
    Judged,
    Preparing,
    Probed,
    Resumed,
    Sampled,
    Saved,
    Stepped,
    Stopped,
    TrainEvent,
    Warned,
    to_json,
)
from ift.plurals import plural
from ift.runs.stop import Stop


def _bar(**options: Any) -> tqdm:
    """A bar for people; in a log file it would only leave hundreds of lines."""
    return tqdm(file=sys.stderr, disable=None, **options)


STOPPED = 3
"""The exit code of a run that was asked to stop."""


@contextmanager
def counting_bar(desc: str, unit: str) -> Iterator[Callable[[int, int], None]]:
    """A bar that appears with the first (so many, of so many); the second is 0 where nobody knows it."""
    bar = None

    def show(done: int, total: int) -> None:
        nonlocal bar
        bar = bar or _bar(total=total or None, unit=unit, unit_scale=True, desc=desc)
        bar.update(done - bar.n)
        if done == total:
            bar.close()

    try:
        yield show
    finally:
        if bar:
            bar.close()


def close_output() -> None:
    """Nobody reads it any more; what is still to be written goes nowhere, and is no error."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(nowhere, stream.fileno())


def show_training(events: Iterator[TrainEvent], *, folder: Path, as_json: bool, stop: Stop) -> int:
    """Show a training's events as they come, then the folder; returns the exit code.

    Where nobody reads any more, as in `… | head`, the training is to `stop`.
    """
    code, show = 0, _Training(as_json=as_json)
    with show.preparing():
        for event in events:
            try:
                show(event)
            except BrokenPipeError:
                close_output()
                stop.ask("nobody reads its output any more")
            if isinstance(event, Stopped):
                code = STOPPED
    if not as_json:
        print(folder)
    return code


class _Training:
    """Bars for rows and steps, a line for what else happens, and each event as JSON if asked to."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._bar: tqdm | None = None
        self._prepared: Callable[[int, int], None] = lambda done, total: None

    @contextmanager
    def preparing(self) -> Iterator[None]:
        with counting_bar("prepare", "row") as self._prepared:
            try:
                yield
            finally:
                if self._bar:
                    self._bar.close()

    def __call__(self, event: TrainEvent) -> None:
        if self._as_json:
            print(to_json(event), flush=True)
        if isinstance(event, Preparing):
            self._prepared(event.done, event.total)
        elif isinstance(event, Stepped):
            self._bar = self._bar or _bar(total=event.total_steps, unit="step")
            self._bar.update(event.step - self._bar.n)
            self._bar.set_postfix_str(f"loss {event.loss:.3f}", refresh=False)
        elif line := _line(event):
            tqdm.write(line, file=sys.stderr)


def _line(event: TrainEvent) -> str:
    match event:
        case Probed():
            batch = f"the largest batch, {plural(event.rows, 'row')} of up to {event.width} tokens, took"
            held = f"{event.peak_bytes / 1e9:.2f} GB, {event.needed_bytes / 1e9:.2f} GB with the optimizer"
            return f"step {event.step}: {batch} {event.batch_time_s:.2f} s and {held}"
        case Evaluated():
            return f"step {event.step}: validation loss {event.loss:.4f} nats"
        case Sampled():
            return f"step {event.step}: {event.instruction!r} → {event.model_response!r}"
        case Saved():
            return f"step {event.step}: saved {event.path}"
        case Resumed():
            return f"step {event.step}: resumes from {event.path}"
        case Warned():
            return f"Warning: {event.message}"
        case Stopped():
            return f"Stopped at step {event.step}: {event.reason}."
        case _:
            return ""


def show_evaluation(events: Iterator[TrainEvent]) -> int:
    """A bar per side, and for the judge; returns the exit code."""
    bar: tqdm | None = None
    shown = None
    for event in events:
        if isinstance(event, Answered | Judged):
            stage = (type(event), event.side)
            if bar is None or stage != shown:
                name = "judge" if isinstance(event, Judged) else str(event.side)
                bar, shown = _bar(total=event.total, unit="record", desc=name), stage
            bar.update(event.done - bar.n)
        if isinstance(event, Stopped):
            return STOPPED
    return 0
