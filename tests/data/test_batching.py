"""Shift, pad, mask: the very tensors of a training step."""

import numpy as np
import pytest

from ift.data.batching import collate, cut_rows, select_trainable
from ift.data.order import epoch_batches
from ift.errors import ConfigError
from ift.masks import TRAIN_ON, name_trained, parse_trained
from ift.roles import Role
from ift.types import EOS_ID
from tests.helpers import EVERYTHING, E, encoded

T, I, H, R = Role.TEMPLATE, Role.INSTRUCTION, Role.HEADER, Role.RESPONSE  # noqa: E741
GOLDEN = [encoded(0, 1, 2, 3, 4), encoded(5, 6), encoded(7, 8, 9)]


def test_targets_are_the_inputs_one_column_left_and_padding_is_never_trained():
    batch = collate(GOLDEN, trained=EVERYTHING)
    assert batch.inputs.tolist() == [[0, 1, 2, 3, 4], [5, 6, E, E, E], [7, 8, 9, E, E]]
    assert batch.targets.tolist() == [[1, 2, 3, 4, E], [6, E, -100, -100, -100], [8, 9, E, -100, -100]]


def test_roles_are_those_of_the_next_ids():
    batch = collate([encoded(1, 2, 3, roles=[T, I, R]), encoded(4)], trained=EVERYTHING)
    assert [[Role(r).label for r in row] for row in batch.roles] == [
        ["instruction", "response", "eos"],
        ["eos", *["pad"] * 2],
    ]


def test_input_roles_are_those_of_the_inputs_and_the_first_filling_shows_the_end_of_text():
    batch = collate([encoded(1, 2, 3, roles=[T, I, R]), encoded(4, roles=[H])], trained=EVERYTHING)
    labels = [[Role(role).label for role in row] for row in batch.input_roles]
    assert labels == [["template", "instruction", "response"], ["header", "eos", "pad"]]


def test_a_cut_rows_filling_shows_no_end_of_text_because_it_has_none():
    batch = collate([encoded(1, 2, 3)], trained=EVERYTHING, max_length=2, width=4)
    assert [Role(role).label for role in batch.input_roles[0]] == ["response", "response", "pad", "pad"]


def test_only_trained_roles_are_targets():
    row = encoded(1, 2, 3, 4, roles=[T, I, H, R])
    assert collate([row], trained=TRAIN_ON["all"]).targets.tolist() == [[2, 3, 4, E]]
    assert collate([row], trained=TRAIN_ON["response-and-header"]).targets.tolist() == [[-100, 3, 4, E]]
    assert collate([row], trained=TRAIN_ON["response"]).targets.tolist() == [[-100, -100, 4, E]]


def test_the_mask_goes_by_role_so_an_end_of_text_inside_the_data_is_data():
    batch = collate([encoded(1, E, 2), encoded(3)], trained=EVERYTHING)
    assert batch.targets.tolist() == [[E, 2, E], [E, -100, -100]]


def test_padding_is_trained_when_somebody_asks_for_it():
    batch = collate([encoded(1, 2), encoded(3)], trained=EVERYTHING | {Role.PAD})
    assert batch.targets.tolist() == [[2, E], [E, E]]


def test_max_length_cuts_after_the_shift_and_costs_the_end_of_text():
    batch = collate([encoded(1, 2, 3), encoded(4, 5)], trained=EVERYTHING, max_length=2)
    assert batch.inputs.tolist() == [[1, 2], [4, 5]]
    assert batch.targets.tolist() == [[2, 3], [5, E]]
    assert cut_rows([encoded(1, 2, 3), encoded(4, 5)], 2).tolist() == [0]


def test_a_fixed_width_pads_further():
    batch = collate([encoded(1)], trained=EVERYTHING, width=3)
    assert batch.inputs.tolist() == [[1, E, E]]
    assert batch.targets.tolist() == [[E, -100, -100]]


def test_a_fixed_width_below_the_longest_row_is_an_error_that_names_it():
    with pytest.raises(ConfigError, match="longest row, 3") as caught:
        collate([encoded(1), encoded(1, 2, 3)], trained=EVERYTHING, width=2)
    assert "row 1 of the batch" in str(caught.value)
    assert "3 or more" in caught.value.fix


def test_shares_count_cells():
    batch = collate([encoded(1, 2, 3, roles=[T, I, R]), encoded(4, roles=[R])], trained=TRAIN_ON["response"])
    assert batch.padding_share == pytest.approx(2 / 6)
    assert batch.trained_share == pytest.approx(3 / 4)
    assert (batch.tokens, batch.trained_tokens) == (4, 3)


def test_a_batch_of_nothing_has_no_cells():
    batch = collate([], trained=EVERYTHING)
    assert batch.inputs.shape == (0, 0)
    assert (batch.padding_share, batch.trained_share) == (0.0, 0.0)


def test_rows_without_a_trained_target_are_left_out_and_cut_ones_told():
    prompt_only = encoded(1, 2, 3, roles=[T, I, R])  # cut at one pair: only I is left to predict
    selection = select_trainable([prompt_only, encoded(4), encoded(5, 6)], trained=TRAIN_ON["response"], max_length=1)
    assert (selection.trainable, selection.left_out, selection.cut) == ((1, 2), (0,), (2,))


def test_padding_alone_is_nobodys_target():
    assert select_trainable([encoded(1, 2)], trained=frozenset({Role.PAD})).left_out == (0,)


def test_an_epoch_covers_each_row_once():
    batches = epoch_batches(7, 3, seed=1)
    for _ in range(2):
        epoch = [next(batches) for _ in range(3)]
        assert [len(batch) for batch in epoch] == [3, 3, 1]
        assert sorted(row for batch in epoch for row in batch) == list(range(7))


LENGTHS = np.random.default_rng(0).integers(1, 200, size=103).tolist()


def grouped(n, *, batch_size=4, **options):
    batches = epoch_batches(len(LENGTHS), batch_size, lengths=LENGTHS, **options)
    return [next(batches) for _ in range(n)]


def padding(batches):
    widths = [max(LENGTHS[row] for row in batch) * len(batch) for batch in batches]
    return 1 - sum(LENGTHS[row] for batch in batches for row in batch) / sum(widths)


def test_grouped_by_length_an_epoch_still_covers_each_row_once():
    whole = grouped(52, seed=1)
    for epoch in (whole[:26], whole[26:]):
        assert [len(batch) for batch in epoch] == [*[4] * 25, 3]
        assert sorted(row for batch in epoch for row in batch) == list(range(103))


def test_grouped_by_length_a_batch_has_little_padding():
    mixed = epoch_batches(len(LENGTHS), 4, seed=1)
    assert padding(grouped(26, seed=1)) < 0.4 * padding([next(mixed) for _ in range(26)])


def test_grouped_by_length_the_longest_row_comes_first_and_chance_decides_the_rest():
    two_epochs = grouped(52, seed=1)
    assert LENGTHS[two_epochs[0][0]] == LENGTHS[two_epochs[26][0]] == max(LENGTHS)
    assert two_epochs[:26] != two_epochs[26:]
    assert grouped(26, seed=1) == two_epochs[:26] != grouped(26, seed=2)


@pytest.mark.parametrize("done", [1, 25, 26, 40])
def test_grouped_by_length_one_can_go_on_in_the_middle_of_an_epoch(done):
    assert grouped(5, seed=1, first=done) == grouped(done + 5, seed=1)[done:]


@pytest.mark.parametrize(("size", "batch_size"), [(1, 4), (3, 4), (9, 1), (1000, 2)])
def test_grouping_by_length_takes_any_size(size, batch_size):
    batches = epoch_batches(size, batch_size, seed=1, lengths=list(range(size)))
    epoch = [next(batches) for _ in range(-(-size // batch_size))]
    assert sorted(row for batch in epoch for row in batch) == list(range(size))


def first(n, **options):
    batches = epoch_batches(20, 4, **options)
    return [next(batches) for _ in range(n)]


def test_the_seed_decides_the_order_and_each_epoch_has_its_own():
    assert first(10, seed=1) == first(10, seed=1)
    assert first(5, seed=1) != first(5, seed=2)
    two_epochs = first(10, seed=1)
    assert two_epochs[:5] != two_epochs[5:]


@pytest.mark.parametrize("done", [0, 1, 2, 3, 4, 7])
def test_one_can_go_on_in_the_middle_of_an_epoch(done):
    whole, rest = epoch_batches(7, 3, seed=1), epoch_batches(7, 3, seed=1, first=done)
    for _ in range(done):
        next(whole)
    assert [next(rest) for _ in range(5)] == [next(whole) for _ in range(5)]


@pytest.mark.parametrize("text", ["all", "response-and-header", "response", "instruction,pad", "eos"])
def test_the_name_of_a_mask_and_the_mask_are_one_thing(text):
    assert name_trained(parse_trained(text)) == text


def test_roles_may_be_listed_in_any_order_and_find_their_set_name():
    assert parse_trained(" eos, response") == TRAIN_ON["response"]
    assert name_trained(frozenset({Role.EOS, Role.RESPONSE})) == "response"


@pytest.mark.parametrize("text", ["", ",", "answer", "response,answer", "Response"])
def test_an_unknown_role_is_told_with_those_that_exist(text):
    with pytest.raises(ConfigError, match="is not a set of roles") as caught:
        parse_trained(text)
    assert "response-and-header" in caught.value.fix
    assert "header" in caught.value.fix


def test_ids_beyond_the_sign_bit_survive_uint16():
    batch = collate([encoded(40000, EOS_ID)], trained=EVERYTHING)
    assert batch.inputs.dtype == np.int64
    assert batch.inputs.tolist() == [[40000, EOS_ID]]


def test_the_response_role_alone_is_told_from_the_mask_of_that_name():
    alone = frozenset({Role.RESPONSE})
    assert name_trained(alone) == "response,"
    assert parse_trained(name_trained(alone)) == alone
    assert parse_trained("response") == TRAIN_ON["response"]
