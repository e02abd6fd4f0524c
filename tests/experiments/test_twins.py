"""Twins: each side differs from the first in one thing, and a verdict over seeds has in it what a seed changes."""

import dataclasses
from dataclasses import replace

import pytest

from ift.events import Finished
from ift.experiments.compare_runs import Verdict
from ift.experiments.store_twins import with_runs
from ift.experiments.twins import ONE_SEED, SEED, TWINS, TwinResult, measured, side_result, twin
from ift.runs.folder import create_run
from ift.types import Side
from tests.experiments.test_compare_runs import right, wrong
from tests.experiments.test_leaderboard import SCORED
from tests.helpers import run_config


@pytest.mark.parametrize("one", TWINS, ids=lambda one: one.name)
def test_each_side_is_a_run_that_can_be_made_and_differs_in_little(one):
    first, *others = ({**dataclasses.asdict(one.config), "asked": one.template} for one in one.trials(SEED))
    for other in others:
        changed = {name for name, value in other.items() if value != first[name]}
        assert 1 <= len(changed) <= (2 if one.name == "prompt-weight" else 1)
        assert ("seed" in changed) == (one.name == "seed")


def test_a_pairs_seeds_are_the_same_but_for_the_seeds_own_twin():
    assert {config.seed for config in twin("mask").configs(7)} == {7}
    assert [config.seed for config in twin("seed").configs(7)] == [7, 8]


def test_over_several_seeds_the_interval_is_students():
    made = side_result((0.9, 0.8, 0.7), (0.8, 0.6, 0.4))  # differences -0.1, -0.2, -0.3: 4.303 * 0.1 / sqrt(3)
    assert made.difference == pytest.approx(-0.2)
    assert made.interval == pytest.approx((-0.44843, 0.04843), abs=1e-5)
    assert made.verdict is Verdict.UNDECIDED
    assert side_result((0.9, 0.9, 0.9), (0.1, 0.11, 0.12)).verdict is Verdict.DECIDED


def test_with_one_seed_it_is_the_records_own():
    assert side_result((0.9,), (0.8,), of_records=(-0.2, -0.01)).verdict is Verdict.DECIDED
    assert side_result((0.9,), (0.8,)).verdict is Verdict.UNDECIDED


def test_a_twin_is_decided_where_all_its_sides_are():
    clear, open_ = side_result((0.9, 0.9), (0.1, 0.1)), side_result((0.9, 0.8), (0.8, 0.9))
    assert TwinResult((1, 2), (clear, clear)).verdict is Verdict.DECIDED
    assert TwinResult((1, 2), (clear, open_)).verdict is Verdict.UNDECIDED


def test_what_ships_is_measured_for_every_twin_and_says_where_zero_is_held():
    assert set(measured()) == {one.name for one in TWINS}
    for one in TWINS:
        result = measured()[one.name]
        assert len(result.sides) == len(one.sides) - 1
        sentences = result.sentences(one)
        assert (sentences[-1] == ONE_SEED) == (len(result.seeds) == 1)
        for side, sentence in zip(result.sides, sentences, strict=False):
            low, high = side.interval
            assert ("holds zero" in sentence) == (low <= 0 <= high)
            assert low <= side.difference <= high


def test_runs_add_the_seeds_that_are_missing_and_change_no_other(tmp_path):
    def run(name, trial, answers):
        template = run_config()
        made = create_run(tmp_path / name, type(template)(trial.config, template.template_source, template.data))
        made.training.append(Finished(step=1))
        made.answer_files.write(Side.AFTER, answers)
        made.write_json("scores.json", replace(SCORED, template=trial.template).to_dict())
        return made

    one = twin("prompt")
    sides = [(seed, side, answers) for seed in (SEED + 2, SEED + 3) for side, answers in enumerate((right, wrong))]
    runs = [run(f"{seed}-{side}", one.trials(seed)[side], answers(range(30))) for seed, side, answers in sides]
    known = TwinResult((SEED, SEED + 1), (side_result((1.0, 1.0), (0.5, 0.6)),))
    result = with_runs({"prompt": known, "mask": known}, runs)
    assert result["mask"] == known
    assert (result["prompt"].seeds, result["prompt"].sides[0].other) == ((SEED, SEED + 1, SEED + 2), (0.5, 0.6, 0.0))
