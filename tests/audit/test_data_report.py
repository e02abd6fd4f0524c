"""What a data set holds: counts, lengths, and rows that deserve a look."""

import pytest

from ift.audit.data_report import data_report
from ift.data.records import Dataset
from ift.data.templates import Template
from ift.types import Example

TEMPLATE = Template.parse("{{instruction}}{{#input}}\n{{input}}{{/input}}\nA:{{output}}")


def report(*examples, template=TEMPLATE, **options):
    return data_report(Dataset("x", examples, "0"), template, **options)


def test_tokens_are_counted_by_role():
    made = report(Example("one two", "three", " four"), Example("one", "", " four five"))
    assert made.lengths.tolist() == [9, 7]  # one· two·↵·three·↵·A·:·four·E and one·↵·A·:·four·five·E
    counts = {"template": 1, "instruction": 3, "input": 1, "header": 6, "response": 3, "eos": 2}
    assert made.tokens_by_role == counts
    assert made.with_input == 1


def test_tasks_are_counted_once_each():
    tasks = [Example("a", "", "b", task=task) for task in ("sum", "sum", "list", None)]
    assert report(*tasks).tasks == 2


def test_rows_that_ask_the_same_again_are_repeats():
    made = report(Example("Add 1", "", "x"), Example("Add 2", "", "x"), Example(" add  1 ", "", "y"))
    assert made.rows_of("conflicting-answers") == (2,)


def test_the_same_instruction_with_another_input_is_no_repeat():
    assert report(Example("Add", "1", "x"), Example("Add", "2", "x")).rows_of("repeated-question") == ()


def test_test_rows_whose_question_was_trained_are_leaks():
    made = report(
        Example("Add 1", "", "x", split="train"),
        Example("ADD 1", "", "x", split="test"),
        Example("Add 1", "", "x", split="validation"),
        Example("Add 2", "", "x", split="test"),
    )
    assert made.rows_of("leak") == (1,)


def test_empty_outputs_are_listed():
    assert report(Example("a", "", "x"), Example("b", "", " \n"), Example("c", "", "")).rows_of("empty-answer") == (
        1,
        2,
    )


@pytest.mark.parametrize(("max_length", "cut"), [(None, ()), (6, ()), (5, (1,))])
def test_rows_that_max_length_cuts_are_listed(max_length, cut):
    assert report(Example("a", "", "x"), Example("a", "", " x y"), max_length=max_length).rows_of("row-cut") == cut


def test_rows_that_whole_text_tokenizing_would_merge_are_listed():
    spaced = Template.parse("{{instruction}} A: {{output}}")
    assert report(Example("a", "", "word"), Example("a", "", "\n\n\n"), template=spaced).rows_of(
        "unstable-boundary"
    ) == (0,)
    assert report(Example("a", "", " word")).rows_of("unstable-boundary") == ()
