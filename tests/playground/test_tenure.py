"""On a shared page trainings wait for their turn, are stopped at a time limit, and go some time after their end."""

import os
import time

import pytest

from ift.config import TrainConfig
from ift.errors import ConfigError
from ift.events import Finished, Stepped
from ift.runs.folder import OWNER, create_run
from ift.runs.state import State
from playground.context import Context
from playground.runs import polls
from playground.runs.tenure import UNBORN_KEPT_S, disk_bytes
from playground.settings import Limits, Mode, Settings
from playground.visitors import Visitor, acting_as, new_key
from playground.widgets.run_buttons import RunButtons
from tests.helpers import run_config
from tests.playground.test_jobs import OWN, long, wait_for  # noqa: F401  a fixture

FIRST, SECOND = Visitor(new_key()), Visitor(new_key())


def finished(home, name="a"):
    run = create_run(home / "runs" / name, run_config())
    run.training.append(Finished(step=1))
    return run


@pytest.fixture
def public(tmp_path):
    """A public page's jobs, whose children are killed when it ends."""
    context = Context(Settings(home=tmp_path, mode=Mode.PUBLIC))
    yield context
    for child, _ in context.jobs._children.values():
        child.kill()
        child.wait()
        child.stdin.close()


def wait(context, config):
    return context.queue.add(config, source=OWN).run


def test_a_second_training_shows_its_place_and_the_first_is_stopped_at_the_limit(public, long):  # noqa: F811
    public.queue.start = lambda: None  # this test is the worker
    jobs, poll = public.jobs, polls.training(public)
    with acting_as(FIRST):
        one = wait(public, long)
        with pytest.raises(ConfigError, match="trainings of one visitor"):
            wait(public, long)
        public.queue.advance()
        one = jobs.run(one)
    with acting_as(SECOND):
        two = jobs.run(wait(public, long))
        news = poll({"run": two.id, "offset": 0})
        assert (news["state"], news["over"]) == ("waiting", False)
        assert "1 training before this one: it begins within 10 min" in news["note"]
        assert poll({"run": one.id, "offset": 0})["state"] == "unknown"
    wait_for(one, Stepped)
    public.tenure._limits = Limits(wall_s=0)
    public.tenure.enforce()
    jobs._children[one.id][0].wait(60)
    last = one.training.read()[0][-1]
    assert "limit of 0 seconds is over" in last.reason
    assert one.checkpoints()
    for _ in range(2):  # one is done, two begins
        public.queue.advance()
    assert jobs.busy() == two


def test_who_waits_can_leave_and_nothing_of_the_run_stays(public, long):  # noqa: F811
    public.queue.start = lambda: None
    control = object.__new__(RunButtons)
    control.context = public
    with acting_as(SECOND):
        two = public.jobs.run(wait(public, long))
        assert control.look(two.id)[0].interactive
        assert "waits no longer" in control._stop(two.id)
        assert (public.jobs.run(two.id), public.queue.tickets(), two.path.exists()) == (None, [], False)


def aged(run, seconds):
    for path in run.path.iterdir():
        os.utime(path, (time.time() - seconds,) * 2)


def test_a_public_pages_runs_go_two_hours_after_their_end_and_say_so(tmp_path, public):
    run, fresh = finished(tmp_path), finished(tmp_path, "b")
    with acting_as(FIRST):
        public.ownership.claim(run)
        assert "This page removes the run at" in polls.training(public)({"run": run.id, "offset": 0})["note"]
    aged(run, 7_300)
    public.tenure.sweep()
    assert run.path.is_dir()  # this server has just come up: its owner could not come back before
    public.tenure._began -= 7_300
    public.tenure.sweep()
    assert (run.path.exists(), fresh.path.exists()) == (False, True)


def test_a_run_whose_scoring_has_just_been_asked_for_stays(tmp_path, public, monkeypatch):
    run = finished(tmp_path)
    aged(run, 7_300)
    public.tenure._began -= 7_300
    discarded = []
    with monkeypatch.context() as patch:  # its process has no log yet
        state = public.jobs.state
        patch.setattr(public.jobs, "state", lambda run, log: _starting(state, run, log))
        patch.setattr(public.jobs, "discard", discarded.append)
        public.tenure.sweep()
        assert discarded == []
    public.tenure.sweep()
    assert not run.path.exists()


def _starting(state, run, log):
    return State.STARTING if log == run.evaluation else state(run, log)


@pytest.mark.parametrize("mode", [Mode.LOCAL, Mode.CLASSROOM])
def test_elsewhere_runs_stay(tmp_path, mode):
    run, tenure = finished(tmp_path), Context(Settings(home=tmp_path, mode=mode)).tenure
    aged(run, 10**7)
    tenure._began -= 10**7
    tenure.sweep()
    assert run.path.is_dir()
    assert tenure.leaves_at(run) is None


def test_a_folder_whose_run_never_began_goes(tmp_path, public):
    path = tmp_path / "runs" / "never"
    path.mkdir(parents=True)
    (path / OWNER).write_text("{}")
    public.tenure.sweep()
    assert path.is_dir()
    os.utime(path, (time.time() - UNBORN_KEPT_S - 1,) * 2)
    public.tenure.sweep()
    assert not path.exists()


def test_no_training_begins_where_the_disk_is_full(public):
    public.jobs.disk_bytes = 10**12
    with pytest.raises(ConfigError, match="disk space"):
        public.require_training(TrainConfig(), rows=100, tokens_per_row=50)


def test_what_a_folder_takes_is_what_its_files_take(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").write_bytes(bytes(300))
    (tmp_path / "c").write_bytes(bytes(20))
    assert disk_bytes(tmp_path) == 320
    assert disk_bytes(tmp_path / "none") == 0
