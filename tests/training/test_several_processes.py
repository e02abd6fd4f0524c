"""Several processes train what one does; when one of them ends, the run says so and keeps what it had saved."""

import math
import os
import subprocess
import sys
import time

import psutil
import pytest
import torch
import torch.distributed as dist

from ift.cli import main
from ift.config import TrainConfig
from ift.data.records import read_dataset
from ift.errors import ConfigError, TrainingError
from ift.events import Evaluated, Failed, Prepared, Probed, Resumed, Saved, Stepped, Stopped, Warned
from ift.model.hf_model import read_model
from ift.model.manifest import verify_checkpoint
from ift.runs.folder import Run
from ift.runs.processes import creation_time, is_alive
from ift.runs.ranks import portion
from ift.runs.state import State
from ift.runs.stop import Stop
from ift.training.distributed import Ranks
from ift.training.finetune import train_events
from tests.helpers import signals_kept, write_records

LIMIT_S = 600
# Seventeen rows, eight a step: an epoch's third step has one, and one of two ranks none.
OPTIONS = {
    "train_on": "response",
    "per_device_train_batch_size": 2,
    "gradient_accumulation_steps": 2,
    "max_steps": 20,
    "learning_rate": 1e-3,
    "lr_scheduler_type": "constant",
    "warmup_steps": 2,
    "max_grad_norm": 1.0,
    "eval_steps": 10,
    "save_steps": 5,
    "bf16": False,
}
ENDLESS = {"max_steps": 1_000_000, "eval_steps": 1_000_000}


# Who takes which rows.


@pytest.mark.parametrize("count", [1, 2, 3, 7, 8, 17])
@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_the_ranks_take_every_row_once_in_as_many_batches_each(count, size):
    rows = list(range(count))
    taken = [portion(rows, 2, rank=rank, size=size) for rank in range(size)]
    counted = [batch for batches, weights in taken for batch, weight in zip(batches, weights, strict=True) if weight]
    assert sorted(row for batch in counted for row in batch) == rows
    assert {len(batches) for batches, _ in taken} == {math.ceil(math.ceil(count / size) / 2)}
    assert all(len(batch) in (1, 2) for batches, _ in taken for batch in batches)


def test_a_rank_without_a_row_works_on_one_that_does_not_count():
    assert portion([7], 2, rank=1, size=2) == ([[7]], [0])


def test_one_process_takes_all_rows_as_they_come():
    assert portion([3, 1, 2], 2, rank=0, size=1) == ([[3, 1], [2]], [1, 1])


# How many processes share a step.


def test_fewer_processes_accumulate_more_batches_and_take_as_many_rows():
    config = TrainConfig(per_device_train_batch_size=4, world_size=4, fsdp=True)
    two, one = config.for_processes(2), config.for_processes(1)
    assert (two.world_size, two.gradient_accumulation_steps, two.rows_per_step) == (2, 2, 16)
    assert (one.world_size, one.gradient_accumulation_steps, one.rows_per_step) == (1, 4, 16)
    assert (two.fsdp, one.fsdp) == (True, False)


def test_processes_whose_batches_do_not_come_to_the_steps_rows_are_refused():
    with pytest.raises(ConfigError, match="3 processes with batches of 4") as caught:
        TrainConfig(per_device_train_batch_size=4, world_size=2).for_processes(3)
    assert "Start 2 processes" in caught.value.fix


def test_fsdp_by_one_process_is_refused():
    with pytest.raises(ConfigError, match="fsdp: one process alone"):
        TrainConfig(fsdp=True)


# Why another process ended.


def two_ranks():
    store = dist.HashStore()
    return [Ranks(store, rank, 2, torch.device("cpu")) for rank in range(2)]


def part(rank):
    """What a process sees when another one closes the connection."""
    with rank.guarded():
        raise RuntimeError("[gloo/transport/tcp/pair.cc:547] Connection closed by peer [127.0.0.1]:1")


def test_a_process_that_ran_out_of_memory_leaves_word_for_the_one_that_has_the_log():
    first, second = two_ranks()
    with pytest.raises(MemoryError), second.telling_failure(), second.guarded():
        raise MemoryError
    with pytest.raises(TrainingError, match="Memory ran out") as caught:
        part(first)
    assert caught.value.where == "rank 1"
    assert "Halve per_device_train_batch_size" in caught.value.fix


def test_what_all_processes_meet_is_nobodys_own_failure():
    first, second = two_ranks()
    with pytest.raises(TrainingError, match="not finite"), second.telling_failure():
        raise TrainingError("The loss is not finite any more")
    with pytest.raises(TrainingError, match="was killed or can't be reached"):
        part(first)


def test_a_fault_of_the_program_is_not_taken_for_another_processs_end():
    with pytest.raises(RuntimeError, match="shape"), two_ranks()[0].guarded():
        raise RuntimeError("shape mismatch")


# Real processes.


@pytest.fixture(scope="module")
def given(tiny_folder, tmp_path_factory):
    """A folder for runs, with data and template, and what a command line says of them."""
    folder = tmp_path_factory.mktemp("ranks")
    write_records(folder / "records.json", range(20))
    (folder / "short.txt").write_text("Q: {{instruction}}\nA:{{output}}\n", encoding="utf-8")
    return folder, {"model": tiny_folder, "data": folder / "records.json", "template": folder / "short.txt"}


@pytest.fixture(scope="module")
def launch(given):
    """Start `torchrun -m ift train` with two processes; nothing of it is left at the end."""
    folder, data = given
    launched = []

    def launch(name, *, on_cpu=True, **options):
        words = [f"--{key}={value}" for key, value in {"out": folder / name, **data, **OPTIONS, **options}.items()]
        return start(name, words, devices="" if on_cpu else "0,1")

    def start(name, words, devices=""):
        env = {**os.environ, "CUDA_VISIBLE_DEVICES": devices}
        torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
        with (folder / f"{name}.log").open("a", encoding="utf-8") as log:
            child = subprocess.Popen([*torchrun, "-m", "--", "ift", "train", *words], env=env, stdout=log, stderr=log)
        launched.append(child)
        return child, Run(folder / name)

    launch.resume = lambda name: start(name, [f"--resume={folder / name}"])
    yield launch
    for child in launched:
        for process in (*workers(child), child):
            process.kill()
        child.wait()


@pytest.fixture(scope="module")
def alone(given):
    """The same by one process, with as many rows per step."""
    return trained_alone(given, "alone")


@pytest.fixture(scope="module")
def alone_with_lora(given):
    return trained_alone(given, "alone-with-lora", r=2)


def trained_alone(given, name, **options):
    folder, data = given
    options = {**data, **OPTIONS, "per_device_train_batch_size": 8, "gradient_accumulation_steps": 1, **options}
    with signals_kept():
        assert main(["train", f"--out={folder / name}", *(f"--{key}={value}" for key, value in options.items())]) == 0
    return Run(folder / name)


def workers(torchrun):
    try:
        return psutil.Process(torchrun.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def wait_for(child, run, kind, *, step=0):
    deadline = time.monotonic() + LIMIT_S
    while not any(event.step >= step for event in of(run, kind)):
        assert child.poll() is None, f"ended without {kind.__name__}"
        assert time.monotonic() < deadline, f"no {kind.__name__}"
        time.sleep(0.02)


def of(run, kind):
    return [event for event in run.training.read()[0] if isinstance(event, kind)]


def require_same_curve(run, alone):
    assert len(of(alone, Stepped)) == 20
    for ours, theirs in zip(of(run, Stepped), of(alone, Stepped), strict=False):
        assert (ours.step, ours.epoch, ours.tokens) == (theirs.step, theirs.epoch, theirs.tokens)
        assert ours.trained_tokens == theirs.trained_tokens
        assert ours.loss == pytest.approx(theirs.loss, abs=1e-5)
        assert ours.grad_norm == pytest.approx(theirs.grad_norm, rel=1e-4)
    for ours, theirs in zip(of(run, Evaluated), of(alone, Evaluated), strict=False):
        assert (ours.step, ours.trained_tokens) == (theirs.step, theirs.trained_tokens)
        assert ours.loss == pytest.approx(theirs.loss, abs=1e-5)
        assert ours.loss_by_role == pytest.approx(theirs.loss_by_role, abs=1e-5)


def test_two_processes_train_as_one_does_and_stop_together(launch, alone):
    child, run = launch("two", max_steps=1_000_000)
    wait_for(child, run, Stepped, step=20)
    run.ask_to_stop()
    assert child.wait(LIMIT_S) != 0
    require_same_curve(run, alone)
    epochs = [sum(event.tokens for event in of(run, Stepped)[first : first + 3]) for first in (0, 3, 6)]
    assert len(set(epochs)) == 1  # the same rows, in another order each
    assert (of(run, Prepared)[0].ranks, run.config.options.world_size) == (2, 2)
    saved, stopped = run.training.read()[0][-2:]
    assert (type(saved), type(stopped), stopped.reason) == (Saved, Stopped, "asked to stop")
    assert saved.step == of(run, Stepped)[-1].step
    assert run.state() is State.STOPPED
    verify_checkpoint(run.path / saved.path)


def test_two_processes_that_share_the_model_train_as_one_does_and_save_all_of_it(launch, alone):
    child, run = launch("shared", fsdp=True)
    assert child.wait(LIMIT_S) == 0
    require_same_curve(run, alone)
    assert run.state() is State.FINISHED
    ids = torch.tensor([[10, 11, 12, 13]])
    ours, theirs = (read_model(one.last_checkpoint()) for one in (run, alone))
    assert torch.allclose(ours(ids), theirs(ids), atol=1e-4)


def test_a_killed_process_ends_the_run_with_the_reason_and_a_checkpoint_to_go_on_from(launch, given, alone):
    child, run = launch("killed", **ENDLESS)
    wait_for(child, run, Saved)
    both = [(process.pid, creation_time(process.pid)) for process in workers(child)]
    next(process for process in workers(child) if process.pid != run.training.last_started().pid).kill()
    assert child.wait(LIMIT_S) != 0
    assert len(both) == 2
    assert not any(is_alive(*process) for process in both)
    (failed,) = of(run, Failed)
    assert failed.what == "Another process of the run was killed or can't be reached"
    assert "--resume" in failed.fix
    assert run.state() is State.FAILED
    verify_checkpoint(run.last_checkpoint())
    resumed, warned, _, probed, stepped = [event for event, _ in zip(one_goes_on(run, given), range(5), strict=False)]
    assert (type(resumed), type(probed), type(stepped)) == (Resumed, Probed, Stepped)
    assert "processes 1 instead of 2" in warned.message
    known = {event.step: event.loss for event in (*of(alone, Stepped), *of(run, Stepped))}
    assert stepped.loss == pytest.approx(known[stepped.step], abs=1e-5)


def one_goes_on(run, given):
    """The events of one process that goes on with what two began."""
    config = run.config.options.for_processes(1)
    dataset, template = read_dataset(given[1]["data"]), run.config.template
    return train_events(run, config, dataset, template, Stop(run), resume=True)


@pytest.mark.long
@pytest.mark.parametrize("fsdp", [False, True])
def test_two_processes_go_on_with_what_two_began(launch, alone_with_lora, fsdp):
    name = f"lora-{fsdp}"
    child, run = launch(name, fsdp=fsdp, r=2, max_steps=1_000_000)
    wait_for(child, run, Saved, step=10)
    run.ask_to_stop()
    child.wait(LIMIT_S)
    stopped = of(run, Stopped)[0].step
    child, _ = launch.resume(name)
    wait_for(child, run, Stepped, step=stopped + 5)
    run.ask_to_stop()
    child.wait(LIMIT_S)
    assert [event.step for event in of(run, Resumed)] == [stopped]
    assert not of(run, Warned)
    assert [event.step for event in of(run, Stepped)] == list(range(1, len(of(run, Stepped)) + 1))
    require_same_curve(run, alone_with_lora)


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="needs two CUDA devices")
@pytest.mark.parametrize("fsdp", [False, True])
def test_two_cuda_devices_train_as_one_does(launch, alone, fsdp):
    child, run = launch(f"cuda-{fsdp}", on_cpu=False, fsdp=fsdp)
    assert child.wait(LIMIT_S) == 0
    require_same_curve(run, alone)
    assert of(run, Prepared)[0].device == "cuda"
