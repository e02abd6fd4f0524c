"""Progress bars on stderr; machines read JSON lines on stdout instead."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tqdm import tqdm

from ift.events import (
    Answered,
    Evaluated,
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


def _bar(**options: object) -> tqdm:
    """A bar for people; in a log file it would only leave hundreds of lines."""
    return tqdm(file=sys.stderr, disable=None, **options)


STOPPED = 3
"""The exit code of a run that was asked to stop."""


@contextmanager
def counting_bar(desc: str, unit: str) -> Iterator[Callable[[int, int], None]]:
    """A bar that appears with the first (so many, of so many); the second is 0 where nobody knows it."""
    bar: tqdm | None = None

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


def show_training(events: Iterator[TrainEvent], *, folder: Path, as_json: bool) -> int:
    """Show a training's events as they come, then the folder; returns the exit code."""
    code = 0
    bar: tqdm | None = None
    for event in _preparing(events, as_json=as_json):
        if isinstance(event, Stepped):
            bar = bar or _bar(total=event.total_steps, unit="step")
            bar.update(event.step - bar.n)
            bar.set_postfix_str(f"loss {event.loss:.3f}", refresh=False)
        elif line := _line(event):
            tqdm.write(line, file=sys.stderr)
        if isinstance(event, Stopped):
            code = STOPPED
    if bar:
        bar.close()
    if not as_json:
        print(folder)
    return code


def _preparing(events: Iterator[TrainEvent], *, as_json: bool) -> Iterator[TrainEvent]:
    """Print each as JSON if asked to, and show a bar while records are made rows."""
    with counting_bar("prepare", "row") as progress:
        for event in events:
            if as_json:
                print(to_json(event), flush=True)
            if isinstance(event, Preparing):
                progress(event.done, event.total)
            else:
                yield event


def _line(event: TrainEvent) -> str:
    match event:
        case Probed():
            batch = f"the largest batch, {event.rows} rows of up to {event.width} tokens, took"
            held = f"{event.peak_bytes / 1e9:.2f} GB, {event.needed_bytes / 1e9:.2f} GB with the optimizer"
            return f"step {event.step}: {batch} {event.batch_time_s:.2f} s and {held}"
        case Evaluated():
            return f"step {event.step}: validation loss {event.loss:.4f} nats"
        case Sampled():
            return f"step {event.step}: {event.instruction!r} → {event.model_response!r}"
        case Saved():
            return f"step {event.step}: saved {event.path}"
        case Resumed():
            return f"step {event.step}: goes on from {event.path}"
        case Warned():
            return f"Warning: {event.message}"
        case Stopped():
            return f"Stopped at step {event.step}: {event.reason}."
        case _:
            return ""


def show_evaluation(events: Iterator[TrainEvent]) -> int:
    """A bar a side; returns the exit code."""
    bar: tqdm | None = None
    for event in events:
        if isinstance(event, Answered):
            if event.done == 0:
                bar = _bar(total=event.total, unit="record", desc=event.side)
            bar.update(event.done - bar.n)
        if isinstance(event, Stopped):
            return STOPPED
    return 0
