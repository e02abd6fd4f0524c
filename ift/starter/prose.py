"""Texts of everyday life, word lists and numbers: the language that the facts are told in."""

import random
from string import ascii_letters, digits, punctuation

from ift.starter.patterns import cast, expand, expand_block
from ift.starter.tables import read_blocks, read_lexicon, read_table, read_words
from ift.starter.tasks import tale
from ift.starter.wording import capitalized

SIGNS = (
    *punctuation,
    *(a + b for a in ".,;:?!)" for b in ")'\"]"),
    *("=" * n for n in (2, 4, 8)),
    *("-" * n for n in (2, 4, 8)),
    *("_" * n for n in (2, 3, 4)),
    "//",
    "://",
    "**",
    "++",
    "...",
    "....",
    "<=",
    ">=",
    "!=",
    "->",
    "</",
    "/>",
    "):",
    "['",
    "']",
    '":',
    "();",
)


def story(rng: random.Random) -> str:
    """A story, with a title at times."""
    text = expand_block(rng.choice(read_blocks("plots")), rng)
    if rng.random() < 0.12:
        title = rng.choice(read_table("titles"))["title"]
        return f"{expand(title, cast(rng), rng)}\n\n{text}"
    return text


def tales(rng: random.Random) -> str:
    """Very short stories about animals."""
    animals = read_table("animals")
    return "\n\n".join(tale(rng.choice(animals)["animal"], rng) for _ in range(rng.randint(1, 3)))


def everyday(rng: random.Random) -> str:
    """A paragraph about a theme, or a letter, a recipe, a notice."""
    if rng.random() < 0.35:
        return expand_block(rng.choice(read_blocks("notes")), rng)
    _, *lines = rng.choice(read_blocks("themes"))
    return expand_block(rng.sample(lines, min(len(lines), rng.randint(3, 6))), rng)


def sentences(rng: random.Random) -> str:
    """A scene from the widest vocabulary; its lines stay in order, some are left out."""
    block = rng.choice(read_blocks("sentences"))
    kept = sorted(rng.sample(range(len(block)), min(len(block), rng.randint(3, 6))))
    return expand_block([block[i] for i in kept], rng)


def index(rng: random.Random) -> str:
    """A page of words, as at the end of a book: each word in every shape that GPT-2's ids tell apart."""
    words, size = read_lexicon(), rng.randint(12, 36)
    start = rng.randrange(len(words) - size)
    some = words[start : start + size] if rng.random() < 0.5 else rng.sample(words, size)
    if rng.random() < 0.55:
        some = [capitalized(word) for word in some]
    return rng.choice(("\n", "\n", ", ")).join(some)


def numbers(rng: random.Random) -> str:
    """Numbers in use: pages, years, prices, crowds."""
    thing, place = rng.choice(read_words()["thing"]), rng.choice(read_words()["place"])
    few, many, year = rng.randint(0, 99), rng.randint(100, 999), rng.randint(1800, 2030)
    lines = (
        f"{rng.randint(0, 999)}, {few}, {many}",
        f"The {place} was built in {year}.",
        f"In {year}, there were {many} people in the {place}.",
        f"The {thing} costs {few} dollars and {rng.randint(1, 99)} cents.",
        f"Open the book on page {many}.",
        f"{few} of the {many} visitors came in the morning.",
        f"The road is {many} kilometers long.",
        f"Room {many} is on floor {rng.randint(1, 40)}.",
        f"{rng.choice(read_words()['name'])} was born on {rng.choice(read_words()['month'])} "
        f"{rng.randint(1, 28)}, {year}.",
        f"The train leaves at {rng.randint(1, 23)}:{rng.randint(10, 59)}.",
        f"About {few}% of the {thing}s were sold.",
        f"The signs in the line are {' '.join(rng.choices(SIGNS, k=6))}",
        f"The letters on the {thing} are {', '.join(rng.choices(ascii_letters, k=5))}.",
        f"{''.join(rng.choices(ascii_letters + digits, k=4))}{rng.choice(SIGNS)} ({thing}{rng.choice(SIGNS)}",
        f"{rng.randint(1000, 99999)} {rng.randint(1900, 2030)} {rng.randint(1, 99)},000",
    )
    return rng.choice((" ", "\n")).join(rng.sample(lines, rng.randint(3, 6)))
