"""Runs that answered the same whole test set, greedily, best first."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ift.runs.run_config import RunConfig
from ift.runs.scores import Summary

RANKED_BY = ("exact_match", "token_f1")
"""The first decides; the second only where it is equal."""


@dataclass(frozen=True, slots=True)
class HeldOutSet:
    """Held-out records that are the same for all who have the file: its hash, and how many of its rows are the test."""

    name: str
    sha256: str
    records: int


@dataclass(frozen=True, slots=True)
class Standing:
    """What one run reached on a test set: means by metric, of the fine-tuned model and of the model before."""

    run: str
    held_out_set: HeldOutSet
    after: Mapping[str, float]
    before: Mapping[str, float]

    @property
    def rank(self) -> tuple[float, ...]:
        """More is better."""
        return tuple(self.after.get(name, 0.0) for name in RANKED_BY)


def standing(run: str, config: RunConfig, scores: Summary | None) -> Standing | None:
    """That of the run of this name, or None where it has none.

    It has none where it is not scored, or was asked a sample only, with drawn answers, or with another template.
    """
    if scores is None or scores.template or scores.sampled or (scores.decoding and scores.decoding.temperature):
        return None
    after, before = (
        {name: value for name in RANKED_BY if (value := means.get(name)) is not None}
        for means in (scores.after, scores.before)
    )
    if RANKED_BY[0] not in after:
        return None
    return Standing(run, HeldOutSet(config.data.name, config.data.sha256, scores.n), after, before)


def leaderboards(standings: Iterable[Standing]) -> dict[HeldOutSet, list[tuple[int, Standing]]]:
    """By test set, the one with most runs first: places from 1, and equal runs share one.

    >>> one = HeldOutSet("starter", "ab", 10)
    >>> runs = [Standing(n, one, {"exact_match": value}, {}) for n, value in (("a", 0.5), ("b", 0.9), ("c", 0.5))]
    >>> [(place, found.run) for place, found in leaderboards(runs)[one]]
    [(1, 'b'), (2, 'a'), (2, 'c')]
    """
    by_set: dict[HeldOutSet, list[Standing]] = {}
    for found in standings:
        by_set.setdefault(found.held_out_set, []).append(found)
    ranked = {}
    for held_out_set, members in sorted(by_set.items(), key=lambda item: -len(item[1])):
        members.sort(key=lambda one: one.rank, reverse=True)
        ranks = [one.rank for one in members]
        ranked[held_out_set] = [(1 + ranks.index(one.rank), one) for one in members]
    return ranked
