"""Trainings that wait: one at a time, in order, over restarts; nothing runs twice, and a stop by hand is final.

The children are stand-ins that write a run's events: what the queue does next is read from these alone.
"""

from dataclasses import replace

import pytest

from ift.config import TrainConfig
from ift.errors import ConfigError
from ift.events import Finished, Prepared, Started, Stopped
from ift.runs.folder import Run, create_run
from ift.runs.processes import own_identity
from ift.runs.state import State
from playground.runs.jobs import Jobs
from playground.runs.queue import Queue
from playground.settings import Settings
from tests.helpers import run_config

SOURCE = "{{instruction}}\n{{output}}"
DEAD = 2**22 + 1
"""No process has this id."""


class Stand(Jobs):
    """Jobs whose children only say that they have begun."""

    def __init__(self, settings):
        super().__init__(settings)
        self.begun = []

    def _spawn(self, run, args, log):
        self.begun.append((args[0] if "--resume" not in args else "resume", run.id))
        if args[0] == "train" and "--resume" not in args:
            create_run(run.path, run_config())
        pid, time = own_identity()
        log.append(Started(step=0, pid=pid, process_time=time))

    def start_evaluation(self, run, options):
        self._require_idle()
        self.asked_with = options.template
        self._spawn(run, ["evaluate"], run.evaluation)


def server(home):
    jobs = Stand(Settings(home=home))
    queue = Queue(jobs)
    queue.start = lambda: None  # the test says when
    return jobs, queue


@pytest.fixture
def page(tmp_path):
    return server(tmp_path)


def add(queue, *, evaluate=False, **options):
    return queue.add(TrainConfig(**options), source=SOURCE, evaluate=evaluate).run


def finish(run, log=None):
    (log or run.training).append(Finished(step=1))


def kill(run, log=None):
    """What is left when a process dies without a word."""
    log = log or run.training
    text = log.path.read_text(encoding="utf-8")
    log.path.write_text(text.replace(f'"pid": {own_identity()[0]}', f'"pid": {DEAD}'), encoding="utf-8")
    assert log.state() is State.STOPPED


def run_of(jobs, name):
    return Run(jobs.settings.runs / name)


def test_a_run_that_only_asks_otherwise_takes_the_training_that_is_there(page):
    jobs, queue = page
    config = TrainConfig(seed=5)
    first = queue.add(config, source=SOURCE, evaluate=True).run
    other = queue.add(config, source=SOURCE, evaluate=True, asked_with="phi3").run
    queue.advance()
    run = run_of(jobs, first)
    run.write_json("config.json", replace(run_config(), options=config, template_source=SOURCE).to_dict())
    (run.path / "checkpoints" / "step-000001").mkdir(parents=True)
    (run.path / "checkpoints" / "step-000001" / "weights").write_bytes(b"1")
    for _ in range(2):
        finish(run, run.evaluation if run.evaluation.path.exists() else None)
        queue.advance()
    queue.advance()
    assert jobs.begun == [("train", first), ("evaluate", first), ("evaluate", other)]
    assert jobs.asked_with == "phi3"
    assert run_of(jobs, other).checkpoint(1).joinpath("weights").stat().st_nlink == 2


def test_one_runs_at_a_time_in_the_order_in_which_they_came(page):
    jobs, queue = page
    names = [add(queue, seed=seed) for seed in (1, 2, 3)]
    assert [queue.place(name) for name in names] == [0, 1, 2]
    for _ in range(3):
        queue.advance()
    assert jobs.begun == [("train", names[0])]
    finish(run_of(jobs, names[0]))
    queue.advance()
    assert jobs.begun == [("train", names[0]), ("train", names[1])]
    assert [queue.place(name) for name in names] == [None, 0, 1]


def test_a_ticket_keeps_its_options_template_and_what_it_is_part_of(page):
    config = TrainConfig(seed=7, learning_rate=1e-3)
    page[1].add(config, source=SOURCE, belongs_to={"twin": "seed", "side": "B"})
    (ticket,) = page[1].tickets()
    assert (ticket.options, ticket.source, ticket.belongs_to) == (config, SOURCE, {"twin": "seed", "side": "B"})


def test_the_answers_are_collected_after_the_training(page):
    jobs, queue = page
    name = add(queue, evaluate=True)
    queue.advance()
    finish(run_of(jobs, name))
    queue.advance()
    queue.advance()
    assert jobs.begun == [("train", name), ("evaluate", name)]
    finish(run_of(jobs, name), run_of(jobs, name).evaluation)
    queue.advance()
    assert queue.tickets() == []


def test_a_training_started_by_hand_is_waited_for(page):
    jobs, queue = page
    other = jobs.start_training(TrainConfig(), template=None, source=SOURCE)
    name = add(queue)
    queue.advance()
    assert jobs.begun == [("train", other.id)]
    finish(other)
    queue.advance()
    assert jobs.begun[-1] == ("train", name)


def test_a_restarted_server_goes_on_and_runs_nothing_twice(page, tmp_path):
    jobs, queue = page
    first, second = add(queue, evaluate=True), add(queue)
    queue.advance()
    finish(run_of(jobs, first))
    queue.advance()
    kill(run_of(jobs, first), run_of(jobs, first).evaluation)

    jobs, queue = server(tmp_path)
    queue.advance()
    assert jobs.begun == [("evaluate", first)]
    finish(run_of(jobs, first), run_of(jobs, first).evaluation)

    jobs, queue = server(tmp_path)
    queue.advance()
    assert jobs.begun == [("train", second)]
    finish(run_of(jobs, second))
    jobs, queue = server(tmp_path)
    queue.advance()
    assert (jobs.begun, queue.tickets()) == ([], [])


def test_what_was_killed_is_resumed_or_begun_again_without_a_checkpoint(page, tmp_path):
    jobs, queue = page
    name = add(queue)
    run = run_of(jobs, name)
    queue.advance()
    run.training.append(Prepared(step=0, device="cpu", threads=1, bf16=False, parameters=1, rows=1))
    kill(run)
    jobs, queue = server(tmp_path)
    queue.advance()
    assert jobs.begun == [("train", name)]
    assert [type(event) for event in run.training.read()[0]] == [Started]  # the old log is gone

    kill(run)
    (run.path / "checkpoints" / "step-000010").mkdir(parents=True)
    jobs, queue = server(tmp_path)
    queue.advance()
    assert jobs.begun == [("resume", name)]


@pytest.mark.parametrize(("reason", "goes_on"), [("the server ended", True), ("asked to stop", False)])
def test_a_stop_by_hand_is_final_and_one_by_the_servers_end_is_not(page, reason, goes_on):
    jobs, queue = page
    name = add(queue)
    queue.advance()
    run_of(jobs, name).training.append(Stopped(step=1, reason=reason))
    queue.advance()
    assert (len(jobs.begun), len(queue.tickets())) == ((2, 1) if goes_on else (1, 0))


def test_a_cancelled_ticket_leaves_no_folder_behind(page):
    jobs, queue = page
    first, second = add(queue), add(queue)
    queue.cancel(second)
    queue.cancel("no such run")
    assert [ticket.run for ticket in queue.tickets()] == [first]
    assert not run_of(jobs, second).path.exists()


def test_a_damaged_ticket_and_a_discarded_run_stop_nobody(page):
    jobs, queue = page
    gone, name = add(queue), add(queue)
    jobs.discard(run_of(jobs, gone))
    (jobs.settings.runs / ".queue" / "0-damaged.json").write_text('{"run": 3}', encoding="utf-8")
    queue.advance()
    assert jobs.begun == [("train", name)]


def test_what_cannot_be_done_leaves_the_queue_and_says_why(page):
    jobs, queue = page
    name = add(queue, evaluate=True)
    queue.advance()
    finish(run_of(jobs, name))
    jobs.start_evaluation = Jobs.start_evaluation.__get__(jobs)  # the real one: the run has no checkpoint
    queue.advance()
    assert queue.tickets() == []
    assert "saved no checkpoint" in run_of(jobs, name).log_path.read_text(encoding="utf-8")


def test_the_pages_limits_hold_for_those_who_wait(tmp_path):
    home = Settings(home=tmp_path)
    jobs = Stand(Settings(home=tmp_path, limits=replace(home.limits, waiting=2)))
    queue = Queue(jobs)
    queue.start = lambda: None
    add(queue)
    queue.require_room(1)
    with pytest.raises(ConfigError, match="limit of 2"):
        queue.require_room(2)
    add(queue)
    with pytest.raises(ConfigError, match="trainings that wait"):
        add(queue)
    queue.advance()
    finish(run_of(jobs, queue.tickets()[0].run))
    add(queue)  # what is done has no place in the line, though its ticket is still there
    assert len(queue.tickets()) == 3
