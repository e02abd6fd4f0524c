"""A run folder as an earlier version wrote it, to the letter (`old_run/`): it stays readable."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from ift.config import TrainConfig
from ift.errors import RunError
from ift.events import Evaluated, Finished, Sampled, Stepped
from ift.runs.folder import Run, open_run
from ift.runs.run_config import RunConfig, RunData, SplitCounts
from ift.runs.scores import Comparison, answer_to_line
from ift.runs.state import State
from ift.types import Finish, Side

FOLDER = Path(__file__).parent / "old_run"


@pytest.fixture
def copy(tmp_path):
    """A run folder that a test may damage."""
    return Run(Path(shutil.copytree(FOLDER, tmp_path / "run")))


def change(run, name, value):
    """Put a value at a path such as `data.split.test`; None takes the field away."""
    config = json.loads((run.path / "config.json").read_text(encoding="utf-8"))
    *path, last = name.split(".")
    inner = config
    for key in path:
        inner = inner[key]
    inner[last] = value
    if value is None:
        del inner[last]
    run.write_json("config.json", config)


def test_its_config_is_read_and_written_again_as_it_was():
    config = open_run(FOLDER).config
    assert config.options == TrainConfig(
        data="records.json", max_steps=30, learning_rate=1e-3, eval_steps=30, warmup_steps=2
    )
    assert config.data == RunData("records.json", config.data.sha256, 20, SplitCounts(16, 2, 2, from_file=True))
    assert "{{instruction}}" in config.template.source
    old = json.loads((FOLDER / "config.json").read_text(encoding="utf-8"))
    new = config.to_dict()
    assert {name: new["config"][name] for name in old["config"]} == old["config"]
    assert {name: new["data"][name] for name in old["data"]} == old["data"]
    assert new["versions"] == old["versions"]


def test_its_log_is_read_with_its_state():
    events, _ = open_run(FOLDER).training.read()
    assert [event.step for event in events if isinstance(event, Stepped)] == [1, 2, 30]
    assert [event.loss_by_role.keys() for event in events if isinstance(event, Evaluated)] == [{"response", "eos"}] * 2
    assert {event.finish for event in events if isinstance(event, Sampled)} <= set(Finish)
    assert isinstance(events[-1], Finished)
    assert open_run(FOLDER).state() is State.FINISHED


def test_its_answers_and_scores_are_read_and_written_again_as_they_were():
    run = Run(FOLDER)
    assert [(pair.after.record, pair.before.finish, pair.after.finish) for pair in run.comparison()] == [
        (18, Finish.LENGTH, Finish.EOS),
        (19, Finish.LENGTH, Finish.EOS),
    ]
    assert [pair.after.check for pair in run.comparison()] == [None, 0.0]
    assert run.scores.metric("ended") == Comparison(0.0, 1.0, (1.0, 1.0))
    assert run.scores.held_out["fact"].n == 1
    old = json.loads((FOLDER / "scores.json").read_text(encoding="utf-8"))
    new = json.loads(json.dumps(run.scores.to_dict()))
    assert {name: new[name] for name in old} == old
    lines = (FOLDER / "after.jsonl").read_text(encoding="utf-8").splitlines()
    written = map(answer_to_line, run.answers(Side.AFTER))
    for new, old in zip(map(json.loads, written), map(json.loads, lines), strict=True):
        assert {name: new[name] for name in old} == old


def test_an_option_that_is_newer_than_the_run_takes_its_default(copy):
    change(copy, "config.fsdp", None)
    assert copy.config.options == open_run(FOLDER).config.options


def test_what_a_later_version_adds_is_ignored(copy):
    change(copy, "config.later", 3)
    change(copy, "data.later", "x")
    assert copy.config == open_run(FOLDER).config


@pytest.mark.parametrize(
    ("name", "value", "what", "where"),
    [
        ("config.learning_rate", "x", "config.learning_rate is text, not a number", "config.learning_rate"),
        ("config.learning_rate", -1, "The run's options can't be used: learning_rate", "config"),
        ("data.split.test", None, "data.split.test is missing", "data.split.test"),
        ("data.sha256", 7, "data.sha256 is a number, not text", "data.sha256"),
    ],
)
def test_a_damaged_field_is_named_with_its_file(copy, name, value, what, where):
    change(copy, name, value)
    with pytest.raises(RunError) as caught:
        open_run(copy.path)
    assert caught.value.what.startswith(what)
    assert caught.value.where == f"{copy.path / 'config.json'}, field {where}"


@pytest.mark.parametrize("name", ["config", "data", "template_source"])
def test_a_config_that_is_no_runs_is_called_so(copy, name):
    change(copy, name, None)
    with pytest.raises(RunError, match="not a run folder"):
        open_run(copy.path)


def test_a_config_survives_its_dict():
    config = replace(open_run(FOLDER).config, options=TrainConfig(r=8, bf16=True, max_length=9))
    assert RunConfig.from_dict(json.loads(json.dumps(config.to_dict())), where="config.json") == config
