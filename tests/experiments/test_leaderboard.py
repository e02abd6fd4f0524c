"""A leaderboard ranks what can be compared: the same file, its whole test split, greedy answers."""

from dataclasses import replace

import pytest

from ift.config import TrainConfig
from ift.experiments.leaderboard import HeldOutSet, leaderboards, standing
from ift.runs.scores import Decoding, SampledRecords, Summary
from tests.helpers import run_config

SCORED = Summary(
    n=20,
    before={"exact_match": 0.0, "token_f1": 0.1},
    after={"exact_match": 0.5, "token_f1": 0.7, "ended": 1.0},
    gain_interval_95={},
    decoding=Decoding(max_new_tokens=64),
)


def scored(name, summary):
    return standing(name, replace(run_config(), options=TrainConfig()), summary)


def test_a_whole_greedy_evaluation_is_ranked():
    found = scored("a", SCORED)
    assert found.held_out_set == HeldOutSet(run_config().data.name, run_config().data.sha256, 20)
    assert (found.after, found.before) == ({"exact_match": 0.5, "token_f1": 0.7}, {"exact_match": 0.0, "token_f1": 0.1})


@pytest.mark.parametrize(
    "change",
    [
        {"sampled": SampledRecords(total=100, seed=1)},
        {"decoding": Decoding(max_new_tokens=64, temperature=0.7)},
        {"after": {"check": 1.0, "exact_match": None}},
    ],
)
def test_what_can_not_be_compared_has_no_place(change):
    assert scored("a", replace(SCORED, **change)) is None


def test_a_run_that_was_not_scored_has_no_place():
    assert scored("a", None) is None


def test_each_test_set_has_its_own_places_and_f1_decides_between_equals():
    better = replace(SCORED, after={"exact_match": 0.5, "token_f1": 0.8})
    runs = [scored("a", SCORED), scored("b", better), scored("c", SCORED), scored("d", replace(SCORED, n=7))]
    boards = leaderboards(runs)
    assert [(held_out.records, [(place, one.run) for place, one in places]) for held_out, places in boards.items()] == [
        (20, [(1, "b"), (2, "a"), (2, "c")]),
        (7, [(1, "d")]),
    ]
