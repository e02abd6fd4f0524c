"""The guard before the page: each of its checks alone, asked as a server would; `tests/hostile` tries them together."""

import asyncio
import json

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from playground.guard import addresses, answers, bodies
from playground.guard.asgi import AT_ONCE, MOST_WAITING, Turns
from playground.guard.files import ALIAS, Uploads
from playground.guard.refusals import Refused
from playground.guard.sessions import QUIET_S, Sessions
from playground.settings import Limits, Mode
from playground.transfer import Transfer

PUBLIC = Limits.of(Mode.PUBLIC)
MEBIBYTE = bytes(2**20)


@pytest.mark.parametrize(
    "path",
    [
        "/proxy=http://example.com",
        "/gradio_api/proxy=https://example.com",
        "/gradio_api/run/draw",
        "/gradio_api/call/draw",
        "/gradio_api/api/predict",
        "/gradio_api/stream/x",
        "/monitoring",
        "/gradio_api/vibe-code",
        "/gradio_api/runs",
        "/gradio_api/deep_link",
        "/login",
        "/docs",
        "/config",
        "/gradio_api/info",
        "/gradio_api/openapi.json",
        "/profile/http://example.com",
        "//",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS"])
def test_an_address_that_the_page_does_not_ask_is_not_there(method, path):
    with pytest.raises(Refused) as caught:
        addresses.require_known(method, path, is_shared=True)
    assert caught.value.status == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("HEAD", "/"),
        ("GET", "/assets/index.js"),
        ("GET", "/ift-web/0/main.js"),
        ("GET", "/gradio_api/queue/data"),
        ("GET", "/gradio_api/heartbeat/abc"),
        ("POST", "/gradio_api/queue/join"),
        ("POST", "/gradio_api/run/predict"),
        ("POST", "/gradio_api/component_server"),
        ("POST", "/gradio_api/upload"),
        ("GET", "/health"),
    ],
)
def test_what_the_page_asks_is_there(method, path):
    addresses.require_known(method, path, is_shared=True)


def test_on_ones_own_machine_gradio_describes_itself():
    addresses.require_known("GET", "/config", is_shared=False)


def receive_from(messages):
    messages = iter(messages)

    async def receive():
        message = next(messages)
        if message is None:
            await asyncio.sleep(60)
        return message

    return receive


def parts(*chunks):
    last = [{"type": "http.request", "body": b"", "more_body": False}]
    return receive_from([{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks] + last)


def status_of(coroutine):
    with pytest.raises(Refused) as caught:
        asyncio.run(coroutine)
    return caught.value.status


def test_a_body_within_the_limit_arrives_whole():
    assert asyncio.run(bodies.read(parts(b"{", b"}"), PUBLIC)) == b"{}"


def test_a_body_that_grows_too_large_is_refused_with_the_limits_name():
    assert status_of(bodies.read(parts(*[MEBIBYTE] * 3), PUBLIC)) == 413


@pytest.mark.parametrize("length", [b"3000000", b"999999999999"])
def test_a_body_that_says_it_is_too_large_is_refused_unread(length):
    with pytest.raises(Refused, match="a request"):
        bodies.require_declared({"headers": [(b"content-length", length)]}, PUBLIC, "body_bytes")


@pytest.mark.parametrize("length", [b"0", b"-1", b"many", b"2000000"])
def test_a_body_of_the_limit_or_of_no_known_size_is_let_in(length):
    bodies.require_declared({"headers": [(b"content-length", length)]}, PUBLIC, "body_bytes")


def test_a_body_that_does_not_come_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(bodies, "READ_LIMIT_S", 0.01)
    body = bodies.CountedBody(receive_from([None]), PUBLIC, "body_bytes", limit_s=0.01)
    assert asyncio.run(body()) == {"type": "http.disconnect"}
    assert body.refused.status == 408


def test_an_upload_is_ones_own_before_the_browser_hears_of_it():
    seen = []

    async def send(message):
        seen.append((message["type"], list(read)))

    read = []
    answer = answers.HiddenAnswer(send, answers.Paths([]), read.append)
    start = {"type": "http.response.start", "status": 200, "headers": []}
    parts = ({"type": "http.response.body", "body": part, "more_body": part != b"]"} for part in (b"[", b"]"))
    asyncio.run(answered(answer, start, *parts))
    assert seen[-1] == ("http.response.body", [b"[]"])
    assert read == [b"[]"]


def test_an_upload_that_breaks_off_is_refused_as_that():
    body = bodies.CountedBody(receive_from([{"type": "http.disconnect"}]), PUBLIC, "upload_bytes")
    assert asyncio.run(body()) == {"type": "http.disconnect"}
    assert body.refused.why == "The request broke off."


def test_a_body_that_breaks_off_is_no_request():
    assert status_of(bodies.read(receive_from([{"type": "http.disconnect"}]), PUBLIC)) == 400


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "5",
        '"x"',
        "null",
        '{"a": NaN}',
        '{"a": Infinity}',
        '{"a": -Infinity}',
        '{"a": 1e999}',
        '{"a": -1e999}',
        '{"a": 9007199254740993}',
        '{"a": ' + "9" * 5_000 + "}",
        '{"a": ' + "[" * 33 + "]" * 33 + "}",
        '{"a": ' + "[" * 100_000 + "]" * 100_000 + "}",
        '{"a":' * 100 + "1" + "}" * 100,
        "\xff",
    ],
)
def test_what_is_no_object_of_plain_json_is_refused(text):
    with pytest.raises(Refused) as caught:
        bodies.parse(text.encode("latin-1"))
    assert caught.value.status == 400


def test_half_a_surrogate_pair_is_replaced_wherever_it_is():
    cleaned = bodies.parse(rb'{"\ud800": ["\udfff a", {"b": "\ud83d\ude00 \ud83d"}], "n": 1.5}')
    assert cleaned == {"?": ["? a", {"b": "\U0001f600 ?"}], "n": 1.5}
    json.dumps(cleaned, ensure_ascii=False).encode()


@pytest.fixture
def uploads(tmp_path):
    uploads = Uploads(tmp_path / "incoming")
    path = tmp_path / "incoming" / "hash" / "a.json"
    path.parent.mkdir(parents=True)
    path.write_text("[]")
    uploads.add(json.dumps([str(path)]).encode(), "owner")
    return uploads


FILES = [
    {"path": "http://100.100.100.200/latest"},
    {"path": "https://192.0.0.192/"},
    {"path": "http://[2002:7f00:1::]/"},
    {"path": "/etc/passwd"},
    {"path": "../../etc/passwd"},
    {"path": f"{ALIAS}../a.json"},
    {"path": f"{ALIAS}none/a.json"},
    {"path": ""},
    {"path": None},
    {"path": ["/etc/passwd"]},
    {"path": None, "url": "http://example.com/"},
    {"url": "http://example.com/"},
    {"orig_name": "x", "meta": {"_type": "gradio.FileData"}},
]


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("wrap", [lambda file: [file], lambda file: [[file]], lambda file: [{"a": {"b": [1, file]}}]])
def test_no_handler_takes_a_file_that_this_visitor_did_not_upload(uploads, file, wrap):
    with pytest.raises(Refused):
        uploads.check({"data": wrap(file)}, "owner")


def test_a_visitor_gets_ones_own_upload_without_an_address_and_nobody_else_does(uploads):
    body = {"data": [{"path": f"{ALIAS}hash/a.json", "url": "http://example.com/"}]}
    with pytest.raises(Refused):
        uploads.check(json.loads(json.dumps(body)), "stranger")
    uploads.check(body, "owner")
    assert body["data"][0] == {"path": str(uploads.folder / "hash" / "a.json"), "url": None}


def test_old_uploads_and_what_broken_off_ones_left_are_removed(uploads):
    left = uploads.folder / "tmpabc"
    left.write_bytes(b"part")
    uploads.sweep(before=0)
    assert left.exists()
    uploads.sweep(before=left.stat().st_mtime + 1)
    assert list(uploads.folder.rglob("*")) == []
    with pytest.raises(Refused):
        uploads.path(f"{ALIAS}hash/a.json", "owner")


def test_a_session_is_whose_browser_opened_it():
    sessions = Sessions(PUBLIC)
    assert sessions.enter("abc", "owner") is sessions.enter("abc", "owner")
    for name in ("abc", "", "a b", "x" * 65, None, 5, ["abc"]):
        with pytest.raises(Refused):
            sessions.enter(name, "stranger")


def test_no_more_pages_are_open_than_the_limit_and_forgotten_ones_make_room(monkeypatch):
    sessions = Sessions(Limits(sessions=2))
    first, second = (sessions.enter(name, "visitor") for name in "ab")
    with pytest.raises(Refused, match="pages open at once") as caught:
        sessions.enter("c", "visitor")
    assert caught.value.status == 503
    first.connections = 1
    first.used = second.used = second.used - QUIET_S - 1
    sessions.enter("c", "visitor")
    with pytest.raises(Refused):
        sessions.enter("d", "visitor")


async def answered(answer, *messages):
    for message in messages:
        await answer(message)


def sent_by(paths, kind, *parts):
    sent = []

    async def send(message):
        sent.append(message)

    start = {
        "type": "http.response.start",
        "status": 200,
        "headers": [(b"content-type", kind), (b"content-length", b"9")],
    }
    chunks = [
        {"type": "http.response.body", "body": part, "more_body": i + 1 < len(parts)} for i, part in enumerate(parts)
    ]
    answer = answers.Answer(send, answers.headers(on_space=False))
    asyncio.run(answered(answers.HiddenAnswer(answer, paths), start, *chunks))
    return dict(sent[0]["headers"]), b"".join(message.get("body", b"") for message in sent[1:])


def test_no_path_of_the_server_goes_out_and_the_length_follows(tmp_path):
    paths = answers.Paths([(tmp_path, ""), (tmp_path / "incoming", ALIAS)])
    text = f'["{tmp_path}/runs/a", "{tmp_path}/incoming/b"]'.encode()
    headers, body = sent_by(paths, b"application/json", text)
    assert body == b'["runs/a", "/upload/b"]'
    assert headers[b"content-length"] == b"23"
    assert headers[b"x-content-type-options"] == b"nosniff"
    assert b"connect-src 'self'" in headers[b"content-security-policy"]
    assert sent_by(paths, b"text/event-stream", b"data: ", text)[1] == b'data: ["runs/a", "/upload/b"]'


def test_no_path_goes_out_compressed(tmp_path):
    async def tell(request):
        return PlainTextResponse(f"{tmp_path}/runs/a " * 100)

    hide = Middleware(answers.Hide, paths=answers.Paths([(tmp_path, "")]))
    reply = TestClient(Starlette(routes=[Route("/ask/", tell)], middleware=[Middleware(Transfer), hide])).get("/ask/")
    assert (reply.headers["content-encoding"], reply.text) == ("gzip", "runs/a " * 100)


def test_a_script_goes_out_as_it_is(tmp_path):
    assert sent_by(answers.Paths([(tmp_path, "")]), b"text/javascript", str(tmp_path).encode())[1].decode() == str(
        tmp_path
    )


def test_only_a_space_is_shown_within_another_sites_page():
    policies = [dict(answers.headers(on_space=on_space))[b"content-security-policy"] for on_space in (False, True)]
    assert [b"huggingface.co" in policy for policy in policies] == [False, True]


def test_a_visitors_requests_wait_in_line_and_beyond_that_are_refused():
    async def ask():
        turns, go, most = Turns(), asyncio.Event(), 0

        async def one():
            nonlocal most
            async with turns.taken():
                most += 1
                await go.wait()

        asked = [asyncio.create_task(one()) for _ in range(MOST_WAITING)]
        await asyncio.sleep(0.01)
        at_once = most
        with pytest.raises(Refused, match="wait already") as refused:
            async with asyncio.timeout(5):
                await one()
        go.set()
        await asyncio.gather(*asked)
        await one()
        return at_once, most, refused.value.status

    assert asyncio.run(ask()) == (AT_ONCE, MOST_WAITING + 1, 429)
