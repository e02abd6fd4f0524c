"""The code beside the grid is the library's own."""

import inspect

import pytest

from ift.data.batching import collate
from playground.lens.code import STEPS, excerpt, lens_code


def test_every_line_shown_stands_in_the_source():
    for (_, function, _), step in zip(STEPS, lens_code(), strict=True):
        source = [line.strip() for line in inspect.getsource(function).splitlines()]
        assert step["lines"]
        assert set(step["lines"]) <= set(source)


def test_a_line_that_is_gone_is_an_error_and_no_empty_card():
    with pytest.raises(LookupError, match="collate has no line that begins with 'nothing ='"):
        excerpt(collate, "inputs =", "nothing =")
