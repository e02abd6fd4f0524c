"""A person's ratings, and how far a judge agrees with them."""

import random

import numpy as np
import pytest
from scipy.stats import spearmanr

from ift.errors import RunError
from ift.evaluation.agreement import Agreement, agreement, spearman
from ift.runs.lines import append_line
from ift.runs.ratings import Ratings
from ift.runs.scores import AnsweredRecord
from ift.types import Finish, Score, Side


def row(record, value, text="x"):
    return AnsweredRecord(record, "q", "", "o", text, Finish.EOS, (Score("judge:m", value),))


def test_the_correlation_is_scipys():
    rng = random.Random(0)
    for n in (5, 20, 60):
        one = np.array([float(rng.randrange(0, 100, 10)) for _ in range(n)])  # with ties
        other = one + np.array([float(rng.randrange(-30, 30)) for _ in range(n)])
        assert spearman(one, other) == pytest.approx(spearmanr(one, other).statistic)


def test_a_judge_that_orders_alike_agrees_however_strict_it_is(tmp_path):
    rows = [row(i, 5.0 * i) for i in range(20)]
    for i, one in enumerate(rows):
        Ratings(tmp_path).rate(Side.AFTER, one, 2 * i)
    found = agreement(Ratings(tmp_path).read(), {Side.AFTER: rows}, "judge:m")
    assert (found.n, found.correlation) == (20, pytest.approx(1.0))
    assert found.interval == pytest.approx((1.0, 1.0))
    assert found.difference == pytest.approx(3 * 9.5)


def test_the_interval_holds_the_correlation_and_is_wide_for_few(tmp_path):
    rng = random.Random(1)
    rows = [row(i, float(rng.randrange(101))) for i in range(8)]
    for one in rows:
        Ratings(tmp_path).rate(Side.AFTER, one, rng.randrange(101))
    found = agreement(Ratings(tmp_path).read(), {Side.AFTER: rows}, "judge:m")
    low, high = found.interval
    assert low < found.correlation < high
    assert high - low > 0.5


def test_ratings_are_of_answers_not_of_records(tmp_path):
    ratings = Ratings(tmp_path)
    ratings.rate(Side.BEFORE, row(0, 1.0), 10)
    ratings.rate(Side.AFTER, row(0, 1.0), 90)
    ratings.rate(Side.AFTER, row(0, 1.0), 80)  # a second thought
    ratings.rate(Side.AFTER, row(1, None), 50)  # the judge gave none
    assert [one.value for one in ratings.read()] == [80, 10, 50]
    sides = {Side.BEFORE: [row(0, 10.0)], Side.AFTER: [row(0, 70.0), row(1, None)]}
    assert agreement(ratings.read(), sides, "judge:m") == Agreement(2, None, None, -5.0)
    changed = {Side.AFTER: [row(0, 70.0, "another answer")]}
    assert agreement(ratings.read(), changed, "judge:m") == Agreement(0, None, None, None)


def test_where_one_side_has_no_order_there_is_no_correlation(tmp_path):
    rows = [row(i, 50.0) for i in range(9)]
    for i, one in enumerate(rows):
        Ratings(tmp_path).rate(Side.AFTER, one, i)
    assert agreement(Ratings(tmp_path).read(), {Side.AFTER: rows}, "judge:m").correlation is None


@pytest.mark.parametrize("value", [-1, 101])
def test_a_rating_has_its_limits(tmp_path, value):
    with pytest.raises(RunError, match="can't be"):
        Ratings(tmp_path).rate(Side.AFTER, row(0, 1.0), value)
    assert Ratings(tmp_path).read() == ()


def test_a_damaged_rating_is_named(tmp_path):
    append_line(tmp_path / "ratings.jsonl", '{"record": "x"}')
    with pytest.raises(RunError) as caught:
        Ratings(tmp_path).read()
    assert "ratings.jsonl, line 1" in caught.value.where
