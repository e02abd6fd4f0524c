"""Runs' answers as they were read last: the page asks for them at every click, and the files hardly ever change."""

import threading
from collections import OrderedDict
from pathlib import Path

from ift.runs.folder import Run
from ift.types import Side
from playground.answers.table import Row, rows_of

KEPT = 4


class AnsweredRuns:
    """The rows of the runs that were asked for last, read again when a file has changed."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[str, tuple[Row, ...]]] = OrderedDict()
        self._lock = threading.Lock()

    def rows(self, run: Run) -> tuple[Row, ...]:
        """A row for each held-out record that either model has answered.

        Raises:
            RunError: a file is damaged.
        """
        stamp = stamp_of(run)
        with self._lock:
            kept = self._kept.get(str(run.path))
            if kept is None or kept[0] != stamp:
                kept = stamp, rows_of(run.answers(Side.BEFORE), run.answers(Side.AFTER))
                self._kept[str(run.path)] = kept
            self._kept.move_to_end(str(run.path))
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
            return kept[1]


def stamp_of(run: Run) -> str:
    """Another text whenever there are other answers or scores."""
    return " ".join(_stamp(run.path / name) for name in ("before.jsonl", "after.jsonl", "scores.json"))


def _stamp(path: Path) -> str:
    try:
        found = path.stat()
    except OSError:
        return "none"
    return f"{found.st_mtime_ns}-{found.st_size}"


def answered_models(run: Run) -> dict[Side, str]:
    """The two models whose answers these are: the checkpoint that was scored, where it is known.

    Raises:
        RunError: it is gone.
    """
    plan = run.answer_files.plan
    step = plan.sides[Side.AFTER].model.removeprefix("step-") if plan else ""
    return run.models_at(int(step) if step.isdecimal() else None)
