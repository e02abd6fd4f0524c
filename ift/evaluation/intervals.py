"""Means, paired-bootstrap intervals and sign tests over records."""

from collections.abc import Sequence

import numpy as np

from ift.runs.scores import Outcome

BOOTSTRAP_DRAWS = 2_000
SAME = 1e-9
"""Values no further apart are a tie: sums in another order differ by less."""


def mean(values: Sequence[float | None]) -> float | None:
    """Mean of the values that are there; None where none is."""
    present = [value for value in values if value is not None]
    return float(np.mean(present)) if present else None


def paired_interval(
    before: Sequence[float | None], after: Sequence[float | None], *, seed: int = 0
) -> tuple[float, float] | None:
    """95 % percentile-bootstrap interval of mean(after - before) over the records that both sides answered.

    It tells about the choice of records, not about the luck of one training run. Source: Efron & Tibshirani
    1993, chapter 13.
    """
    pairs = [(a, b) for b, a in zip(before, after, strict=True) if a is not None and b is not None]
    if not pairs:
        return None
    gains = np.array([a - b for a, b in pairs])
    draws = np.random.default_rng(seed).integers(len(gains), size=(BOOTSTRAP_DRAWS, len(gains)))
    low, high = np.percentile(gains[draws].mean(axis=1), [2.5, 97.5])
    return float(low), float(high)


def outcome(before: Sequence[float | None], after: Sequence[float | None], *, lower_is_better: bool = False) -> Outcome:
    """On how many of the records that both sides answered a value got better, stayed the same, got worse."""
    pairs = [(b, a) for b, a in zip(before, after, strict=True) if a is not None and b is not None]
    gains = [b - a if lower_is_better else a - b for b, a in pairs]
    wins, losses = (sum(sign * gain > SAME for gain in gains) for sign in (1, -1))
    return Outcome(wins, len(gains) - wins - losses, losses, sign_test(wins, losses))


def sign_test(wins: int, losses: int) -> float:
    """Two-sided p-value of so many wins and losses if each were as likely; ties say nothing.

    Exact, by the binomial distribution. Source: Dixon & Mood 1946; what `scipy.stats.binomtest` computes.
    """
    n, least = wins + losses, min(wins, losses)
    if wins == losses:
        return 1.0
    ways = term = 1  # the binomial coefficients from 0 to `least`, each from the one before
    for k in range(1, least + 1):
        term = term * (n - k + 1) // k
        ways += term
    return 2 * ways / (1 << n)
