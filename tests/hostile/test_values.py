"""Values that no widget gives, in every kind of field, and questions about what is not there."""

import json
import re

import pytest

NUMBERS = (
    "x",
    "",
    "5",
    True,
    [],
    {},
    [1],
    -1,
    2.5,
    10**9,
    10**15,
    -(10**15),
    1e300,
)
RAW_NUMBERS = ("NaN", "Infinity", "-Infinity", "1e999", "9" * 400, "-" + "9" * 30)


@pytest.mark.parametrize("value", NUMBERS)
@pytest.mark.parametrize("field", ["size", "first", "max_length", "order_seed"])
def test_a_number_field_takes_no_nonsense(stranger, field, value):
    reply = stranger.trigger("size", "change", **{field: value})
    assert reply.status_code in (200, 422)
    if reply.status_code == 200:
        assert "batch" in reply.json()["data"][0] or "msg" in reply.json()["data"][0]["message"]


@pytest.mark.parametrize("number", RAW_NUMBERS)
def test_a_number_that_is_none_is_refused_as_what_it_is(stranger, number):
    handler = stranger.event("size", "change")
    body = {"fn_index": handler["id"], "data": stranger.values(handler), "session_hash": stranger.session}
    raw = json.dumps({**body, "data": ["SIZE", *body["data"][1:]]}).replace('"SIZE"', number)
    assert stranger.post("run/predict", raw.encode()).status_code == 400


@pytest.mark.parametrize("width", [0, -1, 1_000_000, 513, 10**9])
def test_a_fixed_width_is_capped_at_what_the_model_reads(stranger, width):
    reply = stranger.trigger("width", "change", width="fixed", fixed_width=width, size=32)
    assert "batch" not in reply.json()["data"][0]


CHOICES = ("none of them", "", 5, True, [], {}, ["response"], "\ud800", "x" * 100_000)


@pytest.mark.parametrize("value", CHOICES)
@pytest.mark.parametrize("field", ["width", "order", "other", "mask"])
def test_a_choice_is_one_of_those_offered(stranger, field, value):
    reply = stranger.trigger("size", "change", **{field: value})
    assert reply.status_code == 422


TEMPLATES = (
    "",
    " ",
    "\x00",
    "{{",
    "{{instruction}}",
    "{{output}}{{output}}",
    "{{#input}}" * 500 + "{{output}}",
    "{{#input}}{{^input}}{{/input}}{{/input}}{{output}}",
    "{{__class__}}{{output}}",
    "{{instruction.__class__.__mro__}}{{output}}",
    "{% for x in range(10**9) %}{{output}}{% endfor %}",
    "${process.env}{{output}}",
    "<script>alert(1)</script>{{instruction}}{{output}}",
    "\ud800{{instruction}}{{output}}",
    "\udfff\ud800 {{output}}",
    "\u202e{{instruction}}{{output}}",
    " " * 19_000 + "{{output}}",
    "a" * 19_000 + "{{output}}",
    "\U0001f9dc\u200d\u2640\ufe0f" * 1_000 + "{{output}}",
    "{{instruction}}" * 1_000 + "{{output}}",
    "x" * 20_001,
    " " * 1_000_000,
    "\ufeff{{output}}",
    "\r\r\n{{output}}",
)


@pytest.fixture(scope="module")
def stamp(stranger):
    return stranger.trigger("size", "change").json()["data"][0]["stamp"]


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_template_is_only_text_and_its_faults_are_told(stranger, stamp, template):
    reply = stranger.ask("lens", "lens_typed", {"stamp": stamp, "template": template})
    found = reply.json()
    assert "batch" in found or 'role="alert"' in found["message"]
    assert "<script>alert" not in found["message"]


ODD = (None, 5, True, "x", [], {}, ["a"], {"a": {}}, "../..", "x" * 100_000)


@pytest.mark.parametrize("value", ODD)
@pytest.mark.parametrize("function", ["lens_typed", "lens_losses", "lens_top", "lens_lint", "lens_code"])
def test_a_question_about_nothing_gets_no_answer(stranger, function, value):
    for query in (value, {"stamp": value, "template": value, "row": value, "t": value}):
        assert stranger.ask("lens", function, query).status_code == 200


@pytest.mark.parametrize("value", ODD)
@pytest.mark.parametrize("function", ["chat_more", "chat_top", "chat_prompt"])
def test_a_chat_about_nothing_has_no_answer(stranger, function, value):
    for query in (value, {"run": value, "written": value, "options": value, "instruction": value}):
        reply = stranger.ask("chat", function, query)
        assert reply.status_code == 200
        assert "tokens" not in reply.text


@pytest.mark.parametrize("value", [None, -1, 10**9, 1.5, "x", [], {}, "9" * 100])
def test_a_position_that_is_not_there_has_no_tokens(stranger, stamp, value):
    assert stranger.ask("lens", "lens_top", {"stamp": stamp, "row": value, "t": value}).status_code == 200


NAMES = (
    "..",
    ".",
    "",
    "../runs",
    "/etc",
    "a/b",
    "a\\b",
    "a\x00b",
    "C:\\",
    "\ud800",
    "x" * 5_000,
    ".discarded",
    "%2e%2e",
    None,
    5,
    [],
    {},
    True,
)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("widget", "function"), [("chart", "poll_training"), ("answers", "poll_evaluation")])
def test_a_run_of_no_such_name_is_unknown(stranger, widget, function, name):
    for offset in (0, -1, 1 << 70 if name is None else 10**15, "x", None):
        if isinstance(offset, int) and offset > 2**53:
            continue
        assert stranger.ask(widget, function, {"run": name, "offset": offset}).json()["state"] == "unknown"


MODELS = (
    "/etc",
    "/etc/passwd",
    "..",
    "somebody/model",
    "runs/x",
    "http://example.com/model",
    "gpt2-xl",
    "gpt2-medium",
    "\x00",
    "\ud800",
    "x" * 10_000,
    "/dev/zero",
    "~",
    "starter-01",
)


@pytest.mark.parametrize("name", MODELS)
def test_no_model_but_the_offered_ones_is_loaded(stranger, name):
    reply = stranger.trigger("size", "change", model=name)
    assert reply.status_code == 422 or "batch" not in reply.json()["data"][0]


LINKS = (
    "x",
    "e30",
    "W10",
    "bnVsbA",
    "====",
    "\x00",
    "\ud800",
    "A" * 100_000,
    "eyJkYXRhIjogIi9ldGMvcGFzc3dkIn0",
    "eyJkYXRhIjogImFscGFjYSJ9",
    "eyJzaXplIjogMWUzMDB9",
    "eyJ0ZW1wbGF0ZSI6IFtdfQ",
    "eyJwcmVzZXQiOiB7fX0",
    "eyJzaXplIjogTmFOfQ",
)


@pytest.mark.parametrize("text", LINKS)
def test_a_link_says_nothing_that_the_page_does_not_offer(stranger, text):
    page = stranger.config["dependencies"]
    restore = next(one for one in page if one["js"] and "ift.link.text" in str(one["js"]))
    body = {"fn_index": restore["id"], "data": [text], "session_hash": stranger.session}
    assert stranger.post("queue/join", body).status_code == 200
    assert "alpaca_data" not in stranger.results()


@pytest.mark.parametrize("widget", ["template", "mask", "eos", "width", "find"])
def test_a_widget_that_is_never_empty_is_not_sent_as_empty(stranger, widget):
    assert stranger.trigger("size", "change", **{widget: None}).status_code == 422
    assert stranger.trigger("size", "change").status_code == 200


@pytest.mark.parametrize("file", [5, "x", [], {}, {"meta": {}}, {"meta": {"_type": "gradio.FileData"}}])
def test_what_is_no_file_is_refused_before_it_is_read(stranger, file):
    values = [file, *stranger.values(stranger.event("load-template", "upload"))[1:]]
    assert stranger.trigger("load-template", "upload", values).status_code in (404, 422)


def test_an_emptied_list_or_number_is_answered_by_every_handler(stranger):
    kinds = {one["id"]: one["type"] for one in stranger.config["components"]}
    handlers = {
        one["backend_fn"] and re.sub(r"_\d+$", "", one["api_name"]): one for one in stranger.config["dependencies"]
    }
    asked = 0
    for handler in (one for one in handlers.values() if one["backend_fn"]):
        for at, widget in enumerate(handler["inputs"]):
            if kinds[widget] in ("dropdown", "number"):
                values = stranger.values(handler)
                values[at] = None
                body = {"fn_index": handler["id"], "data": values, "session_hash": stranger.session}
                assert stranger.post("run/predict", json.dumps(body).encode()).status_code in (200, 422), handler[
                    "api_name"
                ]
                asked += 1
    assert asked > 50
