"""The pattern grammar of the texts: alternatives, word slots, and heroes that stay the same through a text."""

import random
import re
from collections.abc import Sequence

from ift.starter.tables import read_words
from ift.starter.wording import mend_articles, mend_capitals

OPTIONAL_SHARE = 0.5
_ALTERNATIVES = re.compile(r"\[([^\[\]]*)\]")
_SLOT = re.compile(r"<(\w+)>")


def cast(rng: random.Random) -> dict[str, str]:
    """Who and what a text is about: the values of {n}, {m}, {he}, {th}, {p} and so on."""
    words = read_words()
    hero, friend = rng.sample(words["name"], 2)
    place, other_place = rng.sample(words["place"], 2)
    return {
        "n": hero,
        "m": friend,
        **_pronouns(hero, ""),
        **_pronouns(friend, "m"),
        "p": place,
        "q": other_place,
        "th": rng.choice(words["thing"]),
        "a": rng.choice(words["animal"]),
        "j": rng.choice(words["job"]),
        "f": rng.choice(words["food"]),
        "g": rng.choice(words["girl"]),
        "bo": rng.choice(words["boy"]),
    }


def _pronouns(name: str, prefix: str) -> dict[str, str]:
    he, him, his = ("she", "her", "her") if name in read_words()["girl"] else ("he", "him", "his")
    own = {f"{prefix}he": he, f"{prefix}him": him, f"{prefix}his": his}
    return own if prefix else {**own, "He": he.capitalize(), "His": his.capitalize()}


def expand(pattern: str, people: dict[str, str], rng: random.Random) -> str:
    """One text of a pattern, with correct articles and capitals."""
    while "[" in pattern:
        pattern = _ALTERNATIVES.sub(lambda found: rng.choice(found[1].split("|")), pattern)
    text = _SLOT.sub(lambda found: rng.choice(read_words()[found[1]]), pattern).format_map(people)
    return mend_capitals(mend_articles(text))


def expand_block(lines: Sequence[str], rng: random.Random) -> str:
    """A paragraph of a block, with a cast of its own."""
    return expand_with(cast(rng), lines, rng)


def expand_with(people: dict[str, str], lines: Sequence[str], rng: random.Random) -> str:
    """A paragraph of a block; lines with `?` stay away at times."""
    kept = (line for line in lines if not (line.startswith("?") and rng.random() < OPTIONAL_SHARE))
    return mend_capitals(" ".join(expand(line.removeprefix("?").strip(), people, rng) for line in kept))
