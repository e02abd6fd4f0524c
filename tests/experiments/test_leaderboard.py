"""A leaderboard ranks what can be compared: the same file, its whole test split, greedy answers."""

from dataclasses import replace

import pytest

from ift.config import TrainConfig
from ift.experiments.leaderboard import HeldOutSet, leaderboards, standing
from ift.runs.folder import create_run
from ift.runs.scores import Decoding, SampledRecords, Summary
from tests.helpers import run_config

SCORED = Summary(
    n=20,
    before={"exact_match": 0.0, "token_f1": 0.1},
    after={"exact_match": 0.5, "token_f1": 0.7, "ended": 1.0},
    gain_interval_95={},
    decoding=Decoding(max_new_tokens=64),
)


@pytest.fixture
def scored(tmp_path):
    def scored(name, summary):
        template = run_config()
        run = create_run(tmp_path / name, replace(template, options=TrainConfig()))
        run.write_json("scores.json", summary.to_dict())
        return run

    return scored


def test_a_whole_greedy_evaluation_is_ranked(scored):
    found = standing(scored("a", SCORED))
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
def test_what_can_not_be_compared_has_no_place(scored, change):
    assert standing(scored("a", replace(SCORED, **change))) is None


def test_a_run_that_was_not_scored_or_is_damaged_has_no_place(scored):
    run = scored("a", SCORED)
    (run.path / "scores.json").write_text("{", encoding="utf-8")
    assert standing(run) is None
    (run.path / "scores.json").unlink()
    assert standing(run) is None


def test_each_test_set_has_its_own_places_and_f1_decides_between_equals(scored):
    better = replace(SCORED, after={"exact_match": 0.5, "token_f1": 0.8})
    runs = [scored("a", SCORED), scored("b", better), scored("c", SCORED), scored("d", replace(SCORED, n=7))]
    boards = leaderboards(map(standing, runs))
    assert [(held_out.records, [(place, one.run) for place, one in places]) for held_out, places in boards.items()] == [
        (20, [(1, "b"), (2, "a"), (2, "c")]),
        (7, [(1, "d")]),
    ]
