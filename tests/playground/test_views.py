"""What the page shows: values in, HTML and payloads out, and nothing from outside is ever markup."""

import json
import re
from html import unescape
from types import SimpleNamespace

import numpy as np
import pytest

from ift.audit.data_report import data_report
from ift.config import TrainConfig
from ift.data.records import Dataset, RecordsError, parse_dataset
from ift.data.templates import Template
from ift.data_options import DataOptions
from ift.errors import ConfigError
from ift.events import (
    Answered,
    Failed,
)
from ift.plurals import agree
from ift.runs.state import State
from ift.types import Example, Side
from playground.views import compare, data, html, numbers, run
from tests.helpers import ready

TEMPLATE = Template.parse("Q: {{instruction}}\nA:{{output}}")
EVIL = "<script>alert(\"1\")</script><img src='x' onerror=alert(2)>&amp;\ud800"
"""Markup, both quotes, an entity and half a character."""
HARMLESS = EVIL.replace("\ud800", "?")


def rows_of(shown):
    """The first cell of each row of a table."""
    return [int(number) for number in re.findall(r'<tr><td class="n">(\d+)</td>', shown)]


def caption(shown):
    return re.search(r"<caption>(.*)</caption>", shown)[1]


# Everything from outside is escaped.


def evil_data():
    """A data set of bad texts, with the report of a clean one: the reader at the door lets no half character in."""
    clean = data_report(Dataset("x", (Example("a", "b", "c"),), "0"), TEMPLATE)
    return Dataset(EVIL, (Example(EVIL, EVIL, EVIL, task=EVIL),), "0"), clean


def records(field):
    """The records' table of a data set where one field is bad."""
    dataset, report = evil_data()
    (example,) = dataset.examples
    kept = {name: getattr(example, name) if name == field else "a" for name in ("instruction", "input", "output")}
    task = EVIL if field == "task" else None
    return data.records_table(Dataset("x", (Example(**kept, task=task),), "0"), report, [0], page=1)


SHOWN = {
    "a problem": lambda: html.error(ConfigError(EVIL)),
    "its place": lambda: html.error(ConfigError("x", where=EVIL)),
    "its fix": lambda: html.error(ConfigError("x", fix=EVIL)),
    "a note": lambda: html.note("warn", EVIL),
    "a chip": lambda: html.chip("bad", EVIL),
    "a card's title": lambda: html.card(EVIL),
    "a tile's value": lambda: html.tiles([(EVIL, "x", "")]),
    "a tile's text": lambda: html.tiles([("1", EVIL, "")]),
    "a table's caption": lambda: html.table(EVIL, [], []),
    "a column's title": lambda: html.table("x", [(EVIL, "n")], []),
    "a record's instruction": lambda: records("instruction"),
    "a record's input": lambda: records("input"),
    "a record's output": lambda: records("output"),
    "a record's task": lambda: records("task"),
    "a busy run on tab 4": lambda: compare.buttons_note(has_run=True, saved=True, has_test=True, busy_id=EVIL),
    "a busy run on tab 3": lambda: run.buttons_note("a", EVIL),
    "a run to go on with": lambda: run.buttons_note(EVIL, None, can_resume=True),
    "a run to discard": lambda: run.discard_question(EVIL),
    "a model to train": lambda: ready(TrainConfig(model=EVIL)),
    "data to train on": lambda: ready(TrainConfig(data=EVIL)),
    "a template to train with": lambda: ready(TrainConfig(), template=EVIL),
}


@pytest.mark.parametrize("view", SHOWN.values(), ids=SHOWN)
def test_what_comes_from_outside_is_shown_as_text_and_never_as_markup(view):
    shown = view()
    assert "<script" not in shown
    assert "<img" not in shown
    assert HARMLESS in unescape(shown)
    assert '"1"' not in shown  # would end an attribute
    shown.encode()  # half a character would end the visitor's event stream


def test_a_problem_says_only_the_parts_it_has():
    assert "<dt>" not in html.error(ConfigError("x"))
    assert "<dt>Fix</dt><dd>y</dd>" in html.error(ConfigError("x", fix="y"))


# The data.


def made(*examples, **options):
    dataset = Dataset("x", examples, "0")
    return dataset, data_report(dataset, TEMPLATE, **options)


THREE = made(
    Example("Name a Fish", "", " cod", split="train"),
    Example("Add", "fish and chips", " both", split="test"),
    Example("Sort", "", " a b", split="validation", task="fishy"),
)
THIRTY = made(*(Example(f"q{i}", "", " a") for i in range(30)))


@pytest.mark.parametrize(
    ("query", "part", "found"),
    [
        ("", "all", [0, 1, 2]),
        (" FISH ", "all", [0, 1, 2]),
        ("cod", "all", [0]),
        ("cod\n", "test", []),
        ("fish", "test", [1]),
        ("fishy", "validation", [2]),
        ("shark", "all", []),
    ],
)
def test_a_search_looks_at_every_field_in_one_part_or_all_and_ignores_case(query, part, found):
    assert data.find(*THREE, query=query, part=part) == found


@pytest.mark.parametrize(
    ("page", "rows", "told"),
    [(1, range(25), "page 1 of 2"), (2, range(25, 30), "page 2 of 2")],
)
def test_records_come_in_pages(page, rows, told):
    shown = data.records_table(*THIRTY, range(30), page=page)
    assert rows_of(shown) == list(rows)
    assert caption(shown) == f"30 of 30 records, {told}"


@pytest.mark.parametrize(("page", "told"), [(0, 1), (-9, 1), (3, 2), (10**9, 2)])
def test_a_page_that_is_not_there_is_the_nearest_one(page, told):
    assert f"page {told} of 2" in caption(data.records_table(*THIRTY, range(30), page=page))


def test_a_search_without_a_find_is_one_empty_page():
    shown = data.records_table(*THREE, [], page=1)
    assert (caption(shown), rows_of(shown)) == ("0 of 3 records, page 1 of 1", [])


def test_a_record_says_its_part_and_what_deserves_a_look():
    dataset, report = made(Example("a", "", " x y z", split="train"), Example("A", "", "", split="test"), max_length=7)
    shown = data.records_table(dataset, report, [0, 1], page=1)
    first, second = shown.split("<tr>")[2:]
    assert [mark in first for mark in (">train<", "! end of text cut off", "! empty answer", "! test questions")] == [
        True,
        True,
        False,
        False,
    ]
    assert [mark in second for mark in (">test<", "! empty answer", "! conflicting answers", "! test questions")] == [
        True
    ] * 4


def test_the_overview_counts_the_things_that_deserve_a_look():
    rest = Example("t", "", "t", split="test"), Example("v", "", "v", split="validation")
    assert "Nothing stands in the way" in data.overview(*made(Example("a", "", " x", split="train"), *rest))
    one = made(Example("a", "", " x", split="train"), Example("b", "", "", split="train"), *rest)
    assert "One thing deserves a look" in data.overview(*one)
    two = made(Example("a", "", " x", split="train"), Example("a", "", "", split="train"), *rest)
    assert "2 things deserve a look" in data.overview(*two)


def test_a_findings_button_leads_to_its_rows_in_the_table_and_back():
    dataset, report = made(Example("a", "", " x"), Example("b", "", ""), Example("c", "", ""))
    assert 'data-finding="empty-answer">Show these 2 rows<' in data.overview(dataset, report)
    found = data.find(dataset, report, query="", part="all", code="empty-answer")
    shown = data.records_table(dataset, report, found, page=1, code="empty-answer")
    assert rows_of(shown) == found == [1, 2]
    assert "Only rows with: <b>empty answer</b>" in shown
    assert 'data-finding=""' in shown
    assert "<b>&lt;x" in data.records_table(dataset, report, [], page=1, code="<x")


def test_empty_splits_deserve_a_look_with_what_they_mean():
    shown = data.overview(*made(Example("a", "", "b")))
    assert "2 things deserve a look" in shown
    assert "The train split is empty" in shown
    assert "There is nothing to train on" in shown
    assert "The test split is empty" in shown


def test_the_overview_shows_how_the_file_was_read():
    rows = [{"prompt": "Q", "completion": n, "context": "I", "id": n} for n in range(20)] + [{"prompt": None}]
    options = DataOptions(on_error="drop")
    dataset = parse_dataset(json.dumps(rows).encode(), name="x.json", options=options)
    shown = data.overview(dataset, data_report(dataset, TEMPLATE))
    for text in ("prompt-completion", "instruction from prompt, output from completion", "Not used: id in 20 records."):
        assert text in shown
    assert "context is not used, in 20 records" in shown
    assert "Did you mean input?" in shown
    assert "records, 1 row left out" in shown


def test_all_problems_are_shown_with_their_places_and_what_stays_in_use():
    with pytest.raises(RecordsError) as caught:
        parse_dataset(b'{"instruction": "a", "output": "b"}\n{"instruction": "a", "output": []}\nx', name="x.jsonl")
    shown = data.problems(caught.value, kept="the starter set")
    assert "2 rows of 3 in x.jsonl can&#x27;t be used" in shown
    assert "Still in use: the starter set." in shown
    assert rows_of(shown) == [1, 2]
    assert "The line is not JSON" in shown


def test_what_a_file_calls_its_fields_is_escaped():
    rows = [{"instruction": "a", "output": "b", EVIL: "c"}]
    dataset = parse_dataset(json.dumps(rows).encode(), name=EVIL)
    assert EVIL not in data.overview(dataset, data_report(dataset, TEMPLATE))
    with pytest.raises(RecordsError) as caught:
        parse_dataset(json.dumps([*rows, {"instruction": "a", EVIL: 1}]).encode(), name=EVIL)
    assert "<script>" not in data.problems(caught.value, kept=EVIL)


def test_a_long_tail_of_lengths_is_one_bar_with_a_note_and_no_row_is_left_out():
    lengths = np.array([*range(40, 60)] * 20 + [900, 1000])
    figure = data.length_figure(SimpleNamespace(lengths=lengths), max_length=None)
    bars = figure["data"][0]
    assert sum(bars["y"]) == len(lengths)
    assert max(bars["x"]) < 100
    assert "the last bar holds 2 longer rows, up to 1,000 tokens" in figure["layout"]["xaxis"]["title"]["text"]
    plain = data.length_figure(SimpleNamespace(lengths=lengths[:-2]), max_length=None)
    assert plain["layout"]["xaxis"]["title"]["text"] == "tokens in the row"
    cut = data.length_figure(SimpleNamespace(lengths=lengths), max_length=950)
    assert cut["layout"]["shapes"][0]["x0"] == 950


def test_the_length_figure_has_every_row_and_marks_a_limit_that_cuts():
    _, report = THREE
    longest = int(report.lengths.max())
    figure = data.length_figure(report, max_length=longest - 1)
    assert sum(figure["data"][0]["y"]) == 3
    assert [shape["x0"] for shape in figure["layout"]["shapes"]] == [longest - 1]
    assert data.length_figure(report, max_length=longest)["layout"]["shapes"] == []


def test_a_data_set_of_one_row_has_a_figure_too():
    _, report = made(Example("a", "", " x"))
    assert sum(data.length_figure(report, max_length=None)["data"][0]["y"]) == 1


# Before and after.


def test_the_progress_is_the_last_count():
    events = [Answered(step=0, side=Side.BEFORE, done=0, total=9), Answered(step=8, side=Side.AFTER, done=8, total=9)]
    shown = compare.progress(events, 70, State.RUNNING)
    assert (shown["side"], shown["done"], shown["total"], shown["over"]) == ("after", 8, 9, False)
    assert compare.progress([], 0, State.ABSENT)["total"] == 0


def test_answering_that_failed_tells_its_error_or_what_its_process_printed():
    told = compare.progress([Failed(step=0, what="No", where="here", fix="Do")], 70, State.FAILED, said="x")
    assert told["error"] == {"what": "No", "where": "here", "fix": "Do"}
    assert compare.progress([], 0, State.FAILED, said="killed")["error"]["what"] == "killed"


@pytest.mark.parametrize(
    ("has", "said"),
    [
        ({"has_run": False, "saved": False, "has_test": False, "busy_id": None}, "no run yet"),
        ({"has_run": True, "saved": False, "has_test": False, "busy_id": "b"}, "b is running"),
        ({"has_run": True, "saved": False, "has_test": False, "busy_id": None}, "saved nothing"),
        ({"has_run": True, "saved": True, "has_test": False, "busy_id": None}, "no test record"),
    ],
)
def test_the_page_says_why_nothing_can_be_answered(has, said):
    assert said in compare.buttons_note(**has)


def test_where_the_records_can_be_answered_the_page_gives_no_reason():
    assert compare.buttons_note(has_run=True, saved=True, has_test=True, busy_id=None) == ""


@pytest.mark.parametrize(("n", "text"), [(1, "has no target and is left out"), (40, "have no target and are left out")])
def test_verbs_agree_with_the_number_of_rows(n, text):
    assert agree(n, "has|have no target and is|are left out") == text


@pytest.mark.parametrize(
    ("rows", "said"), [((), "No row loses"), ((3,), "<b>1</b> row loses"), ((3, 5), "<b>2</b> rows lose")]
)
def test_the_numbers_of_all_rows_have_the_right_plural(rows, said):
    assert said in numbers._row(rows, "loses|lose the end", "Raise max_length.")
