"""What visitors leave behind goes: `python -m tests.bench leaks` does the same with a thousand of them."""

import os

import pytest

from tests.bench.leaks import Amount, compare

MOST_HANDLES = 5
"""A connection or two may be closing just now."""


@pytest.mark.skipif(os.name == "nt", reason="a server is asked to sweep by a signal")
def test_after_a_sweep_nothing_is_left_of_visits_uploads_and_runs(classroom):
    start, peak, end = compare(classroom, Amount(sessions=20, runs=3, trained=0, uploads=20))
    assert len(peak.files - start.files) > MOST_HANDLES
    assert set(end.left.values()) == {0}
    assert (end.files - start.files, end.children) == (frozenset(), 0)
    assert end.handles - start.handles < MOST_HANDLES
