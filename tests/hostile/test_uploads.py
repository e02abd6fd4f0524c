"""Files that no one should have uploaded: each ends in an error on the page, within seconds and within memory."""

import gzip
import json
import socket

import pytest

GOOD = json.dumps([{"instruction": "a", "input": "", "output": "b"}] * 20).encode()
FILES = {
    "empty.json": b"",
    "zeros.json": bytes(100_000),
    "nan.json": b'[{"instruction": NaN, "output": Infinity}]',
    "deep.json": b"[" * 200_000,
    "deep-object.json": b'{"a":' * 100_000,
    "many.json": b"[" + b"{}," * 3_000_000 + b"{}]",
    "many-lists.json": b"[" + b"[]," * 3_000_000 + b"[]]",
    "rows.json": json.dumps([{"instruction": "a", "output": "b"}] * 5_001).encode(),
    "long-field.json": json.dumps([{"instruction": "x" * 20_001, "output": "b"}] * 3).encode(),
    "surrogate.json": b'[{"instruction": "\\ud800", "output": "\\udfff b"}]',
    "twice.json": b'[{"instruction": "a", "instruction": "b", "output": "c"}]',
    "bomb.json.gz": gzip.compress(b"[" + b" " * 200_000_000 + b"]", 9),
    "bomb-in-bomb.gz": gzip.compress(gzip.compress(bytes(100_000_000), 9), 9),
    "cut.json.gz": gzip.compress(GOOD)[:-9],
    "pickle.json": b"\x80\x04\x95cos\nsystem\n(S'touch /tmp/x'\ntR.",
    "page.html": b"<!doctype html><script>alert(1)</script>",
    "zip.json": b"PK\x03\x04" + bytes(1000),
    "fake.parquet": b"PAR1" + bytes(1000) + b"PAR1",
    "huge.parquet": b"PAR1" + b"\xff" * 100 + (2**31 - 1).to_bytes(4, "little") + b"PAR1",
    "utf16.json": "[{}]".encode("utf-16-le"),
    "latin.csv": "instruction,output\ncaf\xe9,x\n".encode("latin-1"),
    "wide.csv": b"a," * 500_000 + b"\n1",
    "quote.csv": b'instruction,output\n"' + b"x\n" * 100_000,
    "numbers.json": b"[" + b"9" * 100_000 + b"]",
    "lines.jsonl": b'{"instruction": "a"\n' * 10_000,
    "strings.json": b'["' + b'a","' * 100_000 + b'a"]',
    "messages.json": json.dumps([{"messages": [{"role": "user"}] * 10_000}]).encode(),
    "scripts.json": json.dumps([{"instruction": "<script>alert(1)</script>", "output": None}]).encode(),
    "sqlite.db": b"SQLite format 3\x00" + bytes(100),
}
NAMES = (
    "../../evil.json",
    "/etc/evil.json",
    "..\\..\\evil.json",
    "C:\\evil.json",
    "a\x00b.json",
    "x" * 400 + ".json",
    "<script>alert(1)</script>.json",
    "\u202egnp.json",
    "con.json",
    ".json",
    "options.json",
    " ",
)


def take(visitor, path):
    """What the page says about an uploaded file."""
    handler = visitor.event("upload", "change")
    values = visitor.values(handler)
    values[0] = {"path": path, "meta": {"_type": "gradio.FileData"}}
    reply = visitor.trigger("upload", "change", values)
    return visitor.results() if reply.status_code == 200 else reply.text


@pytest.mark.parametrize("name", FILES)
def test_a_hostile_file_is_an_error_on_the_page(owner, name):
    path = owner.upload(name, FILES[name])
    said = take(owner, path)
    assert 'role=\\"alert\\"' in said or "can't be used" in said, said
    assert "<script>alert" not in said


@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_name_leads_nowhere(owner, name):
    reply = owner.upload(name, GOOD)
    if isinstance(reply, str):
        assert reply.startswith("/upload/")
        assert "<script>alert" not in take(owner, reply)


def test_a_good_file_is_taken_and_nobody_else_can_use_it(owner, stranger):
    path = owner.upload("good.json", GOOD)
    assert "good.json is in use" in take(owner, path)
    handler = stranger.event("upload", "change")
    values = [{"path": path, "meta": {"_type": "gradio.FileData"}}, *stranger.values(handler)[1:]]
    assert stranger.trigger("upload", "change", values).status_code == 404
    assert stranger.request("GET", f"/gradio_api/file={path}").status_code == 404
    assert owner.request("GET", f"/gradio_api/file={path}").content == GOOD


def test_an_upload_over_the_limit_is_refused_and_names_it(owner):
    reply = owner.upload("large.json", b" " * (11 * 2**20))
    assert (reply.status_code, "an uploaded file" in reply.text, "python app.py" in reply.text) == (413, True, True)


def test_an_upload_that_breaks_off_harms_nobody(owner):
    cookie = "; ".join(f"{one.name}={one.value}" for one in owner.http.cookies)
    head = (
        "POST /gradio_api/upload HTTP/1.1\r\nHost: x\r\nContent-Length: 5000000\r\n"
        f"Cookie: {cookie}\r\nContent-Type: multipart/form-data; boundary=b\r\n\r\n"
        '--b\r\nContent-Disposition: form-data; name="files"; filename="a.json"\r\n\r\n'
    )
    for _ in range(10):
        with socket.create_connection(("127.0.0.1", owner.server.port), timeout=10) as connection:
            connection.sendall(head.encode() + b"x" * 100_000)
    assert owner.request("GET", "/health").status_code == 200


@pytest.mark.parametrize("form", [{"files": (None, "text")}, {"other": ("a.json", b"{}")}, {"files": ("", b"x")}])
def test_a_form_without_a_file_is_refused(owner, form):
    assert owner.request("POST", "/gradio_api/upload", files=form).status_code in (200, 400)
