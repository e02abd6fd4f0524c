"""The same batch without its padding, checked against the batch itself: collate's tensors are the truth."""

import numpy as np
import pytest

from ift.data.batching import collate
from ift.data.unpadded import can_unpad, shared_prefix, unpad
from ift.masks import TRAIN_ON
from ift.roles import Role
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


def both(name, batch, unpadded):
    """A batch's real cells and the unpadded ones that stand for them."""
    real = np.arange(batch.width) < batch.lengths[:, None]
    return getattr(batch, name)[real].tolist(), getattr(unpadded, name)[unpadded.layout[real]].tolist()


def test_an_example():
    rows = [encoded(7, 8, 1, 2, 3, roles=[T, T, I, R, R]), encoded(7, 8, 4, 5, roles=[T, T, I, R])]
    unpadded = unpad(collate(rows, trained=TRAIN_ON["response"]))
    assert unpadded.inputs.tolist() == [7, 8, 1, 2, 3, 4, 5]
    assert unpadded.positions.tolist() == [0, 1, 2, 3, 4, 2, 3]
    assert unpadded.layout.tolist() == [[0, 1, 2, 3, 4], [0, 1, 5, 6, 0]]
    assert unpadded.places.tolist() == [0, 1, 2, 3, 4, 7, 8]
    assert unpadded.wanted.tolist() == [2, 3, 4, 5, 6]
    assert unpadded.targets.tolist() == [2, 3, E, 5, E]


@pytest.mark.parametrize("trained", MASKS)
@pytest.mark.parametrize("rows", [ROWS, ROWS[:1], ROWS[1:], [encoded(1, 2), encoded(3)], [ROWS[0]] * 3])
def test_the_flat_targets_are_exactly_the_batchs_trained_targets(rows, trained):
    batch = collate(rows, trained=trained)
    unpadded = unpad(batch)
    assert unpadded.targets[unpadded.counted].tolist() == batch.targets[batch.targets != IGNORE_INDEX].tolist()
    assert len(unpadded.targets) == len(unpadded.wanted) == len(set(unpadded.wanted.tolist()))


@pytest.mark.parametrize("trained", MASKS)
def test_every_real_cell_of_the_batch_is_there_at_its_position(trained):
    batch = collate(ROWS, trained=trained, width=9)
    unpadded = unpad(batch)
    theirs, ours = both("inputs", batch, unpadded)
    assert ours == theirs
    columns = np.broadcast_to(np.arange(batch.width), batch.inputs.shape)
    real = columns < batch.lengths[:, None]
    assert unpadded.positions[unpadded.layout[real]].tolist() == columns[real].tolist()
    assert unpadded.layout.ravel()[unpadded.places].tolist() == list(range(len(unpadded.inputs)))


def test_no_padding_is_left_and_the_opening_stands_once():
    batch = collate(ROWS, trained=frozenset({R}))
    assert shared_prefix(batch) == 1  # the second row answers after two tokens, so its second target is trained
    assert len(unpad(batch).inputs) == batch.tokens - 2
    apart = collate([encoded(1, 2, 3), encoded(4, 5)], trained=EVERYTHING)
    assert shared_prefix(apart) == 0
    assert len(unpad(apart).inputs) == apart.tokens


def test_openings_can_stay_apart():
    batch = collate(ROWS, trained=EVERYTHING)
    unpadded = unpad(batch, share=False)
    assert len(unpadded.inputs) == batch.tokens
    assert unpadded.targets[unpadded.counted].tolist() == batch.targets[batch.targets != IGNORE_INDEX].tolist()
    assert unpadded.counted.tolist() == list(range(batch.trained_tokens))


def test_a_target_in_the_shared_opening_is_computed_once_and_counts_once_a_row():
    unpadded = unpad(collate(ROWS, trained=EVERYTHING))
    assert unpadded.counted.tolist().count(0) == len(ROWS)


def test_an_opening_ends_where_the_targets_differ():
    assert shared_prefix(collate([encoded(1, 2, 3), encoded(1, 2, 4)], trained=EVERYTHING)) == 1
    assert shared_prefix(collate([encoded(1, 2, 3), encoded(1, 2, 4)], trained=frozenset({Role.EOS}))) == 2


def test_padding_is_no_opening():
    assert shared_prefix(collate([encoded(1), encoded(1)], trained=EVERYTHING, width=5)) == 1


def test_an_end_of_text_in_the_data_is_a_cell():
    batch = collate([encoded(E, E, 1), encoded(2, E)], trained=EVERYTHING)
    assert len(unpad(batch).inputs) == batch.tokens


def test_rows_that_train_nothing_are_laid_flat_too():
    unpadded = unpad(collate(ROWS, trained=frozenset({Role.INPUT})))
    assert len(unpadded.wanted) == len(unpadded.counted) == 0


def test_a_batch_whose_padding_is_trained_stays_as_it_is():
    assert can_unpad(collate(ROWS, trained=EVERYTHING))
    assert not can_unpad(collate(ROWS, trained=frozenset(Role)))
