"""What the page shows: values in, HTML and payloads out, and nothing from outside is ever markup."""

import json
import re
from dataclasses import replace
from html import unescape

import pytest

from ift.audit.data_report import data_report
from ift.config import TrainConfig
from ift.data.records import Dataset, RecordsError, parse_dataset
from ift.data.templates import Template
from ift.data.tokenizer import encode_text
from ift.data_options import DataOptions
from ift.errors import ConfigError
from ift.events import (
    Answered,
    Failed,
)
from ift.plurals import agree
from ift.runs.scores import AnsweredRecord, GroupSummary, Summary, compare_answers
from ift.runs.state import State
from ift.types import Completion, Example, Finish, Score, Side
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


def answers(**changes):
    """The answers' table of one record with some of its texts changed."""
    return compare.answers_table(compare_answers([side(**changes)], [side(**changes)]), page=1)


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
    "an asked instruction": lambda: answers(instruction=EVIL),
    "an asked input": lambda: answers(input=EVIL),
    "an expected output": lambda: answers(output=EVIL),
    "an answer": lambda: answers(text=EVIL),
    "a task": lambda: answers(task=EVIL),
    "a reason": lambda: answers(value=None, reason=EVIL),
    "a question in the chat": lambda: compare.chat(EVIL, {}),
    "a model's name in the chat": lambda: compare.chat("x", {EVIL: None}),
    "a model's words in the chat": lambda: compare.chat("x", {"a": Completion(0, EVIL, (), Finish.EOS)}),
    "what is missing": lambda: compare.empty(EVIL),
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


def test_a_tasks_name_is_escaped_for_plotly_too():
    labels = compare.task_figure(compare_answers([side(task=EVIL)], [side(task=EVIL)]))["data"][1]["y"]
    assert [unescape(label) for label in labels] == [f"{HARMLESS} (1)"]
    assert "<" not in labels[0]


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

METRICS = ("exact_match", "token_f1", "rouge_l", "chrf")


def side(record=0, value=1.0, *, text="m", finish=Finish.EOS, reason="", **fields):
    """A record as one model answered it, with the same value for each metric."""
    question = {"instruction": "q", "input": "", "output": "o", **fields}
    scores = tuple(Score(name, value, reason) for name in METRICS)
    return AnsweredRecord(record=record, model_response=text, finish=finish, scores=scores, **question)


def scores(before, after, interval, **more):
    names = (*METRICS, "ended")
    return Summary(
        n=40,
        before=dict.fromkeys(names, before),
        after=dict.fromkeys(names, after),
        gain_interval_95=dict.fromkeys(names, interval),
        max_new_tokens=16,
        **more,
    )


@pytest.mark.parametrize(
    ("interval", "sign", "verb"),
    [
        ((0.1, 0.3), "✓ decided", "raised"),
        ((-0.3, -0.1), "✗ worse", "lowered"),
        ((-0.1, 0.3), "! open", "may not have changed"),
        ((0.0, 0.3), "! open", "may not have changed"),
        ((-0.3, 0.0), "! open", "may not have changed"),
    ],
)
def test_the_verdict_goes_by_the_interval(interval, sign, verb):
    shown = compare.verdict(scores(0.25, 0.5, interval))
    assert sign in shown
    assert f"Fine-tuning {verb} <b>exact match: 25.0% before, 50.0% after</b> (+25.0 points" in shown


def test_the_verdict_has_a_tile_a_metric():
    assert compare.verdict(scores(0.25, 0.5, (0.1, 0.3))).count("25.0% → 50.0%") == 5


def test_the_verdict_tells_what_no_training_record_has_apart():
    group = GroupSummary(7, {"exact_match": 0.0}, {"exact_match": 0.5})
    unscored = GroupSummary(1, {"exact_match": None}, {"exact_match": None})
    held_out = {"fact": group, "wording": unscored, "<b>": group}
    shown = compare.verdict(scores(0.25, 0.5, (0.1, 0.3), held_out=held_out))
    assert "7 of them ask for a fact that no training record has: exact match <b>0.0% → 50.0%</b>." in shown
    assert "wording" not in shown
    assert "held-out &lt;b&gt;" in shown


def open_ended(value, record=0):
    """A record whose own check was met or not; nothing else can score it."""
    row = side(record, value=None, reason="open-ended")
    return replace(row, scores=(*row.scores, Score("check", value)))


def test_an_open_ended_record_is_right_where_its_own_check_is_met():
    answers = compare_answers([open_ended(0.0), open_ended(0.0, 1)], [open_ended(1.0), open_ended(0.0, 1)])
    assert [len(compare.choose(answers, kind)) for kind in ("improved", "not right")] == [1, 1]
    shown = compare.answers_table(answers, page=1)
    assert "✓ met" in shown
    assert "✗ not met" in shown
    assert "open-ended" not in shown


def test_what_was_typed_shows_the_words_that_are_new_to_the_model():
    known = frozenset(encode_text("What is a"))
    shown = compare.new_words(["What is a <zorb>", ""], known)
    assert 'What is a<mark class="u"> &lt;zorb&gt;</mark>' in shown
    assert "never held them" in shown


@pytest.mark.parametrize("known", [None, frozenset(encode_text("What is a"))])
def test_nothing_is_said_where_every_word_is_known(known):
    assert compare.new_words(["What is a", ""], known) == ""


def test_without_an_answer_the_verdict_says_so_and_shows_no_number():
    shown = compare.verdict(scores(None, None, None))
    assert "No held-out record could be answered" in shown
    assert "%" not in shown


BEFORE = [side(0, 0.0), side(1, 0.5), side(2, 0.5), side(3, None, finish=Finish.LENGTH, reason="too long")]
AFTER = [side(0, 1.0), side(1, 0.25), side(2, 0.5, finish=Finish.LENGTH), BEFORE[3]]
FOUR = compare_answers(BEFORE, AFTER)


def chosen(kind):
    return [pair.after.record for pair in compare.choose(FOUR, kind)]


def test_the_filters_go_by_token_f1_exact_match_and_the_ending():
    answers = compare_answers([side(0, 0.0), side(1, 0.5), side(2, 0.0)], [side(0, 1.0), side(1, 0.0), side(2, 0.0)])
    rows = {kind: [pair.after.record for pair in compare.choose(answers, kind)] for kind in compare.FILTERS}
    assert rows == {"all": [0, 1, 2], "improved": [0], "worse": [1], "not right": [1, 2], "never stopped": []}


def test_a_record_without_a_score_is_neither_improved_nor_worse_nor_lost():
    assert [chosen(kind) for kind in ("all", "improved", "worse")] == [[0, 1, 2, 3], [0], [1]]
    assert chosen("never stopped") == [2, 3]


def test_each_filter_says_how_many_records_it_has():
    labels = [label for label, _ in compare.counts(FOUR)]
    assert labels == ["all 4", "improved 1", "worse 1", "not right 0", "never stopped 2"]


def test_a_row_without_a_score_says_why_and_the_others_their_numbers():
    first, *_, last = compare.answers_table(FOUR, page=1).split("<tr>")[2:]
    assert "0.00 → 1.00" in first
    assert "✓ yes" in first
    assert "! too long" in last
    assert "→" not in last


def test_a_record_that_only_one_side_could_answer_is_shown_with_the_reason():
    shown = compare.answers_table(compare_answers([side(0, None, reason="too long")], [side(0, 1.0)]), page=1)
    assert "! too long" in shown


@pytest.mark.parametrize(("page", "rows"), [(1, range(50)), (2, range(50, 60)), (0, range(50)), (7, range(50, 60))])
def test_answers_come_in_pages_and_a_page_that_is_not_there_is_the_nearest(page, rows):
    many = [side(i) for i in range(60)]
    assert rows_of(compare.answers_table(compare_answers(many, many), page=page)) == list(rows)


def test_a_record_is_paired_with_itself_whatever_the_other_side_lacks():
    found = compare_answers([side(0), side(1), side(2)], [side(2), side(0)])
    assert [(pair.before.record, pair.after.record) for pair in found] == [(0, 0), (2, 2)]


def test_records_without_tasks_have_no_figure():
    assert compare.task_figure(FOUR) == {}


def test_the_figure_has_the_means_of_each_task_the_best_last():
    before = [side(0, 0.0, task="sum"), side(1, 1.0, task="sum"), side(2, 0.0, task="list")]
    after = [side(0, 1.0, task="sum"), side(1, 1.0, task="sum"), side(2, 0.0, task="list")]
    _, old, new = compare.task_figure(compare_answers(before, after))["data"]
    assert (old["y"], old["x"]) == (["list (1)", "sum (2)"], [0.0, 0.5])
    assert (new["y"], new["x"]) == (["list (1)", "sum (2)"], [0.0, 1.0])


def test_where_no_record_of_any_task_was_answered_the_figure_still_comes():
    none = [side(0, None, task="sum", reason="too long")]
    answers = compare_answers(none, none)
    assert compare.task_figure(answers)["data"][2]["y"] == ["sum (1)"]
    assert compare.counts(answers)[0] == ("all 1", "all")


def test_the_chat_has_a_card_a_model_and_says_how_each_answer_ended():
    said = {
        "a": Completion(0, " Paris ", (), Finish.EOS),
        "b": Completion(0, "Rome", (), Finish.LENGTH),
        "c": Completion(0, "Bonn", (), Finish.STOP),
        "d": None,
    }
    cards = compare.chat("Capital?", said).split('<div class="say">')[1:]
    assert [re.search(r"<h3>(.*)</h3>(\w*)", card).groups() for card in cards] == [
        ("a", "Paris"),
        ("b", "Rome"),
        ("c", "Bonn"),
        ("d", ""),
    ]
    ends = ("✓ stopped by itself", "! cut", "✓ ended", "▶ thinking")
    assert [end in card for end, card in zip(ends, cards, strict=True)] == [True] * 4


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


def test_a_long_answer_is_folded_and_all_of_it_there():
    shown = answers(text="word " * 100)
    assert shown.count("<details>") == 2
    assert "word " * 99 in shown
    assert "<details>" not in answers(text="word")


@pytest.mark.parametrize(("n", "text"), [(1, "has no target and is left out"), (40, "have no target and are left out")])
def test_verbs_agree_with_the_number_of_rows(n, text):
    assert agree(n, "has|have no target and is|are left out") == text


@pytest.mark.parametrize(
    ("rows", "said"), [((), "No row loses"), ((3,), "<b>1</b> row loses"), ((3, 5), "<b>2</b> rows lose")]
)
def test_the_numbers_of_all_rows_have_the_right_plural(rows, said):
    assert said in numbers._row(rows, "loses|lose the end", "Raise max_length.")
