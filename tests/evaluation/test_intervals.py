"""Numbers about many records, against the libraries that define them and against the truth of a simulation."""

import random
from dataclasses import replace

import numpy as np
import pytest
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu import sentence_chrf
from scipy.stats import binomtest

from ift.data.templates import Template, load_template
from ift.evaluation.habits import format_leak, headers_of, repetition, starts_right
from ift.evaluation.intervals import outcome, paired_interval, sign_test
from ift.evaluation.measures import measure_of
from ift.evaluation.metrics import chrf, rouge_l
from ift.evaluation.verdict import Finding, Tone, verdict
from ift.runs.scores import Decoding, JudgeSummary, Outcome, SampledRecords, Summary

WORDS = [
    "the",
    "cat",
    "sat",
    "on",
    "a",
    "mat",
    "and",
    "35",
    "dogs'",
    "3.5",
    "well-known",
    "rats,",
    "didn't",
    "they?",
    "No:",
    "über-Größe!",
    "C++",
    "x_y",
]


def text(rng, *, ascii_only):
    words = [word for word in WORDS if word.isascii() or not ascii_only]
    return " ".join(rng.choice(words) for _ in range(rng.randrange(1, 25)))


def test_rouge_l_and_chrf_are_the_libraries_own_on_200_pairs():
    rng, scorer = random.Random(0), RougeScorer(["rougeL"], use_stemmer=False)
    for _ in range(200):
        answer, expected = text(rng, ascii_only=True), text(rng, ascii_only=True)
        assert rouge_l(answer, expected) == pytest.approx(scorer.score(expected, answer)["rougeL"].fmeasure)
        answer, expected = text(rng, ascii_only=False), text(rng, ascii_only=False)
        assert chrf(answer, expected) == pytest.approx(sentence_chrf(answer, [expected]).score / 100)


def test_the_sign_test_is_scipys():
    for wins, losses in [(0, 0), (1, 0), (3, 3), (9, 1), (5, 12), (60, 40), (0, 414), (700, 800)]:
        n = wins + losses
        exact = binomtest(wins, n, 0.5).pvalue if n else 1.0
        assert sign_test(wins, losses) == sign_test(losses, wins) == pytest.approx(exact, rel=1e-9)


def test_wins_and_losses_go_by_what_is_better():
    before, after = [0.0, 1.0, 0.5, None, 0.1 + 0.2], [1.0, 0.0, 0.75, 1.0, 0.3]
    assert outcome(before, after) == Outcome(2, 1, 1, sign_test(2, 1))
    assert outcome(before, after, lower_is_better=True) == Outcome(1, 1, 2, sign_test(1, 2))


def test_95_percent_of_the_intervals_hold_the_true_mean():
    rng, n, runs = np.random.default_rng(0), 120, 400
    held = 0
    for run in range(runs):
        gains = rng.choice([-1.0, 0.0, 0.25, 1.0], p=[0.1, 0.4, 0.2, 0.3], size=n)  # true mean: 0.25
        low, high = paired_interval([0.0] * n, gains.tolist(), seed=run)
        held += low <= 0.25 <= high
    assert 0.93 <= held / runs <= 0.97


# Habits.


def test_a_header_of_the_template_is_a_leak_unless_the_expected_answer_has_it():
    headers = headers_of(load_template("alpaca"))
    assert "### Instruction:" in headers
    assert "### Response:" in headers
    assert format_leak("Paris.\n\n### Instruction:\nMore", "Paris.", headers) == 1.0
    assert format_leak("Paris.", "Paris.", headers) == 0.0
    assert format_leak("It ends in ### Response: x", "It ends in ### Response: x", headers) == 0.0
    short = headers_of(Template.parse("Q: {{instruction}}\nA:{{output}}"))
    assert [format_leak(answer, "", short) for answer in ("x\nQ: y", "The Q: is", "A: b")] == [1.0, 0.0, 1.0]


@pytest.mark.parametrize(
    ("answer", "expected", "value"),
    [
        ("Paris. And Lyon.", "Paris.", 1.0),
        ("The PARIS", "paris", 1.0),
        ("Paris.Below is", "Paris.", 1.0),
        ("Parish", "Paris", 0.0),
        ("It is Paris", "Paris", 0.0),
        ("5.5", "5", 0.0),
        ("", "x", 0.0),
        ("x", "", 0.0),
    ],
)
def test_an_answer_that_begins_with_the_expected_one_starts_right(answer, expected, value):
    assert starts_right(answer, expected) == value


def test_repetition_is_the_share_of_sequences_that_came_before():
    assert repetition("a b c d e f g h") == 0.0
    assert repetition("a b c d a b c d") == pytest.approx(1 / 5)
    assert repetition("a") == repetition("") == 0.0


# Verdicts.


def summary(*, n=100, exact=(0.2, 0.8), interval=(0.5, 0.7), ended=1.0, loss=(2.0, 1.0), risen=(-1.2, -0.8), **after):
    return Summary(
        n,
        {"exact_match": exact[0], "ended": 0.5, "reference_loss": loss[0]},
        {"exact_match": exact[1], "ended": ended, "reference_loss": loss[1], **after},
        {"exact_match": interval, "reference_loss": risen},
        decoding=Decoding(64),
        sampled=SampledRecords(436, 3),
    )


@pytest.mark.parametrize(
    ("options", "finding", "tone"),
    [
        ({}, Finding.BETTER, Tone.GOOD),
        ({"interval": (-0.1, 0.2)}, Finding.OPEN, Tone.WARN),
        ({"exact": (0.8, 0.2), "interval": (-0.7, -0.5)}, Finding.WORSE, Tone.BAD),
        ({"n": 12}, Finding.TOO_FEW, Tone.WARN),
        ({"exact": (0.99, 1.0), "interval": (0.0, 0.03)}, Finding.CEILING, Tone.WARN),
        ({"loss": (1.0, 2.0), "risen": (0.8, 1.2)}, Finding.LOSS_ROSE, Tone.WARN),
        (
            {"ended": 0.1, "exact": (0.0, 0.0), "interval": (0.0, 0.0), "starts_right": 0.9},
            Finding.NEVER_STOPS,
            Tone.WARN,
        ),
        ({"interval": None}, Finding.NOTHING, Tone.WARN),
    ],
)
def test_a_verdict_is_what_can_be_concluded(options, finding, tone):
    found = verdict(summary(**options))
    assert (found.finding, found.tone) == (finding, tone)


def test_a_verdict_says_it_in_words():
    never = verdict(summary(ended=0.1, exact=(0.0, 0.0), interval=(0.0, 0.0), starts_right=0.9))
    assert never.sentence == (
        "90.0 % of the answers start right, but only 10.0 % stop by themselves: exact match is 0.0 %."
    )
    assert "train_on" in never.cautions[0]
    rose = verdict(summary(loss=(1.0, 2.0), risen=(0.8, 1.2)))
    assert "rose from 1.00 to 2.00 nats" in rose.sentence
    better = verdict(summary(exact=(0.2, 0.99), format_leak=0.5))
    assert "100 held-out records of 436, drawn with seed 3, greedy answers of up to 64 tokens" in better.basis
    text = " ".join(better.cautions)
    assert "+50.0 to +70.0 points" in text
    assert "Hardly a record is left" in text
    assert "50.0 % of the answers hold a header" in text
    judged = replace(summary(), judges={"llama3": JudgeSummary("llama3", "ollama", "", 8, 2, suspected=1)})
    text = " ".join(verdict(judged).cautions)
    assert "llama3 gave no verdict on 2 of 10 answers" in text
    assert "1 answer may beg the judge" in text


def test_a_score_has_its_unit():
    assert measure_of("reference_loss").show(0.4211) == "0.421 nats"
    assert measure_of("judge:llama3").show(71.26) == "71.3"
    assert measure_of("exact_match").show(None) == measure_of("exact_match").show_interval(None) == "none"
    assert measure_of("reference_loss").gain(2.0, 0.5) == 1.5
