"""The starter's figures come from real runs of the command line, and its card holds nothing but them."""

import json

import pytest

from ift.cli import main
from ift.starter.build import build
from ift.starter.card import write_card
from ift.starter.measure import TWINS
from ift.starter.pretraining import PretrainConfig
from ift.starter.tasks import records, to_json

pytestmark = pytest.mark.long

TINY = PretrainConfig(n_positions=128, n_embd=16, n_layer=1, n_head=2, steps=2, batch_size=1)


def some_records():
    """A few of each part, of tasks with and without an input and with a check of their own."""
    parts = {"train": 16, "validation": 2, "test": 12}
    found = [
        [record for record in records() if record.split == part and record.task in ("capital", "past", "list")][:count]
        for part, count in parts.items()
    ]
    return tuple(record for part in found for record in part)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A build of a model that knows nothing, measured by the command."""
    out = tmp_path_factory.mktemp("build")
    list(build(out, TINY, progress=lambda done, total: None))
    (out / "data" / "starter.json").write_text(to_json(some_records()), encoding="utf-8")
    assert main(["starter", "measure", "--out", str(out), "--seeds", "1"]) == 0
    return out


def measures_of(out):
    return json.loads((out / "starter" / "measures.json").read_text(encoding="utf-8"))


def test_every_run_is_the_default_but_for_what_its_name_says(built):
    configs = {
        run.name: json.loads((run / "config.json").read_text(encoding="utf-8"))["config"]
        for run in (built / "runs").iterdir()
    }
    default = configs.pop("seed-0")
    differences = {
        name: {key for key, value in config.items() if value != default[key]} for name, config in configs.items()
    }
    assert differences == {
        "loss-on-all-tokens": {"train_on"},
        "end-of-text-masked": {"train_on"},
        "random-weights": {"model"},
    }


def test_the_measures_are_the_runs_own_scores(built):
    measures = measures_of(built)
    scores = json.loads((built / "runs" / "seed-0" / "scores.json").read_text(encoding="utf-8"))
    (default,) = measures["default"]
    assert {key: default[key] for key in scores} == scores
    assert default["steps"] == 2
    assert sum(task["n"] for task in default["by_task"].values()) == scores["n"] == 12
    assert set(measures["twins"]) == set(TWINS)
    assert 0 < default["training_s"] < default["whole_run_s"]


def test_a_model_that_knows_nothing_measures_as_such(built):
    base = measures_of(built)["base"]
    assert base["cloze_mean"] < 0.1
    assert base["bare_questions_answered"] == base["formatted_questions_answered"] == 0
    assert base["facts"] > 3_000
    assert base["samples"] == 48


def test_the_card_has_the_figures_and_ten_answers_with_nothing_that_breaks_a_table(built):
    measures = measures_of(built)
    measures["answers"][0]["before"] = "a | b\nc"
    card = write_card(measures)
    assert f"of which its text taught {measures['base']['known_ids']:,}" in card
    assert r"a \| b c |" in card
    rows = card.partition("## Ten answers")[2].partition("## Recipe")[0].strip().splitlines()[4:]
    assert len(rows) == 10
    assert {row.replace(r"\|", "").count("|") for row in rows} == {5}
    assert (built / "starter" / "README.md").read_text(encoding="utf-8") == write_card(measures_of(built))
