"""Texts that state facts: dictionary entries, statements, lists, and words that come back."""

import random
from functools import cache
from itertools import accumulate

from ift.starter.clauses import draw, verbs
from ift.starter.facts import Fact, Relation, relations
from ift.starter.tables import read_lexicon, read_table, read_words
from ift.starter.tasks import three
from ift.starter.wording import capitalized, with_article

ANSWER_SHARE, BACKWARD_SHARE = 0.45, 0.25


@cache
def _weights() -> tuple[tuple[Relation, ...], tuple[float, ...]]:
    """Relations, and how often each comes up: by its facts, so that all facts are told about equally often."""
    known = tuple(relations().values())
    return known, tuple(accumulate(len(relation.facts) * relation.weight for relation in known))


@cache
def _facts_by_key() -> dict[str, tuple[tuple[Relation, Fact], ...]]:
    found: dict[str, list[tuple[Relation, Fact]]] = {}
    for relation in relations().values():
        for fact in relation.facts:
            found.setdefault(fact.key, []).append((relation, fact))
    return {key: tuple(facts) for key, facts in found.items()}


@cache
def word_keys() -> tuple[str, ...]:
    """Keys that are words; the others are problems and numbers."""
    return tuple(key for key in _facts_by_key() if key[0].isalpha())


def pick_relation(rng: random.Random) -> Relation:
    """A relation by its weight."""
    known, weights = _weights()
    return rng.choices(known, cum_weights=weights)[0]


def statement(relation: Relation, fact: Fact, rng: random.Random, *, forward: bool = False) -> str:
    """A sentence that tells the fact; `forward`: its key comes first, as in an answer."""
    if rng.random() < ANSWER_SHARE:
        return fact.say(relation.answer, rng)
    turned = not forward and relation.back and rng.random() < BACKWARD_SHARE
    return fact.say(rng.choice(relation.back if turned else relation.forms or (relation.answer,)), rng)


def any_fact(rng: random.Random) -> str:
    """A statement about anything."""
    relation = pick_relation(rng)
    return statement(relation, rng.choice(relation.facts), rng)


def facts(rng: random.Random) -> str:
    """Statements of one relation, or of any."""
    relation = pick_relation(rng) if rng.random() < 0.4 else None
    lines = [
        statement(relation, rng.choice(relation.facts), rng) if relation else any_fact(rng)
        for _ in range(rng.randint(3, 8))
    ]
    return rng.choice(("\n", " ", " ")).join(lines)


def _title(key: str, rng: random.Random) -> str:
    name, other = rng.sample(read_words()["name"], 2)
    feeling = rng.choice(read_words()["feel"])
    return rng.choice(
        (
            f"{key}\n",
            f"{key}\n",
            f"{key}\n\n",
            f"### {capitalized(key)}\n",
            f"### {capitalized(key)}\n\n",
            f'"{key}"\n',
            f"'{key}'\n",
            f"{capitalized(key)}:\n",
            f"The word is {key}. ",
            f'{name} looked at the word "{key}". ',
            f"{name} read about {key}. ",
            f"{name} wrote '{key}' on the board. ",
            f"Next word: {key}\n",
            f"The next entry is about {key}. ",
            f"About {key}.\n",
            f"{name} and {other} talked about {key}.\n",
            f"{name} thought about {key} and was {feeling}. ",
            f"The page about {key} is new.\n",
        )
    )


def _key_in_text(relation: Relation, fact: Fact, rng: random.Random) -> str:
    if relation.name == "arithmetic":
        a, b, sign, word, noun = (fact.row[column] for column in ("a", "b", "sign", "word", "noun"))
        return rng.choice((f"{a} {word} {b}", f"{a} {sign} {b}", f"{a} and {b}", f"the {noun} of {a} and {b}"))
    return fact.key


def entries(rng: random.Random) -> str:
    """As in a dictionary: a word, and what there is to say about it, the word first."""
    usual = pick_relation(rng) if rng.random() < 0.5 else None
    out = []
    for _ in range(rng.randint(2, 6)):
        relation = usual or pick_relation(rng)
        fact = rng.choice(relation.facts)
        lines = {statement(relation, fact, rng, forward=True): None}  # a set that keeps its order
        if rng.random() < 0.3:
            lines[statement(*rng.choice(_facts_by_key()[fact.key]), rng, forward=True)] = None
        out.append(_title(_key_in_text(relation, fact, rng), rng) + " ".join(lines))
    return rng.choice(("\n\n", "\n", "\n\n")).join(out)


def echoes(rng: random.Random) -> str:
    """A word comes back: what copying is learned from."""
    out = []
    for _ in range(rng.randint(3, 7)):
        one, two = rng.sample(word_keys() if rng.random() < 0.6 else read_lexicon(), 2)
        if rng.random() < 0.3:
            fact = rng.choice(relations()["antonym"].facts)
            one, two = fact.key, fact.value
        name, other = rng.sample(read_words()["name"], 2)
        out.append(
            rng.choice(
                (
                    f'{name} said "{one}". {other} said "{one}" too.',
                    f"{name} wrote the word {one}. {other} read the word {one}.",
                    f"First came {one} and then {two}. After {one} came {two}.",
                    f"First came {two} and then {one}. The first word was {two} and the second word was {one}.",
                    f"{one}\nThe word is {one}.",
                    f"{one}\n\nThis is about {one}.",
                    f"{one}\n{two}\n\nThe lines say {one} and {two}.",
                    f"{one}\n{name} wrote {one} on the board.",
                    f"{one}\nIt is about {one}, not about {two}.",
                    f"'{one}'\nThat is how {name} spells {one}.",
                    f'"{one}" is a word. {name} likes the word "{one}".',
                    f"The word in the box is '{one}'. {name} took the word {one} out of the box.",
                    f"{name} has the words {one} and {two}. The words of {name} are {one} and {two}.",
                    f"{name} chose {one}, not {two}. So the word of {name} is {one}.",
                    f"{one}, {two}\nThe words {one} and {two} are on the list.",
                    f"{name} has {with_article(one)}. {other} has {with_article(one)} too.",
                )
            )
        )
    if rng.random() < 0.35:
        sentence = draw(rng, among=verbs()).say(rng.choice(("present", "past", "future", "negative")))
        name, other = rng.sample(read_words()["name"], 2)
        out.append(
            rng.choice(
                (
                    f"{sentence}\n{sentence}",
                    f'{name} wrote: "{sentence}" {other} read: "{sentence}"',
                    f"The sentence is:\n{sentence}\nAgain: {sentence}",
                )
            )
        )
    return rng.choice(("\n", " ")).join(out)


def lists(rng: random.Random) -> str:
    """Members of categories, in lists and sentences."""
    out = []
    for _ in range(rng.randint(1, 4)):
        row = rng.choice(read_table("categories"))
        members = row["members"].split(", ")
        start = rng.randrange(len(members) - 2)
        some = members[start : start + rng.randint(3, 7)]
        names = capitalized(row["plural"])
        out.append(
            rng.choice(
                (
                    three(row, rng),
                    three(row, rng),
                    three(row, rng),
                    f"### {names}\n\n" + "\n".join(f"- {member}" for member in some),
                    f"{names}: {', '.join(some[:-1])} and {some[-1]}.",
                    f"{names} such as {some[0]}, {some[1]} and {some[2]} are well known.",
                    f"Some {row['plural']} are {some[0]}, {some[1]} and {some[2]}.",
                )
            )
        )
    return rng.choice(("\n", "\n\n", " ")).join(out)
