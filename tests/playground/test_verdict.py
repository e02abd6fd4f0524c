"""The verdict on tab 4 when part of the records have their own check, or no answer, or a metric that is new."""

from dataclasses import replace

import pytest

from ift.evaluation.measures import MEASURES
from ift.evaluation.metrics import HABITS, METRICS, score, unscored
from ift.evaluation.results import answered_record, summarize
from ift.runs.scores import compare_answers
from ift.types import Check, Completion, Example, Finish, Scored
from playground.views import compare
from tests.helpers import plan_of

OPEN = Example("Name a color.", "", "red", task="color", check=Check(any_of=("red", "blue")))
CLOSED = Example("Which color is grass?", "", "green", task="fact")


def evaluated(examples, before, after):
    """(summary, rows before, rows after) of answers by record; None where a record got no answer."""
    sides = [
        [
            Scored(
                Completion(i, text or "", (), Finish.EOS if text else Finish.LENGTH),
                score(text, example) if text else unscored("too long", example),
            )
            for i, (example, text) in enumerate(zip(examples, texts, strict=True))
        ]
        for texts in (before, after)
    ]
    rows = [[answered_record(row, examples[row.completion.record]) for row in side] for side in sides]
    return summarize(*rows, plan_of(examples)), *rows


def test_where_all_records_have_a_check_the_verdict_is_about_the_checks():
    summary, *_ = evaluated([OPEN] * 3, ["stone"] * 3, ["blue"] * 3)
    shown = compare.verdict(summary)
    assert "raised <b>own check: 0.0% before, 100.0% after</b> (+100.0 points" in shown
    assert "No held-out record could be answered" not in shown
    assert "<b>no value</b><span>Exact match</span><span>every answered record has its own check instead" in shown


def test_a_held_out_group_is_measured_by_what_the_verdict_is_about():
    held_out = Example("Name a color.", "", "red", check=OPEN.check, held_out=("fact",))
    summary, *_ = evaluated([OPEN, held_out], ["stone", "stone"], ["blue", "red"])
    assert "1 of them asks for a fact that no training record has: own check <b>0.0% → 100.0%</b>." in (
        compare.verdict(summary)
    )


def test_where_no_record_with_a_check_could_be_answered_its_tile_says_so():
    summary, before, after = evaluated([CLOSED, OPEN], ["red", None], ["green", None])
    shown = compare.verdict(summary)
    assert "exact match: 0.0% before, 100.0% after" in shown
    assert "<b>no value</b><span>Own check</span><span>none of its records could be answered" in shown
    assert "! too long" in compare.answers_table(compare_answers(before, after), page=1)


@pytest.mark.parametrize("examples", [[OPEN] * 2, [CLOSED] * 2, [CLOSED, OPEN]])
def test_where_no_record_could_be_answered_nothing_fails(examples):
    summary, before, after = evaluated(examples, [None, None], [None, None])
    assert "No held-out record could be answered" in compare.verdict(summary)
    answers = compare_answers(before, after)
    compare.counts(answers)
    assert "! too long" in compare.answers_table(answers, page=1)
    assert len(compare.task_figure(answers)["data"]) == 3


def test_one_record_is_one_record():
    summary, *_ = evaluated([CLOSED], ["green"], ["green"])
    assert "1 held-out record, greedy" in compare.verdict(summary)


def test_every_score_has_a_title_a_meaning_and_what_it_can_not_see():
    for name in (*METRICS, *HABITS, "check", "ended", "reference_loss"):
        measure = MEASURES[name]
        assert all((measure.title, measure.meaning, measure.blind))


def test_a_metric_without_a_title_gets_a_tile_under_its_own_name():
    summary, *_ = evaluated([CLOSED], ["red"], ["green"])
    summary = replace(
        summary,
        before={**summary.before, "word_overlap": 0.25},
        after={**summary.after, "word_overlap": 0.25},
        gain_interval_95={**summary.gain_interval_95, "word_overlap": (0.1, 0.3)},
    )
    assert "<b>25.0% → 25.0%</b><span>Word overlap</span><span>gain [+10.0, +30.0]</span>" in compare.verdict(summary)
