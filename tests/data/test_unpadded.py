"""The same batch without its padding, checked against the batch itself: collate's tensors are the truth."""

import numpy as np
import pytest

from ift.data.batching import collate
from ift.data.unpadded import can_unpad, shared_prefix, unpad
from ift.roles import TRAIN_ON, Role
from ift.types import IGNORE_INDEX
from tests.helpers import EVERYTHING, E, encoded

I, H, R = Role.INSTRUCTION, Role.HEADER, Role.RESPONSE  # noqa: E741
T = Role.TEMPLATE
ROWS = [
    encoded(7, 8, 1, 2, 3, roles=[T, T, I, H, R]),
    encoded(7, 8, 4, roles=[T, T, R]),
    encoded(7, 8, 1, 5, roles=[T, T, H, R]),
]
MASKS = [*TRAIN_ON.values(), frozenset({R}), frozenset({H}), frozenset(Role) - {Role.PAD, Role.EOS}]


def both(name, batch, flat):
    """A batch's real cells and the flat ones that stand for them."""
    real = np.arange(batch.width) < batch.lengths[:, None]
    return getattr(batch, name)[real].tolist(), getattr(flat, name)[flat.layout[real]].tolist()


def test_an_example():
    rows = [encoded(7, 8, 1, 2, 3, roles=[T, T, I, R, R]), encoded(7, 8, 4, 5, roles=[T, T, I, R])]
    flat = unpad(collate(rows, trained=TRAIN_ON["response"]))
    assert flat.inputs.tolist() == [7, 8, 1, 2, 3, 4, 5]
    assert flat.positions.tolist() == [0, 1, 2, 3, 4, 2, 3]
    assert flat.layout.tolist() == [[0, 1, 2, 3, 4], [0, 1, 5, 6, 0]]
    assert flat.places.tolist() == [0, 1, 2, 3, 4, 7, 8]
    assert flat.wanted.tolist() == [2, 3, 4, 5, 6]
    assert flat.targets.tolist() == [2, 3, E, 5, E]


@pytest.mark.parametrize("trained", MASKS)
@pytest.mark.parametrize("rows", [ROWS, ROWS[:1], ROWS[1:], [encoded(1, 2), encoded(3)], [ROWS[0]] * 3])
def test_the_flat_targets_are_exactly_the_batchs_trained_targets(rows, trained):
    batch = collate(rows, trained=trained)
    flat = unpad(batch)
    assert flat.targets[flat.counted].tolist() == batch.targets[batch.targets != IGNORE_INDEX].tolist()
    assert len(flat.targets) == len(flat.wanted) == len(set(flat.wanted.tolist()))


@pytest.mark.parametrize("trained", MASKS)
def test_every_real_cell_of_the_batch_is_there_at_its_position(trained):
    batch = collate(ROWS, trained=trained, width=9)
    flat = unpad(batch)
    theirs, ours = both("inputs", batch, flat)
    assert ours == theirs
    columns = np.broadcast_to(np.arange(batch.width), batch.inputs.shape)
    real = columns < batch.lengths[:, None]
    assert flat.positions[flat.layout[real]].tolist() == columns[real].tolist()
    assert flat.layout.ravel()[flat.places].tolist() == list(range(len(flat.inputs)))


def test_no_padding_is_left_and_the_opening_stands_once():
    batch = collate(ROWS, trained=frozenset({R}))
    assert shared_prefix(batch) == 1  # the second row answers after two tokens, so its second target is trained
    assert len(unpad(batch).inputs) == batch.tokens - 2
    apart = collate([encoded(1, 2, 3), encoded(4, 5)], trained=EVERYTHING)
    assert shared_prefix(apart) == 0
    assert len(unpad(apart).inputs) == apart.tokens


def test_openings_can_stay_apart():
    batch = collate(ROWS, trained=EVERYTHING)
    flat = unpad(batch, share=False)
    assert len(flat.inputs) == batch.tokens
    assert flat.targets[flat.counted].tolist() == batch.targets[batch.targets != IGNORE_INDEX].tolist()
    assert flat.counted.tolist() == list(range(batch.trained_tokens))


def test_a_target_in_the_shared_opening_is_computed_once_and_counts_once_a_row():
    flat = unpad(collate(ROWS, trained=EVERYTHING))
    assert flat.counted.tolist().count(0) == len(ROWS)


def test_an_opening_ends_where_the_targets_differ():
    assert shared_prefix(collate([encoded(1, 2, 3), encoded(1, 2, 4)], trained=EVERYTHING)) == 1
    assert shared_prefix(collate([encoded(1, 2, 3), encoded(1, 2, 4)], trained=frozenset({Role.EOS}))) == 2


def test_padding_is_no_opening():
    assert shared_prefix(collate([encoded(1), encoded(1)], trained=EVERYTHING, width=5)) == 1


def test_an_end_of_text_in_the_data_is_a_cell():
    batch = collate([encoded(E, E, 1), encoded(2, E)], trained=EVERYTHING)
    assert len(unpad(batch).inputs) == batch.tokens


def test_rows_that_train_nothing_are_laid_flat_too():
    flat = unpad(collate(ROWS, trained=frozenset({Role.INPUT})))
    assert len(flat.wanted) == len(flat.counted) == 0


def test_a_batch_whose_padding_is_trained_stays_as_it_is():
    assert can_unpad(collate(ROWS, trained=EVERYTHING))
    assert not can_unpad(collate(ROWS, trained=frozenset(Role)))
