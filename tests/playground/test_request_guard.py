"""The guard before the page: no other host's files on our origin, and no body beyond a size."""

import asyncio

import pytest

from playground.request_guard import MAX_BODY_BYTES, Guard

MEBIBYTE = bytes(2**20)


class Page:
    """An ASGI app that reads a request's whole body, counts it and answers 200."""

    def __init__(self):
        self.kinds, self.received, self.cut_off = [], 0, False

    async def __call__(self, scope, receive, send):
        self.kinds.append(scope["type"])
        if scope["type"] != "http":
            return
        more = True
        while more:
            message = await receive()
            self.cut_off = message["type"] == "http.disconnect"
            self.received += len(message.get("body", b""))
            more = message.get("more_body", False)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"the page"})


def request(path="/", *, kind="http", headers=(), chunks=()):
    """What the page saw of a request, and the status it was answered with."""
    page, sent = Page(), []
    messages = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    messages.append({"type": "http.request", "body": b"", "more_body": False})

    async def receive():
        return messages.pop(0)

    async def send(message):
        sent.append(message)

    scope = {"type": kind, "method": "POST", "path": path, "headers": list(headers)}
    asyncio.run(Guard(page)(scope, receive, send))
    return page, next((message["status"] for message in sent if "status" in message), None)


@pytest.mark.parametrize(
    "path",
    [
        "/file=http://example.com/x.html",
        "/file=https://example.com/x.html",
        "/file=HTTPS://example.com/x.html",
        "/file=//example.com/x.html",
        "/file=http:example.com",
        "/file/https://example.com/x.html",
        "/file/http:/example.com",
        "/gradio_api/file=http://example.com/x.html",
        "/gradio_api/file/https://example.com/x.html",
        "/file=ftp://example.com/x",
        "/file=a/file=http://example.com/x.html",
        "/proxy=http://example.com",
        "/proxy=/local",
        "/gradio_api/proxy=https://example.com",
    ],
)
def test_a_path_that_would_fetch_from_elsewhere_is_refused_and_never_reaches_the_page(path):
    page, status = request(path)
    assert (status, page.kinds) == (403, [])


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/gradio_api/file=/tmp/plotly.min.js",
        "/gradio_api/file=C:/page/main.js",
        "/file=assets/web/main.js",
        "/file/assets/web/main.js",
        "/gradio_api/file=/home/file/http.js",
        "/gradio_api/queue/join",
        "/profile/http://example.com",
    ],
)
def test_local_files_and_the_pages_own_addresses_pass(path):
    page, status = request(path)
    assert (status, page.kinds) == (200, ["http"])


@pytest.mark.parametrize("kind", ["websocket", "lifespan"])
def test_what_is_no_request_passes(kind):
    page, _ = request("/proxy=http://example.com", kind=kind)
    assert page.kinds == [kind]


def declared(length):
    return [(b"host", b"x"), (b"content-length", length)]


def test_a_body_that_says_it_is_too_large_is_refused_unread():
    page, status = request(headers=declared(b"%d" % (MAX_BODY_BYTES + 1)))
    assert (status, page.kinds) == (413, [])


@pytest.mark.parametrize("length", [b"%d" % MAX_BODY_BYTES, b"0", b"-1", b"many"])
def test_a_body_of_the_limit_or_of_no_known_size_is_let_in(length):
    assert request(headers=declared(length))[1] == 200


def test_a_body_within_the_limit_arrives_whole():
    page, status = request(chunks=[MEBIBYTE] * (MAX_BODY_BYTES // 2**20))
    assert (status, page.received, page.cut_off) == (200, MAX_BODY_BYTES, False)


@pytest.mark.parametrize("headers", [[], declared(b"10")])
def test_a_body_that_grows_too_large_ends_whatever_it_declared(headers):
    page, _ = request(headers=headers, chunks=[MEBIBYTE] * 70)
    assert (page.received, page.cut_off) == (MAX_BODY_BYTES, True)
