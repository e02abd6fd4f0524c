"""From a data set to the rows per run trains on, and what the user is told about them."""

import pytest

from ift.data.bulk_encoding import BLOCK
from ift.data.prepare import SAMPLES, prepare, preparing
from ift.data.templates import Template
from ift.errors import DataError
from ift.events import Preparing
from ift.masks import TRAIN_ON
from ift.roles import Role
from ift.types import Example

TEMPLATE = Template.parse("Q: {{instruction}}\nA:{{output}}")
SHORT, LONG = Example("hi", "", " yes"), Example("hi", "", " yes" * 20)


def prepared(examples, *, trained=TRAIN_ON["response"], n_positions=64, max_length=None, policy="truncate"):
    limits = {"n_positions": n_positions, "max_length": max_length, "max_length_policy": policy}
    return prepare(examples, TEMPLATE, trained=trained, **limits)


def test_only_training_and_validation_records_become_rows():
    rows = prepared([SHORT] * 20)
    assert (len(rows.train), len(rows.validation), rows.warnings) == (17, 1, ())
    assert rows.split.test == (17, 18)


def test_the_models_context_is_the_limit_unless_max_length_is_lower():
    assert prepared([SHORT] * 20).max_length == 64
    assert prepared([SHORT] * 20, max_length=32).max_length == 32


def test_a_max_length_beyond_the_context_is_told():
    rows = prepared([SHORT] * 20, max_length=100)
    assert rows.max_length == 64
    assert "max_length 100 is beyond the model's context" in rows.warnings[0]


def test_outputs_that_contain_the_templates_ending_are_counted_in_all_splits():
    template = Template.parse("Q: {{instruction}}\nA:{{output}}###")
    examples = [*[SHORT] * 18, Example("hi", "", " a ### b"), Example("hi", "", " ###")]
    rows = prepare(examples, template, trained=TRAIN_ON["response"], n_positions=64)
    assert rows.warnings == (
        "2 outputs contain the template's ending '###' (the first is row 18): answers to them will stop there.",
    )


def test_cut_rows_are_kept_and_counted():
    rows = prepared([LONG, LONG, *[SHORT] * 17, LONG], n_positions=16)
    assert len(rows.train) == 17
    assert rows.warnings == (
        "2 training rows are cut at 16 tokens and lose their end-of-text.",
        "1 validation row is cut at 16 tokens and loses its end-of-text.",
    )


def test_rows_that_are_too_long_can_be_left_out_instead():
    rows = prepared([LONG, LONG, *[SHORT] * 17, LONG], n_positions=16, policy="drop")
    assert (len(rows.train), len(rows.validation)) == (15, 0)
    assert rows.warnings[:2] == (
        "2 training rows are longer than 16 tokens and are left out.",
        "1 validation row is longer than 16 tokens and is left out.",
    )


def test_rows_that_are_too_long_can_be_refused_with_the_first_ones_place_in_the_file():
    with pytest.raises(DataError, match="2 training rows are longer than 16 tokens") as caught:
        prepared([SHORT, LONG, LONG, *[SHORT] * 17], n_positions=16, policy="raise")
    assert caught.value.where == "the first is row 1"
    with pytest.raises(DataError, match="1 validation row is longer than 8 tokens"):
        prepared([*[SHORT] * 19, LONG], max_length=8, policy="raise")


@pytest.mark.parametrize("policy", ["drop", "raise"])
def test_rows_that_just_fit_are_never_too_long(policy):
    longest = prepared([SHORT] * 20).train[0]
    rows = prepared([SHORT] * 20, max_length=len(longest) - 1, policy=policy)
    assert (len(rows.train), rows.warnings) == (17, ())


def test_rows_without_a_trained_target_are_left_out_and_counted():
    rows = prepared([Example("hi " * 30, "", "yes"), *[SHORT] * 19], n_positions=16)
    assert len(rows.train) == 16
    assert rows.warnings == ("1 training row has no trained target and is left out.",)


def test_nothing_left_to_train_on_is_an_error():
    with pytest.raises(DataError, match="No training row has a target") as caught:
        prepared([Example("hi " * 30, "", "yes")] * 20, n_positions=16)
    assert "17 training records" in caught.value.where


def test_no_validation_row_is_told():
    examples = [Example("hi", "", " yes", split="train"), Example("hi", "", " yes", split="test")]
    assert prepared(examples).warnings == ("No validation row is left: there will be no validation loss.",)


@pytest.mark.parametrize(
    ("trained", "warning"),
    [
        (frozenset({Role.RESPONSE}), "End-of-text is not trained"),
        (frozenset({Role.RESPONSE, Role.EOS, Role.PAD}), "Padding is trained"),
    ],
)
def test_a_mask_that_teaches_by_failing_warns(trained, warning):
    (told,) = prepared([SHORT] * 20, trained=trained).warnings
    assert told.startswith(warning)


def test_sample_prompts_are_spread_over_the_validation_records():
    samples = prepared([SHORT] * 200).samples
    assert len(samples) == SAMPLES
    assert samples[0] == 190
    assert set(samples) <= set(range(190, 200))
    assert prepared([SHORT] * 20).samples == (19,)


def test_how_far_it_is_is_told_for_large_data_sets_only():
    def told(count):
        return list(preparing([SHORT] * count, TEMPLATE, trained=TRAIN_ON["all"], n_positions=64, step=3))

    assert told(20) == []
    assert told(2 * BLOCK) == [  # a tenth of the records is held out
        Preparing(step=3, done=done, total=2 * BLOCK - int(0.1 * 2 * BLOCK)) for done in (BLOCK, 2 * BLOCK - 409)
    ]
