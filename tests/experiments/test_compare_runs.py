"""Two to six runs side by side: what differs, the scores of the same records, and an honest verdict."""

import json

import pytest

from ift.cli import main
from ift.errors import ConfigError, RunError
from ift.evaluation.metrics import score
from ift.events import Evaluated, Prepared, Stepped
from ift.experiments.compare_runs import Verdict, compare_runs, verdict_sentence
from ift.runs.folder import create_run
from ift.runs.scores import AnsweredRecord
from ift.types import Example, Finish, Side
from tests.helpers import run_config


def answer(number, text, *, finish=Finish.EOS):
    example = Example(f"After {number}?", "", str(number + 1))
    return AnsweredRecord(
        number, example.instruction, "", example.output, text, finish, score(text, example), task="count"
    )


def make_run(path, answers=(), *, losses=((0, 2.0), (20, 1.0)), roles=("response",), **options):
    run = create_run(path, run_config(**options))
    run.training.append(Prepared(step=0, device="cpu", threads=1, bf16=False, parameters=1, rows=1))
    for step, loss in losses:
        by_role = {role: loss / 2 for role in roles}
        run.training.append(Evaluated(step=step, total_steps=20, loss=loss, trained_tokens=1, loss_by_role=by_role))
    numbers = {"loss": 1.0, "learning_rate": 1e-3, "grad_norm": 1.0, "step_time_s": 0.1, "epoch": 1.0}
    run.training.append(Stepped(step=20, total_steps=20, tokens=100, trained_tokens=20, **numbers))
    if answers:
        run.answer_files.write(Side.AFTER, answers)
    return run


def right(numbers):
    return [answer(n, str(n + 1)) for n in numbers]


def wrong(numbers):
    return [answer(n, "no", finish=Finish.LENGTH) for n in numbers]


def test_only_what_differs_is_a_difference(tmp_path):
    made = compare_runs([make_run(tmp_path / "a"), make_run(tmp_path / "b", train_on="all", learning_rate=1e-3)])
    assert {one.name: one.values for one in made.differences} == {
        "train_on": ("response", "all"),
        "learning_rate": ("3e-4", "0.001"),
        "counted in the loss": (
            "response, end of text",
            "template, instruction, input, header, response, end of text",
        ),
    }
    assert made.same["seed"] == "123"
    assert made.same["share of tokens trained"] == "20.0%"
    assert made.missing == ("a", "b")


def test_curves_are_of_the_same_tokens_where_all_runs_measured_them(tmp_path):
    one, two = make_run(tmp_path / "a"), make_run(tmp_path / "b", roles=("header", "response"))
    assert [(curve.role, curve.points) for curve in compare_runs([one, two]).curves] == [
        ("response", ((0, 1.0), (20, 0.5)))
    ] * 2
    other = make_run(tmp_path / "c", roles=("header",))
    assert {curve.role for curve in compare_runs([one, other]).curves} == {""}
    assert compare_runs([one, other]).curves[1].points == ((0, 2.0), (20, 1.0))


def test_a_clear_difference_is_decided_and_none_is_not(tmp_path):
    first = make_run(tmp_path / "a", right(range(40)))
    worse = make_run(tmp_path / "b", [*right(range(20)), *wrong(range(20, 40))])
    same = make_run(tmp_path / "c", right(range(40)))
    made = compare_runs([first, worse, same])
    exact = made.headline(1)
    assert (exact.score, exact.n, exact.difference, exact.better, exact.worse) == ("exact_match", 40, -0.5, 0, 20)
    assert exact.verdict is Verdict.DECIDED
    assert made.headline(2).interval == (0, 0)
    assert made.headline(2).verdict is Verdict.UNDECIDED
    assert {score.score: score.difference for score in made.scores[0]}["ended"] == -0.5
    assert [answer.record for answer in made.answers if answer.is_split] == list(range(20, 40))
    sentence = verdict_sentence(exact, first="a", other="b", title="Exact match")
    assert sentence.startswith("Exact match is 50.0 points lower for b, 95 % interval [-")


def test_few_records_decide_nothing(tmp_path):
    made = compare_runs([make_run(tmp_path / "a", right(range(19))), make_run(tmp_path / "b", wrong(range(19)))])
    assert made.headline().difference == -1
    assert made.headline().verdict is Verdict.UNDECIDED


def test_records_are_paired_by_what_they_are_and_not_by_their_place(tmp_path):
    made = compare_runs([make_run(tmp_path / "a", right(range(30))), make_run(tmp_path / "b", wrong(range(29, 9, -1)))])
    assert [answer.record for answer in made.answers] == list(range(10, 30))
    assert all(answer.answers == (answer.output, "no") for answer in made.answers)


def test_runs_that_share_no_record_have_no_score(tmp_path):
    made = compare_runs([make_run(tmp_path / "a", right(range(5))), make_run(tmp_path / "b", right(range(5, 9)))])
    assert (made.scores, made.answers, made.headline()) == ((), (), None)


def test_one_run_and_the_same_run_twice_are_refused(tmp_path):
    run = make_run(tmp_path / "a")
    for runs in ([run], [run, run]):
        with pytest.raises(ConfigError, match="can't be compared"):
            compare_runs(runs)


def test_a_damaged_file_is_named(tmp_path):
    run = make_run(tmp_path / "a", right(range(3)))
    (run.path / "after.jsonl").write_text("{\n", encoding="utf-8")
    with pytest.raises(RunError) as caught:
        compare_runs([run, make_run(tmp_path / "b")])
    assert caught.value.where == "after.jsonl, line 1"


def test_the_command_prints_a_verdict_or_json(tmp_path, capsys):
    folders = [str(make_run(tmp_path / name, made(range(30))).path) for name, made in (("a", right), ("b", wrong))]
    assert main(["compare", *folders]) == 0
    assert "Verdict: decided. Exact match is 100.0 points lower for b" in capsys.readouterr().out
    assert main(["compare", *folders, "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["scores"][0][0]["verdict"] == "decided"
    assert main(["compare", folders[0]]) == 2
