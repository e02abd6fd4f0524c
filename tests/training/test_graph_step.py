"""Steps recorded as graphs, by a stand-in that records Python: the trainer's numbers, and which graphs are kept."""

import copy

import pytest
import torch

from ift.config import TrainConfig
from ift.errors import GradientError, TrainingError
from ift.events import Stepped, Warned
from ift.model.cuda.graphs import Graphs
from ift.model.lora import add_lora
from ift.runs.ranks import ALONE
from ift.training.graph_step import MOST_SIZES, capture_for
from ift.training.trainer import Trainer
from tests.helpers import SHORT_ROWS, Tape, tiny_model

OPTIONS = {
    "lr_scheduler_type": "linear",
    "warmup_steps": 2,
    "eval_steps": 1000,
    "per_device_train_batch_size": 2,
    "learning_rate": 1e-3,
    "weight_decay": 0.1,
    "bf16": False,
    "max_steps": 9,
}


def run(tape=None, *, model=None, train=SHORT_ROWS, **options):
    model = model or tiny_model()
    trainer = Trainer(model, TrainConfig(**{**OPTIONS, **options}), train=train, capture=tape)
    return trainer, list(trainer)


def numbers(events):
    return [(event.loss, event.grad_norm, event.tokens, event.trained_tokens, event.learning_rate) for event in events]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"train_on": "all"},
        {"max_grad_norm": 0.0},
        {"max_grad_norm": 0.5},
        {"gradient_accumulation_steps": 2},
        {"gradient_accumulation_steps": 3, "max_grad_norm": 0.5, "train_on": "response,"},
        {"group_by_length": True},
        {"train_on": "all", "prompt_loss_weight": 0.25, "gradient_accumulation_steps": 2},
    ],
)
def test_recorded_steps_are_the_plain_ones(options):
    tape = Tape()
    recorded, events = run(tape, **options)
    plain, expected = run(**options)
    assert tape.recorded <= MOST_SIZES + 1
    assert tape.replayed > tape.plain
    assert len(events) == len(expected) == 9
    for found, wanted in zip(numbers(events), numbers(expected), strict=True):
        assert found == pytest.approx(wanted, rel=2e-4)
    for block in (*recorded.model.h, *plain.model.h):
        block.qkv.bias.data[16:32] = 0  # keys' biases change no attention: AdamW blows rounding noise up there
    ours, theirs = (torch.nn.utils.parameters_to_vector(one.model.parameters()) for one in (recorded, plain))
    assert (ours - theirs).norm() <= 1e-5 * theirs.norm()


def test_lora_is_recorded_too_and_its_frozen_weights_stay():
    def adapted():
        model = tiny_model()
        add_lora(model, r=2, lora_alpha=4, layers={"qkv"}, seed=1)
        return model

    (recorded, events), (_, expected) = (run(tape, model=adapted(), r=2) for tape in (Tape(), None))
    for found, wanted in zip(numbers(events), numbers(expected), strict=True):
        assert found == pytest.approx(wanted, rel=2e-4)
    assert torch.equal(recorded.model.wte.weight, tiny_model().wte.weight)


def test_a_capture_that_fails_is_warned_of_once_and_the_steps_go_on_plainly():
    tape = Tape(fails_at=1)
    _, events = run(tape)
    warned = [event for event in events if isinstance(event, Warned)]
    assert [event.message.partition(": ")[2] for event in warned] == [
        "operation not permitted when stream is capturing"
    ]
    assert (tape.recorded, tape.replayed, tape.plain) == (1, 0, 9)
    expected = run()[1]
    stepped = [event for event in events if isinstance(event, Stepped)]
    assert [event.loss for event in stepped] == pytest.approx([event.loss for event in expected], rel=1e-4)


@pytest.mark.parametrize("accumulation", [1, 2])
def test_a_loss_that_is_not_finite_leaves_the_weights_of_the_step_before(accumulation):
    model = tiny_model()
    options = {**OPTIONS, "gradient_accumulation_steps": accumulation}
    trainer = Trainer(model, TrainConfig(**options), train=SHORT_ROWS, capture=Tape())
    for _ in range(3):
        next(trainer.advance())
    model.ln_f.bias.data[0] = torch.nan
    before, moments = copy.deepcopy(model.state_dict()), copy.deepcopy(list(trainer.optimizer.state.values()))
    with pytest.raises(TrainingError, match="loss is not finite") as caught:
        next(trainer.advance())
    assert caught.value.where == "step 4"
    for name, value in model.state_dict().items():
        assert torch.equal(value.nan_to_num(), before[name].nan_to_num())
    for state, then in zip(trainer.optimizer.state.values(), moments, strict=True):
        assert all(torch.equal(value, then[name]) for name, value in state.items())


def test_a_gradient_that_is_not_finite_does_too():
    model = tiny_model()
    model.wpe.weight.register_hook(lambda gradient: gradient * torch.inf)
    before = copy.deepcopy(model.state_dict())
    with pytest.raises(GradientError):
        run(Tape(), model=model)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_the_next_batch_is_collated_before_the_steps_loss_is_waited_for(monkeypatch):
    trainer = Trainer(tiny_model(), TrainConfig(**OPTIONS), train=SHORT_ROWS, capture=Tape())
    order = []
    for name in ("_draw", "_draw_ahead"):
        kept = getattr(trainer, name)
        monkeypatch.setattr(trainer, name, lambda kept=kept, name=name: order.append(name) or kept())
    end = trainer._graphs.end
    monkeypatch.setattr(trainer._graphs, "end", lambda: order.append("end") or end())
    next(trainer.advance())
    next(trainer.advance())
    assert order == ["_draw", "_draw_ahead", "_draw", "end", "_draw_ahead", "_draw", "end"]


# Which runs are recorded.


def test_nothing_is_recorded_without_a_cuda_device():
    assert capture_for(TrainConfig(), tiny_model(), ALONE) is None


# Which graphs are kept.


def graphs(tape, most=2):
    """Doubles what is in a key's list."""
    return Graphs(lambda numbers: [2 * number for number in numbers], tape, most=most)


def ask(made, key, numbers):
    buffers = made.buffers(key, lambda: [0] * key)
    buffers[:] = numbers
    return made.run(key)


def test_a_key_runs_plainly_then_is_recorded_then_replayed():
    tape = Tape()
    made = graphs(tape)
    seen = []
    for number in (1, 2, 3):
        assert ask(made, 1, [number]) == [2 * number]
        seen.append((tape.plain, tape.recorded, tape.replayed))
    assert seen == [(1, 0, 0), (1, 1, 1), (1, 1, 2)]
    assert len(made) == 1


def test_what_comes_once_is_not_recorded():
    tape = Tape()
    made = graphs(tape, most=8)
    for key in range(1, 6):
        ask(made, key, [1] * key)
    assert (tape.plain, tape.recorded) == (5, 0)


def test_what_was_not_used_for_longest_goes_first():
    tape = Tape()
    made = graphs(tape)
    for key in (1, 1, 2, 2, 1, 3, 3):  # 2 goes for 3
        assert ask(made, key, [1] * key) == [2] * key
    assert len(made) == 2
    recorded = tape.recorded
    ask(made, 1, [5])
    assert tape.recorded == recorded
    ask(made, 2, [1, 1])
    ask(made, 2, [1, 1])
    assert tape.recorded == recorded + 1


def test_after_a_capture_that_failed_none_is_tried_and_no_graph_is_kept():
    tape = Tape(fails_at=2)
    made = graphs(tape)
    for key in (1, 1, 2, 2, 1, 2):
        assert ask(made, key, [1] * key) == [2] * key
    assert (tape.recorded, tape.replayed, len(made)) == (2, 1, 0)
    assert made.failure == "operation not permitted when stream is capturing"


def test_without_a_capture_all_is_plain():
    made = graphs(None)
    assert [ask(made, 1, [n]) for n in (1, 2, 3)] == [[2], [4], [6]]
    assert len(made) == 0
