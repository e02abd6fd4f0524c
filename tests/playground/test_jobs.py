"""The page's child processes, started, stopped and killed for real; what a browser sends never becomes a path."""

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace

import psutil
import pytest

from ift.cli import main
from ift.config import TrainConfig, to_dict
from ift.data.sources import load_dataset
from ift.data.templates import Template, load_template
from ift.errors import DataError, RunError
from ift.events import Finished, Resumed, Started, Stepped, Stopped
from ift.model.manifest import verify_checkpoint
from ift.runs.folder import Run, create_run
from ift.runs.run_config import describe
from ift.runs.state import State
from ift.training.checkpoint import save_checkpoint
from playground.runs import jobs as module
from playground.runs.jobs import Jobs, train_options
from playground.settings import Settings
from tests.helpers import WORD, parrot, run_config, write_records

LIMIT_S = 60
OWN = "My own: {{instruction}}\nSay:{{output}}"


@contextmanager
def server(home):
    """A server's jobs; its children are killed when it ends."""
    jobs = Jobs(Settings(home=home))
    try:
        yield jobs
    finally:
        for child, _ in jobs._children.values():
            child.kill()
            child.wait()
            child.stdin.close()


@pytest.fixture
def jobs(tmp_path):
    with server(tmp_path) as jobs:
        yield jobs


@pytest.fixture
def long(tiny_folder, data_file):
    """More work than any test waits for."""
    return TrainConfig(model=str(tiny_folder), data=str(data_file), max_steps=1_000_000, eval_steps=1_000_000)


def start(jobs, config):
    return jobs.start_training(config, template=None, source=OWN)


def child_of(jobs, run):
    return jobs._children[run.id][0]


def exit_code(jobs, run):
    return child_of(jobs, run).wait(LIMIT_S)


def wait_for(run, kind):
    """Wait until an event of this kind stands in the log."""
    deadline = time.monotonic() + LIMIT_S
    while not any(isinstance(event, kind) for event in run.training.read()[0]):
        assert time.monotonic() < deadline, f"no {kind.__name__}"
        time.sleep(0.02)


def kept_run(home, name="kept", *, records=20, saved=True):
    """A finished run of an earlier server."""
    data = write_records(home / "records.json", range(records))
    config = TrainConfig(model="starter", data=str(data))
    (home / "runs").mkdir(exist_ok=True)
    run = create_run(home / "runs" / name, describe(config, load_dataset(str(data)), Template.parse(OWN)))
    run.training.append(Finished(step=3))
    if saved:
        save_checkpoint(run.path / "checkpoints", parrot(WORD), step=3)
    return run


# A run from its start to its end.


@pytest.fixture(scope="module")
def done(tiny_folder, tmp_path_factory):
    """A run of one step on a model whose folder has blanks in its name: (jobs, run, config, exit code)."""
    home = tmp_path_factory.mktemp("home")
    model = home / "my fine  model"
    model.symlink_to(tiny_folder, target_is_directory=True)
    data = write_records(home / "my records.json", range(20))
    config = TrainConfig(model=str(model), data=str(data), max_steps=1, max_length=20)
    with server(home) as jobs:
        run = start(jobs, config)
        yield jobs, run, config, exit_code(jobs, run)


def test_a_training_ends_with_0_a_finished_run_and_a_whole_checkpoint(done):
    jobs, run, _, code = done
    assert (code, jobs.state(run, run.training)) == (0, State.FINISHED)
    verify_checkpoint(run.last_checkpoint())


def test_a_run_that_has_ended_is_listed_and_nobody_is_busy(done):
    jobs, run, *_ = done
    assert [one.id for one in jobs.runs()] == [run.id]
    assert jobs.run(run.id) == run
    assert jobs.busy() is None


def test_blanks_in_a_models_name_are_none_in_the_runs(done):
    assert done[1].id == "my-fine-model-01"


def test_the_users_own_template_is_kept_in_a_file_and_is_what_the_run_was_trained_with(done):
    _, run, *_ = done
    assert run.config.template_source == OWN
    assert load_template(run.config.options.template).source == OWN


def test_the_run_has_every_option_of_the_config_that_was_asked_for(done):
    _, run, config, _ = done
    made = run.config.options
    # the command line names template and model in full
    assert made == replace(config, template=made.template, model=made.model)


@pytest.mark.parametrize("source", ["a\n{{output}}", "a\n{{output}}\n", "a {{output}}\n\n", "größe {{output}}"])
def test_a_kept_template_is_read_back_to_the_character(jobs, long, source):
    run = jobs.start_training(long, template=None, source=source)
    (path,) = (run.path.parent.parent / "templates").iterdir()
    assert load_template(str(path)).source == source


def test_a_preset_template_goes_by_its_name_and_leaves_no_file(jobs, long, tmp_path):
    jobs.start_training(long, template="phi3", source="not read")
    assert not (tmp_path / "templates").exists()


# The same config through the command line.


@pytest.mark.parametrize(
    "options",
    [
        {},  # the page's defaults are not those that the command line gives to a folder's model
        {
            "train_on": "response,",
            "max_length": 9,
            "per_device_train_batch_size": 3,
            "learning_rate": 1e-05,
            "weight_decay": 0.0,
            "lr_scheduler_type": "constant",
            "warmup_steps": 0,
            "max_grad_norm": 0.0,
            "eval_steps": 7,
            "save_steps": 9,
            "seed": 4294967295,
        },
        {"max_steps": -1, "num_train_epochs": 0.05, "train_on": "header,response,pad"},
    ],
)
def test_the_options_give_the_same_config_on_the_command_line(options, tiny_folder, data_file, template_file, tmp_path):
    names = {"model": str(tiny_folder), "data": str(data_file), "template": str(template_file)}
    config = TrainConfig(**{**names, "max_steps": 1, **options})
    assert main(["train", *train_options(config, str(template_file)), "--out", str(tmp_path / "out")]) == 0
    assert Run(tmp_path / "out").config.options == config


# One at a time, and stopped when asked.


def test_while_a_run_goes_on_no_other_starts(jobs, long, tmp_path):
    run = start(jobs, long)
    assert jobs.busy() == run
    assert jobs.state(run, run.training) in (State.STARTING, State.RUNNING)
    with pytest.raises(RunError, match="already running") as caught:
        start(jobs, long)
    assert caught.value.where == run.id
    with pytest.raises(RunError, match="already running"):
        jobs.start_evaluation(kept_run(tmp_path))
    assert [path.name for path in (tmp_path / "runs").iterdir() if path.name != "kept"] == [run.id]


def test_of_many_presses_at_once_one_starts_a_run(jobs, long):
    def press(_):
        with suppress(RunError):
            return start(jobs, long)

    with ThreadPoolExecutor(8) as threads:
        started = [run for run in threads.map(press, range(8)) if run]
    assert len(started) == 1


def test_a_run_is_found_by_its_name_before_its_process_has_written_anything(jobs, long):
    run = start(jobs, long)
    assert jobs.run(run.id) == run


def test_a_run_that_another_server_started_counts_too(jobs, long, tmp_path):
    run = start(jobs, long)
    wait_for(run, Started)
    assert Jobs(Settings(home=tmp_path)).busy() == run


def test_a_stop_during_start_is_heard(jobs, long):
    run = start(jobs, long)
    jobs.stop(run)
    assert exit_code(jobs, run) == 3
    assert jobs.state(run, run.training) is State.STOPPED
    assert run.checkpoints() == []
    assert jobs.busy() is None


def test_a_stop_during_the_steps_keeps_what_was_reached(jobs, long):
    run = start(jobs, long)
    wait_for(run, Stepped)
    jobs.stop(run)
    assert exit_code(jobs, run) == 3
    stopped = run.training.read()[0][-1]
    assert (type(stopped), stopped.reason) == (Stopped, "asked to stop")
    assert stopped.step >= 1
    verify_checkpoint(run.last_checkpoint())
    assert not run.stop_asked()
    assert jobs.busy() is None


def test_a_stop_of_a_run_that_has_ended_leaves_it_alone(jobs, tmp_path):
    run = kept_run(tmp_path)
    jobs.stop(run)
    assert not run.stop_asked()


def test_a_killed_process_leaves_a_stopped_run_and_the_next_gets_its_turn(jobs, long):
    run = start(jobs, long)
    wait_for(run, Started)
    child_of(jobs, run).kill()
    exit_code(jobs, run)
    assert jobs.state(run, run.training) is State.STOPPED
    assert start(jobs, long).id == "tiny0-02"


def test_a_process_that_dies_at_once_has_failed_with_its_last_line(jobs, long, data_file):
    data_file.unlink()
    run = start(jobs, long)
    assert exit_code(jobs, run) == 2
    assert jobs.state(run, run.training) is State.FAILED
    assert "There is no data set" in jobs.log_tail(run)
    assert jobs.run(run.id) == run
    assert jobs.busy() is None


def test_the_last_line_is_the_last_with_text_and_a_run_without_a_log_has_none(jobs, tmp_path):
    run = kept_run(tmp_path)
    assert jobs.log_tail(run) == ""
    run.log_path.write_bytes("first\nlast \xff\n  \n\n".encode("latin-1"))
    assert jobs.log_tail(run) == "last \ufffd"


# Going on and discarding.


@pytest.fixture
def stopped(jobs, long):
    """A run that was stopped after some steps."""
    run = start(jobs, long)
    wait_for(run, Stepped)
    jobs.stop(run)
    assert exit_code(jobs, run) == 3
    return run


def test_a_stopped_run_goes_on_from_where_it_was_and_can_be_stopped_again(jobs, stopped):
    assert jobs.can_resume(stopped)
    reached = stopped.training.read()[0][-1].step
    jobs.resume_training(stopped)
    assert jobs.state(stopped, stopped.training) in (State.STARTING, State.RUNNING)  # not: stopped, as the log says
    assert jobs.busy() == stopped
    wait_for(stopped, Resumed)
    jobs.stop(stopped)
    assert exit_code(jobs, stopped) == 3
    events = stopped.training.read()[0]
    assert next(event for event in events if isinstance(event, Resumed)).step == reached
    assert isinstance(events[-1], Stopped)
    assert jobs.state(stopped, stopped.training) is State.STOPPED


def test_while_a_run_goes_on_no_other_is_gone_on_with(jobs, stopped, long):
    other = start(jobs, long)
    with pytest.raises(RunError, match="already running") as caught:
        jobs.resume_training(stopped)
    assert caught.value.where == other.id


def test_a_run_that_goes_on_no_more_says_why_and_can_be_tried_again(jobs, stopped, data_file):
    kept = data_file.read_bytes()
    data_file.write_text("[]", encoding="utf-8")
    jobs.resume_training(stopped)
    assert exit_code(jobs, stopped) == 2
    assert jobs.state(stopped, stopped.training) is State.FAILED
    assert "Error" in jobs.log_tail(stopped)
    data_file.write_bytes(kept)
    assert jobs.can_resume(stopped)


def test_a_finished_run_and_one_that_saved_nothing_are_not_gone_on_with(jobs, tmp_path):
    finished = kept_run(tmp_path)
    empty = create_run(tmp_path / "runs" / "empty", run_config())
    empty.training.append(Stopped(step=0, reason="asked to stop"))
    for run in (finished, empty):
        assert not jobs.can_resume(run)
        with pytest.raises(RunError, match="can't be resumed"):
            jobs.resume_training(run)


def test_discarding_ends_the_process_and_leaves_nothing_of_the_run(jobs, long, tmp_path):
    run = start(jobs, long)
    wait_for(run, Stepped)
    child = child_of(jobs, run)
    jobs.discard(run)
    assert child.poll() is not None
    assert list((tmp_path / "runs").iterdir()) == []
    assert (jobs.run(run.id), jobs.runs(), jobs.busy()) == (None, [], None)


def test_a_run_that_is_only_starting_can_be_discarded(jobs, long, tmp_path):
    run = start(jobs, long)
    jobs.discard(run)
    assert list((tmp_path / "runs").iterdir()) == []
    assert jobs.busy() is None


def test_a_run_of_another_server_can_be_discarded_with_its_process(jobs, long, tmp_path):
    run = start(jobs, long)
    wait_for(run, Started)
    Jobs(Settings(home=tmp_path)).discard(run)
    assert exit_code(jobs, run) != 0
    assert list((tmp_path / "runs").iterdir()) == []


def test_a_run_that_another_began_from_is_kept(jobs, tmp_path):
    base = kept_run(tmp_path)
    heir = create_run(tmp_path / "runs" / "heir", run_config(model=str(base.path)))
    heir.training.append(Finished(step=1))
    with pytest.raises(RunError, match="heir began from this run"):
        jobs.discard(base)
    verify_checkpoint(base.last_checkpoint())
    base.training.append(Stopped(step=3, reason="x"))
    with pytest.raises(RunError, match="needs it as it is"):
        jobs.resume_training(base)
    jobs.discard(heir)
    jobs.discard(base)
    assert jobs.runs() == []


# Estimates.


def test_an_estimate_is_what_the_command_line_says(jobs, long, tmp_path):
    said = jobs.estimate(long, template=None, source=OWN)
    assert said.fits
    assert said.probe.steps == 1_000_000
    assert (jobs.busy(), jobs.runs()) == (None, [])


def test_what_can_not_be_estimated_says_why(jobs, long, data_file):
    data_file.unlink()
    with pytest.raises(RunError, match="There is no data set"):
        jobs.estimate(long, template=None, source=OWN)


def test_while_a_run_goes_on_nothing_is_estimated(jobs, long):
    start(jobs, long)
    with pytest.raises(RunError, match="already running"):
        jobs.estimate(long, template=None, source=OWN)


def test_a_run_that_is_started_ends_an_estimate_and_all_its_processes(jobs, long):
    others = psutil.Process().children(recursive=True)
    with ThreadPoolExecutor(1) as threads:
        asked = threads.submit(jobs.estimate, long, template=None, source=OWN)
        deadline = time.monotonic() + LIMIT_S
        while len(found := set(psutil.Process().children(recursive=True)) - {*others}) < 2:  # the command, its probe
            assert time.monotonic() < deadline
            time.sleep(0.01)
        with pytest.raises(RunError, match="already"):
            jobs.estimate(long, template=None, source=OWN)
        start(jobs, long)
        with pytest.raises(RunError, match="was ended"):
            asked.result(LIMIT_S)
    assert psutil.wait_procs(found, timeout=LIMIT_S)[1] == []


# Names from the browser.


@pytest.mark.parametrize(
    "name", ["../runs/kept", "../x", "kept/", "./kept", ".", "..", "", "KEPT", 5, None, ["kept"], {}, "x" * 300, "a\0b"]
)
def test_what_is_not_a_runs_name_is_no_run(jobs, tmp_path, name):
    run = kept_run(tmp_path)
    (tmp_path / "x").mkdir()
    Run(tmp_path / "x").training.append(Finished(step=1))
    assert jobs.run(name) is None
    assert jobs.run("kept") == run


def test_a_folder_without_events_is_no_run(jobs, tmp_path):
    (tmp_path / "runs" / "notes").mkdir(parents=True)
    assert (jobs.run("notes"), jobs.runs()) == (None, [])


def test_run_names_are_counted_and_short_whatever_the_models_is(jobs, long, tiny_folder, tmp_path):
    (tmp_path / ("ä" * 100)).symlink_to(tiny_folder, target_is_directory=True)
    (tmp_path / "a;b&c$(d)").symlink_to(tiny_folder, target_is_directory=True)
    names = []
    for folder in ("ä" * 100, "a;b&c$(d)", "a;b&c$(d)"):
        run = start(jobs, TrainConfig(**to_dict(long) | {"model": str(tmp_path / folder)}))
        child_of(jobs, run).kill()
        exit_code(jobs, run)
        run.training.path.unlink(missing_ok=True)
        names.append(run.id)
    assert names == ["ä" * 60 + "-01", "a-b-c-d--01", "a-b-c-d--02"]


# The held-out records.


def test_answering_the_held_out_records_ends_with_their_scores(jobs, run, tmp_path):
    (tmp_path / "runs").mkdir()
    moved = Run(run.path.rename(tmp_path / "runs" / "a"))
    moved.ask_to_stop()  # an old one
    moved.evaluation.path.write_text("old\n", encoding="utf-8")
    jobs.start_evaluation(moved)
    assert jobs.busy() == moved
    assert exit_code(jobs, moved) == 0
    assert jobs.state(moved, moved.evaluation) is State.FINISHED
    assert moved.scores.n == 2
    assert jobs.busy() is None


def test_a_run_that_saved_nothing_is_not_answered(jobs, tmp_path):
    with pytest.raises(RunError, match="has saved no checkpoint"):
        jobs.start_evaluation(kept_run(tmp_path, saved=False))
    assert jobs.busy() is None


def test_a_run_without_test_records_is_not_answered(jobs, tmp_path):
    with pytest.raises(DataError, match="no held-out record"):
        jobs.start_evaluation(kept_run(tmp_path, records=5))
    assert jobs.busy() is None


def test_a_run_whose_data_has_changed_is_not_answered_and_keeps_its_scores(jobs, tmp_path):
    run = kept_run(tmp_path)
    run.write_json("scores.json", {"n": 2})
    write_records(tmp_path / "records.json", range(30))
    with pytest.raises(RunError, match="data file has changed"):
        jobs.start_evaluation(run)
    assert json.loads((run.path / "scores.json").read_text(encoding="utf-8")) == {"n": 2}


def test_a_child_is_no_part_of_the_terminals_group_so_ctrl_c_is_the_servers(jobs, long):
    run = start(jobs, long)
    child = child_of(jobs, run).pid
    assert os.getpgid(child) == child
    assert os.getsid(child) == os.getsid(0)  # else Linux weighs both alike, whatever their `nice`


def test_a_process_that_is_followed_by_another_one_in_its_run_is_not_left_behind(jobs, tmp_path, monkeypatch):
    started = []

    def start_child(args, **options):
        started.append(subprocess.Popen([sys.executable, "-c", ""], stdin=subprocess.PIPE))
        return started[-1]

    monkeypatch.setattr(module, "start_child", start_child)
    run = create_run(tmp_path / "runs" / "a", run_config())
    for log in (run.training, run.evaluation):
        jobs._spawn(run, [], log)
    assert (started[0].returncode, started[0].stdin.closed) == (0, True)
