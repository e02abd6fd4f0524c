"""What visitors left behind is given back: closed pages with all that is kept for them, and files nobody needs."""

import os
import time
from types import SimpleNamespace

import gradio as gr
import pytest
from gradio.blocks import BlocksConfig

from ift.config import TrainConfig
from ift.events import Finished
from ift.runs.folder import create_run
from playground.context import Context
from playground.guard import sessions as guard
from playground.guard.files import Uploads
from playground.guard.sessions import Sessions
from playground.housekeeping import DATA_KEPT_S, EXPORTS_KEPT_S, Housekeeping
from playground.lens.recent import Kept
from playground.lens.state import View
from playground.settings import Limits, Mode, Settings
from playground.states import States
from tests.helpers import run_config


def states_of(*widgets):
    """What Gradio keeps for the pages that show these."""
    config, states = BlocksConfig(SimpleNamespace(renderables=[])), States()
    config.blocks = {widget._id: widget for widget in widgets}
    states.set_blocks(SimpleNamespace(default_config=config, blocks=config.blocks, state_session_capacity=10))
    return states


def page_of(*names):
    """Gradio's side of so many pages."""
    states, queue = states_of(), SimpleNamespace(pending_messages_per_session={}, pending_event_ids_session={})
    for name in names:
        assert states[name] is states[name]
        queue.pending_messages_per_session[name] = queue.pending_event_ids_session[name] = None
    return SimpleNamespace(state_holder=states, _queue=queue, temp_file_sets=[{"/gone/a.json"}, set()])


@pytest.fixture
def context(tmp_path):
    return Context(Settings(home=tmp_path, mode=Mode.PUBLIC))


def close(session):
    with session.connected():
        pass


def test_a_closed_page_makes_room_at_once_and_its_state_goes_later(monkeypatch, context):
    sessions, page = Sessions(Limits(sessions=2)), page_of("a", "b")
    for name in "ab":
        with sessions.enter(name, name).connected():
            assert sessions.enter(name, name).connections == 1
    close(sessions.enter("c", "c"))
    sessions.sweep(page)
    assert set(page.state_holder.session_data) == {"b"}  # of three closed ones two are kept
    with sessions.enter("b", "b").connected():  # it came back
        monkeypatch.setattr(guard, "CLOSED_KEPT_S", -1)
        sessions.sweep(page)
        assert sessions.visitors == {"b"}
    sessions.sweep(page)
    assert (sessions.visitors, page.state_holder.session_data, page.state_holder.time_last_used) == (set(), {}, {})
    assert page._queue.pending_messages_per_session == page._queue.pending_event_ids_session == {}


def test_batches_of_who_has_no_page_and_paths_of_files_that_are_gone_are_forgotten(context):
    sessions, page = Sessions(Limits()), page_of()
    keeper = Housekeeping(context, page, Uploads(context.settings.incoming), sessions)
    context.settings.incoming.mkdir()
    sessions.enter("a", "here")
    stamps = [context.recent.keep(Kept(View(), visitor=who)) for who in ("here", "gone", "gone")]
    keeper.sweep()
    assert context.recent.get(stamps[0], "here")
    assert [context.recent.get(stamp, "gone") for stamp in stamps[1:]] == [None, None]
    assert page.temp_file_sets == [set(), set()]


def test_old_files_go_but_for_those_that_a_run_was_made_with(context):
    settings, before = context.settings, time.time() - DATA_KEPT_S - 1
    files = {}
    for name in ("used", "old", "new"):
        files[name] = settings.templates / f"{name}.txt", settings.uploads / name / "data.json"
        for path in files[name]:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("")
        for path in (files[name][0], files[name][1].parent) if name != "new" else ():
            os.utime(path, (before, before))
    template, data = map(str, files["used"])
    create_run(settings.runs / "run", run_config(template=template, data=data)).training.append(Finished(step=1))
    keeper = Housekeeping(context, page_of(), Uploads(settings.incoming), Sessions(Limits()))
    keeper.sweep()
    assert {name for name, paths in files.items() if all(path.exists() for path in paths)} == {"used", "new"}
    assert {name for name, paths in files.items() if any(path.exists() for path in paths)} == {"used", "new"}


def test_what_a_waiting_training_needs_stays(context):
    context.queue.start = lambda: None
    template = context.settings.templates / "waits.txt"
    template.parent.mkdir()
    template.write_text("")
    os.utime(template, (0, 0))
    context.queue.add(TrainConfig(template=str(template)), source="")
    Housekeeping(context, page_of(), Uploads(context.settings.incoming), Sessions(Limits())).sweep()
    assert template.exists()


def test_a_model_to_take_goes_after_an_hour(context):
    folder = context.settings.home / "exports"
    for name in ("old", "new", "of-a-server-before"):
        (folder / name).mkdir(parents=True)
        (folder / name / "model.zip").write_text("")
    os.utime(folder / "old" / "model.zip", (time.time() - EXPORTS_KEPT_S - 1,) * 2)
    context.exports._offered = {name: folder / name / "model.zip" for name in ("old", "new")}
    context.exports.sweep(time.time() - EXPORTS_KEPT_S)
    assert [path.name for path in folder.iterdir()] == ["new"]


def test_a_page_has_no_copy_of_all_settings():
    box = gr.Textbox("a", label="b")
    state = states_of(box)["session"]
    state._update_value_in_config(box._id, "x" * 1000)
    state[box._id] = gr.Textbox("c", render=False)
    assert (list(state.components), len(state.config_values), state[box._id].value) == ([], 0, "c")
