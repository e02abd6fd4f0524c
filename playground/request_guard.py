"""An ASGI guard before Gradio: refuses to fetch other hosts' pages for a visitor, and bodies beyond a size."""

from collections.abc import Awaitable, Callable, MutableMapping

from starlette.responses import PlainTextResponse

MAX_BODY_BYTES = 64 * 2**20

Scope = MutableMapping[str, object]
Call = Callable[..., Awaitable]


class Guard:
    """`/file=<url>` and `/proxy=<url>` would serve a stranger's page on our origin: only local paths pass."""

    def __init__(self, app: Call) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Call, send: Call) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif _fetches_elsewhere(str(scope["path"])):
            await PlainTextResponse("Other hosts are not served here.", 403)(scope, receive, send)
        elif _declared_size(scope) > MAX_BODY_BYTES:
            await PlainTextResponse("The request is too large.", 413)(scope, receive, send)
        else:
            await self.app(scope, _Counted(receive), send)


class _Counted:
    """Ends a body that turns out longer than it may be, also where no length was declared."""

    def __init__(self, receive: Call) -> None:
        self.receive, self.size = receive, 0

    async def __call__(self) -> MutableMapping:
        message = await self.receive()
        self.size += len(message.get("body", b""))
        return {"type": "http.disconnect"} if self.size > MAX_BODY_BYTES else message


def _fetches_elsewhere(path: str) -> bool:
    for mark in ("/file=", "/file/", "/proxy="):
        _, found, rest = path.partition(mark)
        if found and (mark == "/proxy=" or "://" in rest or rest.startswith(("http:", "https:", "//"))):
            return True
    return False


def _declared_size(scope: Scope) -> int:
    value = dict(scope["headers"]).get(b"content-length", b"0")
    return int(value) if value.isdigit() else 0
