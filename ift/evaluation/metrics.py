"""Scores of an answer against the expected one, each in [0, 1], on the whole completion."""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from ift.evaluation.habits import format_leak, repetition, starts_right
from ift.evaluation.words import normalize, rouge_words, words_of
from ift.types import Check, Example, Score

if TYPE_CHECKING:
    from sacrebleu.metrics.chrf import CHRF


def exact_match(answer: str, expected: str) -> float:
    """1.0 where both are the same after `normalize`; where it leaves nothing of one, where they are the same as given.

    >>> exact_match("5.", "5"), exact_match("5", "-5"), exact_match("!", "?")
    (1.0, 0.0, 0.0)
    """
    words, wanted = normalize(answer), normalize(expected)
    return float(words == wanted if words and wanted else answer.strip() == expected.strip())


def token_f1(answer: str, expected: str) -> float:
    """Harmonic mean of precision and recall over normalized words, order ignored.

    Where one of the texts has no word it is their exact match. Source: the SQuAD 2.0 evaluation script, `compute_f1`.
    """
    words, wanted = words_of(normalize(answer)), words_of(normalize(expected))
    if not words or not wanted:
        return exact_match(answer, expected)
    common = sum((Counter(words) & Counter(wanted)).values())
    return 2 * common / (len(words) + len(wanted))


def rouge_l(answer: str, expected: str) -> float:
    """F-measure of the longest common word sequence, as the `rouge-score` package computes it without stemming.

    Over words in any script: see `rouge_words`, which for ASCII is the package's own tokenizer. Written out here, as
    importing the package, which brings nltk and scipy, took longer than scoring a whole evaluation.
    """
    words, wanted = rouge_words(answer), rouge_words(expected)
    common = _common_length(words, wanted)
    if not common:
        return 0.0
    precision, recall = common / len(words), common / len(wanted)
    return 2 * precision * recall / (precision + recall)


def _common_length(first: Sequence[str], second: Sequence[str]) -> int:
    """Of the longest sequence of words that both have in this order, others between them allowed."""
    row = [0] * (len(second) + 1)
    for word in first:
        before, row = row, [0]
        for j, other in enumerate(second, start=1):
            row.append(before[j - 1] + 1 if word == other else max(before[j], row[-1]))
    return row[-1]


def chrf(answer: str, expected: str) -> float:
    """Character n-gram F-score, by the `sacrebleu` package (its chrF2, scaled to [0, 1])."""
    return float(_chrf_scorer().sentence_score(answer, [expected]).score) / 100


@lru_cache(maxsize=1)
def _chrf_scorer() -> "CHRF":
    from sacrebleu.metrics.chrf import CHRF

    return CHRF()


METRICS: Mapping[str, Callable[[str, str], float]] = {
    "exact_match": exact_match,
    "token_f1": token_f1,
    "rouge_l": rouge_l,
    "chrf": chrf,
    "starts_right": starts_right,
}
"""Of an answer and the expected one; their titles and what they can't see: `ift.evaluation.measures`."""
HABITS = ("format_leak", "repetition")
"""Scores that no expected answer is needed for."""


CHECK = "check"
"""The score of an open-ended record: its own check, met or not."""


def passes(answer: str, check: Check) -> float:
    """1.0 where an answer meets its record's check; a longer name is counted before one that is part of it."""
    text = f" {' '.join(re.findall(r'[a-z0-9-]+', answer.lower()))} "
    named = 0
    for name in sorted(check.any_of, key=len, reverse=True):
        word = f" {name.lower()} "
        named += word in text
        text = text.replace(word, "  ")
    sentences = len([part for part in re.split(r"[.!?]+", answer) if part.strip()])
    return float(named >= check.at_least and sentences >= check.sentences)


def score(answer: str, example: Example, headers: Sequence[str] = ()) -> tuple[Score, ...]:
    """One score per metric, the check's where the record has one, and the answer's habits.

    Where many answers are right, likeness to the one in the file says nothing: those metrics stay empty then.

    Args:
        answer: the whole completion.
        example: the record.
        headers: the template's, see `headers_of`.
    """
    if example.check:
        reason = "open-ended: scored by its own check"
        compared = [Score(name, None, reason) for name in METRICS]
        compared.append(Score(CHECK, passes(answer, example.check)))
    else:
        compared = [Score(name, metric(answer, example.output)) for name, metric in METRICS.items()]
    leak, repeats = format_leak(answer, example.output, headers), repetition(answer)
    return (*compared, *(Score(name, value) for name, value in zip(HABITS, (leak, repeats), strict=True)))


def unscored(reason: str, example: Example) -> tuple[Score, ...]:
    """The same scores, empty, for a record that got no answer: the row stays, the mean leaves it out."""
    names = (*METRICS, *([CHECK] if example.check else []), *HABITS)
    return tuple(Score(name, None, reason) for name in names)
