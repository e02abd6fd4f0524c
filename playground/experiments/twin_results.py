"""What the runs of each twin come to, found in a thread of its own: many pairs take longer than a look may."""

import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ift.errors import IftError
from ift.experiments.compare_runs import compare_runs
from ift.experiments.twins import Twin, TwinResult, twin_result
from ift.runs.folder import Run

WAIT_S = 0.3
"""That a look waits for what is not known yet: a few pairs are compared within it."""
KEPT = 256


@dataclass(frozen=True, slots=True)
class Pairs:
    """A twin's whole pairs: per seed the names of its runs, and when each was scored last."""

    one: Twin
    seeds: tuple[int, ...]
    runs: tuple[tuple[str, ...], ...]
    stamps: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, folder: Path, one: Twin, seeds: Sequence[int], runs: Sequence[Sequence[str]]) -> "Pairs":
        """As they are now: one that is scored again is compared again."""
        stamps = tuple(tuple(_scored_at(folder / name) for name in pair) for pair in runs)
        return cls(one, tuple(seeds), tuple(map(tuple, runs)), stamps)


class TwinResults:
    """Those of one server."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[Pairs, TwinResult | None] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def known(self, wanted: Collection[Pairs]) -> Mapping[Pairs, TwinResult | None]:
        """What is known by now; None where a file is damaged, as the list of runs says. The rest comes later."""
        with self._lock:
            missing = [pairs for pairs in wanted if pairs not in self._known]
            if missing and (self._thread is None or not self._thread.is_alive()):
                self._thread = threading.Thread(target=self._find, args=(missing,), daemon=True)
                self._thread.start()
            thread = self._thread
        if missing and thread:
            thread.join(WAIT_S)
        return {pairs: self._known[pairs] for pairs in wanted if pairs in self._known}

    def _find(self, missing: Collection[Pairs]) -> None:
        for pairs in missing:
            try:
                made = [compare_runs([Run(self._folder / name) for name in pair]) for pair in pairs.runs]
                self._known[pairs] = twin_result(pairs.one, pairs.seeds, made)
            except IftError:
                self._known[pairs] = None
            while len(self._known) > KEPT:
                del self._known[next(iter(self._known))]


def _scored_at(path: Path) -> int:
    try:
        return (path / "scores.json").stat().st_mtime_ns
    except OSError:
        return 0
