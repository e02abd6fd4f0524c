"""The batches that pages were last shown: what is asked about one later is asked about these tensors."""

import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass, field

from ift.types import Side
from playground.lens.payload import Shown
from playground.lens.state import View

KEPT = 64


@dataclass(frozen=True, slots=True)
class Kept:
    """A batch on somebody's page.

    view, model, run: what was asked for. shown: the batch; None where there is an error instead. models: by side,
    `before` and, where there is a run, `after`.
    """

    view: View
    model: str | None = None
    run: str | None = None
    shown: Shown | None = None
    models: dict[Side, str] = field(default_factory=dict)


class Recent:
    """By stamp; who does not know a stamp can't ask, since a batch may hold somebody's own rows."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Kept] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, kept: Kept) -> str:
        """Remember a batch, under the stamp that this gives; the oldest goes."""
        stamp = secrets.token_urlsafe(12)
        with self._lock:
            self._kept[stamp] = kept
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return stamp

    def get(self, stamp: object) -> Kept | None:
        """The batch of a stamp, if it is still there."""
        return self._kept.get(stamp) if isinstance(stamp, str) else None
