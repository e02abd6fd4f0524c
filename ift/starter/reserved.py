"""What the test part keeps for itself: facts, verbs, categories, animals and wordings, drawn by one seed."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

from ift.starter.clauses import Verb, verbs
from ift.starter.facts import Fact, relations

T = TypeVar("T")
SEED = 20261126
"""Fixed before the first training; nothing was chosen by a look at the test part."""
TEST_SHARE, VALIDATION_SHARE = 0.30, 0.08
TEST_WORDINGS, VALIDATION_WORDINGS = 2, 1


@dataclass(frozen=True, slots=True)
class Wordings:
    """The instructions of one task: `train` for every part, the others only for the part of their name."""

    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]


def divide(values: Sequence[T], *, about: str) -> dict[str, tuple[T, ...]]:
    """Values by part, each in one part only; `about` names the draw, so that no draw depends on another."""
    order = list(values)
    random.Random(f"{SEED} {about}").shuffle(order)
    test = round(TEST_SHARE * len(order))
    validation = round((TEST_SHARE + VALIDATION_SHARE) * len(order))
    return {
        "test": tuple(order[:test]),
        "validation": tuple(order[test:validation]),
        "train": tuple(order[validation:]),
    }


@cache
def facts_by_part(relation: str) -> dict[str, tuple[Fact, ...]]:
    """A relation's facts by part; what belongs together (`Fact.group`) stays together."""
    facts = relations()[relation].facts
    groups = divide(sorted({fact.group for fact in facts}), about=relation)
    return {part: tuple(fact for fact in facts if fact.group in set(names)) for part, names in groups.items()}


@cache
def verbs_by_part() -> dict[str, tuple[Verb, ...]]:
    """The verbs of the rewriting tasks by part."""
    return divide(verbs(), about="verbs")


@cache
def wordings_of(task: str, wordings: tuple[str, ...]) -> Wordings:
    """A task's wordings; some are held out for the test, and another for validation."""
    order = list(wordings)
    random.Random(f"{SEED} wordings of {task}").shuffle(order)
    last = TEST_WORDINGS + VALIDATION_WORDINGS
    return Wordings(tuple(order[last:]), tuple(order[TEST_WORDINGS:last]), tuple(order[:TEST_WORDINGS]))
