"""Fine-tuning as an iterator of events, against a plain loop with torch's own parts."""

import copy

import numpy as np
import pytest
import torch

from ift.config import TrainConfig
from ift.data.batching import collate
from ift.data.order import epoch_batches
from ift.errors import ConfigError, TrainingError
from ift.events import Evaluated, Sampled, Stepped, from_json, to_json
from ift.masks import TRAIN_ON
from ift.model.generate import Prompt
from ift.model.loss import losses
from ift.roles import Role
from ift.training.schedule import learning_rate
from ift.training.trainer import Trainer, require_same_masks
from ift.types import Example
from tests.helpers import SHORT_ROWS, encoded, events_of, plain_loss, tiny_model

I, H, R = Role.INSTRUCTION, Role.HEADER, Role.RESPONSE  # noqa: E741


def config(**options):
    plain = {"lr_scheduler_type": "constant", "warmup_steps": 0, "max_grad_norm": 0.0, "eval_steps": 1000}
    return TrainConfig(**{**plain, "per_device_train_batch_size": 2, "learning_rate": 1e-3, "bf16": False, **options})


def trainer(model=None, *, train=SHORT_ROWS, **options):
    parts = {name: options.pop(name) for name in ("validation", "samples", "max_length") if name in options}
    return Trainer(model or tiny_model(), config(**options), train=train, **parts)


def steps(events):
    return [event for event in events if isinstance(event, Stepped)]


# One step.


def trained_weights(model):
    """All but the keys' biases: they change no attention, so AdamW only blows rounding noise up there."""
    for block in model.h:
        block.qkv.bias.data[16:32] = 0
    return torch.cat([parameter.flatten() for parameter in model.parameters()])


@pytest.mark.parametrize("max_grad_norm", [0.0, 0.5])
def test_the_trainer_does_what_the_plain_loop_does(max_grad_norm):
    ours, theirs = tiny_model(), tiny_model()
    options = config(max_steps=4, train_on="all", weight_decay=0.1, max_grad_norm=max_grad_norm)
    stepped = steps(Trainer(ours, options, train=SHORT_ROWS))

    optimizer = torch.optim.AdamW(theirs.parameters(), lr=1e-3, weight_decay=0.1, betas=(0.9, 0.999), foreach=False)
    batches = epoch_batches(len(SHORT_ROWS), 2, seed=options.seed)
    for event in stepped:
        loss = plain_loss(theirs, collate([SHORT_ROWS[i] for i in next(batches)], trained=TRAIN_ON["all"]))
        optimizer.zero_grad()
        loss.backward()
        norm = torch.stack([parameter.grad.norm() for parameter in theirs.parameters()]).norm().item()
        if max_grad_norm and norm > max_grad_norm:
            for parameter in theirs.parameters():
                parameter.grad *= max_grad_norm / norm
        optimizer.step()
        assert event.loss == pytest.approx(loss.item(), abs=1e-4)
        assert event.grad_norm == pytest.approx(norm, rel=1e-3)
    assert torch.allclose(trained_weights(ours), trained_weights(theirs), atol=1e-5)


def plain_step(model, rows, *, trained, size):
    """One reference step over batches of `size` rows: the loss, its gradients on the model's own weights."""
    batches = [collate(rows[i : i + size], trained=trained) for i in range(0, len(rows), size)]
    targets = sum(batch.trained_tokens for batch in batches)
    loss = sum(plain_loss(model, batch) * (batch.trained_tokens / targets) for batch in batches)
    return loss.item(), torch.autograd.grad(loss, list(model.parameters()))


@pytest.mark.parametrize("accumulation", [1, 2, 4])
@pytest.mark.parametrize("train_on", [*TRAIN_ON, "response,", "response,eos,pad"])
def test_a_step_has_the_loss_and_the_gradients_of_the_plain_one(train_on, accumulation):
    model = tiny_model()
    size = 4 // accumulation
    options = {"per_device_train_batch_size": size, "gradient_accumulation_steps": accumulation}
    ours = trainer(copy.deepcopy(model), max_steps=1, train_on=train_on, **options)
    (event,) = steps(ours)
    rows = [SHORT_ROWS[i] for i in next(epoch_batches(len(SHORT_ROWS), 4, seed=ours.config.seed))]
    loss, expected = plain_step(model, rows, trained=ours.config.trained, size=size)
    assert event.loss == pytest.approx(loss, abs=1e-5)
    for parameter, gradient in zip(ours.model.parameters(), expected, strict=True):
        assert torch.allclose(parameter.grad, gradient, atol=1e-5)


def test_a_prompt_loss_weight_of_0_and_of_1_are_the_two_masks_bit_for_bit():
    runs = [
        steps(trainer(max_steps=3, train_on=mask, **options))
        for mask, options in (("response", {}), ("all", {"prompt_loss_weight": 0.0}), ("all", {}))
    ]
    masked, weight_0, weight_1 = ([(event.loss, event.grad_norm) for event in run] for run in runs)
    assert weight_0 == masked != weight_1
    assert TrainConfig(train_on="all", prompt_loss_weight=1.0) == TrainConfig(train_on="all")


def test_a_weighted_step_is_a_mean_over_all_weights_however_its_rows_are_batched():
    values, roles = (
        torch.cat(parts)
        for parts in zip(
            *(losses(tiny_model(), collate([row], trained=TRAIN_ON["all"])) for row in SHORT_ROWS), strict=True
        )
    )
    weights = torch.where(torch.isin(roles, torch.tensor([Role.RESPONSE, Role.EOS])), 1.0, 0.25)
    expected = ((weights * values).sum() / weights.sum()).item()
    options = {"max_steps": 1, "train_on": "all", "prompt_loss_weight": 0.25}
    (whole,) = steps(trainer(per_device_train_batch_size=5, **options))
    (parts,) = steps(trainer(per_device_train_batch_size=2, gradient_accumulation_steps=3, **options))
    validated = next(iter(trainer(validation=SHORT_ROWS, **options)))
    assert [whole.loss, parts.loss, validated.loss] == pytest.approx([expected] * 3, abs=1e-5)
    assert parts.grad_norm == pytest.approx(whole.grad_norm, rel=1e-4)
    assert whole.trained_tokens == len(values)  # what is counted is tokens, not weights


def test_accumulated_batches_are_one_step_over_as_many_rows():
    large = steps(trainer(max_steps=3, per_device_train_batch_size=4))
    small = steps(trainer(max_steps=3, per_device_train_batch_size=1, gradient_accumulation_steps=4))
    seen = [[(event.epoch, event.tokens, event.trained_tokens) for event in run] for run in (large, small)]
    assert seen[0] == seen[1]
    assert [event.loss for event in small] == pytest.approx([event.loss for event in large], abs=1e-4)


def test_a_steps_loss_is_the_mean_over_all_targets_of_its_batches_not_the_mean_of_their_means():
    model = tiny_model()
    values = [losses(model, collate([row], trained=TRAIN_ON["response"]))[0] for row in SHORT_ROWS]
    (event,) = steps(trainer(max_steps=1, per_device_train_batch_size=1, gradient_accumulation_steps=5))
    assert event.loss == pytest.approx(torch.cat(values).mean().item(), abs=1e-5)
    assert event.loss != pytest.approx(np.mean([value.mean().item() for value in values]), abs=1e-3)


@pytest.mark.parametrize("train_on", ["all", "response", "response,eos,pad"])
def test_gradient_checkpointing_changes_no_number(train_on):
    plain = steps(trainer(max_steps=3, train_on=train_on))
    again = steps(trainer(max_steps=3, train_on=train_on, gradient_checkpointing=True))
    assert [(event.loss, event.grad_norm) for event in again] == [(event.loss, event.grad_norm) for event in plain]


def test_gradient_checkpointing_keeps_less_for_the_backward_pass():
    def kept_numbers(*, checkpointing):
        model, kept = tiny_model(), []
        model.gradient_checkpointing = checkpointing
        with torch.autograd.graph.saved_tensors_hooks(lambda tensor: kept.append(tensor.numel()), lambda _: None):
            model.hidden(torch.arange(40)[None])
        return sum(kept)

    assert kept_numbers(checkpointing=True) < 0.5 * kept_numbers(checkpointing=False)


def test_max_length_cuts_the_rows_of_a_step():
    (event,) = steps(trainer(train=SHORT_ROWS[2:3], max_length=3, max_steps=1, train_on="all"))
    assert (event.tokens, event.trained_tokens) == (3, 3)


# The whole run.


def test_two_rows_are_learnt_by_heart():
    stepped = steps(trainer(train=SHORT_ROWS[:2], max_steps=40, learning_rate=1e-2))
    assert stepped[0].loss > 5
    assert stepped[-1].loss < 0.05


def test_events_come_in_order_from_step_0_to_the_last():
    samples = [(Example("Say", "", "it"), Prompt(7, [10, 11]))]
    events = list(trainer(validation=SHORT_ROWS[:1], samples=samples, max_steps=3, eval_steps=2))
    named = [(type(event).__name__, event.step) for event in events]
    evaluation = ["Evaluated", "Sampled"]
    assert named == [
        *((name, 0) for name in evaluation),
        ("Stepped", 1),
        ("Stepped", 2),
        *((name, 2) for name in evaluation),
        ("Stepped", 3),
        *((name, 3) for name in evaluation),
    ]


def test_without_validation_and_samples_there_are_only_steps():
    assert {type(event) for event in trainer(max_steps=2, eval_steps=1)} == {Stepped}


def test_a_step_tells_where_it_is_and_what_it_saw():
    first, second, third = steps(trainer(max_steps=3, train_on="response"))
    assert [event.step for event in (first, second, third)] == [1, 2, 3]
    assert [event.epoch for event in (first, second, third)] == pytest.approx([1 / 3, 2 / 3, 1])
    assert sum(event.tokens for event in (first, second, third)) == sum(len(row) - 1 for row in SHORT_ROWS)
    assert sum(event.trained_tokens for event in (first, second, third)) == 1 + 1 + 4 + 1 + 1 + len(SHORT_ROWS)
    assert first.step_time_s > 0


def test_whole_epochs_are_run_when_no_number_of_steps_is_given():
    assert len(steps(trainer(num_train_epochs=2.0))) == 6


def test_the_same_seed_gives_the_same_run_and_another_seed_another():
    def run(seed):
        return [(event.loss, event.grad_norm) for event in steps(trainer(max_steps=5, seed=seed))]

    assert run(1) == run(1)
    assert run(1) != run(2)


def test_evaluating_more_often_does_not_change_the_training():
    often = steps(trainer(max_steps=4, validation=SHORT_ROWS[:2], eval_steps=1))
    assert [event.loss for event in often] == [event.loss for event in steps(trainer(max_steps=4))]


def test_all_events_fit_a_log():
    samples = [(Example("Say", "", "it"), Prompt(7, [10, 11]))]
    for event in trainer(validation=SHORT_ROWS[:1], samples=samples, max_steps=1):
        assert from_json(to_json(event)) == event


# Validation.


def test_validation_is_the_mean_over_tokens_not_over_batches():
    model = tiny_model()
    (first, *_) = trainer(copy.deepcopy(model), validation=SHORT_ROWS, max_steps=1)
    values = [losses(model, collate([row], trained=TRAIN_ON["response"]))[0] for row in SHORT_ROWS]
    assert first.loss == pytest.approx(torch.cat(values).mean().item(), abs=1e-5)
    assert first.trained_tokens == sum(len(value) for value in values)
    assert first.loss != pytest.approx(np.mean([value.mean().item() for value in values]), abs=1e-3)


def test_validation_tells_the_loss_of_every_role():
    model = tiny_model()
    (first, *_) = trainer(copy.deepcopy(model), validation=SHORT_ROWS, max_steps=1, train_on="response,eos,header")
    values, roles = losses(model, collate(SHORT_ROWS, trained=TRAIN_ON["response-and-header"]))
    assert first.loss_by_role.keys() == {"header", "response", "eos"}
    for role in (H, R, Role.EOS):
        assert first.loss_by_role[role.label] == pytest.approx(values[roles == role].mean().item(), abs=1e-5)


def test_samples_are_answered_greedily_and_in_order():
    samples = [(Example(f"Say {record}", "x", "it"), Prompt(record, ids)) for record, ids in ((9, [10]), (3, [11, 12]))]
    events = [event for event in trainer(samples=samples, max_steps=1) if isinstance(event, Sampled)]
    assert [(event.step, event.record, event.instruction) for event in events] == [
        (0, 3, "Say 3"),
        (0, 9, "Say 9"),
        (1, 3, "Say 3"),
        (1, 9, "Say 9"),
    ]
    assert all(event.model_response for event in events)


def test_validation_falls_when_it_is_the_training_data():
    events = trainer(validation=SHORT_ROWS, max_steps=30, eval_steps=10, learning_rate=1e-2)
    seen = [event.loss for event in events if isinstance(event, Evaluated)]
    assert seen == sorted(seen, reverse=True)


def test_training_ends_once_the_validation_loss_has_not_fallen_for_so_many_evaluations():
    rising = trainer(
        validation=[encoded(7, 8)], max_steps=50, eval_steps=1, learning_rate=1e-2, early_stopping_patience=3
    )
    seen = [event.loss for event in rising if isinstance(event, Evaluated)][1:]
    best = seen.index(min(seen))
    assert len(seen) == best + 1 + 3 < 50
    assert (rising.progress.best_step, rising.progress.best_loss) == (best + 1, min(seen))


def test_a_validation_loss_that_falls_is_not_stopped():
    events = trainer(validation=SHORT_ROWS, max_steps=20, eval_steps=5, learning_rate=1e-2, early_stopping_patience=1)
    assert len(steps(events)) == 20


# The learning rate.


def rates(total, **options):
    made = config(learning_rate=1.0, **options)
    return [learning_rate(made, step, total) for step in range(1, total + 1)]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [1, 1, 1, 1]),
        ({"warmup_steps": 2}, [0.5, 1, 1, 1]),
        ({"lr_scheduler_type": "linear"}, [1, 0.75, 0.5, 0.25]),
        ({"lr_scheduler_type": "linear", "warmup_steps": 2}, [0.5, 1, 1, 0.5]),
        ({"lr_scheduler_type": "linear", "warmup_steps": 8}, [1 / 8, 2 / 8, 3 / 8, 4 / 8]),
        ({"lr_scheduler_type": "cosine"}, [1, (1 + 0.5**0.5) / 2, 0.5, (1 - 0.5**0.5) / 2]),
        ({"lr_scheduler_type": "cosine", "warmup_steps": 2}, [0.5, 1, 1, 0.5]),
    ],
)
def test_the_rate_rises_over_the_warmup_and_then_stays_or_falls_to_zero_after_the_last_step(options, expected):
    assert rates(4, **options) == pytest.approx(expected)


def test_a_step_reports_the_rate_it_used():
    stepped = steps(trainer(max_steps=4, lr_scheduler_type="linear", learning_rate=1e-3))
    assert [event.learning_rate for event in stepped] == pytest.approx([1e-3, 0.75e-3, 0.5e-3, 0.25e-3])


# When it goes wrong.


def test_a_loss_that_is_not_finite_ends_training_with_the_weights_of_the_step_before():
    model = tiny_model()
    events = iter(trainer(model, max_steps=5))
    next(events)
    model.ln_f.bias.data[0] = torch.nan
    before = copy.deepcopy(model.state_dict())
    with pytest.raises(TrainingError, match="loss is not finite") as caught:
        next(events)
    assert caught.value.where == "step 2"
    assert "learning_rate" in caught.value.fix
    assert all(torch.equal(value.nan_to_num(), before[name].nan_to_num()) for name, value in model.state_dict().items())


def test_a_gradient_that_is_not_finite_ends_training_too():
    model = tiny_model()
    model.wpe.weight.register_hook(lambda gradient: gradient * torch.inf)
    before = copy.deepcopy(model.state_dict())
    with pytest.raises(TrainingError, match="gradient is not finite"):
        list(trainer(model, max_steps=1))
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_a_validation_loss_that_is_not_finite_is_told():
    model = tiny_model()
    model.ln_f.bias.data[0] = torch.nan
    with pytest.raises(TrainingError, match="step 0"):
        next(iter(trainer(model, validation=SHORT_ROWS, max_steps=1)))


def test_checkpointing_with_dropout_is_refused_where_its_masks_would_differ():
    rates = {"gradient_checkpointing": True, "resid_pdrop": 0.1}
    require_same_masks(TrainConfig(**rates), torch.device("cpu"))
    require_same_masks(TrainConfig(**rates | {"resid_pdrop": 0.0}), torch.device("mps"))
    with pytest.raises(ConfigError, match="with dropout"):
        require_same_masks(TrainConfig(**rates), torch.device("mps"))


def test_targets_left_unshifted_are_the_inputs_themselves():
    rows = [SHORT_ROWS[0]]
    batch = collate(rows, trained=TRAIN_ON["response"], shift=False)
    assert batch.targets.tolist() == [[-100, -100, -100, 13]]  # of 10, 11, 12, 13: the end-of-text is no input
    values = losses(tiny_model(), batch)[0]
    (event,) = steps(trainer(train=rows, max_steps=1, shift_targets=False))
    assert (event.trained_tokens, event.loss) == (1, pytest.approx(values.mean().item(), abs=1e-5))


def test_questions_of_ones_own_are_answered_beside_the_validation_records(names, make):
    run = make("followed", TrainConfig(**names, max_steps=1, prompts="What is 2? | | Say word."))
    sampled = [event for event in events_of(run) if isinstance(event, Sampled) and event.step == 1]
    assert [(event.record, event.instruction, event.output) for event in sampled] == [
        (19, "After 19?", "20"),
        (20, "What is 2?", ""),  # numbered on from the last of the twenty records
        (21, "Say word.", ""),
    ]


def test_there_is_a_limit_to_questions_of_ones_own():
    with pytest.raises(ConfigError, match="17 questions are too many"):
        TrainConfig(prompts="|".join("abcdefghijklmnopq"))
