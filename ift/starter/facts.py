"""What the starter knows: relations of facts, each with the ways a text states it and an instruction asks for it."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

from ift.starter.tables import read_relations, read_table
from ift.starter.wording import Forms

LARGEST_NUMBER = 10
"""Of a sum: what a model of this size learns by heart."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One key and its one fitting answer. `row`: all columns, for the wordings."""

    relation: str
    key: str
    value: str
    row: dict[str, str]

    def say(self, form: str, rng: random.Random) -> str:
        """A statement or question about it."""
        return form.format_map(Forms(self.row, rng))

    @property
    def group(self) -> str:
        """What must be held out together: hot → cold and cold → hot, 2 + 3 and 3 + 2."""
        if self.relation == "antonym":
            return "/".join(sorted((self.key, self.value)))
        if self.relation == "arithmetic":
            return " ".join(sorted((self.row["a"], self.row["b"]))) + self.row["sign"]
        return self.key


@dataclass(frozen=True, slots=True)
class Relation:
    """Facts of one kind. The fields after `facts` are explained in relations.toml."""

    name: str
    key: str
    """The column whose cells are the keys."""
    facts: tuple[Fact, ...]
    answer: str
    forms: tuple[str, ...]
    back: tuple[str, ...]
    wordings: tuple[str, ...]
    weight: float


def _antonyms() -> Iterator[dict[str, str]]:
    for row in read_table("antonyms"):
        yield row
        yield {"word": row["opposite"], "opposite": row["word"]}


def _members() -> Iterator[dict[str, str]]:
    for row in read_table("categories"):
        for member in row["members"].split(", "):
            yield {"member": member, "category": row["category"], "plural": row["plural"]}
    for row in read_table("animals"):
        if row["class"]:
            plural = {"fish": "fish"}.get(row["class"], row["class"] + "s")
            yield {"member": row["animal"], "category": row["class"], "plural": plural}


def _colors() -> Iterator[dict[str, str]]:
    yield from read_table("colors")
    for row in read_table("animals"):
        yield {"thing": row["animal"], "color": row["color"], "article": "a"}


def _pasts() -> Iterator[dict[str, str]]:
    for table in ("verbs", "verb_forms"):
        for row in read_table(table):
            yield {"verb": row["base"] if "base" in row else row["verb"], "past": row["past"]}


def _sums() -> Iterator[dict[str, str]]:
    for a in range(LARGEST_NUMBER + 1):
        for b in range(LARGEST_NUMBER + 1):
            if a + b <= LARGEST_NUMBER:
                yield _sum(a, b, "+", "plus", "sum", a + b)
            if a >= b:
                yield _sum(a, b, "-", "minus", "difference", a - b)


def _sum(a: int, b: int, sign: str, word: str, noun: str, result: int) -> dict[str, str]:
    problem = f"{a} {sign} {b}"
    numbers = {"a": str(a), "b": str(b), "result": str(result)}
    return {"problem": problem, **numbers, "sign": sign, "word": word, "noun": noun}


_MADE: dict[str, Callable[[], Iterator[dict[str, str]]]] = {
    "antonyms": _antonyms,
    "members": _members,
    "colors": _colors,
    "pasts": _pasts,
    "sums": _sums,
}


@cache
def relations() -> dict[str, Relation]:
    """Every relation by name; rows without a value are left out."""
    found = {}
    for name, raw in read_relations().items():
        source, _, made = raw["table"].partition("made:")
        rows = _MADE[made]() if made else read_table(source)
        facts = tuple(Fact(name, row[raw["key"]], row[raw["value"]], row) for row in rows if row[raw["value"]])
        forms, back, wordings = (tuple(raw.get(part, ())) for part in ("forms", "back", "wordings"))
        found[name] = Relation(name, raw["key"], facts, raw["answer"], forms, back, wordings, raw.get("weight", 1.0))
    return found
