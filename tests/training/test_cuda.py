"""A CUDA device does what the CPU does; the reference here is always a CPU's result.

Where there is no such device, all of this is skipped, and says so.
"""

from dataclasses import replace

import pytest
import torch

from ift.config import TrainConfig
from ift.data.batching import collate
from ift.data.sources import load_dataset
from ift.data.templates import load_template
from ift.errors import TrainingError
from ift.events import Evaluated, Prepared, Saved, Stepped
from ift.model.cuda.decoder import cuda_capture, plainly
from ift.model.generate import Prompt, Sampling, generate
from ift.model.hf_model import read_model
from ift.model.loss import batch_loss, losses
from ift.model.precision import has_bf16
from ift.roles import Role
from ift.runs.ranks import World
from ift.runs.state import State
from ift.training.memory_check import run_longest
from ift.training.probe import probe
from ift.training.trainer import Trainer
from tests.helpers import EVERYTHING, SHORT_ROWS, events_of, tiny_model

CUDA = torch.device("cuda")
pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device: nothing ran on one here")

MASKS = [frozenset({Role.RESPONSE, Role.EOS}), EVERYTHING, EVERYTHING | {Role.PAD}]


def near(actual, expected, *, tolerance=1e-4):
    torch.testing.assert_close(actual.cpu(), expected, rtol=tolerance, atol=tolerance)


def gradients(model, batch, **options):
    batch_loss(model, batch, **options).backward()
    return {name: weight.grad.cpu() for name, weight in model.named_parameters()}


@pytest.mark.parametrize("trained", MASKS)
def test_losses_and_gradients_are_the_cpus(trained):
    batch = collate(SHORT_ROWS, trained=trained)
    near(losses(tiny_model().to(CUDA), batch)[0], losses(tiny_model(), batch)[0])
    expected = gradients(tiny_model(), batch)
    for name, gradient in gradients(tiny_model().to(CUDA), batch).items():
        near(gradient, expected[name])


@pytest.mark.parametrize("trained", MASKS)
def test_bf16_is_near_them(trained):
    if not has_bf16(CUDA):
        pytest.skip("this CUDA device has no bf16")
    batch = collate(SHORT_ROWS, trained=trained)
    rough, exact = (losses(tiny_model().to(CUDA), batch, bf16=bf16)[0] for bf16 in (True, False))
    assert rough.dtype == torch.float32
    assert not torch.equal(rough, exact)
    near(rough, exact.cpu(), tolerance=0.05)
    gradients(tiny_model().to(CUDA), batch, bf16=True)


@pytest.mark.parametrize("rows", [1, 6, 70])
def test_answers_are_the_cpus(rows):
    prompts = [
        Prompt(record, tuple(range(100, 103 + 2 * record % 30)), max_new_tokens=1 + 5 * record % 25)
        for record in range(1, rows + 1)
    ]
    sampling = Sampling(max_new_tokens=20)
    model = tiny_model().to(CUDA)
    first, again, plain, here = (
        {answer.record: answer.ids for answer in generate(one, prompts, sampling, capture=capture)}
        for one, capture in (
            (model, cuda_capture),
            (model, cuda_capture),
            (model, plainly),
            (tiny_model(), plainly),
        )
    )
    assert first == again == plain == here


def test_graphs_kept_for_the_next_prompt_follow_weights_that_are_trained_meanwhile():
    model, prompt, sampling = tiny_model().to(CUDA), Prompt(0, (100, 101, 102)), Sampling(max_new_tokens=20)
    before = next(generate(model, [prompt], sampling)).ids
    with torch.no_grad():
        model.h[0].qkv.weight.mul_(-1)
    changed = next(generate(model, [prompt], sampling)).ids
    assert changed == next(generate(model, [prompt], sampling, capture=plainly)).ids != before


@pytest.fixture
def config(names):
    return TrainConfig(
        **names,
        max_steps=7,
        per_device_train_batch_size=3,
        gradient_accumulation_steps=2,
        max_grad_norm=1.0,
        eval_steps=3,
        save_steps=1,
        learning_rate=1e-3,
        bf16=False,
    )


class On(World):
    """One process, on this device."""

    def __init__(self, device):
        self.device = torch.device(device)


def told(events):
    return {(type(event), event.step): event.loss for event in events if isinstance(event, (Stepped, Evaluated))}


@pytest.mark.parametrize(
    "options",
    [{}, {"train_on": "all", "gradient_checkpointing": True}, {"r": 2, "lora_alpha": 4}, {"max_grad_norm": 0.0}],
)
def test_a_run_there_is_the_cpus(make, config, options):
    config = replace(config, **options)
    there, here = make("there", config), make("here", config)
    events = list(events_of(there, world=On("cuda")))
    assert next(event.device for event in events if isinstance(event, Prepared)) == "cuda"
    assert there.state() == State.FINISHED
    assert told(events) == pytest.approx(told(events_of(here, world=On("cpu"))), abs=1e-4)
    read_model(there.last_checkpoint())


def test_a_run_of_several_kinds_of_dropout_in_bf16_finishes_and_learns(make, config):
    rates = {"resid_pdrop": 0.1, "embd_pdrop": 0.1, "attn_pdrop": 0.1}
    config = replace(config, bf16=None, max_steps=40, eval_steps=40, learning_rate=1e-2, **rates)
    validated = [
        event.loss for event in events_of(make("run", config), world=On("cuda")) if isinstance(event, Evaluated)
    ]
    assert validated[-1] < 0.7 * validated[0]


def test_a_broken_run_goes_on_there(make, config):
    whole, broken = make("whole", config), make("broken", config)
    expected = told(events_of(whole, world=On("cuda")))
    for event in events_of(broken, world=On("cuda")):
        if isinstance(event, Saved) and event.step == 4:
            break
    rest = told(events_of(broken, world=On("cuda"), resume=True))
    assert set(rest) == {key for key in expected if key[1] > 4}
    assert rest == pytest.approx({key: expected[key] for key in rest}, abs=1e-5)


def test_too_little_memory_is_named(config):
    model = tiny_model().to(CUDA)
    trainer = Trainer(model, replace(config, per_device_train_batch_size=100), train=20 * SHORT_ROWS)  # 80 MB of logits
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction(1e-9)
    try:
        with pytest.raises(TrainingError, match="Memory ran out"):
            run_longest(trainer)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert all(weight.grad is None for weight in model.parameters())
    run_longest(trainer)


def test_an_estimate_is_of_that_device(config):
    told = probe(config, load_dataset(config.data), load_template(config.template))
    assert told.device == "cuda"
    assert 0 < told.loaded_bytes <= told.peak_bytes <= told.available_bytes
    assert told.available_bytes <= torch.cuda.mem_get_info()[1]
