"""Who may stop, resume, discard and score a run: asked of the handlers themselves, which buttons do not protect."""

import subprocess
import sys

import pytest

from ift.errors import RunError
from ift.events import Finished, Started
from ift.runs.processes import creation_time
from playground.context import Context
from playground.ownership import Ownership
from playground.settings import Settings
from playground.tabs.compare import CompareTab
from playground.widgets.run_buttons import DISCARD, STOP_AND_DISCARD, RunButtons
from tests.playground.test_jobs import kept_run


def test_on_a_public_page_only_who_started_a_run_may_change_it():
    owners = Ownership(public=True)
    owners.claim("a", "key")
    visitors = ("key", "other", None, "", ["key"], {})
    assert [owners.may_change("a", visitor) for visitor in visitors] == [True] + 5 * [False]
    with pytest.raises(RunError, match="somebody else's"):
        owners.require("a", "other")
    owners.forget("a")
    assert not owners.may_change("a", "key")


@pytest.mark.parametrize("visitor", ["key", None, ""])
def test_on_a_public_page_a_run_of_an_earlier_server_is_nobodys(visitor):
    assert not Ownership(public=True).may_change("b", visitor)


def test_who_sends_no_key_owns_nothing():
    owners = Ownership(public=True)
    for nothing in (None, "", ["key"], 5):
        owners.claim("a", nothing)
        assert not owners.may_change("a", nothing)


def test_on_ones_own_machine_every_run_is_ones_own():
    owners = Ownership(public=False)
    owners.require("b", None)
    assert owners.may_change("b", None)


@pytest.fixture
def worker():
    """A process that a run's log can name as its own."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as child:
        yield Started(step=0, pid=child.pid, process_time=creation_time(child.pid))
        child.kill()


def tabs(home, *, public):
    """What handles the buttons of tab 3 and tab 4 over a server's folder, without a page: Blocks leave sockets open."""
    context = Context(Settings(home=home, public=public))
    control, compare = object.__new__(RunButtons), object.__new__(CompareTab)
    control.context = compare.context = context
    return context, control, compare


def in_training(home, worker):
    run = kept_run(home)
    run.training.path.unlink()
    run.training.append(worker)
    return run


def test_a_stranger_can_neither_stop_nor_discard_nor_resume_a_training(tmp_path, worker):
    run = in_training(tmp_path, worker)
    context, control, _ = tabs(tmp_path, public=True)
    context.ownership.claim(run.id, "key")
    for visitor in ("other", None):
        assert "somebody else" in control._stop(run.id, visitor)
        assert "somebody else" in control._resume(run.id, visitor)[0]
        assert "somebody else" in control._discard(run.id, visitor)[1]
        stop, _, discard, _ = control.look(run.id, visitor)
        assert (stop.interactive, discard.interactive) == (False, False)
    assert not run.stop_asked()
    assert run.path.is_dir()
    stop, _, discard, _ = control.look(run.id, "key")
    assert (stop.interactive, discard.interactive, discard.value) == (True, True, STOP_AND_DISCARD)
    assert "Stopping" in control._stop(run.id, "key")
    assert run.stop_asked()


def test_a_stranger_can_neither_start_nor_stop_a_scoring(tmp_path, worker):
    run = kept_run(tmp_path)
    context, _, compare = tabs(tmp_path, public=True)
    context.ownership.claim(run.id, "key")
    assert "somebody else" in compare._answer(run.id, "other")[1]
    assert context.jobs.busy() is None
    run.evaluation.append(worker)
    assert "somebody else" in compare._stop(run.id, "other")
    assert not run.stop_asked()
    assert compare._stop(run.id, "key") == ""
    assert run.stop_asked()


def test_a_finished_run_that_is_scored_is_neither_stopped_nor_discarded_on_tab_3(tmp_path, worker):
    run = kept_run(tmp_path)
    context, control, compare = tabs(tmp_path, public=False)
    run.evaluation.append(worker)
    assert context.jobs.busy() == run
    stop, _, discard, _ = control.look(run.id, None)
    assert (stop.interactive, discard.interactive, discard.value) == (False, False, DISCARD)
    assert compare.look(run.id, None)[1].visible
    run.evaluation.append(Finished(step=0))
    assert control.look(run.id, None)[2].interactive
