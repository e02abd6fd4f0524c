"""Who asks: the key that a visitor's browser keeps, read from its cookie by the guard before every request.

Handlers run in threads of Gradio's; it keeps the request that they answer in a context variable. So nobody has to pass
the visitor on, and no handler can forget to ask who it is.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from gradio.context import LocalContext

KEY_BYTES = 16
SCOPE = "ift.visitor"
"""Where the guard leaves the visitor in a request's scope."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """key: of the browser; empty where it sent none. shared: keys of runs that others shared with it, newest first."""

    key: str = ""
    shared: tuple[str, ...] = ()


NOBODY = Visitor()
_acting: ContextVar[Visitor | None] = ContextVar("acting", default=None)


def new_key() -> str:
    """128 random bits: nobody guesses one."""
    return secrets.token_urlsafe(KEY_BYTES)


def current() -> Visitor:
    """Whose request is being answered; `NOBODY` where none is."""
    acting = _acting.get()
    if acting is not None:
        return acting
    request = LocalContext.request.get(None)
    request = getattr(request, "request", request)  # Gradio's own wraps the server's
    return request.scope.get(SCOPE, NOBODY) if request is not None else NOBODY


@contextmanager
def acting_as(visitor: Visitor) -> Iterator[None]:
    """Do something for a visitor who does not ask just now: one whose turn has come, say."""
    token = _acting.set(visitor)
    try:
        yield
    finally:
        _acting.reset(token)
