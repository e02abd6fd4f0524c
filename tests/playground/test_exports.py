"""A run's model as a file to download: who may take it, what is in it, and what is left behind."""

import io
import threading
import time
import zipfile

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from ift.errors import RunError
from ift.runs.folder import Run
from playground.context import Context
from playground.runs import exports as module
from playground.runs.exports import KEPT
from playground.settings import Mode, Settings
from playground.visitors import Visitor, acting_as, new_key
from playground.widgets.take_model import TakeModel, ready


@pytest.fixture
def context(tmp_path):
    return Context(Settings(home=tmp_path, mode=Mode.PUBLIC))


@pytest.fixture
def run(run, context):
    """The shared fixture's run, where the page looks for runs."""
    context.settings.runs.mkdir()
    run.training.path.touch()
    return Run(run.path.rename(context.settings.runs / run.id))


def client(context):
    return TestClient(Starlette(routes=[context.exports.route()]))


def test_a_model_is_one_file_behind_an_address_that_nobody_can_guess(context, run):
    made = context.exports.make(run, "hf")
    reply = client(context).get(f"/{made.address}")
    assert (reply.status_code, len(reply.content)) == (200, made.size_bytes)
    names = zipfile.ZipFile(io.BytesIO(reply.content)).namelist()
    assert {"model.safetensors", "tokenizer.json", "chat_template.jinja", "README.md"} <= set(names)
    assert made.next_command == "unzip run-hf.zip -d run-hf && hf upload YOUR-NAME/run-hf run-hf ."
    for address in ("ift-take/x/run-hf.zip", made.address.replace("run", "other")):
        assert client(context).get(f"/{address}").status_code == 404
    assert f'href="{made.address}"' in ready(made)


def test_a_model_that_has_no_adapter_is_refused_without_a_path(context, run):
    with pytest.raises(RunError, match="there is no adapter") as caught:
        context.exports.make(run, "adapter")
    assert str(context.settings.home) not in str(caught.value)
    assert not list((context.settings.home / "exports").glob("*/*"))
    with pytest.raises(RunError, match="no such format"):
        context.exports.make(run, "pickle")


def test_only_the_last_files_are_kept(context, run, monkeypatch):
    def written(self, run, to, out):
        out.parent.mkdir(parents=True)
        out.with_suffix(".zip").write_bytes(b"x")
        return {"path": str(out.with_suffix(".zip")), "next": ""}

    monkeypatch.setattr(module.Exports, "_write", written)
    (context.settings.home / "exports" / "of-a-server-before").mkdir(parents=True)
    made = [context.exports.make(run, "hf") for _ in range(KEPT + 1)]
    got = [client(context).get(f"/{one.address}").status_code for one in made]
    assert got == [404] + [200] * KEPT
    assert len(list((context.settings.home / "exports").iterdir())) == KEPT


def test_an_export_can_be_cancelled_and_leaves_nothing(context, run):
    found = []

    def make():
        try:
            context.exports.make(run, "gguf-f16")
        except RunError as problem:
            found.append(problem.what)

    thread = threading.Thread(target=make)
    thread.start()
    while context.exports._child is None:
        time.sleep(0.01)
    context.exports.cancel("another run")
    with pytest.raises(RunError, match="Another model is being written"):
        context.exports.make(run, "hf")
    context.exports.cancel(run.id)
    thread.join(60)
    assert found == ["The export was cancelled"]
    assert not list((context.settings.home / "exports").glob("*"))


def test_strangers_take_no_model(context, run):
    tab = TakeModel.__new__(TakeModel)
    tab.context = context
    with acting_as(Visitor(new_key())):
        context.ownership.claim(run)
        share = context.ownership.share(run)
    with acting_as(Visitor(new_key())):
        [(said, _)] = list(tab._make(run.id, "hf"))
        assert "There is no run to take" in said
    with acting_as(Visitor(new_key(), shared=(share,))):
        [(said, _)] = list(tab._make(run.id, "hf"))
        assert "to look at" in said
