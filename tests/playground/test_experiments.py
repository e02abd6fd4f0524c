"""Tab 5: ordinary runs make a twin by their options; a damaged run is shown and harms no other; the queue is filled."""

import json
import shutil
import threading

import pytest

from ift.errors import ConfigError
from ift.events import Finished, Started, Stepped
from ift.experiments.compare_runs import compare_runs
from ift.experiments.twins import SEED, twin
from ift.runs.folder import Run, create_run
from ift.runs.processes import own_identity
from ift.runs.run_note import RunNote, write_note
from ift.runs.scores import Summary
from ift.types import Side
from playground.context import Context
from playground.experiments import twin_results
from playground.experiments.board import Board
from playground.experiments.queries import experiments
from playground.settings import Mode, Settings
from playground.visitors import Visitor, acting_as
from tests.experiments.test_compare_runs import right, wrong
from tests.helpers import run_config

STEP = {"learning_rate": 1e-3, "grad_norm": 1.0, "tokens": 9, "trained_tokens": 3, "step_time_s": 0.1, "epoch": 1.0}


@pytest.fixture
def context(tmp_path):
    context = Context(Settings(home=tmp_path))
    context.queue.start = lambda: None
    return context


def scored_run(context, name, config, answers):
    template = run_config()
    run = create_run(context.settings.runs / name, type(template)(config, template.template_source, template.data))
    run.training.append(Started(step=0, pid=2**22 + 1, process_time=0.0))
    run.training.append(Stepped(step=1, total_steps=1, loss=1.0, **STEP))
    run.training.append(Finished(step=1))
    run.answer_files.write(Side.AFTER, answers)
    run.write_json("scores.json", Summary(n=len(answers), before={}, after={}, gain_interval_95={}).to_dict())
    return run


@pytest.mark.parametrize(
    ("mode", "seen"), [(Mode.CLASSROOM, ["b", "Ada's"]), (Mode.PUBLIC, []), (Mode.LOCAL, ["b", "Ada's"])]
)
def test_a_classroom_ranks_everybodys_runs_and_tells_no_more_of_others_than_their_names(tmp_path, mode, seen):
    context = Context(Settings(home=tmp_path, mode=Mode(mode)))
    for name, right_share in (("a", 0.5), ("b", 0.9)):
        run = scored_run(context, name, twin("mask").configs(SEED)[0], right(range(10)))
        means = {"before": {"exact_match": 0.0}, "after": {"exact_match": right_share}}
        run.write_json("scores.json", Summary(n=10, **means, gain_interval_95={}).to_dict())
        with acting_as(Visitor(f"key of {name}")):
            context.ownership.claim(run)
    write_note(Run(context.settings.runs / "a"), RunNote(title="Ada's"))
    with acting_as(Visitor("key of b")):
        boards = Board(context.jobs, context.queue).show()["leaderboards"]
    assert [place["title"] for board in boards for place in board["places"]] == seen
    if mode == "classroom":
        assert [(place["place"], place["is_own"], bool(place["about"])) for place in boards[0]["places"]] == [
            (1, True, True),
            (2, False, False),
        ]


def card(board, name):
    return next(card for card in board.show()["cards"] if card["name"] == name)


def test_any_runs_with_a_twins_options_are_its_pair(context):
    board, one = Board(context.jobs, context.queue), twin("mask")
    assert card(board, "mask")["state"] == "new"
    kept, dropped = one.configs(SEED)
    scored_run(context, "a", kept, right(range(30)))
    assert card(board, "mask")["minutes"] == 2  # one of two is there
    scored_run(context, "b", dropped, wrong(range(30)))
    shown = card(board, "mask")
    assert (shown["state"], shown["runs"]) == ("decided", ("a", "b"))
    assert shown["here"][0].startswith("Exact match 100.0 % against 0.0 %, difference -100.0 points [-100.0, -100.0]")


def test_a_look_does_not_wait_for_pairs_that_take_long_to_compare(context, monkeypatch):
    for name, config in zip("ab", twin("mask").configs(SEED), strict=True):
        scored_run(context, name, config, right(range(30)))
    go_on, compared = threading.Event(), threading.Event()

    def slow(runs):
        go_on.wait(20)
        made = compare_runs(runs)
        compared.set()
        return made

    monkeypatch.setattr(twin_results, "compare_runs", slow)
    monkeypatch.setattr(twin_results, "WAIT_S", 0.01)
    board = Board(context.jobs, context.queue)
    assert card(board, "mask")["state"] == "comparing"
    go_on.set()
    assert compared.wait(20)
    monkeypatch.setattr(twin_results, "WAIT_S", 20)
    assert card(board, "mask")["state"] == "undecided"


def test_runs_that_no_record_can_compare_are_no_pair(context):
    for name, config, records in zip("ab", twin("mask").configs(SEED), (range(5), range(5, 9)), strict=True):
        scored_run(context, name, config, right(records))
    assert card(Board(context.jobs, context.queue), "mask")["state"] == "new"


def test_begin_queues_what_is_missing_and_nothing_twice(context):
    board, one = Board(context.jobs, context.queue), twin("mask")
    scored_run(context, "a", one.configs(SEED)[0], right(range(30)))
    board.begin("mask")
    board.begin("mask")
    (ticket,) = context.queue.tickets()
    assert (ticket.options, ticket.evaluate) == (one.configs(SEED)[1], True)
    assert card(board, "mask")["state"] == "waiting"
    board.begin("end-of-text")  # shares the run that is there
    assert [ticket.belongs_to["side"] for ticket in context.queue.tickets()] == [
        "loss on all tokens",
        "masked like padding",
    ]


def test_a_pair_is_under_way_where_it_was_begun_and_not_where_it_shares_a_run(context):
    board, one = Board(context.jobs, context.queue), twin("mask")
    board.begin("mask")
    assert [card(board, name)["state"] for name in ("mask", "end-of-text")] == ["waiting", "new"]
    first, _ = context.queue.tickets()
    shutil.rmtree(context.settings.runs / first.run)
    run = scored_run(context, first.run, one.configs(SEED)[0], right(range(30)))
    (run.path / "scores.json").unlink()
    pid, time = own_identity()
    run.evaluation.append(Started(step=0, pid=pid, process_time=time))
    shown = card(board, "mask")
    assert (shown["state"], shown["is_answering"], shown["run_number"]) == ("running", True, 1)
    run.evaluation.append(Finished(step=1))
    run.write_json("scores.json", Summary(n=30, before={}, after={}, gain_interval_95={}).to_dict())
    assert (card(board, "mask")["run_number"], card(board, "end-of-text")["state"]) == (2, "new")


def test_once_a_pair_is_whole_begin_adds_a_seed(context):
    board, one = Board(context.jobs, context.queue), twin("mask")
    for name, config in zip("ab", one.configs(SEED), strict=True):
        scored_run(context, name, config, right(range(30)))
    board.begin("mask")
    assert [ticket.options.seed for ticket in context.queue.tickets()] == [SEED + 1, SEED + 1]


def test_an_unknown_twin_is_refused(context):
    with pytest.raises(ConfigError, match="no such experiment"):
        Board(context.jobs, context.queue).begin("x")


def test_a_damaged_run_is_shown_as_damaged_and_harms_no_other(context):
    board = Board(context.jobs, context.queue)
    for name, config in zip("ab", twin("mask").configs(SEED), strict=True):
        scored_run(context, name, config, right(range(30)))
    files = {"config": "config.json", "log": "events.jsonl", "scores": "scores.json"}
    for name, file in files.items():
        broken = scored_run(context, name, twin("mask").configs(SEED + 1)[0], right(range(30)))
        (broken.path / file).write_bytes(b"\xff{\n")
    shown = {run["id"]: run["state"] for run in board.show()["runs"]}
    assert shown == {"a": "finished", "b": "finished", **dict.fromkeys(files, "damaged")}
    assert card(board, "mask")["runs"] == ("a", "b")


def test_five_hundred_runs_are_listed_again_without_reading_them(context, monkeypatch):
    first = scored_run(context, "run-000", twin("mask").configs(SEED)[0], right(range(3)))
    for number in range(1, 500):
        folder = context.settings.runs / f"run-{number:03d}"
        folder.mkdir()
        for name in ("config.json", "events.jsonl", "scores.json"):
            (folder / name).hardlink_to(first.path / name)
    board = Board(context.jobs, context.queue)
    assert len(board.show()["runs"]) == 500
    reads = []
    monkeypatch.setattr("playground.experiments.run_index.RunIndex._read", lambda self, run: reads.append(run))
    assert len(board.show()["runs"]) == 500
    assert reads == []


def test_a_comparison_begins_with_the_records_on_which_runs_differ(context):
    scored_run(context, "a", twin("mask").configs(SEED)[0], right(range(30)))
    scored_run(context, "b", twin("mask").configs(SEED)[1], [*right(range(20)), *wrong(range(20, 30))])
    made = Board(context.jobs, context.queue).compare(["a", "b"])
    assert [answer["record"] for answer in made["answers"][:11]] == [*range(20, 30), 0]
    assert (made["answered"], made["verdicts"][0]["verdict"]) == (30, "decided")
    assert made["verdicts"][0]["sentence"].startswith("Exact match is 33.3 points lower for b")
    about_stops = Board(context.jobs, context.queue).compare(["a", "b"], of_twin="end-of-text")["verdicts"][0]
    assert about_stops["sentence"].startswith("Stopped by itself is 33.3 points lower for “masked like padding”")
    json.dumps(made, allow_nan=False)


@pytest.mark.parametrize(
    "query", [None, 3, {}, {"runs": 3}, {"runs": ["x", {}]}, {"twin": [], "pairs": "x"}, {"run": {}}]
)
def test_whatever_a_browser_asks_has_an_answer(context, query):
    for ask in experiments(context):
        json.dumps(ask(query))
    assert context.queue.tickets() == []
