"""Raw requests that no page sends: each is refused or answered plainly, by a server that is watched meanwhile."""

import json
import socket
from contextlib import suppress

import pytest

HOSTS = (
    "http://100.100.100.200/latest/meta-data",
    "http://169.254.169.254/latest/meta-data",
    "http://192.0.0.192/",
    "http://[2002:7f00:1::]/",
    "http://[::ffff:10.0.0.1]/",
    "http://[fe80::1]/",
    "http://10.0.0.1/",
    "http://127.1:1/",
    "http://2130706433/",
    "http://0x7f.0.0.1/",
    "http://metadata.internal/",
    "http://example.com/",
    "https://example.com/x.json",
    "HTTPS://EXAMPLE.COM/",
    "//example.com/x",
    "ftp://example.com/x",
    "file:///etc/passwd",
    "data:text/plain,x",
    "gopher://example.com/",
    "http://user:password@example.com/",
)
PATHS = (
    "/etc/passwd",
    "/etc/shadow",
    "/proc/self/environ",
    "/dev/zero",
    "../../../../etc/passwd",
    "/upload/../../etc/passwd",
    "/upload/none/x.json",
    "runs/starter-01/config.json",
    "assets/web/style.css",
    "C:\\Windows\\win.ini",
    "\\\\example.com\\share\\x",
    "/tmp/gradio/x.json",
    "",
    ".",
    "x" * 5_000,
    "nul\x00byte",
)


@pytest.mark.parametrize("place", [*HOSTS, *PATHS])
@pytest.mark.parametrize(("widget", "event"), [("upload", "change"), ("load-template", "upload")])
def test_a_handler_takes_no_file_that_was_not_uploaded_here(stranger, place, widget, event):
    handler = stranger.event(widget, event)
    values = stranger.values(handler)
    for file in ({"path": place, "meta": {"_type": "gradio.FileData"}}, {"path": None, "url": place}):
        values[0] = file
        assert stranger.trigger(widget, event, values).status_code == 404


@pytest.mark.parametrize("place", HOSTS)
@pytest.mark.parametrize(
    "prefix", ["/gradio_api/file=", "/gradio_api/file/", "/gradio_api/proxy=", "/file=", "/proxy="]
)
def test_no_other_host_is_served_on_the_pages_origin(stranger, prefix, place):
    assert stranger.request("GET", prefix + place).status_code == 404


@pytest.mark.parametrize("path", [path for path in PATHS if "\x00" not in path and len(path) < 100])
def test_no_file_of_the_server_is_served(stranger, path):
    assert stranger.request("GET", f"/gradio_api/file={path}").status_code == 404


ADDRESSES = (
    "/config",
    "/gradio_api/info",
    "/gradio_api/openapi.json",
    "/docs",
    "/redoc",
    "/openapi.json",
    "/gradio_api/app_id",
    "/gradio_api/token",
    "/gradio_api/user",
    "/gradio_api/login_check",
    "/gradio_api/dev/reload",
    "/gradio_api/runs",
    "/gradio_api/queue/status",
    "/gradio_api/stream/a/b/c/playlist.m3u8",
    "/gradio_api/custom_component/a/b/c/d",
    "/gradio_api/deep_link?session_hash=x",
    "/gradio_api/vibe-code/",
    "/gradio_api/call/draw/x",
    "/monitoring",
    "/monitoring/summary",
    "/logout",
    "/ift-web/0/../../../etc/passwd",
    "/ift-web/0/%2e%2e/%2e%2e/settings.py",
    "/assets/../../../etc/passwd",
    "/assets/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
    "/static/..%2f..%2f..%2fetc%2fpasswd",
    "/pwa_icon/../../x",
    "/svelte/x",
    "/%00",
    "/\u202e",
)


@pytest.mark.parametrize("path", ADDRESSES)
def test_what_the_page_does_not_ask_is_not_there(stranger, path):
    assert stranger.request("GET", path).status_code in (403, 404)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "POST"])
def test_other_methods_do_nothing(stranger, method):
    assert stranger.request(method, "/").status_code == 404


BODIES = (
    b"",
    b"null",
    b"[]",
    b"5",
    b"{",
    b"\xff\xfe",
    b"{}",
    b'{"session_hash": null}',
    b'{"session_hash": 5}',
    b'{"session_hash": "a b"}',
    b'{"session_hash": "' + b"x" * 65 + b'"}',
    b'{"session_hash": "SESSION"}',
    b'{"session_hash": "SESSION", "fn_index": null}',
    b'{"session_hash": "SESSION", "fn_index": -1, "data": []}',
    b'{"session_hash": "SESSION", "fn_index": 99999, "data": []}',
    b'{"session_hash": "SESSION", "fn_index": "0", "data": []}',
    b'{"session_hash": "SESSION", "fn_index": true, "data": []}',
    b'{"session_hash": "SESSION", "fn_index": [], "data": []}',
    b'{"session_hash": "SESSION", "fn_index": 0, "data": null}',
    b'{"session_hash": "SESSION", "fn_index": 0, "data": {}}',
    b'{"session_hash": "SESSION", "fn_index": 0, "data": [1, 2, 3, 4, 5, 6]}',
    b'{"session_hash": "SESSION", "fn_index": 0, "data": NaN}',
    b'{"session_hash": "SESSION", "fn_index": 1e999}',
    b'{"session_hash": "SESSION", "component_id": null, "fn_name": "lens_typed", "data": {}}',
    b'{"session_hash": "SESSION", "component_id": 1e9, "fn_name": "lens_typed", "data": {}}',
    b'{"session_hash": "SESSION", "component_id": "1", "fn_name": "lens_typed", "data": {}}',
    b'{"session_hash": "SESSION", "component_id": 2, "fn_name": "__class__", "data": {}}',
    b'{"session_hash": "SESSION", "component_id": 2, "fn_name": "__init__", "data": {}}',
    b'{"session_hash": "SESSION", "component_id": 2, "fn_name": "get_config", "data": {}}',
    b'{"session_hash": "SESSION", "component_id": 2, "fn_name": ["x"], "data": {}}',
    b'{"session_hash": "SESSION", "component_id": 2, "fn_name": "a.b", "data": {}}',
    b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    b'{"a":' * 200 + b"1" + b"}" * 200,
    b'{"a": ' + b"9" * 5_000 + b"}",
    b'{"__proto__": {}, "session_hash": "SESSION", "event_id": "x", "fn_index": 0}',
)


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("path", ["queue/join", "run/predict", "component_server/", "cancel", "reset"])
def test_a_body_that_no_page_sends_is_refused(stranger, path, body):
    reply = stranger.post(path, body.replace(b"SESSION", stranger.session.encode()))
    assert reply.status_code < 500


@pytest.mark.parametrize("path", ["queue/join", "run/predict", "component_server/", "cancel", "reset"])
def test_a_body_over_the_limit_is_refused_and_names_it(stranger, path):
    reply = stranger.post(path, b'{"a": "' + b"x" * 3_000_000 + b'"}')
    assert (reply.status_code, "a request" in reply.text, "python app.py" in reply.text) == (413, True, True)


def test_a_body_that_says_it_is_too_large_is_refused_unread(stranger):
    cookies = "; ".join(f"{one.name}={one.value}" for one in stranger.http.cookies)
    head = f"POST /gradio_api/queue/join HTTP/1.1\r\nHost: x\r\nCookie: {cookies}\r\nContent-Length: 3000000\r\n\r\n"
    with socket.create_connection(("127.0.0.1", stranger.server.port), timeout=10) as connection:
        connection.sendall(head.encode())
        assert b" 413 " in connection.recv(64)


def test_a_body_in_chunks_is_counted_too(stranger):
    def chunks():
        for _ in range(40):
            yield b"x" * 100_000

    headers = {"content-type": "application/json"}
    url = f"{stranger.server.url}/gradio_api/queue/join"
    with suppress(OSError):  # the server may hang up while we go on sending
        assert stranger.http.post(url, data=chunks(), headers=headers, timeout=10).status_code == 413
    stranger.server.require_unharmed()


@pytest.mark.parametrize(
    "raw",
    [
        b"\r\n\r\n",
        b"GET /\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /gradio_api/queue/join HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\n",
        b"POST /gradio_api/queue/join HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b'GET / HTTP/1.1\r\nHost: x\r\nCookie: ift-visitor=\xff\xfe; =; ;;; a="\r\n\r\n',
        b"GET /?\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /gradio_api/heartbeat/" + b"%F0" * 300 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 5_000 + b"\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",
    ],
)
def test_what_is_hardly_http_at_all_ends_in_a_refusal(server, raw):
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(raw)
        connection.shutdown(socket.SHUT_WR)
        first = connection.recv(64)
    assert b" 500 " not in first
    server.require_unharmed()


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"origin": "http://127.0.0.1:1"},
    ],
)
def test_another_sites_page_sends_nothing_in_a_visitors_name(stranger, headers):
    url = f"{stranger.server.url}/gradio_api/queue/join"
    body = {"fn_index": 0, "data": [], "session_hash": stranger.session}
    assert stranger.http.post(url, data=json.dumps(body), headers=headers, timeout=10).status_code == 403


def test_who_has_no_cookie_gets_the_page_and_no_handler(server):
    import requests

    body = {"fn_index": 0, "data": [], "session_hash": "abc"}
    reply = requests.post(f"{server.url}/gradio_api/queue/join", json=body, timeout=10)
    assert (reply.status_code, "cookie" in reply.json()["detail"]) == (403, True)


def test_the_page_tells_no_path_and_asks_no_other_host(stranger):
    reply = stranger.request("GET", "/")
    assert "connect-src 'self'" in reply.headers["content-security-policy"]
    assert reply.headers["referrer-policy"] == "same-origin"
    assert "HttpOnly" in reply.headers["set-cookie"]
    assert "site-packages" not in reply.text


def test_a_compressed_answer_tells_no_path_either(server, stranger):
    stamp = stranger.trigger("size", "change").json()["data"][0]["stamp"]
    template = f"{server.home}/runs {{{{instruction}}}}{{{{output}}}}"  # as if one of our errors had said it
    reply = stranger.ask("lens", "lens_typed", {"stamp": stamp, "template": template})  # looks for the path
    assert reply.headers["content-encoding"] == "gzip"
    assert reply.json()["template"] == "runs {{instruction}}{{output}}"
