"""What a browser keeps, and what is sent compressed."""

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from playground.transfer import FOREVER, PAGES_KEPT, WEEK, Transfer, kept


@pytest.mark.parametrize(
    ("path", "query", "expected"),
    [
        ("/assets/Index-D2NsWjQM.js", b"", FOREVER),
        ("/assets/__vite-browser-external-m1muKBtr.js", b"", FOREVER),
        ("/a/proxy/assets/Index-DrCM5gzc.css", b"", FOREVER),
        ("/theme.css", b"v=9a89", FOREVER),
        ("/theme.css", b"", None),
        ("/static/fonts/IBMPlexSans/IBMPlexSans-Bold.woff2", b"", WEEK),
        ("/", b"", None),
        ("/gradio_api/queue/data", b"", None),
        ("/assets/plain.js", b"", None),
    ],
)
def test_only_what_never_changes_under_its_address_is_kept(path, query, expected):
    assert kept(path, query) == expected


def test_the_page_is_compressed_and_a_failure_is_not_kept():
    async def page(request):
        return PlainTextResponse("x" * 5000)

    async def missing(request):
        return PlainTextResponse("", 404)

    routes = [Route("/", page), Route("/assets/Index-D2NsWjQM.js", missing), Route("/gradio_api/data", page)]
    client = TestClient(Transfer(Starlette(routes=routes)))
    assert client.get("/").headers["content-encoding"] == "gzip"
    assert "content-encoding" not in client.get("/gradio_api/data").headers
    assert "cache-control" not in client.get("/assets/Index-D2NsWjQM.js").headers


def test_the_page_is_made_once_for_each_address_and_nobodys_other_headers_are_in_it():
    made = []

    async def page(request):
        made.append(request.headers)
        return PlainTextResponse("\n".join(f"{name}: {value}" for name, value in request.headers.items()) + "x" * 5000)

    client = TestClient(Transfer(Starlette(routes=[Route("/", page)])))
    first = client.get("/?shared=a", headers={"x-gradio-server": "http://evil.example", "cookie": "a=b", "x-id": "1"})
    assert first.text.split("x", 1)[0] == "host: testserver\naccept-encoding: gzip"
    assert client.get("/", headers={"x-id": "2"}).content == first.content
    assert len(made) == 1
    for header in ("host", "x-forwarded-host", "x-forwarded-proto"):
        assert "evil.example" in client.get("/", headers={header: "evil.example"}).text
    assert client.get("/").content == first.content
    assert len(made) == 4
    plain = client.get("/", headers={"accept-encoding": "identity"})
    assert (plain.headers.get("content-encoding"), len(made)) == (None, 5)


def test_no_more_pages_are_kept_than_have_room_and_a_failure_is_none():
    made = []

    async def page(request):
        made.append(request.headers["host"])
        return PlainTextResponse("", 404 if request.headers["host"] == "bad" else 200)

    client = TestClient(Transfer(Starlette(routes=[Route("/", page)])))
    for host in ("bad", "bad", *map(str, range(PAGES_KEPT)), "0", "more", "0", "1"):
        client.get("/", headers={"host": host})
    assert made == ["bad", "bad", *map(str, range(PAGES_KEPT)), "more", "1"]
