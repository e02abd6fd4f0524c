"""A run is a folder: made once, written by one process, read by anybody."""

import json
import os
import subprocess
import sys
import time

import pytest

from ift.errors import RunError
from ift.events import Failed, Finished, Sampled, Saved, Started, Stopped, Warned, to_json
from ift.runs.folder import START_LIMIT_S, Run, create_run, is_run, list_runs, open_run
from ift.runs.lines import append_line
from ift.runs.log import EventLog
from ift.runs.processes import creation_time, is_alive, own_identity
from ift.runs.scores import AnsweredRecord, GroupSummary, Summary
from ift.runs.state import State
from ift.types import Finish, Score, Side
from tests.helpers import run_config


@pytest.fixture
def run(tmp_path):
    return create_run(tmp_path / "run", run_config())


@pytest.fixture
def child():
    """A process that does nothing, killed at the end if it still lives."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    yield process
    process.kill()
    process.wait()


def started(pid, process_time):
    return Started(step=0, pid=pid, process_time=process_time)


def started_by(child):
    return started(child.pid, creation_time(child.pid))


# The folder.


def test_a_new_run_holds_what_decides_it(tmp_path):
    config = run_config(data="größe.json", max_steps=3)
    create_run(tmp_path / "deep" / "run", config)
    assert open_run(tmp_path / "deep" / "run").config == config


def test_a_model_folder_is_no_run_though_it_has_a_config(tiny_folder):
    with pytest.raises(RunError, match="not a run folder"):
        open_run(tiny_folder)


def test_a_stop_that_came_before_the_folder_was_made_is_kept(tmp_path):
    (tmp_path / "stop").touch()
    assert create_run(tmp_path, run_config()).stop_asked()


@pytest.mark.parametrize("rubbish", [b"rubbish\n", b"\xff\xfe\n", b"{}\n"])
def test_a_damaged_log_has_failed_and_hides_no_other_run(tmp_path, rubbish):
    good = create_run(tmp_path / "good", run_config())
    good.training.append(Finished(step=1))
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "events.jsonl").write_bytes(rubbish)
    assert [run.id for run in list_runs(tmp_path)] == ["good", "bad"]
    assert [run.state() for run in list_runs(tmp_path)] == [State.FINISHED, State.FAILED]
    assert Run(tmp_path / "deep" / "run").id == "run"


def test_a_folder_that_is_not_empty_is_refused_and_left_as_it_was(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(RunError, match="not empty") as caught:
        create_run(tmp_path, run_config())
    assert "--out" in caught.value.fix
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.txt"]


def test_an_empty_folder_will_do_and_so_will_one_with_the_childs_own_log(tmp_path):
    (tmp_path / "run.log").touch()
    assert create_run(tmp_path, run_config(seed=2)).config == run_config(seed=2)


def test_a_file_in_the_folders_place_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="can't be made"):
        create_run(tmp_path / "file", run_config())


@pytest.mark.parametrize("content", [None, "{", ""])
def test_a_folder_without_a_whole_config_is_no_run(tmp_path, content):
    if content is not None:
        (tmp_path / "config.json").write_text(content, encoding="utf-8")
    with pytest.raises(RunError, match="not a run folder"):
        open_run(tmp_path)


def test_runs_are_listed_newest_first_and_other_folders_not_at_all(tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text("{}", encoding="utf-8")
    for age_s, name in ((0, "new"), (100, "old")):
        run = create_run(tmp_path / name, run_config())
        run.training.append(Warned(step=0, message=""))
        stamp = time.time() - age_s
        os.utime(run.path / "config.json", (stamp, stamp))
    assert [run.id for run in list_runs(tmp_path)] == ["new", "old"]
    assert list_runs(tmp_path / "absent") == []
    assert not is_run(tmp_path / "model")


def test_the_last_checkpoint_is_the_newest_whole_one(run):
    for name in ("step-000002", "step-000010", ".step-000011.part"):
        (run.path / "checkpoints" / name).mkdir(parents=True)
    assert run.last_checkpoint().name == "step-000010"


def test_a_run_without_a_checkpoint_says_so(run):
    with pytest.raises(RunError, match="has saved no checkpoint"):
        run.last_checkpoint()


def test_answers_are_read_back_to_the_letter(run):
    texts = ["a\u2028b\u0085c\x0bd", "\r\n"]
    rows = tuple(
        AnsweredRecord(i, "q", "", "o", text, Finish.STOP, (Score("chrf", 0.5),), "list", ("fact",))
        for i, text in enumerate(texts)
    )
    run.answer_files.write(Side.BEFORE, reversed(rows))
    assert run.answers(Side.BEFORE) == rows
    assert run.answers(Side.AFTER) == ()


@pytest.mark.parametrize("line", ["{", "[]", '{"record": 1}'])
def test_a_damaged_answer_is_named_with_its_line(run, line):
    row = AnsweredRecord(0, "q", "", "o", "a", Finish.EOS, ())
    run.answer_files.append(Side.AFTER, row)
    append_line(run.path / "after.jsonl", line)
    with pytest.raises(RunError) as caught:
        run.answers(Side.AFTER)
    assert caught.value.where.startswith("after.jsonl, line 2")
    assert "evaluate" in caught.value.fix


def test_scores_are_none_until_they_are_written(run):
    summary = Summary(3, {"chrf": 0.5}, {"chrf": None}, {"chrf": None}, {"fact": GroupSummary(1, {}, {})}, "step-1", 9)
    assert run.scores is None
    run.write_json("scores.json", summary.to_dict())
    assert run.scores == summary


def test_damaged_scores_name_the_field(run):
    run.write_json("scores.json", {"n": 3, "before": {}, "after": {}, "gain_interval_95": {"chrf": [1]}})
    with pytest.raises(RunError, match=r"gain_interval_95\.chrf has 1 values, not 2"):
        _ = run.scores


def test_a_file_is_written_whole_and_leaves_no_part(run):
    run.write_json("new.json", {"n": 1})
    with pytest.raises(ValueError, match="JSON"):
        run.write_json("new.json", {"n": float("nan")})
    assert json.loads((run.path / "new.json").read_text(encoding="utf-8")) == {"n": 1}
    assert not list(run.path.glob(".*.part"))


def test_stopping_is_asked_for_by_a_file(run):
    assert not run.stop_asked()
    run.ask_to_stop()
    assert run.stop_asked()


# One writer.


def test_a_second_writer_is_refused_until_the_first_is_done(run):
    with run.writing(), pytest.raises(RunError, match="Another process"), Run(run.path).writing():
        pass
    with run.writing():
        pass


def test_another_process_that_writes_keeps_us_out(run):
    code = (
        "import sys, time, pathlib; from ift.runs.folder import Run\n"
        "with Run(pathlib.Path(sys.argv[1])).writing(): print('in', flush=True); time.sleep(60)"
    )
    writer = subprocess.Popen([sys.executable, "-c", code, str(run.path)], stdout=subprocess.PIPE, text=True)
    with writer:
        assert writer.stdout.readline() == "in\n"
        with pytest.raises(RunError, match="Another process"), run.writing():
            pass
        writer.kill()
    with run.writing():  # a killed writer leaves no lock behind
        pass


# The log.


def test_a_log_is_read_from_where_the_reader_left_off(tmp_path):
    log = EventLog(tmp_path / "events.jsonl")
    assert log.read() == ([], 0)
    one, two = Warned(step=0, message="größer"), Saved(step=1, path="x")
    log.append(one)
    events, offset = log.read()
    assert events == [one]
    assert log.read(offset) == ([], offset)
    log.append(two)
    assert log.read(offset)[0] == [two]
    assert log.read()[0] == [one, two]


def test_a_half_written_line_waits_for_its_end(tmp_path):
    log = EventLog(tmp_path / "events.jsonl")
    log.append(Warned(step=0, message="first"))
    line = (to_json(Warned(step=1, message="zweite größe")) + "\n").encode()
    cut = line.index("ö".encode()) + 1  # in the middle of a character
    with log.path.open("ab") as file:
        file.write(line[:cut])
    events, offset = log.read()
    assert [event.message for event in events] == ["first"]
    assert log.read(offset) == ([], offset)
    with log.path.open("ab") as file:
        file.write(line[cut:])
    assert [event.message for event in log.read(offset)[0]] == ["zweite größe"]


def test_a_damaged_log_says_so(tmp_path):
    (tmp_path / "events.jsonl").write_text("{]\n", encoding="utf-8")
    with pytest.raises(RunError, match="Not an event"):
        EventLog(tmp_path / "events.jsonl").read()


# The state.


def test_a_fresh_folder_is_starting_and_failed_when_nothing_comes(run, tmp_path):
    assert Run(tmp_path / "absent").state() is State.ABSENT
    assert run.state() is State.STARTING
    past = time.time() - START_LIMIT_S - 1
    os.utime(run.path, (past, past))
    assert run.state() is State.FAILED


def test_a_run_whose_process_lives_is_running_and_stopped_once_it_is_killed(run, child):
    run.training.append(started_by(child))
    run.training.append(Warned(step=0, message=""))
    assert run.state() is State.RUNNING
    child.kill()
    child.wait()
    assert run.state() is State.STOPPED


def test_a_killed_process_that_nobody_reaped_is_not_alive(run, child):
    run.training.append(started_by(child))
    child.kill()
    deadline = time.monotonic() + 5
    while run.state() is State.RUNNING and time.monotonic() < deadline:
        time.sleep(0.01)
    assert run.state() is State.STOPPED


@pytest.mark.parametrize(
    ("last", "state"),
    [
        (Finished(step=9), State.FINISHED),
        (Failed(step=3, what="x"), State.FAILED),
        (Stopped(step=3, reason="x"), State.STOPPED),
    ],
)
def test_the_last_event_decides_even_while_the_process_still_ends(run, last, state):
    run.training.append(started(*own_identity()))
    run.training.append(last)
    assert run.state() is state
    assert run.state().is_over


def test_the_state_is_known_however_long_the_last_event_is(run):
    run.training.append(started(*own_identity()))
    long = "x" * (3 << 20)
    event = Sampled(step=0, record=0, instruction=long, input="", output="", model_response="", finish=Finish.EOS)
    run.training.append(event)
    assert run.state() is State.RUNNING


def test_a_half_written_last_line_does_not_change_the_state(run):
    run.training.append(started(*own_identity()))
    with run.training.path.open("a", encoding="utf-8") as file:
        file.write('{"event": "fini')
    assert run.state() is State.RUNNING


# Processes.


def test_this_process_is_alive():
    assert is_alive(*own_identity())


def test_a_pid_that_is_used_again_is_another_process():
    pid, created = own_identity()
    assert not is_alive(pid, created - 100)


# A run that is resumed.


def test_a_run_lives_while_the_process_that_wrote_last_does(run, child):
    for event in (
        started(2**22 + 1, 0.0),
        Stopped(step=3, reason="SIGTERM"),
        started_by(child),
        Warned(step=3, message="x"),
    ):
        run.training.append(event)
    assert run.training.last_started() == started_by(child)
    assert run.state() is State.RUNNING
    child.kill()
    child.wait()
    assert run.state() is State.STOPPED


def test_a_text_that_looks_like_a_start_is_none(run):
    first = started(2**22 + 1, 0.0)
    run.training.append(first)
    run.training.append(Warned(step=0, message='{"event": "started"'))
    assert run.training.last_started() == first


def test_a_log_without_a_start_has_none(run):
    assert run.training.last_started() is None
    run.training.append(Warned(step=0, message="x"))
    assert run.training.last_started() is None


@pytest.mark.parametrize("torn", [b"", b'{"event": "sto'])
def test_half_a_line_of_a_killed_process_is_cut_off_before_another_writes(run, torn):
    run.training.mend()
    run.training.append(Warned(step=0, message="x"))
    with run.training.path.open("ab") as file:
        file.write(torn)
    run.training.mend()
    run.training.append(Finished(step=1))
    assert run.training.read()[0] == [Warned(step=0, message="x"), Finished(step=1)]


def test_half_a_line_alone_is_cut_off_too(run):
    run.training.path.write_bytes(b"{")
    run.training.mend()
    assert run.training.path.read_bytes() == b""
