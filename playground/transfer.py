"""What need not be made or fetched again: the page's text, compressed, and what never changes kept by the browser."""

import re
from collections import OrderedDict

from starlette.datastructures import MutableHeaders
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

FOREVER = "public, max-age=31536000, immutable"
WEEK = "public, max-age=604800"
PAGES_KEPT = 16
"""Addresses that the page is known under: whoever sends another one makes it anew, a tenth of a second's work."""
QUICK = 4
"""Of zlib's levels, for what is sent once."""
_MAKES = {b"host", b"x-forwarded-host", b"x-forwarded-proto"}
_NAMED_BY_CONTENT = re.compile(r"/assets/[^/]+-[\w-]{8}\w*\.(?:js|css|woff2?)$")


def kept(path: str, query: bytes) -> str | None:
    """For how long a browser may keep what is under an address; None: as its answer says.

    Gradio's own modules have their content's hash in their names, its theme in the query.
    """
    if _NAMED_BY_CONTENT.search(path) or (path.endswith("/theme.css") and b"v=" in query):
        return FOREVER
    return WEEK if "/static/" in path else None


class Page:
    """ASGI middleware that makes the page once per address and keeps it: Gradio copies all its settings each time.

    What the page is made from is what it is kept under: no other header of the request reaches Gradio, so that nobody
    gets a page which somebody else's request has changed.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = GZipMiddleware(app)
        self._kept: OrderedDict[object, list[Message]] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request for the page, whatever its query says."""
        headers = [(name, value) for name, value in scope["headers"] if name in _MAKES]
        if any(name == b"accept-encoding" and b"gzip" in value for name, value in scope["headers"]):
            headers.append((b"accept-encoding", b"gzip"))
        key = (scope["method"], scope["scheme"], scope["path"], scope.get("root_path"), *headers)
        if key not in self._kept:
            asked, said = {**scope, "headers": headers, "query_string": b""}, []

            async def keep(message: Message) -> None:
                said.append(message)

            await self._app(asked, receive, keep)
            if said[0].get("status") == 200:
                self._kept[key] = said
                while len(self._kept) > PAGES_KEPT:
                    self._kept.popitem(last=False)
        else:
            said = self._kept[key]
            self._kept.move_to_end(key)
        for message in said:
            await send(dict(message))


class Transfer:
    """ASGI middleware over Gradio's answers, which come without either."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.page = Page(app)
        self.compressed = GZipMiddleware(app, compresslevel=QUICK)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = str(scope["path"])
        caching = kept(path, scope.get("query_string", b""))

        async def send_with_header(message: Message) -> None:
            if caching and message["type"] == "http.response.start" and message["status"] == 200:
                MutableHeaders(scope=message)["Cache-Control"] = caching
            await send(message)

        is_page = path == f"{scope.get('root_path', '')}/" and scope["method"] in ("GET", "HEAD")
        plain = self.compressed if path.endswith("/") else self.app  # never a stream of events: it would be held back
        await (self.page if is_page else plain)(scope, receive, send_with_header)
