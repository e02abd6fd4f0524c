"""What a second visit need not fetch again: the page's text compressed, and what never changes kept by the browser."""

import re

from starlette.datastructures import MutableHeaders
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

FOREVER = "public, max-age=31536000, immutable"
WEEK = "public, max-age=604800"
_NAMED_BY_CONTENT = re.compile(r"/assets/[^/]+-[\w-]{8}\w*\.(?:js|css|woff2?)$")


def kept(path: str, query: bytes) -> str | None:
    """For how long a browser may keep what is under an address; None: as its answer says.

    Gradio's own modules have their content's hash in their names, its theme in the query.
    """
    if _NAMED_BY_CONTENT.search(path) or (path.endswith("/theme.css") and b"v=" in query):
        return FOREVER
    return WEEK if "/static/" in path else None


class Transfer:
    """ASGI middleware over Gradio's answers, which come without either."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.compressed = GZipMiddleware(app)

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

        page = self.compressed if path.endswith("/") else self.app  # never a stream of events: it would be held back
        await page(scope, receive, send_with_header)
