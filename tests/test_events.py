"""Training's events as JSON lines."""

import json
import math

import pytest

from ift.errors import RunError
from ift.events import (
    Answered,
    Evaluated,
    Failed,
    Finished,
    Judged,
    Prepared,
    Preparing,
    Probed,
    Resumed,
    Sampled,
    Saved,
    Started,
    Stepped,
    Stopped,
    TrainEvent,
    Warned,
    from_json,
    to_json,
)
from ift.types import Finish, Side

STEPPED = Stepped(
    step=3,
    time_s=1.5,
    total_steps=9,
    epoch=0.5,
    loss=2.5,
    learning_rate=1e-4,
    grad_norm=0.25,
    tokens=20,
    trained_tokens=8,
    step_time_s=0.125,
)
EVENTS = [
    Started(step=0, pid=12, process_time=1234.5),
    Resumed(step=3, path="checkpoints/step-000003"),
    Preparing(step=0, done=2048, total=5000),
    Prepared(step=0, device="cpu", threads=2, bf16=False, parameters=5, rows=3),
    Probed(step=0, rows=8, width=60, tokens=400, trained_tokens=90, batch_time_s=0.5, peak_bytes=9, needed_bytes=17),
    STEPPED,
    Evaluated(step=3, total_steps=9, loss=2.0, trained_tokens=7, loss_by_role={"response": 2.0, "eos": 0.5}),
    Sampled(
        step=3, record=7, instruction="Say\nhi", input="", output="hi", model_response="\u2028😀\0", finish=Finish.EOS
    ),
    Saved(step=3, path="checkpoints/step-000003"),
    Answered(step=1, side=Side.BEFORE, done=1, total=2),
    Judged(step=3, side=None, done=1, total=2),
    Warned(step=0, message="3 rows are cut"),
    Stopped(step=3, reason="asked to stop"),
    Failed(step=3, what="The loss is not finite", where="step 4", fix="Lower the learning_rate."),
    Finished(step=9, summary={"n": 2.0}),
]


def test_the_cases_below_are_all_the_events_there_are():
    assert {type(event).__name__ for event in EVENTS} == {event.__name__ for event in TrainEvent.__subclasses__()}


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_an_event_survives_its_line(event):
    line = to_json(event)
    assert "\n" not in line
    assert from_json(line) == event


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_a_line_names_its_event_step_and_time(event):
    fields = json.loads(to_json(event))
    assert fields["event"] == type(event).__name__.lower()
    assert (fields["step"], fields["time_s"]) == (event.step, event.time_s)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_not_finite_is_refused(value):
    with pytest.raises(ValueError, match="JSON"):
        to_json(Evaluated(step=0, total_steps=1, loss=value, trained_tokens=1, loss_by_role={}))


@pytest.mark.parametrize(
    "line",
    [
        "",
        "{",
        "[]",
        "null",
        '{"step": 1}',
        '{"event": "exploded", "step": 1}',
        '{"event": "saved", "step": 1}',
        '{"event": "saved", "step": "1", "path": "x"}',
        '{"event": "answered", "step": 1, "side": "between", "done": 1, "total": 2}',
        '{"event": [], "step": 1}',
    ],
)
def test_a_line_that_is_no_event_says_so(line):
    with pytest.raises(RunError, match="Not an event"):
        from_json(line)


def test_a_line_that_lacks_a_field_names_it():
    with pytest.raises(RunError, match="path is missing"):
        from_json('{"event": "saved", "step": 1}')


def test_what_a_later_version_adds_to_an_event_is_ignored():
    assert from_json('{"event": "saved", "step": 1, "path": "x", "size_bytes": 3}') == Saved(step=1, path="x")


def test_sides_and_finishes_come_back_as_what_they_are():
    events = {type(event): from_json(to_json(event)) for event in EVENTS}
    assert events[Answered].side is Side.BEFORE
    assert events[Sampled].finish is Finish.EOS
