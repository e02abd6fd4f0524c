"""Whose a run is: asked of the handlers themselves, which buttons do not protect."""

import subprocess
import sys

import pytest

from ift.errors import RunError
from ift.evaluation.evaluation_options import EvaluationOptions
from ift.events import Finished, Started
from ift.runs.folder import OWNER
from ift.runs.processes import creation_time
from playground.context import Context
from playground.ownership import Ownership
from playground.runs import polls
from playground.runs.jobs import ANOTHERS
from playground.settings import Mode, Settings
from playground.tabs.compare import CompareTab
from playground.visitors import NOBODY, Visitor, acting_as, current, new_key
from playground.widgets.run_buttons import DISCARD, STOP_AND_DISCARD, RunButtons
from tests.playground.test_jobs import kept_run

OWNER_OF_IT, STRANGER, TEACHER = Visitor(new_key()), Visitor(new_key()), Visitor("teacher-key-of-22-chars")


def owned_run(home, ownership, owner=OWNER_OF_IT):
    run = kept_run(home)
    with acting_as(owner):
        ownership.claim(run)
    return run


def may(ownership, run, visitor):
    """Whether a visitor may see a run, and change it."""
    with acting_as(visitor):
        return ownership.may_see(run), ownership.may_change(run)


@pytest.fixture
def public(tmp_path):
    return Settings(home=tmp_path, mode=Mode.PUBLIC)


def test_what_is_not_ones_own_is_neither_seen_nor_changed(tmp_path, public):
    run = owned_run(tmp_path, Ownership(public))
    found = [may(Ownership(public), run, visitor) for visitor in (OWNER_OF_IT, STRANGER, NOBODY)]
    assert found == [(True, True), (False, False), (False, False)]


def test_a_run_keeps_its_owner_and_nobody_who_reads_the_folder_learns_the_key(tmp_path, public):
    run = owned_run(tmp_path, Ownership(public))
    assert may(Ownership(public), run, OWNER_OF_IT) == (True, True)  # a server that has just been started
    assert OWNER_OF_IT.key not in (run.path / OWNER).read_text()


@pytest.mark.parametrize("text", [None, "{}", "[]", "{", '{"key": 5}', '{"key": ""}', '{"other": ""}'])
def test_a_run_without_a_legible_owner_is_nobodys(tmp_path, public, text):
    run = kept_run(tmp_path)
    if text is not None:
        (run.path / OWNER).write_text(text)
    assert [may(Ownership(public), run, one) for one in (NOBODY, STRANGER)] == [(False, False)] * 2


def test_who_sends_no_key_owns_nothing(tmp_path, public):
    run = owned_run(tmp_path, Ownership(public), NOBODY)
    assert may(Ownership(public), run, NOBODY) == (False, False)


def test_who_has_a_shared_runs_link_may_look_at_it_and_no_more(tmp_path, public):
    ownership = Ownership(public)
    run = owned_run(tmp_path, ownership)
    with acting_as(OWNER_OF_IT):
        key = ownership.share(run)
        assert ownership.share(run) == key  # a link that was given away goes on
    guest = Visitor(STRANGER.key, (key,))
    assert may(ownership, run, guest) == (True, False)
    with acting_as(guest), pytest.raises(RunError, match="shared with you to look at"):
        ownership.require(run)
    assert may(ownership, run, OWNER_OF_IT) == (True, True)
    assert may(ownership, run, Visitor(STRANGER.key, ("",))) == (False, False)


def test_only_its_owner_shares_a_run(tmp_path, public):
    run = owned_run(tmp_path, Ownership(public))
    with acting_as(STRANGER), pytest.raises(RunError):
        Ownership(public).share(run)


@pytest.mark.parametrize(("mode", "sees"), [(Mode.CLASSROOM, True), (Mode.PUBLIC, False)])
def test_a_teachers_key_opens_everything_in_a_classroom(tmp_path, mode, sees):
    ownership = Ownership(Settings(home=tmp_path, mode=mode, teacher_key=TEACHER.key))
    run = owned_run(tmp_path, ownership)
    assert may(ownership, run, TEACHER) == (sees, sees)
    assert may(ownership, kept_run(tmp_path, "from-a-terminal"), TEACHER) == (sees, sees)
    assert may(ownership, run, STRANGER) == (False, False)


def test_without_a_teachers_key_nobody_is_the_teacher(tmp_path):
    ownership = Ownership(Settings(home=tmp_path, mode=Mode.CLASSROOM))
    with acting_as(Visitor("")):
        assert not ownership.is_teacher()


def test_on_ones_own_machine_every_run_is_ones_own(tmp_path):
    assert may(Ownership(Settings(home=tmp_path)), kept_run(tmp_path), NOBODY) == (True, True)


def test_nobody_asks_where_no_request_is_answered():
    assert current() == NOBODY


@pytest.fixture
def worker():
    """A process that a run's log can name as its own."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as child:
        yield Started(step=0, pid=child.pid, process_time=creation_time(child.pid))
        child.kill()


def tabs(settings):
    """What handles the buttons of tab 3 and tab 4 over a server's folder, without a page: Blocks leave sockets open."""
    context = Context(settings)
    control, compare = object.__new__(RunButtons), object.__new__(CompareTab)
    control.context = compare.context = context
    return context, control, compare


def in_training(run, worker):
    run.training.path.unlink()
    run.training.append(worker)
    return run


def test_no_scoring_asks_for_longer_answers_than_the_page_writes(tmp_path, public):
    context, _, compare = tabs(public)
    run = owned_run(tmp_path, context.ownership)
    with acting_as(OWNER_OF_IT):
        said = compare._begin(run, lambda: EvaluationOptions(max_new_tokens=257))[1]
    assert "limit of 256 (new tokens of an answer)" in said


@pytest.mark.parametrize("stranger", [STRANGER, NOBODY])
def test_to_a_stranger_a_run_in_training_is_not_there(tmp_path, public, worker, stranger):
    context, control, compare = tabs(public)
    run = in_training(owned_run(tmp_path, context.ownership), worker)
    with acting_as(stranger):
        assert (control._stop(run.id), control._resume(run.id)[0]) == ("", "")
        assert control._discard(run.id)[:2] == (None, "")
        assert compare._answer(run.id) == compare._answer("none")
        assert polls.training(context)({"run": run.id, "offset": 0}) == {
            "state": "unknown",
            "offset": 0,
            "over": True,
            "busy": ANOTHERS,
        }
        assert (context.jobs.run(run.id), context.jobs.runs()) == (None, [])
        assert [button.interactive for button in control.look(run.id)[:3]] == [False] * 3
    assert not run.stop_asked()
    assert run.path.is_dir()


def test_the_owner_stops_a_training(tmp_path, public, worker):
    context, control, _ = tabs(public)
    run = in_training(owned_run(tmp_path, context.ownership), worker)
    with acting_as(OWNER_OF_IT):
        stop, _, discard, _ = control.look(run.id)
        assert (stop.interactive, discard.interactive, discard.value) == (True, True, STOP_AND_DISCARD)
        assert "Stopping" in control._stop(run.id)
    assert run.stop_asked()


def test_a_guest_of_a_shared_run_is_told_that_it_is_another_ones(tmp_path, public, worker):
    context, control, compare = tabs(public)
    run = owned_run(tmp_path, context.ownership)
    with acting_as(OWNER_OF_IT):
        guest = Visitor(STRANGER.key, (context.ownership.share(run),))
    with acting_as(guest):
        assert "to look at" in compare._answer(run.id)[1]
        assert "to look at" in control._discard(run.id)[1]
        assert "to look at" in control._resume(run.id)[0]
        assert context.jobs.run(run.id) == run
        in_training(run, worker)
        assert "to look at" in control._stop(run.id)
    assert not run.stop_asked()


def test_a_finished_run_that_is_scored_is_neither_stopped_nor_discarded_on_tab_3(tmp_path, worker):
    run = kept_run(tmp_path)
    context, control, compare = tabs(Settings(home=tmp_path))
    run.evaluation.append(worker)
    assert context.jobs.busy() == run
    stop, _, discard, _ = control.look(run.id)
    assert (stop.interactive, discard.interactive, discard.value) == (False, False, DISCARD)
    assert compare.look(run.id)[1].visible
    run.evaluation.append(Finished(step=0))
    assert control.look(run.id)[2].interactive
