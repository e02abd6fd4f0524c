"""Means and paired-bootstrap intervals over records."""

from collections.abc import Sequence

import numpy as np

BOOTSTRAP_DRAWS = 2_000


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
