"""What the page shows: values in, HTML and payloads out, and nothing from outside is ever markup."""

import re
import shlex
from html import unescape

import pytest

from ift.config import TrainConfig
from ift.data import Dataset
from ift.errors import ConfigError
from ift.events import (
    Answered,
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
from ift.report import inspect
from ift.runs import State
from ift.templates import Template
from ift.tokenizer import encode_text
from ift.types import Completion, Example
from playground.views import compare, data, estimate, html, run

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
    clean = inspect(Dataset("x", (Example("a", "b", "c"),), "0"), TEMPLATE)
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
    return compare.answers_table(compare.frame([side(**changes)], [side(**changes)]), page=1)


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
    "a model's words in the chat": lambda: compare.chat("x", {"a": Completion(0, EVIL, (), "eos")}),
    "what is missing": lambda: compare.empty(EVIL),
    "a busy run on tab 4": lambda: compare.buttons_note(has_run=True, saved=True, has_test=True, busy_id=EVIL),
    "a busy run on tab 3": lambda: run.buttons_note("a", EVIL),
    "a run to go on with": lambda: run.buttons_note(EVIL, None, can_resume=True),
    "a run to discard": lambda: run.discard_question(EVIL),
    "a model to train": lambda: ready(TrainConfig(model=EVIL)),
    "data to train on": lambda: ready(TrainConfig(data=EVIL)),
    "a template to train with": lambda: ready(TrainConfig(), template=EVIL),
}


def ready(config, *, template="alpaca", rows=32):
    return run.ready(config, template=template, records=40, rows=rows, tokens_per_row=50.0)


@pytest.mark.parametrize("view", SHOWN.values(), ids=SHOWN)
def test_what_comes_from_outside_is_shown_as_text_and_never_as_markup(view):
    shown = view()
    assert "<script" not in shown
    assert "<img" not in shown
    assert HARMLESS in unescape(shown)
    assert '"1"' not in shown  # would end an attribute
    shown.encode()  # half a character would end the visitor's event stream


def test_a_tasks_name_is_escaped_for_plotly_too():
    labels = compare.task_figure(compare.frame([side(task=EVIL)], [side(task=EVIL)]))["data"][1]["y"]
    assert [unescape(label) for label in labels] == [f"{HARMLESS} (1)"]
    assert "<" not in labels[0]


def test_a_problem_says_only_the_parts_it_has():
    assert "<dt>" not in html.error(ConfigError("x"))
    assert "<dt>Fix</dt><dd>y</dd>" in html.error(ConfigError("x", fix="y"))


# The data.


def made(*examples, **options):
    dataset = Dataset("x", examples, "0")
    return dataset, inspect(dataset, TEMPLATE, **options)


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
    assert [mark in first for mark in (">train<", "! is cut", "! empty output", "! asked in training")] == [
        True,
        True,
        False,
        False,
    ]
    assert [mark in second for mark in (">test<", "! empty output", "! repeats a question", "! asked in training")] == [
        True
    ] * 4


def test_the_overview_counts_the_things_that_deserve_a_look():
    assert "Nothing stands in the way" in data.overview(*THREE, max_length=None)
    one = made(Example("a", "", " x"), Example("b", "", ""))
    assert "One thing deserves a look" in data.overview(*one, max_length=None)
    two = made(Example("a", "", " x"), Example("a", "", ""))
    assert "2 things deserve a look" in data.overview(*two, max_length=None)


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


# The run.


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
    sample = Sampled(step=0, record=3, instruction="q", input="", output="o", model_response="m", finish="eos")
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
    [("a", None, "Stop can be used while"), ("a", "a", "until this run has ended"), ("a", "b", "b is going on")],
)
def test_the_page_says_why_start_or_stop_can_not_be_used(run_id, busy_id, said):
    assert said in run.buttons_note(run_id, busy_id)


def test_the_page_says_where_a_run_can_be_gone_on_with_from():
    assert "Resume goes on with a from its last checkpoint" in run.buttons_note("a", None, can_resume=True)


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


# What a run needs.


def needs(**changes):
    """A fitting estimate, as the command line tells it."""
    probe = {"steps": 20, "step_s": 2.0, "evaluations": 3, "evaluation_s": 1.0, "has_stepped": True, "device": "cpu"}
    said = {"needed_bytes": 4e9, "available_bytes": 8e9, "fits": True, "time_s": 50, "nearest": [], "is_measured": True}
    parts = {"loaded_bytes": 1e9, "batch_bytes": 2e9, "moment_bytes": 1e9}
    return text_of(estimate.estimate({**said, **parts, "probe": probe, **changes}))


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
    assert "! fits, tight" in needs(needed_bytes=7e9)


def test_what_does_not_fit_comes_with_what_does():
    way = {"options": {"r": 8}, "needed_bytes": 3e9, "note": "thin"}
    said = needs(needed_bytes=9e9, fits=False, is_measured=False, nearest=[way])
    assert "✗ does not fit" in said
    assert "r 8: 3.0 GB, thin" in said
    assert "(scaled from a smaller one)" in said
    assert "choose a smaller model" in needs(needed_bytes=9e9, fits=False)


# Before and after.

METRICS = ("exact_match", "token_f1", "rouge_l", "chrf")


def side(record=0, value=1.0, *, task=None, instruction="q", input="", output="o", text="m", finish="eos", reason=""):
    """A line of before.jsonl or after.jsonl with the same value for each metric."""
    return {
        "record": record,
        "task": task,
        "instruction": instruction,
        "input": input,
        "output": output,
        "model_response": text,
        "finish": finish,
        "scores": [{"by": name, "value": value, "reason": reason} for name in METRICS],
    }


def scores(before, after, interval):
    names = (*METRICS, "ended")
    return {
        "n": 40,
        "max_new_tokens": 16,
        "before": dict.fromkeys(names, before),
        "after": dict.fromkeys(names, after),
        "gain_interval_95": dict.fromkeys(names, interval),
    }


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
    group = {"n": 7, "before": {"exact_match": 0.0}, "after": {"exact_match": 0.5}}
    unscored = {"n": 1, "before": {"exact_match": None}, "after": {"exact_match": None}}
    held_out = {"fact": group, "wording": unscored, "<b>": group}
    shown = compare.verdict({**scores(0.25, 0.5, (0.1, 0.3)), "held_out": held_out})
    assert "7 of them ask for a fact that no training record tells: exact match <b>0.0% → 50.0%</b>." in shown
    assert "ask in words" not in shown
    assert "held-out &lt;b&gt;" in shown


def open_ended(value):
    """A record whose own check was met or not; nothing else can score it."""
    return {**side(value=None, reason="open-ended"), "scores": [*side(value=None)["scores"], {"by": "check"} | value]}


def test_an_open_ended_record_is_right_where_its_own_check_is_met():
    bad, good = ({"value": value, "reason": ""} for value in (0.0, 1.0))
    answers = compare.frame([open_ended(bad), open_ended(bad)], [open_ended(good), open_ended(bad)])
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


BEFORE = [side(0, 0.0), side(1, 0.5), side(2, 0.5), side(3, None, finish="length", reason="too long")]
AFTER = [side(0, 1.0), side(1, 0.25), side(2, 0.5, finish="length"), BEFORE[3]]
FOUR = compare.frame(BEFORE, AFTER)


def chosen(kind):
    return compare.choose(FOUR, kind)["record"].tolist()


def test_the_filters_go_by_token_f1_exact_match_and_the_ending():
    answers = compare.frame([side(0, 0.0), side(1, 0.5), side(2, 0.0)], [side(0, 1.0), side(1, 0.0), side(2, 0.0)])
    assert [compare.choose(answers, kind)["record"].tolist() for kind in ("all", "improved", "worse", "not right")] == [
        [0, 1, 2],
        [0],
        [1],
        [1, 2],
    ]


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
    shown = compare.answers_table(compare.frame([side(0, None, reason="too long")], [side(0, 1.0)]), page=1)
    assert "! too long" in shown


@pytest.mark.parametrize(("page", "rows"), [(1, range(50)), (2, range(50, 60)), (0, range(50)), (7, range(50, 60))])
def test_answers_come_in_pages_and_a_page_that_is_not_there_is_the_nearest(page, rows):
    many = [side(i) for i in range(60)]
    assert rows_of(compare.answers_table(compare.frame(many, many), page=page)) == list(rows)


def test_sides_of_different_length_are_never_paired():
    with pytest.raises(ValueError, match="shorter"):
        compare.frame([side(0), side(1)], [side(0)])


def test_records_without_tasks_have_no_figure():
    assert compare.task_figure(FOUR) == {}


def test_the_figure_has_the_means_of_each_task_the_best_last():
    before = [side(0, 0.0, task="sum"), side(1, 1.0, task="sum"), side(2, 0.0, task="list")]
    after = [side(0, 1.0, task="sum"), side(1, 1.0, task="sum"), side(2, 0.0, task="list")]
    _, old, new = compare.task_figure(compare.frame(before, after))["data"]
    assert (old["y"], old["x"]) == (["list (1)", "sum (2)"], [0.0, 0.5])
    assert (new["y"], new["x"]) == (["list (1)", "sum (2)"], [0.0, 1.0])


def test_where_no_record_of_any_task_was_answered_the_figure_still_comes():
    none = [side(0, None, task="sum", reason="too long")]
    answers = compare.frame(none, none)
    assert compare.task_figure(answers)["data"][2]["y"] == ["sum (1)"]
    assert compare.counts(answers)[0] == ("all 1", "all")


def test_the_chat_has_a_card_a_model_and_says_how_each_answer_ended():
    said = {
        "a": Completion(0, " Paris ", (), "eos"),
        "b": Completion(0, "Rome", (), "length"),
        "c": Completion(0, "Bonn", (), "stop"),
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
    events = [Answered(step=0, side="before", done=0, total=9), Answered(step=8, side="after", done=8, total=9)]
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
        ({"has_run": True, "saved": False, "has_test": False, "busy_id": "b"}, "b is going on"),
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
