"""What the page keeps in memory: data sets as read, what linters found in them, and at most two models."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from ift.audit.data_report import DataReport
from ift.audit.linter import LintReport, lint
from ift.data.batching import pair_counts, select_trainable
from ift.data.bulk_encoding import encode_all
from ift.data.order import epoch_batches
from ift.data.records import Dataset, split
from ift.data.sources import NAMES, PUBLIC, fetch_public, load_dataset
from ift.data.templates import Template
from ift.errors import DataError
from ift.roles import Role
from playground.tokenized_uploads import is_rows
from playground.uploads import data_options

if TYPE_CHECKING:
    from ift.model.gpt2 import GPT2

MODELS_KEPT = 2
LINTERS_KEPT = 8
ROWS_ESTIMATED = 64


def dataset(name: str, progress: Callable[[int, int], None] | None = None) -> Dataset:
    """A data set by name or path; a file is read again when it has changed.

    `progress` is told (bytes so far, bytes in all or 0) while a public set is downloaded.

    Raises:
        DataError: it can't be used.
        DownloadError: it did not arrive.
    """
    if is_rows(name):
        fix = "Choose a data set on tab 1."
        raise DataError("Rows of another trainer can be looked at, not trained on", where=Path(name).name, fix=fix)
    if progress and name in PUBLIC:
        fetch_public(name, progress=progress)
    return _dataset(name, _stamp(name))


def longest(name: str, template_source: str) -> int:
    """(input, target) pairs of a data set's longest row, uncut.

    Raises:
        InputError: the data set or the template can't be used.
    """
    return _longest(name, _stamp(name), template_source)


def training_order(
    name: str, template_source: str, *, trained: frozenset[Role], max_length: int, seed: int
) -> tuple[int, ...]:
    """The training split's records as a run's first epoch takes them; those without a target are left out there.

    Raises:
        InputError: the data set or the template can't be used.
    """
    return _training_order(name, _stamp(name), template_source, trained, max_length, seed)


def tokens_per_row(name: str, template_source: str) -> float:
    """About how many tokens per row has, from some rows: exact enough to say how much work a run is.

    Raises:
        InputError: the data set or the template can't be used.
    """
    examples = dataset(name).examples
    some = examples[:: max(1, len(examples) // ROWS_ESTIMATED)]
    return sum(map(len, encode_all(some, Template.parse(template_source)))) / len(some)


def _stamp(name: str) -> int:
    path = Path(name)
    return path.stat().st_mtime_ns if name not in NAMES and path.is_file() else 0


@lru_cache(maxsize=4)
def _dataset(name: str, stamp: int) -> Dataset:
    return load_dataset(name, options=data_options(name))


@lru_cache(maxsize=8)
def _longest(name: str, stamp: int, template_source: str) -> int:
    rows = encode_all(_dataset(name, stamp).examples, Template.parse(template_source))
    return int(pair_counts(rows).max())


@lru_cache(maxsize=8)
def _training_order(
    name: str, stamp: int, template_source: str, trained: frozenset[Role], max_length: int, seed: int
) -> tuple[int, ...]:
    examples = _dataset(name, stamp).examples
    records = split(examples).train
    rows = encode_all([examples[i] for i in records], Template.parse(template_source))
    kept = select_trainable(rows, trained=trained, max_length=max_length).trainable
    return tuple(records[kept[i]] for i in next(epoch_batches(len(kept), max(1, len(kept)), seed=seed)))


class _Linting:
    """A linter at work, and its last report."""

    def __init__(self, name: str, template_source: str) -> None:
        self._reports = lint(dataset(name).examples, Template.parse(template_source))
        self._last: LintReport | None = None
        self._lock = threading.Lock()

    def next(self) -> LintReport:
        with self._lock:
            if self._last is None or not self._last.complete:
                self._last = next(self._reports)
            return self._last


class Linters:
    """Linters at work, by data set and template; each goes on where it was, for whoever asks."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, int, str], _Linting] = OrderedDict()
        self._lock = threading.Lock()

    def report(self, name: str, template_source: str) -> LintReport:
        """The next report, on more rows than the one before; the last one again where all rows were looked at.

        Raises:
            InputError: the data set or the template can't be used.
        """
        return self._linting(name, template_source).next()

    def data_report(
        self, name: str, template_source: str, *, trained: frozenset[Role], max_length: int | None
    ) -> DataReport:
        """What a template, a mask and a limit make of a data set; a second look at the same template costs little.

        Raises:
            InputError: the data set or the template can't be used.
        """
        linting = self._linting(name, template_source)
        while not (last := linting.next()).complete:
            pass
        return DataReport(dataset(name), last, trained, max_length)

    def _linting(self, name: str, template_source: str) -> _Linting:
        key = (name, _stamp(name), template_source)
        with self._lock:
            if key not in self._kept:
                self._kept[key] = _Linting(name, template_source)
                while len(self._kept) > LINTERS_KEPT:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(key)
            return self._kept[key]


class Models:
    """Models by name, loaded on first need; the one not asked for longest goes."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str, int], GPT2] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, name: str) -> "GPT2":
        """A model, ready to answer.

        Raises:
            ModelError: it can't be read.
        """
        from ift.model.load_by_name import load_model
        from ift.model.names import find_model

        folder = find_model(name)  # a run's is its last checkpoint, which is another one when it has gone on
        config = Path(folder) / "config.json"
        stamp = config.stat().st_mtime_ns if config.is_file() else 0  # a folder's name may be used again
        key = (name, str(folder), stamp)
        with self._lock:
            if key not in self._kept:
                while len(self._kept) >= MODELS_KEPT:
                    self._kept.popitem(last=False)
                self._kept[key] = load_model(name)
            self._kept.move_to_end(key)
            return self._kept[key]
