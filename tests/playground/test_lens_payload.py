"""The batch lens's payload: the trainer's own tensors, and what is said about them."""

import pytest

from ift.data.batching import collate
from ift.data.bulk_encoding import encode_all
from ift.data.templates import Template
from ift.data.tokenizer import encode_text
from ift.errors import ConfigError
from ift.masks import TRAIN_ON
from ift.roles import Role
from ift.types import EOS_ID, IGNORE_INDEX, Example
from playground.lens.payload import lens, notes, shown

TEMPLATE = Template.parse("Q: {{instruction}}\nA:{{output}}")
EXAMPLES = [
    Example("long " * 20, "", " x"),
    Example("unused", "", " y"),
    Example("a", "", " x"),
    Example("b", "", " one two three four five"),
]


def seen(records=(3, 2), *, trained=TRAIN_ON["response"], max_length=None):
    return lens(shown(EXAMPLES, records, TEMPLATE, trained=trained, max_length=max_length))


def batch_of(*records, trained=TRAIN_ON["response"], max_length=None):
    rows = encode_all([EXAMPLES[i] for i in records], TEMPLATE)
    return collate(rows, trained=trained, max_length=max_length)


def grid(lines):
    """Digit strings as numbers."""
    return [[int(digit) for digit in line] for line in lines]


@pytest.mark.parametrize("max_length", [None, 8])
@pytest.mark.parametrize("trained", [TRAIN_ON["all"], TRAIN_ON["response"], TRAIN_ON["response"] | {Role.PAD}])
def test_the_lens_shows_the_very_tensors_of_the_trainer(trained, max_length):
    shown, batch = seen(trained=trained, max_length=max_length), batch_of(3, 2, trained=trained, max_length=max_length)
    assert shown["inputs"] == batch.inputs.tolist()
    assert shown["next"] == batch.next_ids.tolist()
    assert grid(shown["roles"]) == batch.roles.tolist()
    assert grid(shown["input_roles"]) == batch.input_roles.tolist()
    assert grid(shown["trained"]) == (batch.targets != IGNORE_INDEX).astype(int).tolist()
    assert (shown["lengths"], shown["width"]) == (batch.lengths.tolist(), batch.width)


def test_rows_that_train_nothing_are_left_out_and_cut_ones_told_by_their_place_in_the_file():
    shown = seen((3, 0, 2), max_length=8)
    assert (shown["rows"], shown["left_out"], shown["cut"]) == ([3, 2], [0], [3])
    assert shown["inputs"] == batch_of(3, 2, max_length=8).inputs.tolist()


def test_where_every_row_is_left_out_the_lens_is_empty_and_says_which():
    shown = seen((0,), max_length=8)
    assert (shown["rows"], shown["inputs"], shown["width"], shown["left_out"]) == ([], [], 0, [0])


def test_each_id_in_the_grid_has_its_piece_under_its_text_as_json_has_no_other_keys():
    shown = seen()
    ids = {token for name in ("inputs", "next") for row in shown[name] for token in row}
    assert shown["pieces"].keys() == {str(token) for token in ids}
    assert (shown["pieces"]["32"], shown["pieces"]["198"]) == ("A", "↵")
    assert shown["pieces"][str(EOS_ID)] == "<|endoftext|>"


def test_the_numbers_over_the_grid_are_those_of_the_batch():
    shown = seen((2, 3))  # Q·:·a·↵·A·:·x·E and the same with five words
    assert (shown["width"], shown["padding"], shown["trained_tokens"]) == (11, 4, 8)
    assert shown["padding_share"] == pytest.approx(4 / 22)
    assert shown["trained_share"] == pytest.approx(8 / 18)
    assert shown["role_shares"] == pytest.approx([0, 0, 0, 0, 6 / 8, 2 / 8, 0])


def test_ids_that_the_model_never_saw_are_named_with_what_that_means():
    known = frozenset(encode_text("Q: a\nA:b"))
    found = shown([Example("a", "", "zorb")], [0], TEMPLATE, trained=TRAIN_ON["response"])
    value = lens(found, known=known)
    assert {value["pieces"][str(token)] for token in value["unknown"]} >= {"orb"}
    assert "new to the starter" in notes(value)
    assert "orb" in notes(value)


def test_a_second_mask_is_the_same_batch_under_other_roles():
    found = shown(EXAMPLES, (3, 2), TEMPLATE, trained=TRAIN_ON["response"])
    value = lens(found, other=TRAIN_ON["all"])
    batch = batch_of(3, 2, trained=TRAIN_ON["all"])
    assert grid(value["other"]["trained"]) == (batch.targets != IGNORE_INDEX).astype(int).tolist()
    assert (value["mask"], value["other"]["mask"]) == ("response", "all")
    assert value["other"]["trained_tokens"] == batch.trained_tokens


def test_a_width_beyond_the_longest_row_is_filled_up_and_one_below_it_is_refused():
    assert lens(shown(EXAMPLES, (3, 2), TEMPLATE, trained=TRAIN_ON["response"], width=20))["width"] == 20
    with pytest.raises(ConfigError, match="width of 3"):
        shown(EXAMPLES, (3, 2), TEMPLATE, trained=TRAIN_ON["response"], width=3)


def test_without_new_tokens_there_is_no_note():
    assert notes({"unknown": []}) == ""
