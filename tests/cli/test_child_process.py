"""A run's process, killed and stopped for real: what it saved stays, and its state is told truly."""

import signal
import subprocess
import sys
import time

import pytest

from ift.events import Resumed, Saved, Stepped, Stopped
from ift.model.manifest import verify_checkpoint
from ift.runs.folder import Run
from ift.runs.state import State

LIMIT_S = 60


@pytest.fixture
def start(tiny_folder, data_file, template_file, tmp_path):
    """Start `python -m ift train` on far more steps than it will get; killed at the end."""
    children = []

    def start(*words, **output):
        options = {
            "--model": tiny_folder,
            "--data": data_file,
            "--template": template_file,
            "--out": tmp_path / "run",
            "--max-steps": 1_000_000,
            "--eval-steps": 1_000_000,
            "--per-device-train-batch-size": 2,
        }
        command = [sys.executable, "-m", "ift", "train", *[str(word) for pair in options.items() for word in pair]]
        with (tmp_path / "log").open("w", encoding="utf-8") as log:
            child = subprocess.Popen(
                [*command, *words], stdin=subprocess.PIPE, **{"stdout": log, "stderr": log} | output
            )
        children.append(child)
        return child, Run(tmp_path / "run")

    yield start
    for child in children:
        child.kill()
        child.wait()
        child.stdin.close()


def wait_for(run, kind):
    """Wait until an event of this kind stands in the log."""
    deadline = time.monotonic() + LIMIT_S
    while not any(isinstance(event, kind) for event in run.training.read()[0]):
        assert time.monotonic() < deadline, f"no {kind.__name__}"
        time.sleep(0.02)


def last_events(run):
    return run.training.read()[0][-2:]


def test_sigterm_saves_says_stopped_and_exits_with_3(start):
    child, run = start()
    wait_for(run, Stepped)
    assert run.state() is State.RUNNING
    child.send_signal(signal.SIGTERM)
    assert child.wait(LIMIT_S) == 3
    saved, stopped = last_events(run)
    assert (type(saved), type(stopped), stopped.reason) == (Saved, Stopped, "SIGTERM")
    assert run.path / saved.path == run.last_checkpoint()
    verify_checkpoint(run.last_checkpoint())
    assert run.state() is State.STOPPED


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="Windows has no SIGHUP")
def test_a_terminal_that_closes_stops_it_too(start):
    child, run = start()
    wait_for(run, Stepped)
    child.send_signal(signal.SIGHUP)
    assert child.wait(LIMIT_S) == 3
    assert [type(event) for event in last_events(run)] == [Saved, Stopped]


def test_where_nobody_reads_on_it_saves_and_stops(start, tmp_path):
    child, run = start("--json", stdout=subprocess.PIPE)
    with child.stdout as lines:
        next(line for line in lines if b'"stepped"' in line)
    assert child.wait(LIMIT_S) == 3
    assert "Error" not in (tmp_path / "log").read_text(encoding="utf-8")
    saved, stopped = last_events(run)
    assert (type(saved), stopped.reason) == (Saved, "nobody reads its output any more")


def test_an_attached_child_ends_when_its_standard_input_does(start):
    child, run = start("--attached")
    wait_for(run, Stepped)
    child.stdin.close()
    assert child.wait(LIMIT_S) == 3
    saved, stopped = last_events(run)
    assert (type(saved), stopped.reason) == (Saved, "the server ended")


def test_an_attached_child_that_finishes_exits_with_0_while_its_standard_input_is_open(start):
    child, run = start("--attached", "--max-steps", "1")
    assert child.wait(LIMIT_S) == 0
    assert run.state() is State.FINISHED


def test_a_stop_that_is_asked_before_the_child_can_look_is_heard(start, tmp_path):
    (tmp_path / "run").mkdir()
    Run(tmp_path / "run").ask_to_stop()
    child, run = start()
    assert child.wait(LIMIT_S) == 3
    assert [event.step for event in run.training.read()[0]] == [0, 0]
    assert run.state() is State.STOPPED
    assert not run.stop_asked()


def test_attached_scoring_is_interrupted_when_its_standard_input_ends(run):
    command = [sys.executable, "-m", "ift", "evaluate", str(run.path), "--attached"]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with child:
        deadline = time.monotonic() + LIMIT_S
        while run.evaluation.state() is State.ABSENT and time.monotonic() < deadline:
            time.sleep(0.005)
        child.stdin.close()
        assert child.wait(LIMIT_S) == 3
    assert run.evaluation.read()[0][-1].reason == "the server ended"
    assert run.scores is None


def test_a_stop_file_ends_a_child_that_nobody_may_signal(start):
    child, run = start()
    wait_for(run, Stepped)
    run.ask_to_stop()
    assert child.wait(LIMIT_S) == 3
    assert last_events(run)[-1].reason == "asked to stop"


def test_a_killed_child_is_stopped_with_what_it_had_saved(start):
    child, run = start("--save-steps", "5")
    wait_for(run, Saved)
    child.kill()
    child.wait(LIMIT_S)
    assert run.state() is State.STOPPED
    verify_checkpoint(run.last_checkpoint())


def test_a_child_that_is_told_to_stop_before_torch_is_there_says_stopped_too(start):
    child, run = start()
    deadline = time.monotonic() + LIMIT_S
    while run.state() in (State.ABSENT, State.STARTING) and time.monotonic() < deadline:
        time.sleep(0.005)
    child.send_signal(signal.SIGTERM)
    assert child.wait(LIMIT_S) == 3
    assert isinstance(last_events(run)[-1], Stopped)
    assert run.checkpoints() == []


def test_a_killed_run_goes_on_in_another_process_and_is_told_truly_all_the_while(start):
    child, run = start("--save-steps", "5")
    wait_for(run, Saved)
    child.kill()
    child.wait(LIMIT_S)
    command = [sys.executable, "-m", "ift", "train", "--resume", str(run.path)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as second:
        wait_for(run, Resumed)
        assert run.state() is State.RUNNING
        run.ask_to_stop()
        assert second.wait(LIMIT_S) == 3
    assert run.state() is State.STOPPED
    assert run.training.read()[0][0].pid == child.pid
    assert run.training.last_started().pid == second.pid
