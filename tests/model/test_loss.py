"""The fast step against the textbook's: all logits of all cells, and a cross-entropy that ignores -100."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from ift.data.batching import collate
from ift.masks import TRAIN_ON
from ift.model.loss import batch_loss, losses
from ift.roles import Role
from tests.helpers import EVERYTHING, SHORT_ROWS, encoded, plain_loss, tiny_model

I, H, R = Role.INSTRUCTION, Role.HEADER, Role.RESPONSE  # noqa: E741
MASKS = {
    **TRAIN_ON,
    "response without eos": frozenset({R}),
    "everything but eos": EVERYTHING - {Role.EOS},
    "padding too": frozenset(Role),
    "response and padding": frozenset({R, Role.EOS, Role.PAD}),
}


def after(opening, rows):
    """The rows, each behind the same template text."""
    return [
        encoded(*opening, *row.ids[:-1].tolist(), roles=[Role.TEMPLATE] * len(opening) + row.roles[:-1].tolist())
        for row in rows
    ]


ROWS = {
    "no opening": SHORT_ROWS,
    "an opening": after([5, 6, 7, 8, 9], SHORT_ROWS),
    "all the same": after([5], SHORT_ROWS[:1]) * 3,
    "one row": SHORT_ROWS[2:3],
}


def gradients(model, loss):
    return torch.autograd.grad(loss, list(model.parameters()))


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("rows", ROWS)
def test_the_loss_and_its_gradients_are_those_over_all_logits(rows, mask):
    model, batch = tiny_model(), collate(ROWS[rows], trained=MASKS[mask])
    ours, plain = batch_loss(model, batch), plain_loss(model, batch)
    assert ours.item() == pytest.approx(plain.item(), abs=1e-5)
    for one, other in zip(gradients(model, ours), gradients(model, plain), strict=True):
        assert torch.allclose(one, other, atol=1e-5)


@pytest.mark.parametrize("mask", ["all", "response-and-header", "padding too"])
@pytest.mark.parametrize("rows", ROWS)
def test_weighted_losses_and_their_gradients_are_the_sum_of_each_roles(rows, mask):
    model, weight = tiny_model(), 0.3
    batch = collate(ROWS[rows], trained=MASKS[mask], prompt_loss_weight=weight)
    weights = {role: weight if role < R else 1.0 for role in batch.trained}
    logits = model(torch.from_numpy(batch.inputs)).flatten(0, 1)
    targets, roles = torch.from_numpy(batch.targets).flatten(), torch.from_numpy(batch.roles).flatten()
    plain = F.cross_entropy(logits, targets, ignore_index=-100, reduction="none")
    by_role = {role: plain[(roles == role) & (targets != -100)] for role in batch.trained}
    total = sum(weights[role] * len(found) for role, found in by_role.items())
    expected = sum(weights[role] * found.sum() for role, found in by_role.items()) / total
    ours = batch_loss(model, batch)
    assert batch.total_weight == pytest.approx(total)
    assert ours.item() == pytest.approx(expected.item(), abs=1e-5)
    whole = gradients(model, ours)
    alone = [
        gradients(model, batch_loss(model, collate(ROWS[rows], trained=frozenset({role})), share=weights[role] / total))
        for role, found in by_role.items()
        if len(found)
    ]
    for one, *parts in zip(whole, *alone, strict=True):
        assert torch.allclose(one, sum(parts), atol=1e-5)


@pytest.mark.parametrize("mask", MASKS)
def test_every_single_loss_is_that_of_its_cell(mask):
    model, batch = tiny_model(), collate(ROWS["an opening"], trained=MASKS[mask])
    logits = model(torch.from_numpy(batch.inputs)).flatten(0, 1)
    targets = torch.from_numpy(batch.targets).flatten()
    plain = F.cross_entropy(logits, targets, ignore_index=-100, reduction="none")[targets != -100]
    assert torch.allclose(losses(model, batch)[0], plain, atol=1e-5)


def test_more_padding_changes_no_loss():
    model, narrow = tiny_model(), collate(SHORT_ROWS, trained=EVERYTHING)
    wide = collate(SHORT_ROWS, trained=EVERYTHING, width=20)
    assert torch.allclose(losses(model, narrow)[0], losses(model, wide)[0], atol=1e-5)


def test_rows_cut_at_max_length_are_computed_as_they_are_cut():
    model, batch = tiny_model(), collate(ROWS["an opening"], trained=EVERYTHING, max_length=7)
    assert losses(model, batch)[0].mean().item() == pytest.approx(plain_loss(model, batch).item(), abs=1e-5)


def test_every_loss_comes_with_the_role_of_its_target():
    batch = collate(SHORT_ROWS[:2], trained=EVERYTHING)
    assert losses(tiny_model(), batch)[1].tolist() == [I, H, R, Role.EOS, R, Role.EOS]


def test_the_head_runs_once_for_what_rows_share():
    model, batch = tiny_model(), collate(ROWS["all the same"], trained=EVERYTHING)
    rows = []
    model.ln_f.register_forward_hook(lambda module, inputs, hidden: rows.append(len(hidden)))
    values, _ = losses(model, batch)
    assert (rows, len(values)) == ([batch.width], 3 * batch.width)


def test_random_batches_agree_too():
    rng = np.random.default_rng(0)
    model = tiny_model()
    for _ in range(10):
        rows = [
            encoded(*rng.integers(0, 9, n), roles=sorted(rng.integers(0, 5, n).tolist()))
            for n in rng.integers(1, 12, size=4)
        ]
        batch = collate(after([1, 2][: rng.integers(0, 3)], rows), trained=TRAIN_ON["response-and-header"])
        ours, plain = batch_loss(model, batch), plain_loss(model, batch)
        assert ours.item() == pytest.approx(plain.item(), abs=1e-5)
        assert losses(model, batch)[0].mean().item() == pytest.approx(plain.item(), abs=1e-5)
