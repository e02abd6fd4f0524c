"""The door: an ASGI guard in front of every handler of the page.

request ─ address known? ─ same site? ─ whose? ─ body: size, time, depth, numbers, text ─ session, files, values
                                                                                                     │
answer  ←── headers, cookies ←── compressed ←── no path of the server's disk ←── Gradio's handlers ←─┘
"""

import asyncio
import json
import logging
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

import gradio as gr
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from playground.guard import addresses, answers, bodies, cookies, values
from playground.guard.files import Uploads
from playground.guard.refusals import App, Receive, Refused, Scope, Send
from playground.guard.sessions import Sessions
from playground.settings import Settings
from playground.visitors import NOBODY, SCOPE, Visitor

AT_ONCE = 6
"""Requests of one visitor that are worked on at the same time; more wait, and nobody else waits for them."""
MOST_WAITING = 60
_log = logging.getLogger(__name__)


class Guard:
    """One per server.

    settings: its mode and limits. page: Gradio's, whose widgets and sessions requests are checked against. uploads,
    sessions: what the server's housekeeping sweeps.
    """

    def __init__(
        self,
        app: App,
        *,
        settings: Settings,
        page: gr.Blocks,
        uploads: Uploads,
        sessions: Sessions,
    ) -> None:
        self._app, self._settings, self._page = app, settings, page
        self._uploads, self._sessions = uploads, sessions
        self._headers = answers.headers(on_space=settings.on_space)
        self._turns: defaultdict[str, Turns] = defaultdict(Turns)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)
        else:  # the page uses no web socket
            await send({"type": "websocket.close", "code": 1008})

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = answers.Answer(send, list(self._headers))
        try:
            path = self._path(scope)
            _require_same_site(scope)
            visitor, arrival = self._visitor(scope, path, answer)
            if arrival:
                await arrival(scope, receive, answer)
                return
            scope[SCOPE] = visitor
            async with self._admitted(scope, path, receive, visitor) as checked:
                await self._app(scope, checked, answer)
        except Refused as refused:
            await _say(refused.response(), scope, receive, answer)
        except Exception as error:  # one line: what a stranger sends fills no log
            at = error.__traceback__
            while at and at.tb_next:
                at = at.tb_next
            place = f"{at.tb_frame.f_code.co_filename}:{at.tb_lineno}" if at else "?"
            _log.error("%s %s: %s: %s (%s)", scope["method"], scope["path"][:80], type(error).__name__, error, place)
            await _say(PlainTextResponse("This did not work.", 500), scope, receive, answer)

    def _path(self, scope: Scope) -> str:
        path = addresses.normal(scope["path"].removeprefix(scope.get("root_path", "")))
        addresses.require_known(scope["method"], path, is_shared=self._settings.is_shared)
        return path

    def _visitor(self, scope: Scope, path: str, answer: answers.Answer) -> tuple[Visitor, Response | None]:
        """Who asks; with a response where the address held a key, which goes out of it."""
        if not self._settings.is_shared:
            return NOBODY, None
        visitor = cookies.read(scope)
        if path == "/":
            self._sessions.require_room()
            visitor, headers, moved = cookies.arrive(scope, visitor, self._settings)
            answer.extra += [(b"set-cookie", one) for one in headers]
            return visitor, RedirectResponse(scope.get("root_path", "") + "/", 303) if moved else None
        if not visitor.key and not path.startswith(addresses.FREE):
            raise Refused(403, "This page knows its visitors by a cookie: allow it, and load the page again.")
        return visitor, None

    @asynccontextmanager
    async def _admitted(self, scope: Scope, path: str, receive: Receive, visitor: Visitor) -> AsyncIterator[Receive]:
        """The body, checked, while the request has its turn."""
        limits = self._settings.limits
        if path in addresses.JSON:
            bodies.require_declared(scope, limits, "body_bytes")
            body = self._checked(path, bodies.parse(await bodies.read(receive, limits)), visitor)
            async with self._turn(visitor):
                yield bodies.replay(json.dumps(body).encode(), receive)
        elif path == addresses.UPLOAD:
            bodies.require_declared(scope, limits, "upload_bytes")
            async with self._turn(visitor):
                counted = bodies.CountedBody(receive, limits, "upload_bytes", limit_s=bodies.UPLOAD_LIMIT_S)
                # before the browser has the answer, as it asks for the file at once
                scope[answers.READ_BY] = partial(self._uploads.add, visitor=visitor.key)
                try:
                    yield counted
                except Exception as error:
                    if counted.refused:  # whoever read it was told that the browser has gone
                        raise counted.refused from None
                    if isinstance(error, TypeError | ValueError | LookupError):  # what Gradio trips over in a form
                        raise Refused(400, "The request is no form with a file in it.") from None
                    raise
        elif found := addresses.HEARTBEAT.fullmatch(path):
            with self._sessions.enter(found[1], visitor.key).connected():
                yield receive
        else:
            self._check_other(scope, path, visitor)
            yield receive

    @asynccontextmanager
    async def _turn(self, visitor: Visitor) -> AsyncIterator[None]:
        turns = self._turns[visitor.key]
        try:
            async with turns.taken():
                yield
        finally:
            if turns.is_idle:
                self._turns.pop(visitor.key, None)

    def _checked(self, path: str, body: dict[str, Any], visitor: Visitor) -> dict[str, Any]:
        self._sessions.enter(body.get("session_hash"), visitor.key)
        self._uploads.check(body, visitor.key)
        if path in (f"{addresses.API}/queue/join", f"{addresses.API}/run/predict"):
            values.check_event(self._page, body)
        elif path == addresses.QUESTION:
            values.check_question(self._page, body)
        return body

    def _check_other(self, scope: Scope, path: str, visitor: Visitor) -> None:
        if path == addresses.STREAM:
            asked = parse_qs(scope["query_string"].decode("latin-1"))
            self._sessions.enter(asked.get("session_hash", [""])[0], visitor.key)
        elif found := addresses.FILE.fullmatch(path):
            name = self._uploads.path(found[1], visitor.key)
            scope["path"] = f"{addresses.API}/file={name}"
            scope["raw_path"] = scope["path"].encode()


class Turns:
    """One visitor's requests: some at once, the others wait in line, and beyond that they are refused."""

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[None]:
        """While a request has its turn.

        Raises:
            Refused: too many wait already.
        """
        if self._waiting >= MOST_WAITING:
            raise Refused(429, f"Over {MOST_WAITING} requests of yours wait already: let some be answered first.")
        self._waiting += 1
        try:
            async with self._free:
                yield
        finally:
            self._waiting -= 1

    @property
    def is_idle(self) -> bool:
        """Whether there is no request."""
        return not self._waiting


def _require_same_site(scope: Scope) -> None:
    """Refuse what another site's page makes a browser send.

    Raises:
        Refused: it does.
    """
    if scope["method"] in ("GET", "HEAD"):
        return
    headers = dict(scope["headers"])
    site = headers.get(b"sec-fetch-site", b"").decode("latin-1")
    origin = headers.get(b"origin", b"").decode("latin-1")
    hosts = {headers.get(name, b"").decode("latin-1").split(",")[0].strip() for name in (b"host", b"x-forwarded-host")}
    is_foreign = site == "cross-site" if site else bool(origin) and urlsplit(origin).netloc not in hosts - {""}
    if is_foreign:
        raise Refused(403, "Another site's page sent this request.")


async def _say(response: Response, scope: Scope, receive: Receive, answer: answers.Answer) -> None:
    if answer.begun:  # too late for another answer
        with suppress(RuntimeError):
            await answer({"type": "http.response.body", "body": b"", "more_body": False})
        return
    await response(scope, receive, answer)
