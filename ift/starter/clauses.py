"""Simple sentences about what people do, in every tense and voice: the material of the rewriting tasks."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from ift.starter.tables import read_table, read_words
from ift.starter.wording import capitalized


@dataclass(frozen=True, slots=True)
class Verb:
    """All forms of a verb. `objects` (transitive) or `manner` (intransitive): what may follow; `*` marks a plural."""

    base: str
    third: str
    past: str
    participle: str
    ing: str
    objects: tuple[str, ...]
    manner: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Clause:
    """Who does what; `rest` is an object where the verb is transitive."""

    subject: str
    verb: Verb
    rest: str

    def say(self, form: str) -> str:
        """The sentence in one of `FORMS`."""
        verb, rest = self.verb, self.rest.removesuffix("*")
        is_, was = ("are", "were") if self.rest.endswith("*") else ("is", "was")
        words = {"s": self.subject, "v": verb, "o": rest, "is": is_, "was": was}
        return capitalized(FORMS[form].format_map(words))


FORMS = {
    "present": "{s} {v.third} {o}.",
    "past": "{s} {v.past} {o}.",
    "future": "{s} will {v.base} {o}.",
    "progressive": "{s} is {v.ing} {o}.",
    "negative": "{s} does not {v.base} {o}.",
    "question": "does {s} {v.base} {o}?",
    "past question": "did {s} {v.base} {o}?",
    "mistake": "{s} {v.base} {o}.",
    "passive": "{o} {is} {v.participle} by {s}.",
    "past passive": "{o} {was} {v.participle} by {s}.",
}


@dataclass(frozen=True, slots=True)
class Rewriting:
    """A task on a sentence: from one form to another. `texts`: how a grammar book shows the pair {a}, {b}."""

    name: str
    before: str
    after: str
    texts: tuple[str, ...]
    wordings: tuple[str, ...]

    @property
    def is_transitive(self) -> bool:
        """Only a verb with an object has a passive."""
        return "passive" in self.after


REWRITINGS = (
    Rewriting(
        "past tense",
        "present",
        "past",
        ('In the past tense, "{a}" becomes "{b}"', 'The past tense of the sentence "{a}" is "{b}"'),
        (
            "Rewrite the sentence in the past tense.",
            "Tell this sentence in the past tense.",
            "Give the past tense of the sentence.",
            "Rewrite this in the past tense.",
            "Change the sentence to the past tense.",
            "Put the following sentence into the past tense.",
            "Convert this sentence to the past tense.",
            "Write this sentence in the past tense.",
            "Turn the sentence into the past tense.",
            "Say the same in the past tense.",
        ),
    ),
    Rewriting(
        "future tense",
        "present",
        "future",
        ('In the future tense, "{a}" becomes "{b}"', 'The future form of the sentence "{a}" is "{b}"'),
        (
            "Rewrite the sentence in the future tense.",
            "Tell this sentence in the future tense.",
            "Give the future tense of the sentence.",
            "Rewrite this in the future tense.",
            "Change the sentence to the future tense.",
            "Put the following sentence into the future tense.",
            "Convert this sentence to the future tense.",
            "Write this sentence in the future tense.",
            "Turn the sentence into the future tense.",
            "Say the same in the future tense.",
        ),
    ),
    Rewriting(
        "negative",
        "present",
        "negative",
        ('The negative form of the sentence "{a}" is "{b}"', 'As a negative sentence, "{a}" becomes "{b}"'),
        (
            "Make the sentence negative.",
            "Rewrite this as a negative sentence.",
            "Give the negative form of this sentence.",
            "Change the sentence so that it is negative.",
            "Rewrite the sentence in the negative form.",
            "Change this sentence to the negative form.",
            "Turn the following sentence into a negative sentence.",
            "Write the negative form of the sentence.",
            "Put the sentence into the negative form.",
            "Form the negative of this sentence.",
        ),
    ),
    Rewriting(
        "question",
        "present",
        "question",
        ('As a question, "{a}" becomes "{b}"', 'The sentence "{a}" can be rewritten as the question "{b}"'),
        (
            "Rewrite the sentence as a question.",
            "Rewrite this as a question.",
            "Ask this sentence as a question.",
            "Put the sentence into the form of a question.",
            "Change the sentence to a question.",
            "Turn the following sentence into a question.",
            "Convert this sentence to a question.",
            "Make a question from the sentence.",
            "Write this sentence as a question.",
            "Form a question from this sentence.",
        ),
    ),
    Rewriting(
        "passive",
        "present",
        "passive",
        ('In the passive voice, "{a}" becomes "{b}"', 'The active sentence "{a}" has the passive form "{b}"'),
        (
            "Rewrite the sentence in the passive voice.",
            "Rewrite this in the passive voice.",
            "Give the passive form of the sentence.",
            "Tell this sentence in the passive voice.",
            "Change the sentence to the passive voice.",
            "Turn the active sentence into the passive voice.",
            "Convert this sentence to the passive voice.",
            "Put the following sentence into the passive voice.",
            "Write this sentence in the passive voice.",
            "Say the same in the passive voice.",
        ),
    ),
    Rewriting(
        "progressive",
        "present",
        "progressive",
        ('In the progressive form, "{a}" becomes "{b}"', 'The progressive form of "{a}" is "{b}"'),
        (
            "Rewrite the sentence in the progressive form.",
            "Rewrite this in the progressive form.",
            "Give the progressive form of the sentence.",
            "Tell this sentence in the progressive form.",
            "Change the sentence to the progressive form.",
            "Put the sentence into the progressive form.",
            "Convert this sentence to the progressive form.",
            "Write the following sentence in the progressive form.",
            "Turn this sentence into the progressive form.",
            "Say the same in the progressive form.",
        ),
    ),
    Rewriting(
        "correction",
        "mistake",
        "present",
        ('The sentence "{a}" has a mistake. The correct sentence is "{b}"', "Wrong: {a} Right: {b}"),
        (
            "Fix the grammar mistake in the sentence.",
            "Correct the grammar of this sentence.",
            "Fix the mistake in the sentence.",
            "Rewrite the sentence without the mistake.",
            "Correct the following sentence.",
            "Rewrite the sentence with correct grammar.",
            "Correct the mistake in this sentence.",
            "Find and correct the grammar mistake.",
            "Write this sentence without the mistake.",
            "Mend the grammar of the sentence.",
        ),
    ),
)
"""What an instruction can ask for; the last form of `texts` is a grammar book's."""

OTHER_PAIRS = (
    ("past", "past question", 'As a question, "{a}" becomes "{b}"'),
    ("past", "past passive", 'In the passive voice, "{a}" becomes "{b}"'),
    ("future", "past", 'In the past tense, "{a}" becomes "{b}"'),
)
"""Pairs that only the text has."""


@cache
def verbs() -> tuple[Verb, ...]:
    """Every verb of the table."""
    rows = (dict(row) for row in read_table("verbs"))
    return tuple(
        Verb(**(row | {name: _phrases(row[name]) for name in ("objects", "manner")}))  # type: ignore[arg-type]
        for row in rows  # its columns are the fields
    )


def _phrases(cell: str) -> tuple[str, ...]:
    return tuple(cell.split("; ")) if cell else ()


def draw(rng: random.Random, *, among: Sequence[Verb], transitive: bool = False) -> Clause:
    """A random clause with one of these verbs."""
    verb = rng.choice([verb for verb in among if verb.objects] if transitive else among)
    words = read_words()
    subject = rng.choice(words["name"]) if rng.random() < 0.5 else f"the {rng.choice(words['job'])}"
    return Clause(subject, verb, rng.choice(verb.objects or verb.manner))
