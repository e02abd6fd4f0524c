"""Rating by hand on the page, and files to take away."""

import json

import pytest

from ift.events import Finished
from ift.runs.folder import create_run
from ift.runs.ratings import Ratings
from ift.runs.scores import AnsweredRecord
from ift.types import Finish, Score, Side
from playground.answers.asking import GONE
from playground.answers.queries import queries
from playground.answers.rating import ASKED, drawn
from playground.answers.table import rows_of
from playground.context import Context
from playground.settings import Settings
from tests.helpers import run_config


def answer(record, text, *, judged=None, reason=""):
    judge = (Score("judge:x", judged),) if judged is not None else ()
    scores = (Score("exact_match", None if reason else 0.0, reason), *judge)
    return AnsweredRecord(record, f"q{record}", "", "red", text, Finish.EOS, scores)


BEFORE = [answer(i, f"before {i}", judged=i) for i in range(30)]
AFTER = [answer(i, f"after {i}", judged=i) for i in range(29)] + [answer(29, "", reason="too long")]


@pytest.fixture
def context(tmp_path):
    return Context(Settings(home=tmp_path))


@pytest.fixture
def run(tmp_path):
    run = create_run(tmp_path / "runs" / "a", run_config())
    run.training.append(Finished(step=1))
    run.answer_files.write(Side.BEFORE, BEFORE)
    run.answer_files.write(Side.AFTER, AFTER)
    return run


def asked(context, name, **query):
    (ask,) = [ask for ask in queries(context) if ask.__name__ == name]
    reply = ask({"run": "a", **query})
    json.dumps(reply, allow_nan=False)
    return reply


def test_twenty_answers_of_twenty_records_are_drawn_from_both_models_the_same_ones_each_time():
    rows = rows_of(BEFORE, AFTER)
    found = drawn(rows)
    assert len({record for record, _ in found}) == ASKED
    assert {side for _, side in found} == set(Side)
    assert (29, Side.AFTER) not in found
    assert drawn(rows) == found
    assert len(drawn(rows[:3])) == 3


def test_what_is_rated_stays_and_a_judges_agreement_grows_with_it(context, run):
    items = asked(context, "answers_ratings")["items"]
    assert all(item["value"] is None for item in items)
    for item in items[:6]:
        told = asked(context, "answers_rate", record=item["record"], side=item["side"], value=item["record"])
    assert [item["value"] for item in told["items"]][:6] == [item["record"] for item in items[:6]]
    (judge,) = told["agreement"]
    assert (judge["judge"], judge["n"], judge["correlation"]) == ("Judge x", 6, pytest.approx(1.0))
    assert len(Ratings(run.path).read()) == 6


@pytest.mark.parametrize("query", [{"record": 99, "side": "after"}, {"record": 1, "side": "x"}, {"record": "1"}, {}])
def test_an_answer_that_is_not_there_can_not_be_rated(context, run, query):
    assert asked(context, "answers_rate", value=50, **query) == GONE


@pytest.mark.parametrize("value", [None, 50.5, "50", True, 101, -1])
def test_a_rating_is_a_whole_number_from_0_to_100(context, run, value):
    told = asked(context, "answers_rate", record=1, side="after", value=value)
    assert told["error"]["fix"]
    assert Ratings(run.path).read() == ()


# Files to take away.


@pytest.mark.parametrize(("kind", "begins"), [("json", "["), ("csv", "record,"), ("html", "<!doctype html>")])
def test_the_answers_can_be_taken_away(context, run, kind, begins):
    found = asked(context, "answers_file", kind=kind)
    assert found["text"].startswith(begins)
    assert found["name"].startswith("a")
    assert "/" not in found["name"]


@pytest.mark.parametrize("kind", [None, "exe", ["json"], "../x"])
def test_no_other_file_is_written(context, run, kind):
    assert asked(context, "answers_file", kind=kind) == GONE


def test_a_markdown_table_needs_the_scores(context, run):
    assert "not scored yet" in asked(context, "answers_file", kind="markdown")["error"]["what"]
