"""What ends a training at a bad moment costs no more than it must, and the run can go on or is over as it should be."""

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from ift.config import TrainConfig
from ift.errors import GradientError, IftError, RunError, TrainingError
from ift.events import Evaluated, Failed, Finished, Saved, Started, Stepped, Stopped, Warned
from ift.runs.folder import step_of
from ift.runs.lifecycle import logged
from ift.runs.log import EventLog
from ift.runs.ranks import ALONE
from ift.runs.state import State
from ift.runs.stop import Stop
from ift.training.finetune import trained
from ift.training.progress import Progress
from tests.helpers import events_of, tiny_model, write_records


@pytest.fixture
def config(names):
    """Its validation loss is lowest at step 8, which is not one that is saved anyway, and training ends at step 14."""
    return TrainConfig(
        **names,
        train_on="all",
        max_steps=30,
        per_device_train_batch_size=5,
        eval_steps=2,
        save_steps=3,
        early_stopping_patience=3,
        learning_rate=0.3,
        lr_scheduler_type="constant",
        bf16=False,
    )


def steps(run):
    return [step_of(folder) for folder in run.checkpoints()]


def stop_after(run, kind, *, step):
    for event in events_of(run):
        if isinstance(event, kind) and event.step == step:
            run.ask_to_stop()
    run.clear_stop()


@pytest.mark.parametrize("kind", [Stepped, Evaluated])
def test_a_stop_in_the_best_evaluation_does_not_lose_the_best(make, config, kind):
    whole, stopped = make("whole", config), make("stopped", config)
    list(events_of(whole))
    stop_after(stopped, kind, step=8)
    assert (stopped.state(), steps(stopped)[-1]) == (State.STOPPED, 8)
    list(events_of(stopped, resume=True))
    assert stopped.state() is State.FINISHED
    assert steps(stopped) == steps(whole) == [8]
    weights = [(run.last_checkpoint() / "model.safetensors").read_bytes() for run in (whole, stopped)]
    assert weights[0] == weights[1]


def test_where_the_best_checkpoint_is_gone_the_newest_stays(make, config):
    run = make("run", config)
    for event in events_of(run):
        if isinstance(event, Stepped) and event.step == 13:
            shutil.rmtree(run.path / "checkpoints" / "step-000008")
    assert steps(run)[-1] == 14
    warnings = [event.message for event in run.training.read()[0] if isinstance(event, Warned)]
    assert any("that checkpoint is gone: the newest one stays" in message for message in warnings)


class StopAt(Stop):
    """Somebody asks before this look, the first being number 1."""

    def __init__(self, run, look):
        super().__init__(run)
        self.looks_left = look

    def agreed(self, world):
        self.looks_left -= 1
        if self.looks_left <= 0:
            self.ask("enough")
        return super().agreed(world)


@pytest.mark.parametrize("look", [1, 2, 3])
def test_an_evaluation_is_left_after_any_of_its_batches(make, config, tmp_path, look):
    data = write_records(tmp_path / "more.json", range(100))
    run = make("run", replace(config, data=str(data), per_device_train_batch_size=2))  # five validation rows
    last = list(events_of(run, stop=StopAt(run, look)))[-1]
    assert isinstance(last, Stopped)
    assert not [event for event in run.training.read()[0] if isinstance(event, Evaluated)]


def until_error(events, *, then=lambda: None):
    """What is said before an error, and the error; `then`: done after the first save."""
    told = []
    try:
        for event in events:
            told.append(event)
            if isinstance(event, Saved) and event.step == 1:
                then()
    except IftError as error:
        return told, error
    return pytest.fail("there was no error")


class Breaking:
    """A trainer whose fourth step fails."""

    world, config, progress, is_done = ALONE, TrainConfig(save_steps=100), Progress(), False

    def __init__(self, error):
        self.step, self.error = 0, error

    def evaluate_if_due(self):
        return iter(())

    def advance(self):
        if self.step == 3:
            raise self.error
        self.step += 1
        yield Warned(step=self.step, message="a step")


@pytest.mark.parametrize(("error", "saved"), [(GradientError("inf"), [3]), (TrainingError("NaN"), [])])
def test_the_weights_before_a_bad_gradient_are_kept_and_those_of_a_bad_loss_are_not(error, saved):
    told, raised = until_error(trained(lambda at: Saved(step=at.step, path=""), Breaking(error), Stop(None)))
    assert raised is error
    assert [event.step for event in told if isinstance(event, Saved)] == saved


def test_a_base_model_that_goes_away_is_not_missed(make, config, tiny_folder, tmp_path):
    base = shutil.copytree(tiny_folder, tmp_path / "base")
    (base / "vocabulary.json").write_text('{"known_ids": [1, 2]}', encoding="utf-8")
    run = make("run", replace(config, model=str(base)))
    for event in events_of(run):
        if isinstance(event, Stepped) and event.step == 1:
            shutil.rmtree(base)
    assert run.state() is State.FINISHED
    assert "1" in (run.last_checkpoint() / "vocabulary.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("patience", [0, 3])
def test_a_kill_in_the_clearing_up_at_the_end_leaves_a_run_that_can_be_finished(make, config, patience):
    run = make("run", replace(config, early_stopping_patience=patience, max_steps=14))
    list(events_of(run))
    left = steps(run)
    log = run.training.path
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:-1]))  # it never said that it had finished
    assert isinstance(list(events_of(run, resume=True))[-1], Finished)
    assert (run.state(), steps(run)) == (State.FINISHED, left)


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="only Linux shows which files per process has mapped")
def test_a_run_that_goes_on_holds_no_file_of_the_checkpoint(make, config):
    run = make("run", replace(config, early_stopping_patience=0, max_steps=6))
    stop_after(run, Stepped, step=3)
    for event in events_of(run, resume=True):
        if isinstance(event, Stepped):
            assert str(run.path) not in Path("/proc/self/maps").read_text(encoding="utf-8")


def test_room_for_what_is_still_to_come_is_enough_to_go_on(make, config):
    from ift.export.hf_tokenizer import TOKENIZER_BYTES
    from ift.training.checkpoint import bytes_to_save, checkpoint_bytes

    run, model = make("run", replace(config, early_stopping_patience=0, max_steps=9)), tiny_model()
    folder, one = run.path / "checkpoints", checkpoint_bytes(model)
    weights = sum(4 * weight.numel() for weight in model.parameters()) + TOKENIZER_BYTES
    at_first, most = bytes_to_save(folder, model), 0
    for event in events_of(run):
        if isinstance(event, Saved):
            most = max(most, sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()))
            if event.step == 6:
                assert bytes_to_save(folder, model) == pytest.approx(one + weights, rel=0.01)
    assert at_first == 3 * one + weights
    assert most < at_first


@pytest.fixture
def small_disk(tmp_path):
    """A file system of its own, of 48 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "none", disk], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("no disk can be mounted here: that a full one is told was not looked at")
    yield disk
    subprocess.run(["umount", disk], check=True)


@pytest.mark.skipif(sys.platform != "linux", reason="mounts a file system as Linux does")
def test_a_full_disk_is_told_in_the_log_that_it_stops(make, config, small_disk):
    run = make(small_disk / "run", replace(config, early_stopping_patience=0, save_steps=1))
    _, raised = until_error(events_of(run), then=lambda: fill(small_disk / "filling"))
    assert "No space left on device" in str(raised)
    last = run.training.read()[0][-1]
    assert isinstance(last, Failed)
    assert last.what in str(raised)
    assert run.state() is State.FAILED
    assert steps(run) == [1]
    os.unlink(small_disk / "filling")
    for event in events_of(run, resume=True):
        if isinstance(event, Saved) and event.step == 2:
            return
    pytest.fail("it did not go on")


@pytest.mark.skipif(sys.platform != "linux", reason="mounts a file system as Linux does")
def test_a_log_for_which_the_disk_has_no_room_says_so_and_has_no_half_line(small_disk):
    def events():
        left = 2 * 4096 - log.path.stat().st_size
        yield Warned(step=0, message="x" * (left - 250))  # the next ones fill the page, but for less than a last word
        yield Saved(step=1, path="x")
        yield Warned(step=1, message="x" * 9000)

    log = EventLog(small_disk / "events.jsonl")
    _, raised = until_error(logged(log, events()), then=lambda: fill(small_disk / "filling"))
    assert isinstance(raised, RunError)
    kinds = [type(event) for event in log.read()[0]]
    assert kinds == [Started, Warned, Saved, Failed]
    assert "The log can't be written: No space left on device" in log.read()[0][-1].what


def fill(path):
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass
