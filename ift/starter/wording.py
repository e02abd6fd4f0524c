"""Small English: articles, capitals, and a row's columns as a text needs them."""

import random
import re
from collections.abc import Mapping

from ift.starter.tables import read_words

_SOUNDS_LIKE_YOU = ("uni", "one", "use", "euro", "ewe", "uk", "ukulele", "utensil", "urin")
_SILENT_H = ("hour", "honest", "honor", "heir")
_ONCE = re.compile(r'(^|[.!?] "?|\n"?|: ")([a-z])')
_ARTICLE = re.compile(r"\b([Aa]) (?=([A-Za-z]+))")


def has_vowel_sound(word: str) -> bool:
    """Whether `an` goes before it."""
    word = word.lower()
    if word.startswith(_SILENT_H):
        return True
    return word[:1] in "aeiou" and not (word.startswith(_SOUNDS_LIKE_YOU) and not word.startswith("unin"))


def with_article(noun: str) -> str:
    """`a` or `an` and the noun."""
    return f"{'an' if has_vowel_sound(noun) else 'a'} {noun}"


def capitalized(text: str) -> str:
    """The first letter large, the rest as it is."""
    return text[:1].upper() + text[1:]


def mend_articles(text: str) -> str:
    """`a apple` → `an apple`."""
    return _ARTICLE.sub(lambda found: f"{found[1]}n " if has_vowel_sound(found[2]) else found[0], text)


def mend_capitals(text: str) -> str:
    """A large letter at the beginning of each sentence."""
    return _ONCE.sub(lambda found: found[1] + found[2].upper(), text)


class Forms(dict):
    """A row's columns for `str.format_map`: {column}, {Column}, {a column}, {A column}, {det column}, {name}."""

    def __init__(self, row: Mapping[str, str], rng: random.Random) -> None:
        super().__init__(row)
        self.row, self.rng = row, rng

    def __missing__(self, field: str) -> str:
        if field == "name":
            return self.rng.choice(read_words()["name"])
        if field[0].isupper():
            return capitalized(self[field[0].lower() + field[1:]])
        article, _, column = field.partition(" ")
        noun = self.row[column]
        if article == "a":
            return with_article(noun)
        kind = self.row["article"]
        return with_article(noun) if kind == "a" else f"{kind} {noun}".strip()
