"""What tab 3 shows: what a run has to tell, and what one would need."""

import json
import re
import shlex
from html import unescape

import pytest

from ift.config import TrainConfig
from ift.events import (
    Evaluated,
    Failed,
    Finished,
    Prepared,
    Preparing,
    Resumed,
    Sampled,
    Saved,
    Started,
    Stepped,
    Stopped,
    Warned,
)
from ift.runs.state import State
from ift.training.estimate import Estimate, Probe, Setting
from ift.types import Finish
from playground.views import estimate, run
from tests.helpers import ready


def step(number, loss=2.0):
    return Stepped(
        step=number,
        total_steps=9,
        epoch=0.1,
        loss=loss,
        learning_rate=1e-4,
        grad_norm=1.0,
        tokens=8,
        trained_tokens=4,
        step_time_s=0.1,
    )


def test_the_news_of_a_run_that_goes_on_are_its_events_by_kind():
    sample = Sampled(step=0, record=3, instruction="q", input="", output="o", model_response="m", finish=Finish.EOS)
    events = [
        Started(step=0, pid=1, process_time=1.0),
        Warned(step=0, message="mind"),
        Evaluated(step=0, total_steps=9, loss=3.0, trained_tokens=4, loss_by_role={"eos": 3.0}),
        sample,
        step(1, loss=0.0),
        Saved(step=1, path="checkpoints/a"),
        step(2),
        Saved(step=2, path="checkpoints/b"),
    ]
    news = run.news("r", events, 70, State.RUNNING, said="Loading")
    assert (news["run"], news["offset"], news["state"], news["over"]) == ("r", 70, "running", False)
    assert [(one["step"], one["loss"]) for one in news["steps"]] == [(1, 0.0), (2, 2.0)]
    assert news["evaluations"][0]["loss_by_role"] == {"eos": 3.0}
    assert [one["record"] for one in news["samples"]] == [3]
    assert (news["warnings"], news["saved"], news["said"]) == (["mind"], "checkpoints/b", "Loading")
    assert (news["end"], news["error"]) == ("", None)


def test_the_machine_is_told_once():
    prepared = Prepared(step=0, device="cpu", threads=2, bf16=True, parameters=9, rows=3)
    assert run.news("r", [prepared], 1, State.RUNNING)["machine"] == "On cpu with 2 threads, in bf16."
    assert run.news("r", [], 1, State.RUNNING)["machine"] == ""


def test_while_rows_are_made_their_number_is_told():
    news = run.news("r", [Preparing(step=0, done=2048, total=52_000)], 1, State.RUNNING, said="Loading")
    assert news["said"] == "Rows made so far: 2,048 of 52,000."
    prepared = Prepared(step=0, device="cpu", threads=2, bf16=True, parameters=9, rows=3)
    assert run.news("r", [], 2, State.RUNNING, last=prepared, said="Loading")["said"] == "Loading"


def test_no_news_are_no_news():
    news = run.news("r", [], 70, State.RUNNING)
    assert (news["steps"], news["saved"], news["end"], news["error"]) == ([], "", "", None)


def test_a_finished_run_is_over_without_a_word():
    news = run.news("r", [Finished(step=9)], 70, State.FINISHED)
    assert (news["state"], news["over"], news["end"], news["error"]) == ("finished", True, "", None)


def test_a_run_that_failed_tells_its_own_error():
    news = run.news("r", [Failed(step=2, what="No", where="here", fix="Do")], 70, State.FAILED, said="a traceback")
    assert news["error"] == {"what": "No", "where": "here", "fix": "Do"}


def test_a_run_that_failed_before_its_first_event_tells_what_its_process_printed():
    news = run.news("r", [], 0, State.FAILED, said="Error: no such data")
    assert (news["error"]["what"], news["error"]["where"]) == ("Error: no such data", "run r")
    assert run.news("r", [], 0, State.FAILED)["error"]["what"] == "The run can't be read"


def test_a_stopped_run_says_at_which_step_and_why():
    news = run.news("r", [step(4), Stopped(step=4, reason="asked to stop")], 70, State.STOPPED)
    assert (news["end"], news["over"]) == ("Stopped at step 4: asked to stop.", True)


def test_how_a_run_ended_is_told_again_when_the_browser_asks_again():
    stopped, failed = Stopped(step=4, reason="asked to stop"), Failed(step=4, what="No")
    assert run.news("r", [], 70, State.STOPPED, last=stopped)["end"] == "Stopped at step 4: asked to stop."
    assert run.news("r", [], 70, State.FAILED, last=failed)["error"]["what"] == "No"


def test_a_killed_run_says_that_it_ended_without_a_word():
    assert "it was killed" in run.news("r", [step(4)], 70, State.STOPPED)["end"]
    assert "it was killed" in run.news("r", [], 70, State.STOPPED, last=step(4))["end"]


def test_the_card_says_how_much_work_a_press_on_start_is():
    shown = ready(TrainConfig(num_train_epochs=2.0, per_device_train_batch_size=16), rows=33)
    assert "6 steps, about 5 thousand tokens" in shown  # 6 x 16 x 50
    assert "33 training records of 40" in shown


def test_the_command_is_quoted_for_the_shell():
    options = ["--data", "my data; rm -rf ~.json", "--train_on", "all"]
    assert shlex.split(run.command_line(options)) == ["python", "-m", "ift", "train", *options]


@pytest.mark.parametrize(
    ("run_id", "busy_id", "said"),
    [("a", None, "Stop can be used while"), ("a", "a", "until this run has ended"), ("a", "b", "b is running")],
)
def test_the_page_says_why_start_or_stop_can_not_be_used(run_id, busy_id, said):
    assert said in run.buttons_note(run_id, busy_id)


def test_the_page_says_where_a_run_can_be_gone_on_with_from():
    assert "Resume continues a from its last checkpoint" in run.buttons_note("a", None, can_resume=True)


def test_the_page_says_why_a_strangers_run_can_not_be_changed():
    assert "Only the browser that started a run" in run.buttons_note("a", None, is_strangers=True)


def test_steps_that_a_run_does_again_are_void():
    events = [step(4), step(5), step(6), Resumed(step=4, path="x"), step(5), step(6), step(7)]
    news = run.news("r", events, 70, State.RUNNING)
    assert [one["step"] for one in news["steps"]] == [4, 5, 6, 7]
    assert news["resumed"] == 4
    later = run.news("r", [step(7), Resumed(step=6, path="x"), Resumed(step=5, path="x"), step(6)], 70, State.RUNNING)
    assert ([one["step"] for one in later["steps"]], later["resumed"]) == ([6], 5)
    assert run.news("r", [step(8)], 70, State.RUNNING)["resumed"] is None


PROBE = Probe(
    device="cpu",
    threads=1,
    bf16=False,
    available_bytes=8_000_000_000,
    parameters=100,
    trained_parameters=100,
    lora_parameters=10,
    rows=8,
    width=60,
    loaded_bytes=10,
    peak_bytes=900,
    steps=20,
    step_s=2.0,
    has_stepped=True,
    evaluations=3,
    evaluation_s=1.0,
    start_s=7.0,
)


def needs(*, batch=2, **changes):
    """An estimate of `batch` and two more gigabytes, where eight are free, through what the command line prints."""
    giga = 1_000_000_000
    parts = {
        "loaded_bytes": giga,
        "batch_bytes": batch * giga,
        "moment_bytes": giga,
        "nearest": (),
        "is_measured": True,
    }
    made = Estimate(**{"probe": PROBE, **parts, **changes})
    return text_of(estimate.estimate(Estimate.from_dict(json.loads(json.dumps(made.to_dict())))))


def text_of(shown):
    return unescape(re.sub("<[^>]*>", " ", shown))


def test_what_a_run_needs_is_told_with_what_it_is_made_of():
    said = needs()
    assert "✓ fits" in said
    assert "4.0 GB of 8.0 GB free" in said
    assert "about 50 seconds" in said
    assert "1.0 GB program, weights and data (measured)" in said
    assert "1.0 GB AdamW's moments (computed)" in said
    assert "measured on real steps, on cpu" in said
    assert "nearest first" not in said


def test_little_room_left_is_told():
    assert "! fits, tight" in needs(batch=5)


def test_what_does_not_fit_comes_with_what_does():
    way = Setting(options={"r": 8}, needed_bytes=3_000_000_000, note="thin")
    said = needs(batch=7, is_measured=False, nearest=(way,))
    assert "✗ does not fit" in said
    assert "r 8: 3.0 GB, thin" in said
    assert "(scaled from a smaller one)" in said
    assert "choose a smaller model" in needs(batch=7)
