"""What every answer gets on its way out: headers that bind the browser, and no path of the server's disk."""

import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path

from playground.guard.refusals import App, Message, Receive, Scope, Send

_SCRIPTS = "'self' 'unsafe-inline' 'unsafe-eval' blob:"  # Gradio has its page's settings, and our js_on_load, inline
_POLICY = {
    "default-src": "'self'",
    "script-src": _SCRIPTS,
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "media-src": "'self' data: blob:",
    "worker-src": "'self' blob:",
    "connect-src": "'self'",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'self'",
}
SPACE_FRAMES = "https://huggingface.co https://*.hf.space"
"""Who shows a Space's page within its own."""
_TEXTS = (b"application/json", b"text/html", b"text/event-stream", b"text/plain")


def headers(*, on_space: bool) -> list[tuple[bytes, bytes]]:
    """Of every answer: the page asks its own host only, and no other site reads along."""
    frames = f"{_POLICY['frame-ancestors']} {SPACE_FRAMES}" if on_space else _POLICY["frame-ancestors"]
    policy = "; ".join(f"{name} {value}" for name, value in {**_POLICY, "frame-ancestors": frames}.items())
    return [
        (b"content-security-policy", policy.encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"same-origin"),
        (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
    ]


class Paths:
    """Folders of the server, and what is sent in place of their paths."""

    def __init__(self, aliases: Iterable[tuple[Path, str]]) -> None:
        self._aliases: list[tuple[bytes, bytes]] = []
        for folder, alias in sorted(aliases, key=lambda pair: -len(str(pair[0]))):  # what is in another one first
            if len(folder.parts) > 2:  # a short one, /data say, is no secret and stands in people's own texts
                path = str(folder) + os.sep
                spellings = {path, json.dumps(path)[1:-1]}  # backslashes are doubled in JSON
                self._aliases += [(spelling.encode(), alias.encode()) for spelling in spellings]

    def hide(self, text: bytes) -> bytes:
        """The same without the server's own paths."""
        for path, alias in self._aliases:
            if path in text:
                text = text.replace(path, alias)
        return text


READ_BY = "ift.read_by"
"""In a request's scope: who is given its whole answer, before paths are hidden and before the browser has it."""


class Hide:
    """ASGI middleware over Gradio alone: no path goes out; what compresses answers has to stand before it."""

    def __init__(self, app: App, paths: Paths) -> None:
        self._app, self._paths = app, paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        answer = HiddenAnswer(send, self._paths, scope.pop(READ_BY, None))
        await self._app(scope, receive, answer if scope["type"] == "http" else send)


class HiddenAnswer:
    """One request's answer, as text without the server's paths."""

    def __init__(self, send: Send, paths: Paths, read_by: Callable[[bytes], None] | None = None) -> None:
        self._send, self._paths, self._read_by = send, paths, read_by
        self._start: Message | None = None
        self._is_text = False
        self._whole: list[bytes] = []

    async def __call__(self, message: Message) -> None:
        """Pass on a part of an answer; its start waits for its first part, whose length may differ."""
        if message["type"] == "http.response.start":
            self._is_text = dict(message["headers"]).get(b"content-type", b"").startswith(_TEXTS)
            self._start = message
            return
        body = message.get("body", b"")
        if self._read_by:
            self._whole.append(body)
            if not message.get("more_body", False):
                self._read_by(b"".join(self._whole))
        if self._is_text:
            body = self._paths.hide(body)
        if self._start:
            start, self._start = self._start, None
            if self._is_text and not message.get("more_body", False):
                kept = [header for header in start["headers"] if header[0] != b"content-length"]
                start = {**start, "headers": [*kept, (b"content-length", str(len(body)).encode())]}
            await self._send(start)
        await self._send({**message, "body": body})


class Answer:
    """Stands between the guard and the browser, for one request: adds headers, and knows whether it has begun."""

    def __init__(self, send: Send, extra: list[tuple[bytes, bytes]]) -> None:
        self._send, self.extra = send, extra
        self.begun = False

    async def __call__(self, message: Message) -> None:
        """Pass on a part of an answer."""
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], *self.extra]}
            self.begun = True
        await self._send(message)
