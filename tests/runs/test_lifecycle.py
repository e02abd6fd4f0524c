"""The process that owns a run folder writes down what happens, whatever ends it; and a whole fine-tuning."""

import json
import signal
from dataclasses import replace
from types import SimpleNamespace

import pytest

from ift.config import TrainConfig
from ift.data.sources import load_dataset
from ift.data.templates import load_template
from ift.errors import DataError, ModelError, RunError
from ift.events import Evaluated, Failed, Finished, Sampled, Saved, Started, Stepped, Stopped, Warned
from ift.model.load_by_name import load_model
from ift.runs.folder import create_run
from ift.runs.lifecycle import logged
from ift.runs.log import EventLog
from ift.runs.processes import own_identity
from ift.runs.run_config import SplitCounts, describe
from ift.runs.state import State
from ift.runs.stop import Stop, StopAsked
from ift.training.finetune import train_events
from tests.helpers import run_config


def log_of(tmp_path, events):
    """What stands in the log after these events, and what was raised."""
    log, raised = EventLog(tmp_path / "events.jsonl"), None
    try:
        list(logged(log, events))
    except Exception as error:
        raised = error
    return log.read()[0], raised


def ending_with(error):
    yield Warned(step=0, message="soon")
    yield Saved(step=3, path="x")
    raise error


def test_started_comes_first_with_the_process_that_runs(tmp_path):
    (first, *_), _ = log_of(tmp_path, iter([]))
    assert isinstance(first, Started)
    assert (first.pid, first.process_time) == own_identity()


def test_events_are_stamped_with_the_time_since_the_start(tmp_path):
    events, _ = log_of(tmp_path, iter([Warned(step=0, message="a"), Finished(step=9)]))
    times = [event.time_s for event in events]
    assert times == sorted(times)
    assert times[0] >= 0


def test_an_error_that_the_user_can_mend_stands_in_the_log_in_its_three_parts(tmp_path):
    error = DataError("It is empty", where="x.json", fix="Fill it.")
    events, raised = log_of(tmp_path, ending_with(error))
    last = events[-1]
    assert isinstance(last, Failed)
    assert (last.step, last.what, last.where, last.fix) == (3, "It is empty", "x.json", "Fill it.")
    assert raised is error


def test_memory_that_runs_out_is_told_with_what_helps(tmp_path):
    events, raised = log_of(tmp_path, ending_with(MemoryError()))
    assert events[-1].what == "Memory ran out"
    assert "per_device_train_batch_size" in events[-1].fix
    assert isinstance(raised, MemoryError)


def test_a_fault_of_the_program_is_logged_and_raised(tmp_path):
    events, raised = log_of(tmp_path, ending_with(ZeroDivisionError("division\nby zero")))
    assert events[-1].what == "ZeroDivisionError: division"
    assert isinstance(raised, ZeroDivisionError)


def test_a_stop_on_request_is_no_error(tmp_path):
    events, raised = log_of(tmp_path, ending_with(StopAsked("SIGTERM")))
    last = events[-1]
    assert isinstance(last, Stopped)
    assert (last.step, last.reason, raised) == (3, "SIGTERM", None)


# Stopping.


@pytest.fixture
def run(tmp_path):
    return create_run(tmp_path / "run", run_config())


@pytest.fixture
def stop(run):
    """A listening Stop."""
    stop = Stop(run)
    stop.listen(attached=False)
    return stop


def test_nobody_asked_at_first(stop):
    assert stop.reason == ""


def test_the_stop_file_asks(stop, run):
    run.ask_to_stop()
    assert stop.reason == "asked to stop"


def test_a_signal_asks_and_leaves_the_step_alone(stop):
    stop.at_once = False
    signal.raise_signal(signal.SIGTERM)
    assert stop.reason == "SIGTERM"


def test_a_signal_interrupts_what_has_no_steps(stop):
    with pytest.raises(StopAsked, match="SIGINT"):
        signal.raise_signal(signal.SIGINT)


def test_a_signal_after_the_stop_file_is_told_as_what_somebody_asked(stop, run):
    stop.at_once = False
    run.ask_to_stop()
    signal.raise_signal(signal.SIGTERM)
    assert stop.reason == "asked to stop"


# A whole fine-tuning.


@pytest.fixture
def config(names):
    return TrainConfig(
        **names,
        max_steps=5,
        per_device_train_batch_size=4,
        eval_steps=10,
        save_steps=2,
        learning_rate=1e-2,
    )


def fine_tune(run, config):
    dataset, template = load_dataset(config.data), load_template(config.template)
    return train_events(run, config, dataset, template, Stop(run))


def saved(events):
    return [event.path for event in events if isinstance(event, Saved)]


def test_checkpoints_come_every_save_steps_and_at_the_end(run, config):
    events = list(fine_tune(run, config))
    assert saved(events) == [f"checkpoints/step-00000{step}" for step in (2, 4, 5)]
    assert [path.name for path in run.checkpoints()] == ["step-000004", "step-000005"]
    assert events[-1] == Finished(step=5)


def test_the_saved_model_has_learnt(run, config, tiny_folder):
    events = list(fine_tune(run, config))
    first, last = [event.loss for event in events if isinstance(event, Evaluated)]
    assert last < first
    assert [type(event) for event in events].count(Stepped) == 5
    assert [event.record for event in events if isinstance(event, Sampled)] == [19, 19]
    before, after = load_model(str(tiny_folder)), load_model(str(run.last_checkpoint()))
    assert not before.wte.weight.equal(after.wte.weight)


def asking_to_stop(run, events, *, step):
    """The same events; somebody asks to stop once this step is done."""
    for event in events:
        if isinstance(event, Stepped) and event.step == step:
            run.ask_to_stop()
        yield event


def test_a_stop_keeps_what_was_reached(run, config):
    *_, last_saved, last = logged(run.training, asking_to_stop(run, fine_tune(run, config), step=3))
    assert saved([last_saved]) == ["checkpoints/step-000003"]
    assert (type(last), last.step, last.reason) == (Stopped, 3, "asked to stop")
    assert run.last_checkpoint().name == "step-000003"
    assert run.state() is State.STOPPED


def test_a_stop_before_the_first_step_saves_nothing(run, config):
    run.ask_to_stop()
    with pytest.raises(StopAsked):
        list(fine_tune(run, config))
    assert run.checkpoints() == []


def test_what_is_to_be_known_of_the_rows_comes_before_the_first_step(run, config):
    first, second, *_ = fine_tune(run, replace(config, max_length=8))
    assert first == Warned(step=0, message="17 training rows are cut at 8 tokens and lose their end-of-text.")
    assert second == Warned(step=0, message="1 validation row is cut at 8 tokens and loses its end-of-text.")


def test_nothing_to_train_on_ends_the_run_before_it_begins(run, config):
    with pytest.raises(DataError, match="No training row has a target"):
        list(fine_tune(run, replace(config, max_length=2)))


def test_a_model_that_is_broken_ends_the_run_before_it_begins(run, config, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError):
        list(fine_tune(run, replace(config, model=str(tmp_path / "empty"))))


def test_early_stopping_goes_back_to_the_best_checkpoint(run, config):
    stopping = replace(config, max_steps=200, eval_steps=1, save_steps=1000, early_stopping_patience=2)
    events = list(fine_tune(run, stopping))
    validated = {event.step: event.loss for event in events if isinstance(event, Evaluated) and event.step}
    best = min(validated, key=validated.get)
    assert [path.name for path in run.checkpoints()][-1] == f"step-{best:06d}"
    assert events[-1] == Finished(step=best + 2)
    assert f"lowest at step {best}" in events[-2].message


def test_early_stopping_without_validation_rows_says_that_it_can_not(run, config, tmp_path):
    records = [{"instruction": f"After {n}?", "input": "", "output": "x", "split": "train"} for n in range(9)]
    (tmp_path / "train.json").write_text(json.dumps(records), encoding="utf-8")
    stopping = replace(config, data=str(tmp_path / "train.json"), early_stopping_patience=1)
    events = list(fine_tune(run, stopping))
    assert any("early_stopping_patience has nothing to go by" in getattr(event, "message", "") for event in events)
    assert events[-1] == Finished(step=5)


def test_a_disk_without_room_for_the_checkpoints_is_told_before_the_first_step(run, config, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=1_000_000))
    with pytest.raises(RunError, match="too little room"):
        list(fine_tune(run, config))
    assert run.checkpoints() == []


def test_a_run_describes_everything_that_decides_its_result(config):
    dataset = load_dataset(config.data)
    described = describe(config, dataset, load_template(config.template))
    assert described.options == config
    assert described.template_source == "Q: {{instruction}}\nA:{{output}}"
    assert described.data.sha256 == dataset.sha256
    assert described.data.split == SplitCounts(train=17, validation=1, test=2, from_file=False)
    assert described.versions.keys() == {"ift", "torch", "tiktoken", "python"}


def test_a_logged_fine_tuning_ends_finished(run, config):
    list(logged(run.training, fine_tune(run, config)))
    assert run.state() is State.FINISHED
