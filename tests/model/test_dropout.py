"""Dropout: where it acts, that its fast step is the plain one's in distribution, and that it can be repeated."""

import pytest
import torch

from ift.config import TrainConfig
from ift.data.batching import collate
from ift.events import Stepped
from ift.model.dropout import drawn_from, drops, set_dropout
from ift.model.lora import add_lora
from ift.model.loss import batch_loss, losses
from ift.training.trainer import Trainer
from tests.helpers import EVERYTHING, SHORT_ROWS, encoded, plain_loss, tiny_model

CPU = torch.device("cpu")
NONE = {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}
KINDS = list(NONE)
OPENING = [encoded(5, 6, 7, *row.ids[:-1].tolist()) for row in SHORT_ROWS]
BATCH = collate(OPENING, trained=EVERYTHING)
TWICE = collate([encoded(1, 2, 3, 4), encoded(1, 2, 3, 4)], trained=EVERYTHING)


def model_with(**options):
    model = tiny_model().train()
    set_dropout(model, **{**NONE, **options})
    return model


def draws(value, *, number=60):
    """What a drawn value comes to, again and again."""
    with drawn_from(1, 1, device=CPU):
        return torch.tensor([value() for _ in range(number)])


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_drops_in_training_and_nowhere_else(kind):
    model = model_with(**{kind: 0.5})
    exact = plain_loss(tiny_model(), BATCH).item()
    with drawn_from(1, 1, device=CPU):
        assert drops(model)
        assert batch_loss(model, BATCH).item() != pytest.approx(exact, abs=1e-3)
        model.eval()
        assert not drops(model)
        assert batch_loss(model, BATCH).item() == pytest.approx(exact, abs=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_rows_that_begin_the_same_have_masks_of_their_own(kind):
    model = model_with(**{kind: 0.5})
    with drawn_from(1, 1, device=CPU):
        one, two = losses(model, TWICE)[0].view(2, -1)
    assert not torch.allclose(one, two, atol=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_the_fast_loss_is_drawn_from_the_plain_ones_distribution(kind):
    model = model_with(**{kind: 0.3})
    with torch.no_grad():
        ours = draws(lambda: batch_loss(model, BATCH).item())
        plain = draws(lambda: plain_loss(model, BATCH).item())
    error = ((ours.var() + plain.var()) / len(ours)).sqrt()
    assert ours.std() > 0
    assert abs(ours.mean() - plain.mean()) < 3 * error
    assert ours.std() == pytest.approx(plain.std(), rel=0.5)


def test_loras_product_drops_what_it_reads():
    model = tiny_model()
    add_lora(model, r=2, lora_alpha=4, lora_dropout=0.5, layers=["fc"], seed=1)
    for block in model.h:
        block.fc.lora_B.data.fill_(0.1)
    assert not drops(model)
    model.train()
    with drawn_from(1, 1, device=CPU):
        one, two = losses(model, TWICE)[0].view(2, -1)
    assert not torch.allclose(one, two, atol=1e-3)


def trainer(**options):
    config = TrainConfig(
        max_steps=3, warmup_steps=0, train_on="all", per_device_train_batch_size=2, bf16=False, **options
    )
    return Trainer(tiny_model(), config, train=OPENING)


def losses_of(**options):
    return [event.loss for event in trainer(**options) if isinstance(event, Stepped)]


def test_the_seed_decides_the_masks_and_each_step_has_its_own():
    assert losses_of(resid_pdrop=0.3) == losses_of(resid_pdrop=0.3)
    assert losses_of(resid_pdrop=0.3) != losses_of()
    model = model_with(resid_pdrop=0.3)
    found = []
    for seed, step in ((1, 1), (1, 1), (1, 2), (2, 1)):
        with drawn_from(seed, step, device=CPU):
            found.append(batch_loss(model, BATCH).item())
    assert found[0] == found[1]
    assert len(set(found)) == 3


def test_gradient_checkpointing_drops_the_same_again():
    assert losses_of(attn_pdrop=0.3, resid_pdrop=0.3, gradient_checkpointing=True) == losses_of(
        attn_pdrop=0.3, resid_pdrop=0.3
    )


def test_training_leaves_other_random_numbers_alone():
    training = trainer(embd_pdrop=0.3)
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    list(training)
    assert torch.equal(torch.rand(3), expected)
