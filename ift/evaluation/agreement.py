"""How far a score agrees with a person's ratings of the same answers. No torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ift.evaluation.intervals import BOOTSTRAP_DRAWS
from ift.runs.ratings import Rating, rated_values
from ift.runs.scores import AnsweredRecord
from ift.types import Side

FEWEST = 5
"""Ratings below which no correlation is computed."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of `n` answers that have both a rating and a score.

    correlation: Spearman's, of ranks, from -1 to 1; None with fewer than five answers, or where all ratings or all
    scores are the same. interval: 95 % of it, by bootstrap over the answers. difference: the mean of score minus
    rating, in points; None where n is 0.
    """

    n: int
    correlation: float | None
    interval: tuple[float, float] | None
    difference: float | None


def agreement(
    ratings: Sequence[Rating], sides: Mapping[Side, Sequence[AnsweredRecord]], score: str, *, scale: float = 1.0
) -> Agreement:
    """Between ratings and a score of both sides' answers, such as `judge:llama3`; `scale`: 100 for a share."""
    pairs: list[tuple[float, float]] = []
    for side, rows in sides.items():
        rated = rated_values(ratings, side, rows)
        values = {row.record: row.value(score) for row in rows if row.record in rated}
        pairs += [(rated[record], scale * value) for record, value in values.items() if value is not None]
    if not pairs:
        return Agreement(0, None, None, None)
    given, found = (np.array(column, dtype=float) for column in zip(*pairs, strict=True))
    rho = spearman(given, found) if len(pairs) >= FEWEST else None
    interval = _interval(given, found) if rho is not None else None
    return Agreement(len(pairs), rho, interval, float((found - given).mean()))


def spearman(one: np.ndarray, other: np.ndarray) -> float | None:
    """Pearson's correlation of the ranks, equal values sharing the mean of theirs; None where one side has no order."""
    a, b = _ranks(one), _ranks(other)
    a, b = a - a.mean(), b - b.mean()
    spread = float(np.sqrt((a @ a) * (b @ b)))
    return max(-1.0, min(1.0, float(a @ b) / spread)) if spread > 0 else None


def _ranks(values: np.ndarray) -> np.ndarray:
    """(n,) → (n,) float64, from 1."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = counts.cumsum()
    ranks: np.ndarray = (last - (counts - 1) / 2)[inverse]
    return ranks


def _interval(one: np.ndarray, other: np.ndarray) -> tuple[float, float] | None:
    """Percentiles over draws of the answers; those in which one side has no order say nothing and are left out."""
    draws = np.random.default_rng(0).integers(len(one), size=(BOOTSTRAP_DRAWS, len(one)))
    found = [rho for rho in (spearman(one[draw], other[draw]) for draw in draws) if rho is not None]
    if len(found) < BOOTSTRAP_DRAWS // 2:
        return None
    low, high = np.percentile(found, [2.5, 97.5])
    return float(low), float(high)
