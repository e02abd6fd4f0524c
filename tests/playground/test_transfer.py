"""What a browser keeps, and what is sent compressed."""

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from playground.transfer import FOREVER, WEEK, Transfer, kept


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
