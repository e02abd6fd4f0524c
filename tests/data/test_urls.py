"""Data files at an address: downloaded once and resumed, against a server on 127.0.0.1."""

import gzip
import hashlib
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest

from ift.data.sources import Source, downloads, fetch, load_dataset
from ift.data.sources.downloads import content_length
from ift.data.sources.urls import fetch_url
from ift.errors import DownloadError
from ift.paths import cache_dir
from tests.helpers import Reply, closed_port, serving

BODY = "".join(json.dumps({"prompt": f"q{n}", "completion": "a" * 500}) + "\n" for n in range(400)).encode()


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("IFT_CACHE", str(tmp_path / "cache"))


@contextmanager
def resuming(body, *, tag='"1"', breaks_at=None):
    """A server that knows ranges; its first answer ends at `breaks_at`. Gives the address and the ranges asked for."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            wanted = self.headers.get("Range")
            asked.append(wanted)
            start = int(wanted[6:-1]) if wanted and self.headers.get("If-Range") == tag else 0
            if start >= len(body):
                self.send_error(416)
                return
            self.send_response(206 if start else 200)
            self.send_header("ETag", tag)
            self.send_header("Content-Length", str(len(body) - start))
            self.end_headers()
            self.wfile.write(body[start : breaks_at if len(asked) == 1 else None])
            self.close_connection = True

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/data/mine.jsonl", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_an_address_is_a_data_set_which_is_downloaded_once():
    with serving({"/a/mine.jsonl?x=1": Reply(BODY)}) as (address, seen):
        sets = [load_dataset(f"{address}/a/mine.jsonl?x=1") for _ in range(2)]
    assert [(one.name, len(one), one.reading.layout) for one in sets] == [("mine.jsonl", 400, "prompt-completion")] * 2
    assert len(seen) == 1


def test_a_download_that_broke_off_is_resumed():
    shown = []
    with resuming(BODY, breaks_at=100_000) as (url, asked):
        with pytest.raises(DownloadError, match="broke off"):
            fetch_url(url)
        path = fetch_url(url, progress=lambda *counts: shown.append(counts))
    assert path.read_bytes() == BODY
    assert asked == [None, "bytes=65536-"]
    assert shown[0][0] > 65_536
    assert shown[-1] == (len(BODY), len(BODY))


def test_a_public_set_is_resumed_too_and_other_bytes_are_not_kept(tmp_path):
    def set_at(url, of):
        return Source("x", 1, "", url, hashlib.sha256(of).hexdigest())

    body = b"[" + BODY
    with resuming(body, breaks_at=100_000) as (url, asked):
        with pytest.raises(DownloadError, match="broke off"):
            fetch(set_at(url, body), tmp_path / "x.json")
        assert fetch(set_at(url, body), tmp_path / "x.json").read_bytes() == body
        with pytest.raises(DownloadError, match="sha256 differs"):
            fetch(set_at(url, BODY), tmp_path / "x.json")
        assert (tmp_path / "x.json").read_bytes() == body
    assert asked == [None, "bytes=65536-", None]
    assert list(tmp_path.glob(".*.part")) == []


@pytest.mark.parametrize("name", ["x" * 300, ".hidden"])
def test_a_file_may_have_any_name(name):
    with serving({f"/{name}": Reply(BODY)}) as (address, _):
        assert fetch_url(f"{address}/{name}").read_bytes() == BODY


def test_a_file_that_changed_meanwhile_is_downloaded_from_its_beginning(tmp_path):
    with resuming(BODY, breaks_at=100_000) as (url, _), pytest.raises(DownloadError):
        fetch_url(url)
    (part,) = (tmp_path / "cache").rglob("*.part")
    part.with_suffix(".etag").write_text('"0"', encoding="utf-8")
    with resuming(BODY) as (other, asked):
        part.parent.rename(part.parent.with_name(hashlib.sha256(other.encode()).hexdigest()[:16]))
        assert fetch_url(other).read_bytes() == BODY
    assert asked == ["bytes=65536-"]


def test_a_download_that_ended_before_it_got_its_name_is_no_trap(tmp_path):
    with resuming(BODY) as (url, asked):
        fetch_url(url).rename(tmp_path / "kept")
        folder = next((tmp_path / "cache" / "urls").iterdir())
        (folder / ".mine.jsonl.part").write_bytes(BODY)
        (folder / ".mine.jsonl.etag").write_text('"1"', encoding="utf-8")
        assert fetch_url(url).read_bytes() == BODY
    assert asked == [None, f"bytes={len(BODY)}-", None]


def test_redirects_are_followed_but_not_forever_and_not_to_other_schemes():
    def to(place):
        return Reply(status=302, headers={"Location": place})

    replies = {"/a": to("/b"), "/b": Reply(BODY), "/round": to("/round"), "/file": to("file:///etc/passwd")}
    with serving(replies) as (address, _):
        assert fetch_url(f"{address}/a").read_bytes() == BODY
        with pytest.raises(DownloadError, match="more than 5 times"):
            fetch_url(f"{address}/round")
        with pytest.raises(DownloadError, match="something else than a web server"):
            fetch_url(f"{address}/file")


def test_no_redirect_leads_from_a_public_host_into_a_private_network(monkeypatch):
    with serving({"/a": Reply(status=302, headers={"Location": "/b"}), "/b": Reply(BODY)}) as (address, seen):
        monkeypatch.setattr(downloads, "_is_public", lambda url: url.endswith("/a"))
        with pytest.raises(DownloadError, match="into a private network"):
            fetch_url(f"{address}/a")
    assert seen == [("GET", "/a")]


@pytest.mark.parametrize(
    ("host", "public"),
    [("127.0.0.1", False), ("10.0.0.1", False), ("100.100.100.200", False), ("[2001:4860:4860::8888]", True)],
)
def test_which_hosts_are_public(host, public):
    assert downloads._is_public(f"http://{host}/x") is public


def test_a_web_page_is_not_kept(tmp_path):
    with serving({"/a": Reply(b"<!doctype html>")}) as (address, seen):
        for _ in range(2):
            with pytest.raises(DownloadError, match="A web page came"):
                fetch_url(f"{address}/a")
    assert len(seen) == 2


def test_what_a_server_refuses_is_reported_by_its_number():
    with serving({}) as (address, _), pytest.raises(DownloadError, match="The server answered 404"):
        fetch_url(f"{address}/a")


def test_a_server_that_is_not_there_is_reported():
    with pytest.raises(DownloadError, match="can't be reached"):
        fetch_url(f"{closed_port()}/a")


def test_a_file_that_is_too_large_is_not_downloaded(monkeypatch):
    monkeypatch.setattr(downloads, "MAX_BYTES", 10)
    with serving({"/a": Reply(BODY)}) as (address, _), pytest.raises(DownloadError, match="more than 0"):
        fetch_url(f"{address}/a")


def packed(body):
    return Reply(gzip.compress(body, 9), headers={"Content-Encoding": "gzip"})


def test_a_file_that_is_packed_on_the_way_is_not_unpacked():
    with serving({"/x.jsonl": packed(bytes(10**8))}) as (address, _):
        with pytest.raises(DownloadError, match="packs the file on the way"):
            fetch_url(f"{address}/x.jsonl")
        with pytest.raises(DownloadError, match="packs the file on the way"):
            fetch(Source("x", 1, "", f"{address}/x.jsonl"), cache_dir() / "x.json")


def test_a_download_that_drips_ends_at_the_whole_limit(monkeypatch):
    monkeypatch.setattr(downloads, "WHOLE_LIMIT_S", 0)
    with serving({"/x.jsonl": Reply(BODY)}) as (address, _):
        with pytest.raises(DownloadError, match="takes over 0 seconds"):
            fetch_url(f"{address}/x.jsonl")
        with pytest.raises(DownloadError, match="takes over 0 seconds"):
            fetch(Source("x", 1, "", f"{address}/x.jsonl"), cache_dir() / "x.json")


def test_a_public_set_has_a_largest_size_too(monkeypatch):
    monkeypatch.setattr(downloads, "MAX_BYTES", 1_000)
    with serving({"/x.json": Reply(BODY)}) as (address, _), pytest.raises(DownloadError, match="more than"):
        fetch(Source("x", 1, "", f"{address}/x.json"), cache_dir() / "x.json")


@pytest.mark.parametrize("said", ["abc", "-5", "1e3", "9" * 400, "\u0662", ""])
def test_a_length_that_is_no_number_is_none(said):
    assert content_length(SimpleNamespace(headers={"Content-Length": said})) == 0


def test_a_public_set_leads_on_a_few_times_only():
    hops = {f"/{i}": Reply(status=302, headers={"Location": f"/{i + 1}"}) for i in range(20)}
    with serving(hops) as (address, seen), pytest.raises(DownloadError, match="more than 5 times"):
        fetch(Source("x", 1, "", f"{address}/0"), cache_dir() / "x.json")
    assert len(seen) == downloads.MAX_HOPS
