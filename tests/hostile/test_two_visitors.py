"""Two browsers: what is one's own is not there for the other, by guessed names, replays and foreign stamps."""

import json

import pytest

from ift.events import Finished
from ift.runs.folder import create_run
from playground.ownership import Ownership
from playground.settings import Mode, Settings
from playground.visitors import Visitor as Key
from playground.visitors import acting_as
from tests.helpers import run_config
from tests.hostile.conftest import TEACHER, Visitor


@pytest.fixture(scope="module")
def run(server, owner):
    """The owner's finished run."""
    settings = Settings(home=server.home, mode=Mode.PUBLIC)
    run = create_run(settings.runs / "starter-of-the-owner", run_config())
    with acting_as(Key(owner.http.cookies["ift-visitor"])):
        Ownership(settings).claim(run)
    run.training.append(Finished(step=1))
    return run


def poll(visitor, run):
    return visitor.ask("chart", "poll_training", {"run": run.id, "offset": 0}).json()["state"]


def test_its_owner_sees_a_run_and_a_stranger_does_not(owner, stranger, run):
    assert (poll(owner, run), poll(stranger, run)) == ("finished", "unknown")
    assert stranger.ask("answers", "poll_evaluation", {"run": run.id, "offset": 0}).json()["state"] == "unknown"


@pytest.mark.parametrize(
    ("widget", "event"),
    [("stop", "click"), ("resume", "click"), ("discard-yes", "click"), ("answer", "click")],
)
def test_no_handler_finds_a_strangers_run_for_a_guessed_name(owner, stranger, run, widget, event):
    handler = stranger.event(widget, event)
    for visitor_values in (stranger.values(handler),):
        values = [run.id if value is None else value for value in visitor_values]
        values[0] = run.id
        reply = stranger.trigger(widget, event, values)
        assert reply.status_code in (200, 422)
        if reply.status_code == 200:
            assert run.id not in stranger.results()
    assert run.path.is_dir()
    assert not run.stop_asked()
    assert poll(owner, run) == "finished"


@pytest.mark.parametrize("function", ["chat_more", "chat_top", "chat_prompt"])
def test_a_stranger_can_not_ask_its_model(stranger, run, function):
    asked = {"run": run.id, "side": "after", "instruction": "a", "input": "", "written": [], "options": {}}
    assert stranger.ask("chat", function, asked).text == stranger.ask("chat", function, {**asked, "run": "none"}).text


def test_the_page_of_a_stranger_lists_nothing_of_it(owner, stranger, run):
    handler = next(one for one in stranger.config["dependencies"] if one["api_name"] == "attach")
    for visitor, sees in ((owner, True), (stranger, False)):
        body = {"fn_index": handler["id"], "data": [run.id], "session_hash": visitor.session}
        assert visitor.post("queue/join", body).status_code == 200
        assert (run.id in visitor.results()) is sees


def test_a_foreign_stamp_is_forgotten(owner, stranger):
    stamp = owner.trigger("size", "change").json()["data"][0]["stamp"]
    assert owner.ask("lens", "lens_typed", {"stamp": stamp, "template": "{{output}}"}).json() is not None
    assert stranger.ask("lens", "lens_typed", {"stamp": stamp, "template": "{{output}}"}).json() is None
    for function in ("lens_losses", "lens_top", "lens_lint"):
        assert stranger.ask("lens", function, {"stamp": stamp, "row": 0, "t": 0}).json()["gone"]


def test_a_foreign_session_is_not_there_whatever_asks_for_it(owner, stranger):
    owner.trigger("size", "change")
    own, stranger.session = stranger.session, owner.session
    try:
        assert stranger.trigger("size", "change").status_code == 404
        assert stranger.ask("lens", "lens_code", {}).status_code == 404
        for path in (f"heartbeat/{owner.session}", f"queue/data?session_hash={owner.session}"):
            assert stranger.request("GET", f"/gradio_api/{path}").status_code == 404
        body = {"session_hash": owner.session, "fn_index": 0, "event_id": "x"}
        assert stranger.post("cancel", body).status_code == 404
    finally:
        stranger.session = own


def test_a_replayed_request_acts_for_who_sends_it(owner, stranger, run):
    body = {"component_id": owner.ids["chart"], "fn_name": "poll_training", "data": {"run": run.id, "offset": 0}}
    replayed = json.dumps({**body, "session_hash": stranger.session}).encode()
    assert stranger.post("component_server/", replayed).json()["state"] == "unknown"


def test_a_shared_run_is_seen_by_who_has_its_link_and_changed_by_nobody_else(server, owner, run):
    with acting_as(Key(owner.http.cookies["ift-visitor"])):
        key = Ownership(Settings(home=server.home, mode=Mode.PUBLIC)).share(run)
    guest = Visitor(server)
    assert poll(guest, run) == "unknown"
    moved = guest.request("GET", f"/?shared={key}")
    assert (moved.status_code, moved.headers["location"]) == (303, "/")
    assert poll(guest, run) == "finished"
    values = [run.id, *guest.values(guest.event("discard-yes", "click"))[1:]]
    assert guest.trigger("discard-yes", "click", values).status_code in (200, 422)
    assert run.path.is_dir()


@pytest.mark.parametrize(
    "query", ["shared=x", "shared=" + "a" * 200, "teacher=x", "teacher=" + TEACHER, "shared[]=1", "%ff"]
)
def test_what_an_address_can_say_opens_nothing_on_a_public_page(server, run, query):
    visitor = Visitor(server, f"/?{query}")
    assert poll(visitor, run) == "unknown"


def test_a_key_cookie_that_is_none_is_replaced(server):
    visitor = Visitor(server)
    visitor.http.cookies.clear()
    visitor.http.cookies.set("ift-visitor", "short")
    visitor.request("GET", "/")
    assert "short" not in {one.value for one in visitor.http.cookies if one.domain}


def test_in_a_classroom_the_teachers_key_sees_what_another_browser_does_not(classroom):
    student, teacher = Visitor(classroom), Visitor(classroom, f"/?teacher={TEACHER}")
    settings = Settings(home=classroom.home, mode=Mode.CLASSROOM)
    run = create_run(settings.runs / "starter-a", run_config())
    run.training.append(Finished(step=1))
    assert (poll(student, run), poll(teacher, run)) == ("unknown", "finished")
