"""A request's body: read up to a size and a time, parsed strictly, and cleaned of what a handler trips over."""

import asyncio
import json
import math
import time
from collections.abc import Iterator
from json import JSONDecodeError
from typing import Any

from ift.errors import ConfigError
from playground.guard.refusals import Message, Receive, Refused, Scope, over
from playground.settings import Limits

READ_LIMIT_S = 60
"""For a whole body: who sends a byte per second holds a connection no longer."""
UPLOAD_LIMIT_S = 300
FORM_BYTES = 4096
"""What a form has around an uploaded file."""
MOST_DEPTH = 32
MOST_INTEGER = 2**53
"""Beyond it a browser can't tell a whole number from the next one."""


class CountedBody:
    """Passes a body on as it comes, and ends it where it grows beyond a size or a time."""

    def __init__(self, receive: Receive, limits: Limits, name: str, *, limit_s: float = READ_LIMIT_S) -> None:
        self._receive, self._limits, self._name = receive, limits, name
        self._size, self._limit_s = 0, limit_s
        self._until = time.monotonic() + limit_s
        self.refused: Refused | None = None

    async def __call__(self) -> Message:
        """The next part; a disconnect where there was too much, and `refused` says why."""
        if self.refused:
            return {"type": "http.disconnect"}
        try:
            message = await asyncio.wait_for(self._receive(), max(0.001, self._until - time.monotonic()))
            if message["type"] == "http.disconnect":
                raise Refused(400, "The request broke off.")
            self._size += len(message.get("body", b""))
            _require(self._limits, self._name, self._size)
        except TimeoutError:
            self.refused = Refused(408, f"The request took over {self._limit_s} seconds to arrive.")
        except Refused as refused:
            self.refused = refused
        return {"type": "http.disconnect"} if self.refused else message


def require_declared(scope: Scope, limits: Limits, name: str) -> None:
    """Refuse a body that says itself that it is too large, unread.

    Raises:
        Refused: it does.
    """
    value = dict(scope["headers"]).get(b"content-length", b"0")
    _require(limits, name, int(value) if value.isdigit() else 0)


def _require(limits: Limits, name: str, size: int) -> None:
    try:
        limits.require(name, size - (FORM_BYTES if name == "upload_bytes" else 0))
    except ConfigError as problem:
        raise over(problem) from None


async def read(receive: Receive, limits: Limits) -> bytes:
    """A whole body.

    Raises:
        Refused: it is too large, or takes too long.
    """
    counted, parts = CountedBody(receive, limits, "body_bytes"), []
    while True:
        message = await counted()
        if counted.refused:
            raise counted.refused
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


def replay(body: bytes, receive: Receive) -> Receive:
    """A body that was read already, for whoever reads it next."""
    parts = iter(({"type": "http.request", "body": body, "more_body": False},))

    async def replayed() -> Message:
        return next(parts, None) or await receive()

    return replayed


def parse(raw: bytes) -> dict[str, Any]:
    """An object of JSON, with half surrogate pairs replaced.

    Raises:
        Refused: it is something else, nested too deeply, or holds a number that no widget gives.
    """
    try:
        value = json.loads(raw, parse_constant=_no_number, parse_float=_finite, parse_int=_whole)
    except RecursionError:
        raise Refused(400, f"The request is nested more than {MOST_DEPTH} deep.") from None
    except (JSONDecodeError, UnicodeDecodeError):
        raise Refused(400, "The request is not JSON.") from None
    if not isinstance(value, dict):
        raise Refused(400, "The request is not an object of JSON.")
    return _clean(value, 0)


def objects(value: object) -> Iterator[dict[str, Any]]:
    """All objects within a value, itself included."""
    rest = [value]
    while rest:
        one = rest.pop()
        if isinstance(one, dict):
            yield one
            rest.extend(one.values())
        elif isinstance(one, list):
            rest.extend(one)


def _clean(value: Any, depth: int) -> Any:  # noqa: ANN401  whatever JSON holds
    if depth > MOST_DEPTH:
        raise Refused(400, f"The request is nested more than {MOST_DEPTH} deep.")
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, list):
        return [_clean(one, depth + 1) for one in value]
    if isinstance(value, dict):
        return {_clean(name, depth): _clean(one, depth + 1) for name, one in value.items()}
    return value


def _no_number(text: str) -> float:
    raise Refused(400, f"{text} is not a number that can be used: give a finite one.")


def _finite(text: str) -> float:
    value = float(text)
    return value if math.isfinite(value) else _no_number(text[:40])


def _whole(text: str) -> int:
    if len(text) > len(str(-MOST_INTEGER)) or abs(value := int(text)) > MOST_INTEGER:
        raise Refused(400, f"{text[:40]} is over the largest whole number that a page can give, {MOST_INTEGER:,}.")
    return value
