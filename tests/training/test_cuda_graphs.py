"""Steps recorded as graphs on a CUDA device do what the steps that launch each kernel do.

Where there is no such device, all of this is skipped, and says so.
"""

from dataclasses import replace

import pytest
import torch

from ift.config import TrainConfig
from ift.events import Saved, Stepped, Warned
from ift.model.precision import has_bf16
from ift.training.trainer import Trainer
from tests.helpers import SHORT_ROWS, events_of, tiny_model
from tests.training.test_cuda import On, told

CUDA = torch.device("cuda")
pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device: nothing ran on one here")


@pytest.fixture
def config(names):
    return TrainConfig(
        **names,
        max_steps=20,
        per_device_train_batch_size=3,
        eval_steps=10,
        save_steps=5,
        learning_rate=1e-3,
        warmup_steps=2,
        bf16=False,
    )


def trained(config, *, graphs):
    trainer = Trainer(tiny_model().to(CUDA), replace(config, cuda_graphs=graphs), train=4 * SHORT_ROWS)
    events = list(trainer)
    assert (trainer._graphs is not None) == graphs
    if graphs:
        assert not [event for event in events if isinstance(event, Warned)]
        assert len(trainer._graphs._batches) > 0
    for block in trainer.model.h:
        block.qkv.bias.data[16:32] = 0  # keys' biases change no attention: AdamW blows rounding noise up there
    weights = torch.nn.utils.parameters_to_vector(trainer.model.parameters()).detach().cpu()
    return [event.loss for event in events if isinstance(event, Stepped)], weights


@pytest.mark.parametrize(
    "options", [{}, {"train_on": "all"}, {"gradient_accumulation_steps": 2}, {"max_grad_norm": 0.0}]
)
def test_losses_and_weights_after_20_steps_are_the_eager_ones(config, options):
    config = replace(config, **options)
    (losses, weights), (expected, plain) = (trained(config, graphs=graphs) for graphs in (True, False))
    assert losses == pytest.approx(expected, rel=1e-5, abs=1e-5)
    assert (weights - plain).norm() <= 1e-5 * plain.norm()


def test_in_bf16_they_are_within_its_noise(config):
    if not has_bf16(CUDA):
        pytest.skip("this CUDA device has no bf16")
    (losses, weights), (expected, plain) = (trained(replace(config, bf16=True), graphs=on) for on in (True, False))
    assert losses == pytest.approx(expected, rel=0.02)
    assert (weights - plain).norm() <= 5e-3 * plain.norm()


@pytest.mark.parametrize("options", [{}, {"r": 2, "lora_alpha": 4}, {"gradient_accumulation_steps": 2}])
def test_a_run_with_graphs_is_the_one_without_and_goes_on_after_a_break(make, config, options):
    config = replace(config, **options)
    whole, plain, broken = make("whole", config), make("plain", replace(config, cuda_graphs=False)), make("b", config)
    expected = told(events_of(plain, world=On("cuda")))
    assert told(events_of(whole, world=On("cuda"))) == pytest.approx(expected, abs=1e-4)
    for event in events_of(broken, world=On("cuda")):
        if isinstance(event, Saved) and event.step == 10:
            break
    rest = told(events_of(broken, world=On("cuda"), resume=True))
    assert rest == pytest.approx({key: expected[key] for key in rest}, abs=1e-4)
    assert max(step for _, step in rest) == 20
