"""What the page keeps in memory: data sets as read, their reports, and at most two models."""

import threading
from collections import OrderedDict
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from ift.data import Dataset
from ift.report import Report, inspect
from ift.sources import NAMES, load_dataset
from ift.templates import Template

if TYPE_CHECKING:
    from ift.model import GPT2

MODELS_KEPT = 2


def dataset(name: str) -> Dataset:
    """A data set by name or path; a file is read again when it has changed.

    Raises:
        DataError: it can't be used.
        DownloadError: it did not arrive.
    """
    path = Path(name)
    stamp = path.stat().st_mtime_ns if name not in NAMES and path.is_file() else 0
    return _dataset(name, stamp)


@lru_cache(maxsize=4)
def _dataset(name: str, stamp: int) -> Dataset:
    return load_dataset(name)


@lru_cache(maxsize=8)
def report(data: Dataset, template_source: str, max_length: int | None) -> Report:
    """What a template makes of a data set."""
    return inspect(data, Template.parse(template_source), max_length=max_length)


class Models:
    """Models by name, loaded on first need; the one not asked for longest goes."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, GPT2] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, name: str) -> "GPT2":
        """A model, ready to answer.

        Raises:
            ModelError: it can't be read.
        """
        from ift.models import load_model

        with self._lock:
            if name not in self._kept:
                while len(self._kept) >= MODELS_KEPT:
                    self._kept.popitem(last=False)
                self._kept[name] = load_model(name)
            self._kept.move_to_end(name)
            return self._kept[name]
