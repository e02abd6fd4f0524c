"""A run that is killed and stopped again and again, and a server that is killed or starts many runs: nothing is lost.

By default about a twentieth of what `--long` does. `--log-cli-level=INFO` shows the figures.
"""

import json
import logging
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass

import psutil
import pytest

from ift.errors import IftError
from ift.events import Saved, Started, Stepped, Stopped
from ift.runs.folder import Run
from ift.runs.state import State
from ift.training.resume import find_resumable, stored_progress
from tests.helpers import write_records

LOG = logging.getLogger(__name__)
LIMIT_S = 60
SAVE_STEPS = 3
KILLED, KILLED_IN_SAVE, STOPPED = "killed", "killed inside a save", "stopped"
ENDS = {KILLED: 30, KILLED_IN_SAVE: 20, STOPPED: 50}
ONE_THREAD = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUTF8": "1"}


@pytest.fixture(scope="module")
def many(request):
    """So many with `--long`, else a twentieth."""
    return lambda count: count if request.config.getoption("--long") else max(1, count // 20)


@pytest.fixture(scope="module")
def options(tiny_folder, tmp_path_factory):
    """A run without end, of fourteen batches an epoch."""
    home = tmp_path_factory.mktemp("durable")
    write_records(home / "records.json", range(50))
    (home / "short.txt").write_text("Q: {{instruction}}\nA:{{output}}\n", encoding="utf-8")
    values = {
        "--model": tiny_folder,
        "--data": home / "records.json",
        "--template": home / "short.txt",
        "--per_device_train_batch_size": 3,
        "--max_steps": 1_000_000,
        "--eval_steps": 1_000_000,
        "--lr_scheduler_type": "constant",
        "--bf16": "false",
    }
    return [str(word) for pair in values.items() for word in pair]


def train(*words):
    command = [sys.executable, "-m", "ift", "train", *map(str, words)]
    return subprocess.Popen(command, env=ONE_THREAD, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def until(true, child):
    """Wait for something that a living child does."""
    deadline = time.monotonic() + LIMIT_S
    while not true():
        assert child.poll() is None, child.stderr.read().decode()
        assert time.monotonic() < deadline
        time.sleep(0.001)


def steps_of(events):
    return [event for event in events if isinstance(event, Stepped)]


@dataclass
class Life:
    """One process over the run: how it ended, and what stood in the folder then."""

    end: str
    code: int
    took_s: float
    reached: int
    saved: int
    broken: list
    inside: bool
    state: State
    last: object


def live(run, words, end, rng):
    """Let a process train for a while, and end it."""
    offset = run.training.path.stat().st_size if run.training.path.exists() else 0
    child = train(*words, "--save_steps", SAVE_STEPS) if "--out" in words else train(*words)

    def news():
        return run.training.read(offset)[0]

    until(lambda: any(isinstance(event, Saved) for event in news()), child)
    time.sleep(rng.uniform(0, 0.3))
    if end == KILLED_IN_SAVE:
        until(lambda: any((run.path / "checkpoints").glob(".step-*")), child)
    began = time.monotonic()
    child.send_signal(signal.SIGTERM if end == STOPPED else signal.SIGKILL)
    child.wait(LIMIT_S)
    child.stderr.close()
    took_s = time.monotonic() - began
    inside = any((run.path / "checkpoints").glob(".step-*"))
    run.training.mend()
    events = run.training.read(offset)[0]
    try:
        folder, broken = find_resumable(run)
        saved = stored_progress(folder).step
    except IftError as error:
        broken, saved = [str(error)], -1
    reached = steps_of(events)[-1].step
    return Life(end, child.returncode, took_s, reached, saved, broken, inside, run.state(), events[-1])


@pytest.fixture(scope="module")
def lived(options, many, tmp_path_factory):
    """A run, and the lives it had; those that were to end inside a save are lived until so many did."""
    rng = random.Random(3)
    run = Run(tmp_path_factory.mktemp("lives") / "run")
    ends = [end for end, count in ENDS.items() for _ in range(many(count))]
    rng.shuffle(ends)
    lives = []
    while ends:
        words = ["--resume", run.path] if lives else [*options, "--out", run.path]
        lives.append(live(run, words, ends[-1], rng))
        if ends[-1] != KILLED_IN_SAVE or lives[-1].inside:
            ends.pop()
    stops = [life.took_s for life in lives if life.end == STOPPED]
    LOG.info("%d lives, %d ended inside a save", len(lives), sum(life.inside for life in lives))
    LOG.info("%d stops: gone after %.2f s at most, %.2f s on average", len(stops), max(stops), sum(stops) / len(stops))
    return run, lives


def test_no_end_leaves_a_checkpoint_that_can_not_be_gone_on_from(lived):
    _, lives = lived
    assert [life.broken for life in lives if life.broken] == []
    assert {life.state for life in lives} == {State.STOPPED}


def test_a_kill_costs_at_most_one_save_interval(lived):
    _, lives = lived
    lost = [life.reached - life.saved for life in lives if life.end != STOPPED]
    assert max(lost) <= SAVE_STEPS
    assert min(lost) >= -1  # a save and a step's event are two moments


def test_a_stop_costs_nothing_and_says_stopped(lived):
    _, lives = lived
    stops = [life for life in lives if life.end == STOPPED]
    assert {(life.code, life.reached - life.saved, type(life.last)) for life in stops} == {(3, 0, Stopped)}


def test_weights_optimizer_and_losses_are_those_of_a_run_that_was_left_alone_bit_for_bit(lived, options, tmp_path):
    run, lives = lived
    step = lives[-1].saved
    whole = Run(tmp_path / "whole")
    child = train(*options, "--out", whole.path, "--save_steps", step)
    until(lambda: whole.checkpoints(), child)
    child.kill()
    child.wait(LIMIT_S)
    child.stderr.close()
    ours, theirs = run.path / "checkpoints" / f"step-{step:06d}", whole.last_checkpoint()
    assert ours.name == theirs.name
    for name in ("model.safetensors", "optimizer.safetensors"):
        assert (ours / name).read_bytes() == (theirs / name).read_bytes(), name
    losses = {event.step: event.loss for event in steps_of(whole.training.read()[0])}
    told = [event for event in steps_of(run.training.read()[0]) if event.step <= step]
    assert {event.step for event in told} == set(range(1, step + 1))
    assert [event for event in told if event.loss != losses[event.step]] == []
    LOG.info("%d steps, %d of them done twice", step, len(told) - step)


def test_nothing_is_left_over(lived):
    run, _ = lived
    child = train("--resume", run.path)
    until(lambda: run.state() is State.RUNNING, child)
    before = run.last_checkpoint().name
    until(lambda: run.last_checkpoint().name > before, child)
    child.send_signal(signal.SIGTERM)
    child.wait(LIMIT_S)
    child.stderr.close()
    assert {path.name for path in run.path.iterdir()} - {".lock"} == {"config.json", "events.jsonl", "checkpoints"}
    left = sorted(path.name for path in (run.path / "checkpoints").iterdir())
    assert [name for name in left if not name.startswith("step-")] == []
    assert len(left) <= 3


# A server.

SERVER = """
import json, sys, time
from pathlib import Path
from ift.config import TrainConfig
from playground.runs.jobs import Jobs
from playground.settings import Settings
jobs = Jobs(Settings(home=Path(sys.argv[1])))
run = jobs.start_training(TrainConfig(**json.loads(sys.argv[2])), template="alpaca", source="")
print(run.path, flush=True)
time.sleep(600)
"""


def test_a_killed_server_leaves_no_child(tiny_folder, many, tmp_path):
    data = write_records(tmp_path / "records.json", range(20))
    config = {"model": str(tiny_folder), "data": str(data), "max_steps": 1_000_000, "eval_steps": 1_000_000}
    for number in range(many(10)):
        command = [sys.executable, "-c", SERVER, str(tmp_path / "home"), json.dumps(config)]
        with subprocess.Popen(command, env=ONE_THREAD, stdout=subprocess.PIPE, text=True) as server:
            run = Run(tmp_path / "home" / "runs" / server.stdout.readline().strip().rpartition(os.sep)[2])
            deadline = time.monotonic() + LIMIT_S
            kind = (Started, Stepped)[number % 2 == 0]  # while torch loads, and while it trains
            while not any(isinstance(event, kind) for event in run.training.read()[0]):
                assert time.monotonic() < deadline
                time.sleep(0.01)
            server.kill()
        child = psutil.Process(run.training.last_started().pid) if run.state() is State.RUNNING else None
        began = time.monotonic()
        if child:
            child.wait(LIMIT_S)
        LOG.info("the child was gone %.2f s after its server", time.monotonic() - began)
        assert isinstance(run.training.read()[0][-1], Stopped)


RUNS = """
import json, sys, tempfile, time
from pathlib import Path
import psutil
from ift.config import TrainConfig
from ift.runs.folder import State
from playground.runs import polls
from playground.context import Context
from playground.settings import Settings

me, context = psutil.Process(), Context(Settings(home=Path(sys.argv[1])))
config, count = TrainConfig(**json.loads(sys.argv[2])), int(sys.argv[3])
ask = polls.training(context)

def run_one():
    run, offset = context.jobs.start_training(config, template="alpaca", source=""), 0
    while True:
        reply = ask({"run": run.id, "offset": offset})
        offset = reply["offset"]
        if reply["over"] and context.jobs.busy() is None:
            assert reply["state"] == "finished", reply
            return
        time.sleep(0.05)

def held():
    until = time.monotonic() + 10
    while me.children() and time.monotonic() < until:  # the last one may still be ending
        context.jobs.busy()
        time.sleep(0.05)
    return {"handles": me.num_fds(), "children": len(me.children(recursive=True)),
            "temporary": len(list(Path(tempfile.gettempdir()).iterdir()))}

for _ in range(3):
    run_one()  # what the first takes stays
before, rss = held(), me.memory_info().rss
for _ in range(count):
    run_one()
print(json.dumps({"before": before, "after": held(), "grown_bytes": me.memory_info().rss - rss}))
"""


@pytest.mark.long
@pytest.mark.skipif(not hasattr(psutil.Process, "num_fds"), reason="Windows counts handles otherwise")
def test_a_hundred_short_runs_leave_a_server_as_it_was(tiny_folder, tmp_path):
    data = write_records(tmp_path / "records.json", range(20))
    (tmp_path / "tmp").mkdir()
    config = {"model": str(tiny_folder), "data": str(data), "max_steps": 2, "eval_steps": 100}
    command = [sys.executable, "-c", RUNS, str(tmp_path / "home"), json.dumps(config), "100"]
    env = {**ONE_THREAD, "TMPDIR": str(tmp_path / "tmp")}
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, check=True, text=True)
    said = json.loads(done.stdout)
    LOG.info("100 runs: %s", said)
    assert said["after"] == said["before"]
    assert said["before"]["children"] == 0
    assert said["grown_bytes"] <= 50e6
