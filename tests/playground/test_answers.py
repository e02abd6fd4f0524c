"""Tab 4's data: which records the table shows and in which order, one record's texts, and what the tiles say."""

import json
from dataclasses import asdict, replace

import pytest

from ift.evaluation.measures import MEASURES, measure_of
from ift.evaluation.words import MOST_PIECES, Change, is_alike, word_difference
from ift.events import Finished
from ift.runs.folder import create_run
from ift.runs.scores import AnsweredRecord, Comparison, Outcome, Summary
from ift.types import Finish, Score, Side
from playground.answers.answered import AnsweredRuns, stamp_of
from playground.answers.asking import GONE
from playground.answers.overview import overview, tile
from playground.answers.queries import EMPTY, queries
from playground.answers.table import CLAMPED, MOST_ROWS, Column, Filter, Query, chosen_rows, rows_of, table
from playground.context import Context
from playground.settings import Settings
from tests.helpers import run_config

EVIL = "<script>alert(1)</script> **b** \u2028 ${1}"


def answer(record, text="It is red.", *, f1=1.0, exact=1.0, finish=Finish.EOS, reason="", **fields):
    """A record with the expected answer `It is red.`, as one model answered it."""
    scores = (Score("exact_match", exact, reason), Score("token_f1", f1, reason), *fields.pop("more", ()))
    question = {"instruction": f"Question {record}", "input": "", "output": "It is red.", "task": "color", **fields}
    return AnsweredRecord(record=record, model_response=text, finish=finish, scores=scores, **question)


BEFORE = [
    answer(0, "so", f1=0.0, exact=0.0, finish=Finish.LENGTH),
    answer(1, "It is", f1=0.8, exact=0.0),
    answer(2, "It is blue.", f1=0.7, exact=0.0, task="sky", instruction="Which?", input="NEEDLE"),
    answer(3, "", f1=None, exact=None, reason="too long", finish=Finish.LENGTH, task=None),
    answer(4, "red", f1=0.0, exact=0.0),
]
AFTER = [
    answer(0),
    answer(1, "It was red.", f1=0.4, exact=0.0, more=(Score("format_leak", 1.0),)),
    answer(2, "It is blue.", f1=0.7, exact=0.0, finish=Finish.LENGTH, task="sky", instruction="Which?", input="NEEDLE"),
    answer(3, "", f1=None, exact=None, reason="too long", finish=Finish.LENGTH, task=None),
]
ROWS = rows_of(BEFORE, AFTER)


def records(**query):
    return [row.question.record for row in chosen_rows(ROWS, Query(sort=query.pop("sort", Column.RECORD), **query))]


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        (Filter.ALL, [0, 1, 2, 3, 4]),
        (Filter.IMPROVED, [0]),
        (Filter.WORSE, [1]),
        (Filter.UNCHANGED, [2]),
        (Filter.NOT_EXACT, [1, 2]),
        (Filter.NEVER_STOPPED, [2]),
        (Filter.LEAKED, [1]),
        (Filter.NO_ANSWER, [3]),
    ],
)
def test_each_filter_has_its_records_and_says_how_many(kind, found):
    assert records(filter=kind) == found
    assert table(ROWS, Query())["counts"][kind.value] == len(found)


def test_a_record_that_only_the_base_model_has_answered_is_in_no_filter_but_all():
    kinds = [kind for kind in Filter if 4 in records(filter=kind)]
    assert kinds == [Filter.ALL]
    (shown,) = [row for row in table(ROWS, Query())["rows"] if row["record"] == 4]
    assert (shown["before"], shown["after"], shown["right"]) == ("red", None, None)


def test_tasks_come_weakest_first_with_what_is_right_in_them():
    assert table(ROWS, Query())["tasks"] == [("sky", 0, 1), ("color", 1, 2)]
    assert records(task="sky") == [2]
    assert table(ROWS, Query(task="sky"))["counts"]["all"] == 1


@pytest.mark.parametrize(("find", "found"), [("needle", [2]), ("BLUE", [2]), ("question 1", [1]), ("nowhere", [])])
def test_what_is_looked_for_may_be_in_any_of_a_records_texts(find, found):
    assert records(find=Query.read({"find": f" {find} "}).find) == found


@pytest.mark.parametrize(
    ("column", "up", "down"),
    [
        (Column.RECORD, [0, 1, 2, 3, 4], [4, 3, 2, 1, 0]),
        (Column.TASK, [0, 1, 4, 2, 3], [2, 4, 1, 0, 3]),
        (Column.PROMPT, [0, 1, 3, 4, 2], [2, 4, 3, 1, 0]),
        (Column.BEFORE, [3, 1, 2, 4, 0], [0, 4, 2, 1, 3]),
        (Column.AFTER, [3, 2, 0, 1, 4], [1, 0, 2, 3, 4]),
        (Column.LIKENESS, [1, 2, 0, 3, 4], [0, 2, 1, 3, 4]),
        (Column.JUDGE, [0, 1, 2, 3, 4], [0, 1, 2, 3, 4]),
        (Column.RIGHT, [1, 2, 0, 3, 4], [0, 2, 1, 3, 4]),
    ],
)
def test_every_column_sorts_both_ways_and_what_has_no_value_is_last(column, up, down):
    assert records(sort=column) == up
    assert records(sort=column, descending=True) == down


def test_a_judges_grades_are_a_column_and_what_could_not_be_read_has_none():
    graded = [answer(i, more=(Score("judge:llama3", grade),)) for i, grade in enumerate((80.0, None, 5.0))]
    shown = table(rows_of([], graded), Query(sort=Column.JUDGE))
    assert shown["judge"] == "Judge llama3"
    assert [row["judge"] for row in shown["rows"]] == [5.0, 80.0, None]
    assert table(ROWS, Query())["judge"] == ""


def test_rows_come_in_stretches():
    shown = table(ROWS, Query(sort=Column.RECORD, first=2, count=2))
    assert [row["record"] for row in shown["rows"]] == [2, 3]
    assert (shown["found"], shown["all"], shown["first"]) == (5, 5, 2)


@pytest.mark.parametrize(
    "value",
    [{}, {"filter": 5, "sort": [], "task": None, "find": {}, "first": -1, "count": "9"}, {"first": True, "count": 1.5}],
)
def test_a_query_may_hold_anything(value):
    read = Query.read(value)
    assert (read.filter, read.sort, read.first, read.count) == (Filter.ALL, Column.RIGHT, 0, 60)
    assert Query.read({"count": 10**9}).count == MOST_ROWS


def test_a_cell_holds_the_beginning_of_a_huge_answer_and_all_texts_stay_text():
    huge = answer(0, "x" * 10_000, exact=0.0, instruction=EVIL * 900, input=EVIL)
    shown = table(rows_of([huge], [huge]), Query())
    assert len(json.dumps(shown)) < 10 * CLAMPED
    (row,) = shown["rows"]
    assert row["instruction"].startswith(EVIL)
    assert row["input"] == EVIL
    assert row["after"] == [("same", "x" * CLAMPED + "…")]


# Word differences.


def test_a_difference_shows_what_is_missing_before_what_stands_there_instead():
    assert word_difference("It is red.", "It was red") == (
        (Change.SAME, "It "),
        (Change.MISSING, "is"),
        (Change.ADDED, "was"),
        (Change.SAME, " red"),
        (Change.MISSING, "."),
    )


@pytest.mark.parametrize(("one", "other"), [("a b", "a b"), ("", ""), ("", "a"), ("a", ""), ("世界 你好", "世界")])
def test_both_texts_can_be_read_off_a_difference(one, other):
    found = word_difference(one, other)
    assert "".join(text for change, text in found if change is not Change.ADDED) == one
    assert "".join(text for change, text in found if change is not Change.MISSING) == other


def test_long_texts_are_not_compared_word_by_word():
    text = "a " * MOST_PIECES
    assert word_difference("b", text) == ((Change.ADDED, text),)


def test_only_an_answer_that_is_nearly_right_is_compared_word_by_word():
    assert is_alike("It is red.", "It is blue")
    assert not is_alike("It is red.", "Nothing of the kind")
    alike, other = (
        table(rows_of([], [answer(0, text, exact=0.0)]), Query())["rows"][0] for text in ("It is blue.", "No way")
    )
    assert ("missing", "red") in alike["after"]
    assert other["after"] == [("same", "No way")]


# The tiles.


def summary(**more):
    names = ("exact_match", "reference_loss")
    return Summary(
        n=40,
        before={"exact_match": 0.25, "reference_loss": 2.0, "check": None},
        after={"exact_match": 0.75, "reference_loss": 0.5, "check": None},
        gain_interval_95={"exact_match": (0.4, 0.6), "reference_loss": (-1.6, -1.4)},
        outcomes={name: Outcome(30, 9, 1, 0.0000001) for name in names},
        max_new_tokens=16,
        **more,
    )


def test_the_tiles_say_what_changed_and_what_each_score_cannot_see():
    shown = overview(summary())
    exact, loss = shown["scores"]
    assert (exact.before_text, exact.after_text, exact.most, exact.tone) == ("25.0 %", "75.0 %", 1.0, "better")
    assert exact.change == "+50.0 points, 95 % interval +40.0 points to +60.0 points"
    assert exact.outcome == "30 better, 9 the same, 1 worse; sign test over 31 records that differ: p < 0.001"
    assert exact.blind == MEASURES["exact_match"].blind
    assert (loss.before_text, loss.after_text, loss.most, loss.tone) == ("2.000", "0.500", 2.0, "better")
    assert shown["verdict"]["tone"] == "good"
    json.dumps({**shown, "scores": [asdict(one) for one in shown["scores"]]}, allow_nan=False)


@pytest.mark.parametrize(
    ("name", "interval", "tone"),
    [
        ("exact_match", (0.1, 0.2), "better"),
        ("exact_match", (-0.2, -0.1), "worse"),
        ("exact_match", (0.0, 0.2), ""),
        ("exact_match", None, ""),
        ("repetition", (0.1, 0.2), "worse"),
        ("repetition", (-0.2, -0.1), "better"),
    ],
)
def test_a_tile_is_colored_only_where_its_interval_does_not_hold_0(name, interval, tone):
    assert tile(measure_of(name), Comparison(0.5, 0.5, interval)).tone == tone


# What the browser asks.


@pytest.fixture
def context(tmp_path):
    return Context(Settings(home=tmp_path))


@pytest.fixture
def run(tmp_path):
    run = create_run(tmp_path / "runs" / "a", run_config())
    run.training.append(Finished(step=1))
    run.answer_files.write(Side.BEFORE, BEFORE[:4])
    run.answer_files.write(Side.AFTER, AFTER)
    return run


def asked(context, name, **query):
    (ask,) = [ask for ask in queries(context) if ask.__name__ == name]
    return ask({"run": "a", **query})


@pytest.mark.parametrize(
    "query", [None, [], "a", {}, {"run": None}, {"run": ["a"]}, {"run": "../runs/a"}, {"run": "b"}]
)
def test_a_query_that_names_no_run_is_answered_with_gone(context, run, query):
    assert all(ask(query) == GONE for ask in queries(context))


@pytest.mark.parametrize("record", [None, -1, 99, "0", [0], {}])
def test_a_record_that_is_not_there_is_gone(context, run, record):
    assert asked(context, "answers_record", record=record) == GONE
    assert asked(context, "answers_tokens", record=record) == GONE


def test_a_record_that_one_model_has_not_answered_has_no_tokens_yet(context, run):
    run.answer_files.write(Side.BEFORE, BEFORE)
    assert "Both models have to answer" in asked(context, "answers_tokens", record=4)["error"]["what"]


def test_a_record_comes_with_all_its_texts_and_the_exact_prompt(context, run):
    found = asked(context, "answers_record", record=1)
    assert (found["instruction"], found["expected"], found["prompt"]) == ("Question 1", "It is red.", "Question 1")
    assert found["before"]["text"] == "It is"
    assert ("added", "was") in found["after"]["compared"]
    assert ("format_leak", 1.0, "") in found["after"]["scores"]
    json.dumps(found, allow_nan=False)


def test_the_top_says_how_many_records_there_are_or_what_to_do(context, run, tmp_path):
    assert asked(context, "answers_overview") == {"rows": 4, "empty": ""}
    run.write_json("scores.json", summary().to_dict())
    assert asked(context, "answers_overview")["verdict"]["title"] == "Better"
    for name in ("scores.json", "before.jsonl", "after.jsonl"):
        (run.path / name).unlink()
    assert asked(context, "answers_overview") == {"rows": 0, "empty": EMPTY}


def test_answers_are_read_again_when_they_have_changed(run):
    answered, stamp = AnsweredRuns(), stamp_of(run)
    first = answered.rows(run)
    assert answered.rows(run) is first
    run.answer_files.write(Side.AFTER, [replace(AFTER[0], model_response="other"), *AFTER[1:]])
    assert stamp_of(run) != stamp
    assert answered.rows(run)[0].after.model_response == "other"


def test_damaged_answers_are_told(context, run):
    run.write_text("after.jsonl", "rubbish\n")
    assert asked(context, "answers_rows")["error"]["where"] == "after.jsonl, line 1"
