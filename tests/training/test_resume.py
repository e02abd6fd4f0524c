"""Training that broke off goes on bit for bit, or says why it can't."""

import hashlib
import json
from dataclasses import replace

import pytest
import torch

from ift.config import TrainConfig
from ift.errors import ModelError, RunError
from ift.events import Evaluated, Finished, Prepared, Resumed, Sampled, Saved, Started, Stepped, Stopped, Warned
from ift.model.manifest import OPTIMIZER
from ift.runs.state import State
from ift.training.resume import find_resumable
from tests.helpers import events_of, save_model, tiny_model

TOTAL = 7
"""Steps of five rows from seventeen: the fourth ends an epoch, the seventh stands in the middle of one."""


@pytest.fixture
def config(names):
    return TrainConfig(
        **names,
        train_on="all",
        max_steps=TOTAL,
        per_device_train_batch_size=5,
        warmup_steps=2,
        eval_steps=2,
        save_steps=1,
        learning_rate=1e-2,
        bf16=False,
    )


def kill(run, *, after, step, resume=False):
    """Let a run go as far as this event of this step, and no farther."""
    for event in events_of(run, resume=resume):
        if isinstance(event, after) and event.step == step:
            return


def files(run):
    """Every byte of the last checkpoint but what tells about the machine."""
    files = (path for path in run.last_checkpoint().rglob("*") if path.is_file())
    return {path.name: path.read_bytes() for path in files}


def numbers(run):
    """What was learnt and seen at each step; what was told twice, once."""
    told = {}
    for event in run.training.read()[0]:
        if isinstance(event, (Stepped, Evaluated, Sampled)):
            kind, record = type(event).__name__, getattr(event, "record", 0)
            times = {"time_s": 0, "step_time_s": 0} if kind == "Stepped" else {"time_s": 0}
            told[event.step, kind, record] = replace(event, **times)
    return told


@pytest.mark.parametrize(("step", "accumulation"), [(1, 1), (4, 1), (6, 1), (3, 2)])
def test_a_killed_run_goes_on_bit_for_bit(make, config, step, accumulation):
    config = replace(config, gradient_accumulation_steps=accumulation)
    whole, broken = make("whole", config), make("broken", config)
    list(events_of(whole))
    kill(broken, after=Saved, step=step)
    list(events_of(broken, resume=True))
    assert files(broken) == files(whole)
    assert numbers(broken) == numbers(whole)
    assert (whole.state(), broken.state()) == (State.FINISHED, State.FINISHED)


def test_lora_goes_on_bit_for_bit(make, config):
    config = replace(config, r=2, target_modules="c_attn,c_proj")
    whole, broken = make("whole", config), make("broken", config)
    list(events_of(whole))
    kill(broken, after=Saved, step=5)
    list(events_of(broken, resume=True))
    assert files(broken) == files(whole)
    assert numbers(broken) == numbers(whole)


@pytest.mark.parametrize(
    "options",
    [
        {"resid_pdrop": 0.1, "embd_pdrop": 0.1, "attn_pdrop": 0.1, "gradient_accumulation_steps": 2},
        {"r": 2, "lora_dropout": 0.2, "group_by_length": True},
    ],
)
def test_dropout_and_grouped_batches_go_on_bit_for_bit(make, config, options):
    config = replace(config, max_steps=4, **options)
    whole, broken = make("whole", config), make("broken", config)
    list(events_of(whole))
    kill(broken, after=Saved, step=2)
    torch.rand(3)  # what else draws random numbers is no matter
    list(events_of(broken, resume=True))
    assert files(broken) == files(whole)
    assert numbers(broken) == numbers(whole)


def test_lora_does_not_go_on_beside_another_model(make, config, tmp_path):
    base = tmp_path / "base"
    base.mkdir()
    save_model(tiny_model(seed=1), base)
    run = make("run", replace(config, model=str(base), r=2))
    kill(run, after=Saved, step=2)
    save_model(tiny_model(seed=2), base)
    with pytest.raises(ModelError, match="The base model has changed"):
        list(events_of(run, resume=True))


def test_the_optimizer_goes_on_bit_for_bit_too(make, config):
    whole, broken = make("whole", config), make("broken", config)
    kill(whole, after=Saved, step=TOTAL - 1)
    kill(broken, after=Saved, step=3)
    kill(broken, after=Saved, step=TOTAL - 1, resume=True)
    assert OPTIMIZER in files(whole)
    assert files(broken) == files(whole)


@pytest.mark.parametrize(("after", "step"), [(Stepped, 6), (Evaluated, 6), (Stepped, 7)])
def test_what_was_not_saved_is_done_again(make, config, after, step):
    config = replace(config, save_steps=4)
    whole, broken = make("whole", config), make("broken", config)
    list(events_of(whole))
    kill(broken, after=after, step=step)
    resumed = list(events_of(broken, resume=True))
    assert [event.step for event in resumed if isinstance(event, Stepped)] == [5, 6, 7]
    assert files(broken) == files(whole)
    assert numbers(broken) == numbers(whole)


def test_a_stop_in_an_evaluation_is_gone_on_with_by_evaluating(make, config):
    whole, broken = make("whole", config), make("broken", config)
    list(events_of(whole))
    for event in events_of(broken):
        if isinstance(event, Stepped) and event.step == 4:
            broken.ask_to_stop()
    assert isinstance(broken.training.read()[0][-1], Stopped)
    broken.clear_stop()
    first = next(event for event in events_of(broken, resume=True) if isinstance(event, (Evaluated, Stepped)))
    assert (type(first), first.step) == (Evaluated, 4)


def test_early_stopping_counts_on_after_a_break(make, config):
    config = replace(config, max_steps=15, eval_steps=1, save_steps=100, early_stopping_patience=2)
    whole, broken = make("whole", config), make("broken", config)
    list(events_of(whole))
    best = whole.last_checkpoint()
    kill(broken, after=Saved, step=1)
    list(events_of(broken, resume=True))
    assert broken.last_checkpoint().name == best.name
    assert files(broken) == files(whole)
    assert len(numbers(broken)) == len(numbers(whole))


def test_a_run_that_goes_on_says_from_where_and_is_timed_on(make, config):
    run = make("run", config)
    kill(run, after=Saved, step=3)
    list(events_of(run, resume=True))
    events = run.training.read()[0]
    started = [i for i, event in enumerate(events) if isinstance(event, Started)]
    assert started[0] == 0
    after = events[started[1] :]
    resumed = next(event for event in after if isinstance(event, Resumed))
    assert (resumed.step, resumed.path) == (3, "checkpoints/step-000003")
    assert [type(event) for event in after[:3]] == [Started, Resumed, Prepared]
    assert isinstance(after[-1], Finished)
    times = [event.time_s for event in events]
    assert times == sorted(times)


def test_a_broken_checkpoint_is_passed_over_for_the_one_before_with_a_warning(make, config):
    whole, run = make("whole", config), make("run", config)
    list(events_of(whole))
    kill(run, after=Saved, step=4)
    path = run.last_checkpoint() / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    events = list(events_of(run, resume=True))
    warning = next(event for event in events if isinstance(event, Warned))
    assert "step-000004 is passed over" in warning.message
    assert "model.safetensors" in warning.message
    assert next(event for event in events if isinstance(event, Resumed)).step == 3
    assert files(run) == files(whole)


def test_without_a_whole_checkpoint_there_is_nothing_to_go_on_from(make, config):
    run = make("run", config)
    with pytest.raises(RunError, match="no checkpoint to resume from"):
        find_resumable(run)
    kill(run, after=Saved, step=1)
    (run.last_checkpoint() / OPTIMIZER).unlink()
    with pytest.raises(RunError, match="step-000001 is passed over"):
        find_resumable(run)


def test_a_finished_run_keeps_its_models_alone(make, config):
    run = make("run", config)
    list(events_of(run))
    assert not [path for folder in run.checkpoints() for path in folder.iterdir() if path.name == OPTIMIZER]


def test_a_processor_with_other_instructions_is_told(make, config):
    run = make("run", config)
    kill(run, after=Saved, step=3)
    path = run.last_checkpoint() / "state.json"
    text = path.read_text(encoding="utf-8").replace('"instructions": "', '"instructions": "Z')
    path.write_text(text, encoding="utf-8")
    manifest = path.with_name("manifest.json")
    sums = json.loads(manifest.read_text(encoding="utf-8"))
    sums[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
    manifest.write_text(json.dumps(sums), encoding="utf-8")
    now = torch.backends.cpu.get_cpu_capability()
    warnings = [event.message for event in events_of(run, resume=True) if isinstance(event, Warned)]
    assert warnings == [f"The run resumes, but not bit for bit as it would have: instructions {now} instead of Z{now}."]


def test_another_thread_count_is_told(make, config):
    run, threads = make("run", config), torch.get_num_threads()
    kill(run, after=Saved, step=3)
    try:
        torch.set_num_threads(threads + 1)
        warnings = [event.message for event in events_of(run, resume=True) if isinstance(event, Warned)]
    finally:
        torch.set_num_threads(threads)
    assert warnings == [
        f"The run resumes, but not bit for bit as it would have: threads {threads + 1} instead of {threads}."
    ]


def test_the_same_machine_is_no_matter_of_a_warning(make, config):
    run = make("run", config)
    kill(run, after=Saved, step=3)
    assert not [event for event in events_of(run, resume=True) if isinstance(event, Warned)]
