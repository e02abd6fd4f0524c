"""The batches that pages were last shown: what is asked about one later is asked about these tensors."""

import secrets
import threading
from collections import OrderedDict
from collections.abc import Mapping, Set
from dataclasses import dataclass, field

from ift.types import Example, Side
from playground.lens.payload import Shown
from playground.lens.state import View

KEPT = 16
"""Batches of one visitor: pages open at once, and answers still under way."""
CHARACTERS_PER_CELL = 8
"""A cell of a batch takes about 30 bytes, a character up to 4."""
KEPT_CELLS = 16_000_000
"""Cells of all batches together: about half a gigabyte, or 500 visitors with the largest batches."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A batch on somebody's page.

    view, model, run: what was asked for. visitor: the key of the browser. chosen: the data set's records in it by
    position, for a batch that differs in its template alone; None where they have yet to be chosen, or follow from
    the template. shown: the batch; None where there is an error instead. models: by side, `before` and, where there
    is a run, `after`.
    """

    view: View
    model: str | None = None
    run: str | None = None
    visitor: str = ""
    chosen: Mapping[int, Example] | None = None
    shown: Shown | None = None
    models: dict[Side, str] = field(default_factory=dict)

    @property
    def cells(self) -> int:
        """What it takes: cells of its batch, and what its texts weigh in cells: a refused template is kept, too."""
        texts = sum(map(len, self.view.texts))
        return 1 + texts // CHARACTERS_PER_CELL + (self.shown.batch.inputs.size if self.shown else 0)


class Recent:
    """By stamp; only the visitor whom it was drawn for can ask, since a batch may hold somebody's own rows.

    Each visitor has room of their own: others' redraws do not push a quiet visitor's batch out, unless there is no
    room at all any more; then it is that of the visitor who has not asked for longest.
    """

    def __init__(self, *, cells: int = KEPT_CELLS) -> None:
        self._most = cells
        self._cells = 0
        self._visitors: OrderedDict[str, OrderedDict[str, Kept]] = OrderedDict()
        self._owners: dict[str, str] = {}
        self._lock = threading.Lock()

    def keep(self, kept: Kept) -> str:
        """Remember a batch, under the stamp that this gives; the visitor's oldest goes."""
        stamp = secrets.token_urlsafe(12)
        with self._lock:
            own = self._visitors.setdefault(kept.visitor, OrderedDict())
            own[stamp] = kept
            self._owners[stamp] = kept.visitor
            self._cells += kept.cells
            self._visitors.move_to_end(kept.visitor)
            if len(own) > KEPT:
                self._drop(kept.visitor)
            while self._cells > self._most and len(self._owners) > 1:
                self._drop(next(iter(self._visitors)))
        return stamp

    def get(self, stamp: object, asked_by: str = "") -> Kept | None:
        """The batch of a stamp, if it is still there and was drawn for who asks; asking keeps it."""
        with self._lock:
            visitor = self._owners.get(stamp) if isinstance(stamp, str) else None
            if visitor is None or visitor != asked_by:
                return None
            self._visitors.move_to_end(visitor)
            self._visitors[visitor].move_to_end(stamp)
            return self._visitors[visitor][stamp]

    def keep_only(self, visitors: Set[str]) -> None:
        """Forget the batches of all others: they have no page open any more."""
        with self._lock:
            for gone in self._visitors.keys() - visitors:
                while gone in self._visitors:
                    self._drop(gone)

    def _drop(self, visitor: str) -> None:
        stamp, kept = self._visitors[visitor].popitem(last=False)
        del self._owners[stamp]
        self._cells -= kept.cells
        if not self._visitors[visitor]:
            del self._visitors[visitor]
