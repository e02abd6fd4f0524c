"""Every page asks twice a second who is busy: what that costs does not depend on how many runs there are."""

import os

import pytest

from ift.events import Finished, Started
from ift.runs.folder import create_run
from ift.runs.processes import own_identity
from ift.runs.state import State
from playground.runs import watch
from playground.runs.watch import Watch
from playground.settings import Settings
from tests.helpers import run_config


@pytest.fixture
def settings(tmp_path):
    return Settings(home=tmp_path)


@pytest.fixture
def runs(settings):
    made = [create_run(settings.runs / f"run-{i}", run_config()) for i in range(20)]
    for run in made:
        run.training.append(Finished(step=1))
    return made


class Counted:
    """States as a log tells them, and how often one was asked for."""

    def __init__(self):
        self.asked = 0

    def __call__(self, run, log):
        self.asked += 1
        return log.state()


def started():
    pid, process_time = own_identity()
    return Started(step=0, pid=pid, process_time=process_time)


def test_runs_that_are_over_are_read_once(settings, runs, monkeypatch):
    looks, state_of = Watch(settings), Counted()
    assert looks.open_runs(state_of) == []
    first = state_of.asked
    for _ in range(100):
        assert looks.open_runs(state_of) == []
    monkeypatch.setattr(watch, "LOOK_S", -1)  # a look at all of them each time
    for _ in range(10):
        assert looks.open_runs(state_of) == []
    assert state_of.asked == first


def test_a_run_that_is_resumed_elsewhere_is_noticed_at_the_next_look(settings, runs, monkeypatch):
    looks = Watch(settings)
    looks.open_runs(Counted())
    runs[3].training.append(started())
    monkeypatch.setattr(watch, "LOOK_S", -1)
    assert looks.open_runs(Counted()) == [runs[3]]
    runs[3].training.append(Finished(step=2))
    assert looks.open_runs(Counted()) == []


def test_a_new_run_is_noticed_at_once(settings, runs):
    looks = Watch(settings)
    looks.open_runs(Counted())
    run = create_run(settings.runs / "new", run_config())
    run.training.append(started())
    os.utime(settings.runs, ns=(1, 1))  # a clock that is coarser than this test
    assert looks.open_runs(Counted()) == [run]
    assert run.training.state() is State.RUNNING


def test_without_a_folder_there_are_no_runs(settings):
    assert Watch(settings).open_runs(Counted()) == []
