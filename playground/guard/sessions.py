"""Gradio's sessions: an open page each. Whose it is, how many there are, and what goes when one is closed."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import gradio as gr

from playground.guard.refusals import NOT_THERE, Refused, over
from playground.settings import Limits

CLOSED_KEPT_S = 600
"""A page that lost its connection comes back within it and finds its state."""
MOST_CLOSED = 1_000
"""Closed pages that wait for their return: about half a megabyte each; a public page keeps as many as may be open."""
QUIET_S = 120
"""A page that has not opened its connection by then never will."""
_NAME = re.compile(r"[\w-]{1,64}", re.ASCII)


@dataclass(slots=True)
class Session:
    """visitor: whose. connections: heartbeats that are open. used: when it last asked, by `time.monotonic`.

    is_closed: it had a connection, and has none any more.
    """

    visitor: str
    connections: int = 0
    used: float = field(default_factory=time.monotonic)
    is_closed: bool = False

    @contextmanager
    def connected(self) -> Iterator[None]:
        """While one of its heartbeats is open."""
        self.connections += 1
        self.is_closed = False
        try:
            yield
        finally:
            self.connections -= 1
            self.is_closed = not self.connections
            self.used = time.monotonic()


class Sessions:
    """By the name that the browser gives a session: a stranger who knows it finds nothing there."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._sessions: dict[str, Session] = {}

    def enter(self, name: object, visitor: str) -> Session:
        """The session that a request belongs to; a new one is the visitor's from now on.

        Raises:
            Refused: it is somebody else's, or too many pages are open.
        """
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise Refused(400, "The request belongs to no session of the page.")
        found = self._sessions.get(name)
        if found is None:
            self.require_room()
            found = self._sessions[name] = Session(visitor)
        if found.visitor != visitor:
            raise Refused(404, NOT_THERE)
        found.used = time.monotonic()
        return found

    def require_room(self) -> None:
        """Whether one more page can be open.

        Raises:
            Refused: it can't.
        """
        try:
            self._limits.require("sessions", 1 + sum(self._is_open(one) for one in list(self._sessions.values())))
        except Exception as problem:
            raise over(problem, 503) from None

    def sweep(self, page: gr.Blocks) -> None:
        """Give back what Gradio holds for pages that were closed a while ago, or before many others."""
        closed = [pair for pair in list(self._sessions.items()) if not self._is_open(pair[1])]
        closed.sort(key=lambda pair: pair[1].used)
        beyond = len(closed) - min(self._limits.sessions, MOST_CLOSED)
        for place, (name, one) in enumerate(closed):
            if place < beyond or time.monotonic() - one.used > CLOSED_KEPT_S:
                self._sessions.pop(name, None)
                forget(page, name)

    @property
    def visitors(self) -> set[str]:
        """Who has a page, or had one a while ago."""
        return {one.visitor for one in list(self._sessions.values())}

    @staticmethod
    def _is_open(session: Session) -> bool:
        if session.connections:
            return True
        return not session.is_closed and time.monotonic() - session.used < QUIET_S


def forget(page: gr.Blocks, name: str) -> None:
    """What Gradio keeps for a session: a copy of every widget's settings, and its queue."""
    page.state_holder.session_data.pop(name, None)
    page.state_holder.time_last_used.pop(name, None)
    page._queue.pending_messages_per_session.pop(name, None)
    page._queue.pending_event_ids_session.pop(name, None)
