"""The options of an evaluation on the page, and a record as tab 2 shows it."""

from dataclasses import replace

import pytest

from ift.errors import ConfigError
from ift.evaluation.evaluation_options import EvaluationOptions
from ift.events import Finished
from ift.runs.folder import create_run
from ift.types import Side
from playground.answers import options
from playground.answers.lens_view import lens_view
from tests.helpers import plan_of, run_config


@pytest.fixture
def run(tmp_path):
    run = create_run(tmp_path / "runs" / "a", run_config())
    run.training.append(Finished(step=1))
    return run


# The options of an evaluation.


def test_the_menu_has_every_option_with_its_help_and_the_runs_checkpoints(run):
    for step in (5, 10):
        (run.path / "checkpoints" / f"step-{step:06d}").mkdir(parents=True)
    fields = {field["name"]: field for field in options.form(run, is_shared=False)}
    assert set(fields) == set(options.OPTIONS)
    assert all(field["help"] for field in fields.values())
    assert fields["checkpoint"]["choices"] == ["", "5", "10"]
    assert (fields["temperature"]["kind"], fields["temperature"]["value"]) == ("number", 0.0)


def test_what_the_menu_sends_is_checked():
    found = options.read({"sample": 5, "temperature": 1, "checkpoint": "10", "unknown": 1}, is_shared=False)
    assert (found.sample, found.temperature, found.checkpoint) == (5, 1, 10)
    assert options.read(None, is_shared=False) == EvaluationOptions()
    for bad in ({"sample": 0}, {"sample": 1.5}, {"temperature": "hot"}, {"top_p": 2}, {"checkpoint": "x"}):
        with pytest.raises(ConfigError):
            options.read(bad, is_shared=False)


def test_a_judges_prompt_is_a_text_and_never_a_file_of_the_server(tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("{{answer}}")
    with pytest.raises(ConfigError, match="judge_prompt"):
        options.read({"judge": "llama3", "judge_prompt": str(secret)}, is_shared=False)
    with pytest.raises(ConfigError, match="template"):
        options.read({"template": str(secret)}, is_shared=False)
    assert options.read({"template": "phi3"}, is_shared=True).template == "phi3"
    found = options.read(
        {"judge": "llama3", "judge_prompt": "Grade {{answer}}", "judge_pairs": "true"}, is_shared=False
    )
    assert (found.judge_prompt, found.judge_pairs) == ("Grade {{answer}}", True)


def test_on_a_shared_page_a_judges_address_comes_from_the_environment_alone(run, monkeypatch):
    asked = {"judge": "llama3", "judge_url": "http://169.254.0.1", "judge_api": "openai"}
    monkeypatch.delenv(options.ADDRESS, raising=False)
    assert options.read(asked, is_shared=True) == EvaluationOptions()
    assert not any(field["name"].startswith("judge") for field in options.form(run, is_shared=True))
    assert options.ADDRESS in options.hint(is_shared=True)
    monkeypatch.setenv(options.ADDRESS, "http://judge.example:11434")
    assert options.read(asked, is_shared=True).judge_url == "http://judge.example:11434"
    assert "judge_url" not in [field["name"] for field in options.form(run, is_shared=True)]
    assert options.read(asked, is_shared=False).judge_url == "http://169.254.0.1"


def test_where_nothing_was_asked_the_defaults_are(run):
    assert options.again(run, is_shared=False) == EvaluationOptions()


def test_what_was_asked_last_is_asked_again_with_its_judge_and_shown_in_the_menu(run, monkeypatch):
    asked = EvaluationOptions(sample=3, judge="llama3", judge_url="http://localhost:1", judge_prompt="Is {{answer}}?")
    plan = replace(plan_of([]), asked=asked.given)
    run.answer_files.begin(replace(plan, sides=dict.fromkeys(Side, replace(plan.sides[Side.AFTER], model="step-5"))))
    assert options.again(run, is_shared=False) == replace(asked, checkpoint=5)
    run.evaluation.append(Finished(step=1))
    assert options.again(run, is_shared=False) == asked
    values = {field["name"]: field["value"] for field in options.form(run, is_shared=False)}
    assert (values["judge"], values["judge_prompt"], values["judge_pairs"]) == ("llama3", "Is {{answer}}?", "false")
    monkeypatch.delenv(options.ADDRESS, raising=False)
    assert options.again(run, is_shared=True) == EvaluationOptions(sample=3)


# Tab 2.


@pytest.mark.parametrize(
    ("train_on", "mask", "keep_eos", "train_padding"),
    [
        ("response", "response", True, False),
        ("all", "all", True, False),
        ("header,response", "response-and-header", False, False),
        ("response,eos,pad", "response", True, True),
    ],
)
def test_tab_2_shows_the_runs_own_data_template_and_mask(tmp_path, train_on, mask, keep_eos, train_padding):
    run = create_run(tmp_path / "b", run_config(train_on=train_on, max_length=40))
    view = lens_view(run, 7)
    assert (view.mask, view.keep_eos, view.train_padding) == (mask, keep_eos, train_padding)
    assert (view.first, view.max_length, view.template) == (7, 40, "{{instruction}}{{output}}")
