"""A batch rounded up to any size has the loss and the gradients of the plain one; few sizes hold all batches."""

import numpy as np
import pytest
import torch

from ift.data.batching import collate
from ift.data.order import epoch_batches
from ift.data.unpadded import unpad
from ift.masks import TRAIN_ON
from ift.model.gpt2 import random_model
from ift.model.gpt2_config import GPT2Config
from ift.model.loss import unpadded_loss
from ift.roles import Role
from ift.training.rounding import Size, bounds, choose_sizes, round_up, size_for
from tests.helpers import EVERYTHING, SHORT_ROWS, encoded, plain_loss

MASKS = [*TRAIN_ON.values(), frozenset({Role.RESPONSE}), EVERYTHING]
SHAPE = GPT2Config(n_positions=64, n_embd=16, n_layer=2, n_head=2)
ALIKE = [encoded(7, 8, 9, *end) for end in ((1, 2), (3,), (4, 5, 6))]
"""Rows that begin with the same three ids."""


def rounded_loss(model, batch, size, *, share=True):
    rounded = round_up(unpad(batch, share=share), size)
    arrays = {name: torch.from_numpy(getattr(rounded, name)) for name in rounded.__slots__}
    shares = arrays.pop("weights") / batch.total_weight
    return unpadded_loss(model, **arrays, shares=shares, bf16=False)


def gradients(model, loss):
    return torch.cat([gradient.flatten() for gradient in torch.autograd.grad(loss, list(model.parameters()))])


@pytest.mark.parametrize("extra", [(1, 1, 1, 1), (130, 70, 20, 3)])
@pytest.mark.parametrize("share", [True, False])
@pytest.mark.parametrize("trained", MASKS)
@pytest.mark.parametrize("rows", [SHORT_ROWS, ALIKE])
def test_rounding_up_changes_neither_loss_nor_gradients(rows, trained, share, extra):
    batch, model = collate(rows, trained=trained), random_model(SHAPE, seed=1)
    own = Size.of(unpad(batch, share=share))
    cells, wanted, width, count = extra
    size = Size(own.cells + cells, own.wanted + wanted, own.width + width, own.rows + count)
    expected, found = plain_loss(model, batch), rounded_loss(model, batch, size, share=share)
    assert found.item() == pytest.approx(expected.item(), rel=1e-6)
    ours, plain = gradients(model, found), gradients(model, expected)
    assert (ours - plain).norm() <= 1e-6 * plain.norm()


def test_a_cell_that_fills_up_counts_nothing():
    batch = collate(SHORT_ROWS, trained=EVERYTHING)
    own = Size.of(unpad(batch))
    rounded = round_up(unpad(batch), Size(own.cells + 3, own.wanted + 2, own.width + 1, own.rows + 1))
    assert rounded.inputs[-3:].tolist() == [0, 0, 0]
    assert rounded.weights[-2:].tolist() == [0, 0]
    assert rounded.weights.sum() == batch.trained_tokens
    assert not rounded.layout[-1].any()


def test_a_batch_is_not_rounded_down():
    unpadded = unpad(collate(SHORT_ROWS, trained=EVERYTHING))
    own = Size.of(unpadded)
    with pytest.raises(ValueError, match="can't be rounded up"):
        round_up(unpadded, Size(own.cells - 1, own.wanted, own.width, own.rows))


@pytest.mark.parametrize("trained", MASKS)
@pytest.mark.parametrize("rows", [SHORT_ROWS, ALIKE, [*ALIKE, encoded(7)]])
def test_no_batch_is_larger_than_its_bound(rows, trained):
    batches = [list(batch) for _, batch in zip(range(9), epoch_batches(len(rows), 2, seed=1), strict=False)]
    for max_length in (None, 3):
        made = bounds(rows, batches, trained=trained, max_length=max_length)
        for bound, positions in zip(made, batches, strict=True):
            batch = collate([rows[i] for i in positions], trained=trained, max_length=max_length)
            assert bound.holds(Size.of(unpad(batch)))


def test_of_all_rows_the_bound_is_the_size_itself():
    batch = collate(ALIKE, trained=EVERYTHING)
    assert bounds(ALIKE, [[0, 1, 2]], trained=EVERYTHING, max_length=None) == [Size.of(unpad(batch))]


def random_sizes(count):
    rng = np.random.default_rng(0)
    numbers = zip(*(rng.integers(1, high, count).tolist() for high in (3000, 900, 250)), strict=True)
    return [Size(cells, wanted, width, 8) for cells, wanted, width in numbers]


@pytest.mark.parametrize("count", [1, 3, 500])
def test_a_few_sizes_hold_all_batches(count):
    batches = [*random_sizes(count), Size(5, 5, 5, 3)]
    sizes = choose_sizes(batches, most=4)
    assert 1 <= len(sizes) <= 4
    assert all(size_for(batch, sizes) in sizes for batch in batches)
    assert {size.rows for size in sizes} == {8}


def test_a_small_batch_takes_a_smaller_size_than_a_large_one():
    sizes = choose_sizes(random_sizes(500), most=4)
    assert size_for(Size(10, 10, 10, 8), sizes).cells < size_for(Size(2900, 10, 10, 8), sizes).cells


def test_what_no_size_holds_is_rounded_up_on_its_own():
    assert size_for(Size(129, 1, 17, 5), [Size(128, 64, 16, 5)]) == Size(256, 64, 32, 5)
