"""Errors say what, where and how to fix, in one line."""

import pytest

from ift.errors import DataError, InputError, TemplateError, TrainingError


def test_the_three_parts_make_one_line():
    error = DataError("A record has no 'output'.", where="x.json, row 3", fix="Add it.")
    assert str(error) == "A record has no 'output' (x.json, row 3). Add it."


def test_parts_that_are_missing_leave_no_gap():
    assert str(DataError("It is empty")) == "It is empty."


def test_line_breaks_from_a_users_file_do_not_break_the_line():
    assert str(DataError("Not a\nfield", where="a\r\n b")) == "Not a field (a b)."


def test_a_template_error_counts_lines_and_columns():
    assert "(line 2, column 7)" in str(TemplateError("Not a tag", line=2, column=7))


@pytest.mark.parametrize(("error", "is_input"), [(DataError("x"), True), (TrainingError("x"), False)])
def test_what_the_user_can_mend_is_an_input_error(error, is_input):
    assert isinstance(error, InputError) is is_input
