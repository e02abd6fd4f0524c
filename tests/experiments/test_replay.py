"""A run as a recording, and as one page that plays it: nothing in a record is code, and nothing is asked for."""

import json
import re
from pathlib import Path

import pytest

from ift.cli import main
from ift.errors import RunError
from ift.events import Resumed, Sampled, Stepped
from ift.experiments.replay import RECORDINGS, record_run, replay_page
from ift.runs.folder import Run, create_run
from ift.types import Finish
from tests.helpers import run_config

OLD_RUN = Path(__file__).parents[1] / "runs" / "old_run"
HOSTILE = "</script><script>alert(1)</script><!-- \u2028 `${1}`"
NUMBERS = {
    "total_steps": 9,
    "epoch": 1.0,
    "learning_rate": 1e-3,
    "grad_norm": 1.0,
    "tokens": 9,
    "trained_tokens": 3,
    "step_time_s": 0.1,
}


def step(number, loss):
    return Stepped(step=number, time_s=float(number), loss=loss, **NUMBERS)


def make_run(path, *events):
    run = create_run(path, run_config())
    for event in events:
        run.training.append(event)
    return run


def test_a_recording_has_the_curve_the_samples_and_both_answers():
    made = record_run(Run(OLD_RUN), title="Old")
    run = Run(OLD_RUN)
    assert len(made.steps) == sum(isinstance(event, Stepped) for event in run.training.read()[0])
    assert [answer.after.text for answer in made.answers] == [row.after.model_response for row in run.comparison()]
    assert {sample.record for sample in made.samples} == set(made.prompts)
    assert made.scores[0].title == "Exact match"
    assert json.loads(made.to_json())["title"] == "Old"


def test_what_a_resumed_run_did_again_is_there_once(tmp_path):
    run = make_run(tmp_path / "run", step(1, 3.0), step(2, 2.0), Resumed(step=1, path="x"), step(2, 1.5))
    assert record_run(run).steps == ((1, 1.0, 3.0), (2, 2.0, 1.5))


def test_a_run_without_a_step_is_refused(tmp_path):
    with pytest.raises(RunError, match="no step"):
        record_run(make_run(tmp_path / "run"))


def test_nothing_in_a_record_is_code_in_the_page(tmp_path):
    asked = {"record": 3, "instruction": HOSTILE, "input": "", "output": HOSTILE}
    sample = Sampled(step=0, model_response=HOSTILE, finish=Finish.EOS, **asked)
    text = record_run(make_run(tmp_path / "run", sample, step(1, 1.0)), title=HOSTILE).to_json()
    page = replay_page([text])
    assert page.count("<script") == page.count("</script>") == 2
    data = re.search(r'id="recordings">(.*?)</script>', page, re.S)[1]
    assert json.loads(data)[0]["samples"][0]["text"] == HOSTILE
    assert "\u2028" not in data
    assert "https://" not in page.replace("http://www.w3.org/2000/svg", "")


def test_the_command_writes_a_page_once(tmp_path, capsys):
    out = tmp_path / "run.html"
    assert main(["export", str(OLD_RUN), "--to", "replay", "--out", str(out)]) == 0
    assert out.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert main(["export", str(OLD_RUN), "--to", "replay", "--out", str(out)]) == 2
    assert "File exists" in capsys.readouterr().err


def test_the_recordings_that_ship_are_the_end_of_text_twins_and_small():
    files = sorted(RECORDINGS.glob("*.json"), key=lambda file: file.stem)
    assert [file.stem for file in files] == ["starter", "starter-eos-masked"]
    assert sum(file.stat().st_size for file in files) < 1_000_000
    kept, masked = (json.loads(file.read_text(encoding="utf-8")) for file in files)
    stopped = [
        sum(answer["after"]["finish"] != "length" for answer in one["answers"]) / len(one["answers"])
        for one in (kept, masked)
    ]
    assert stopped[0] == 1
    assert stopped[1] < 0.05
