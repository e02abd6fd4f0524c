"""What leaves a run: every format holds what was answered, and none of it acts where it is opened."""

import csv
import io
import json
import re
import shutil
from pathlib import Path

import pytest

from ift.cli import main
from ift.errors import RunError
from ift.evaluation.reports.answer_tables import draw, to_csv, to_json, to_markdown
from ift.evaluation.reports.loss_chart import MOST_POINTS, Curve, chart, thinned
from ift.evaluation.reports.run_report import report
from ift.evaluation.results import summarize
from ift.runs.folder import Run
from ift.runs.scores import AnsweredRecord, JudgeSummary, Outcome, compare_answers
from ift.types import Finish, Score, Side
from tests.helpers import plan_of

OLD_RUN = Path(__file__).parents[1] / "runs" / "old_run"
HOSTILE = '<script>alert(1)</script>\n=HYPERLINK("http://x")|`a` **b** [c](http://x)'


def row(record, answer, *, output="o", scores=(("token_f1", 0.5), ("judge:llama3", None))):
    return AnsweredRecord(
        record, "=1+1", "-2", output, answer, Finish.EOS, tuple(Score(name, value) for name, value in scores)
    )


ROWS = [row(0, HOSTILE), row(1, " @SUM(A1)"), row(2, "x" * 10_000)]
PAIRS = compare_answers(ROWS, ROWS)
SUMMARY = summarize(ROWS, ROWS, plan_of(ROWS))


def test_json_is_what_the_books_scripts_read():
    found = json.loads(to_json(PAIRS))
    assert [one["model_response"] for one in found] == [HOSTILE, "@SUM(A1)", "x" * 10_000]
    assert all(one.keys() >= {"instruction", "input", "output", "model_response"} for one in found)
    assert found[0]["scores"] == {
        "token_f1": {"before": 0.5, "after": 0.5},
        "judge:llama3": {"before": None, "after": None},
    }


def test_no_cell_of_the_csv_is_a_formula_and_numbers_stay_numbers():
    found = list(csv.DictReader(io.StringIO(to_csv(PAIRS), newline="")))
    assert [one["after"] for one in found] == [HOSTILE, "'@SUM(A1)", "x" * 10_000]
    assert (found[0]["instruction"], found[0]["input"], found[0]["token_f1_after"]) == ("'=1+1", "'-2", "0.5")
    assert found[0]["judge:llama3_after"] == ""
    spreadsheet = [cell for one in found for cell in one.values() if cell.lstrip()[:1] in tuple("=+-@")]
    assert spreadsheet == []


def test_markdown_has_one_line_per_record_and_no_markup_of_an_answer():
    lines = to_markdown(PAIRS, SUMMARY).splitlines()
    found = next(line for line in lines if line.startswith("| 0 |"))
    assert len(re.findall(r"(?<!\\)\|", found)) == 7
    assert "<script" not in found
    assert r"\*\*b\*\* \[c\]" in found
    assert "| Token F1 | 50.0 % | 50.0 % | +0.0 to +0.0 points |" in lines


def test_answers_are_drawn_by_seed():
    pairs = compare_answers(*[[row(i, "x") for i in range(50)]] * 2)
    found = [[pair.after.record for pair in draw(pairs, seed=seed)] for seed in (0, 0, 1)]
    assert found[0] == found[1] != found[2]
    assert [len(one) for one in found] == [10, 10, 10]
    assert found[0] == sorted(found[0])
    assert len(draw(pairs[:3], seed=0)) == 3


@pytest.fixture
def scored(tmp_path):
    run = Run(Path(shutil.copytree(OLD_RUN, tmp_path / "run")))
    judge = JudgeSummary("llama3", "ollama", "Rate <b>{{answer}}</b>", 5, 1, 2, Outcome(3, 2, 1, 0.625), 1)
    run.answer_files.write(Side.BEFORE, ROWS)
    run.answer_files.write(Side.AFTER, ROWS)
    run.write_json("scores.json", {**SUMMARY.to_dict(), "judges": {"llama3": judge.to_dict()}})
    return run


def test_the_report_is_one_file_that_asks_nobody_and_runs_nothing(scored):
    found = report(scored)
    assert not re.search(r"(?:src|href|url)\s*[=(]|<(?:script|link|img|iframe)|@import", found)
    assert "default-src 'none'" in found
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in found
    assert "x" * 10_000 in found


def test_the_report_has_verdict_scores_judge_curves_answers_and_options(scored):
    found = report(scored, seed=3)
    for text in (
        "Token F1",
        "5 answers graded, 1 without a grade that can be read.",
        "3 wins, 2 ties, 1 losses, 1 without a verdict",
        "Rate &lt;b&gt;{{answer}}&lt;/b&gt;",
        "<svg",
        "3 of 3 answers, drawn with seed 3",
        "learning_rate",
        "### Instruction:",
    ):
        assert text in found
    assert str(scored.path.parent) not in found


def test_a_run_that_was_not_scored_has_a_report_but_no_tables(tmp_path):
    run = Run(Path(shutil.copytree(OLD_RUN, tmp_path / "run")))
    (run.path / "scores.json").unlink()
    assert "Not scored yet" in report(run)
    assert main(["report", str(run.path), "--out", str(tmp_path / "x.csv")]) == 2


def test_an_old_runs_evidence_can_be_taken_out(tmp_path, capsys):
    for name in ("r.html", "r.json", "r.csv", "r.md"):
        assert main(["report", str(OLD_RUN), "--out", str(tmp_path / name)]) == 0
        assert (tmp_path / name).stat().st_size > 300
    assert main(["report", str(OLD_RUN), "--out", str(tmp_path / "r.pdf")]) == 2
    assert "is no kind of file" in capsys.readouterr().err
    with pytest.raises(RunError):
        report(Run(tmp_path))


def test_a_curve_of_many_steps_keeps_its_mean_and_its_ends():
    points = [(float(i), float(i % 7)) for i in range(10_000)]
    found = thinned(points)
    assert len(found) <= MOST_POINTS
    assert sum(y for _, y in found) / len(found) == pytest.approx(3.0, abs=0.02)
    assert thinned(points[:5]) == points[:5]


def test_a_chart_of_one_point_or_none_is_no_error():
    assert chart([Curve("a", [], "before")], x="step", y="loss") == ""
    assert "<circle" in chart([Curve("a", [(3, 0.5)], "after", marked=True)], x="step", y="loss")
    assert "<circle" in chart([Curve("a", [(0, 0.0), (1, 0.0)], "after", marked=True)], x="step", y="loss")
