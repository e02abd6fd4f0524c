"""The instruction set: which records there are, drawn by a seed and byte for byte the same each time."""

import json
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import chain, islice

from ift.starter.clauses import REWRITINGS, Rewriting, draw
from ift.starter.facts import Fact, Relation, relations
from ift.starter.patterns import cast, expand_with
from ift.starter.reserved import SEED, Wordings, divide, facts_by_part, verbs_by_part, wordings_of
from ift.starter.tables import read_blocks, read_table
from ift.starter.wording import Forms, with_article

COUNTS = {"train": 54, "validation": 4, "test": 10}
"""Records a task and part; the larger tasks below differ."""
MORE = {
    "list": {"train": 70, "validation": 5, "test": 12},
    "story": {"train": 60, "validation": 4, "test": 10},
    "blank": {"train": 66, "validation": 5, "test": 12},
    "arithmetic": {"train": 66, "validation": 5, "test": 12},
}
QUOTED_SHARE = 0.25
NEAR = 5
"""Members of a list are drawn from so many neighbours."""
_WORDS_IN_QUOTES = {
    *("antonym", "synonym", "category", "define", "plural", "past", "comparative", "superlative"),
    *("adverb", "agent", "noun", "adjective"),
}

LIST_WORDINGS = (
    "Name three {plural}.",
    "List three {plural}.",
    "Give three examples of {plural}.",
    "Tell me three {plural}.",
    "Write down three {plural}.",
    "Can you name three {plural}?",
    "Make a list of three {plural}.",
    "Which three {plural} do you know?",
    "Say the names of three {plural}.",
    "I need the names of three {plural}.",
)
STORY_WORDINGS = (
    "Write a short story about {a}.",
    "Tell me a story about {a}.",
    "Make up a little story about {a}.",
    "Tell a short story about {a}.",
    "Write a little story with {a} in it.",
    "I would like to hear a story about {a}.",
    "Can you tell me a story about {a}?",
    "Please write a story about {a}.",
    "Invent a short story with {a}.",
)
BLANK_WORDINGS = (
    "Fill in the blank.",
    "Complete the sentence with the missing word.",
    "Which word is missing? Write the whole sentence.",
    "Complete the sentence.",
    "Write the sentence with the missing word.",
    "Fill the gap in the sentence.",
    "Find the missing word and write the sentence.",
    "Write the whole sentence without the gap.",
    "Put the missing word into the sentence.",
    "Complete the following sentence.",
)
BLANK = "____"


@dataclass(frozen=True, slots=True)
class Record:
    """A line of the data set. `held_out`: what no training record has, among "fact" and "wording"."""

    instruction: str
    input: str
    output: str
    task: str
    split: str
    held_out: tuple[str, ...] = ()
    check: dict = field(default_factory=dict)
    """Where many answers are right (lists, stories): what a right one names, see `ift.types.Check`."""
    key: str = ""
    value: str = ""
    """What a fact's record is about and what answers it; empty for other tasks, and not in the file."""


def ask(relation: Relation, fact: Fact, wording: str, rng: random.Random) -> tuple[str, str]:
    """Instruction and input that ask for a fact; a word stands in quotes at times, as people write it."""
    row = fact.row
    if relation.name in _WORDS_IN_QUOTES and " | " not in wording and rng.random() < QUOTED_SHARE:
        mark = rng.choice("'\"")
        quoted = {**row, relation.key: f"{mark}{fact.key}{mark}"}
        row = quoted if f"{{{relation.key}}}" in wording else row
    instruction, _, given = wording.format_map(Forms(row, rng)).partition(" | ")
    return instruction, given


def records() -> tuple[Record, ...]:
    """All records of all parts, shuffled within each part: train, then validation, then test."""
    makers: dict[str, Callable[[str, random.Random], Iterator[Record]]] = {
        **{name: _fact_maker(relation) for name, relation in relations().items() if relation.wordings},
        **{rewriting.name: _rewriting_maker(rewriting) for rewriting in REWRITINGS},
        "blank": _blanks,
        "list": _lists,
        "story": _stories,
    }
    leaks = _Leaks()
    made: list[Record] = []
    for part in ("train", "validation", "test"):
        records: list[Record] = []
        for task, maker in makers.items():
            fresh = _fresh(maker(part, random.Random(f"{SEED} {task} {part}")))
            allowed = (record for record in fresh if part == "test" or not leaks.has(record))
            records += islice(allowed, MORE.get(task, COUNTS)[part])
        random.Random(f"{SEED} {part}").shuffle(records)
        made += records
    return tuple(made)


def to_json(made: tuple[Record, ...]) -> str:
    """The data set's file; what is empty is left out, apart from the three fields of every record."""
    always, never = ("instruction", "input", "output"), ("key", "value")
    rows = ({k: v for k, v in asdict(record).items() if k in always or (v and k not in never)} for record in made)
    return "[\n" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n]\n"


class _Leaks:
    """Whether a record would tell a held-out fact: its key and its answer in one text."""

    def __init__(self) -> None:
        held_out = chain.from_iterable(facts_by_part(name)["test"] for name in relations())
        self.pairs = [(_padded(fact.key), _padded(fact.value)) for fact in held_out]

    def has(self, record: Record) -> bool:
        text = _padded(" ".join((record.instruction, record.input, record.output)))
        return any(key in text and value in text for key, value in self.pairs)


def _padded(text: str) -> str:
    return f" {' '.join(re.findall(r'[a-z0-9+-]+', text.lower()))} "


def _fresh(records: Iterator[Record]) -> Iterator[Record]:
    """Each question once; an endless supply of old ones ends it."""
    seen: set[tuple[str, str]] = set()
    old = 0
    for record in records:
        question = (record.instruction, record.input)
        old = old + 1 if question in seen else 0
        if old > 2_000:
            return
        if not old:
            seen.add(question)
            yield record


def _turns(wordings: Wordings, part: str) -> Iterator[tuple[str, bool]]:
    """Wordings in turn, and whether each is held out: half of the test and of the validation."""
    held_out = {"train": (), "validation": wordings.validation, "test": wordings.test}[part]
    while True:
        for i, wording in enumerate(wordings.train):
            yield wording, False
            if held_out:
                yield held_out[i % len(held_out)], True


def _held_out(part: str, is_new_wording: bool) -> tuple[str, ...]:
    return (("fact",) if part != "train" else ()) + (("wording",) if is_new_wording else ())


def _endless(values: tuple, rng: random.Random) -> Iterator:
    """All values in random order, again and again."""
    while True:
        yield from rng.sample(values, len(values))


def _fact_maker(relation: Relation) -> Callable[[str, random.Random], Iterator[Record]]:
    wordings = wordings_of(relation.name, relation.wordings)

    def make(part: str, rng: random.Random) -> Iterator[Record]:
        facts = _endless(facts_by_part(relation.name)[part], rng)
        turns = _turns(wordings, part)
        for fact, (wording, is_new) in zip(facts, turns, strict=False):
            instruction, given = ask(relation, fact, wording, rng)
            output = fact.say(relation.answer, rng)
            held_out = _held_out(part, is_new)
            yield Record(instruction, given, output, relation.name, part, held_out, key=fact.key, value=fact.value)

    return make


def _rewriting_maker(rewriting: Rewriting) -> Callable[[str, random.Random], Iterator[Record]]:
    def make(part: str, rng: random.Random) -> Iterator[Record]:
        among = verbs_by_part()[part]
        for wording, is_new in _turns(wordings_of(rewriting.name, rewriting.wordings), part):
            clause = draw(rng, among=among, transitive=rewriting.is_transitive)
            before, after = clause.say(rewriting.before), clause.say(rewriting.after)
            yield Record(wording, before, after, rewriting.name, part, _held_out(part, is_new))

    return make


def _blanks(part: str, rng: random.Random) -> Iterator[Record]:
    asked = [relation for relation in relations().values() if relation.wordings]
    for wording, is_new in _turns(wordings_of("blank", BLANK_WORDINGS), part):
        relation = rng.choice(asked)
        fact = rng.choice(facts_by_part(relation.name)[part])
        output = fact.say(relation.answer, rng)
        if question := with_blank(output, fact.value):
            held_out = _held_out(part, is_new)
            yield Record(wording, question, output, "blank", part, held_out, key=fact.key, value=fact.value)


def with_blank(sentence: str, value: str) -> str:
    """The sentence with a gap where the value was; empty where it is not there once."""
    start, found, end = sentence.rpartition(value)
    return start + BLANK + end if found and value not in start else ""


def _lists(part: str, rng: random.Random) -> Iterator[Record]:
    rows = divide(read_table("categories"), about="list")[part]
    for wording, is_new in _turns(wordings_of("list", LIST_WORDINGS), part):
        row = rng.choice(rows)
        check = {"any_of": row["members"].split(", "), "at_least": 3}
        yield Record(wording.format_map(row), "", three(row, rng), "list", part, _held_out(part, is_new), check)


def three(row: dict[str, str], rng: random.Random) -> str:
    """Three members of a category in a sentence, near each other and in the table's order: nothing comes twice."""
    members = row["members"].split(", ")
    start = rng.randrange(len(members) - 2)
    size = min(NEAR, len(members) - start)
    first, second, third = (members[start + i] for i in sorted(rng.sample(range(size), 3)))
    return f"Three {row['plural']} are {first}, {second} and {third}."


def _stories(part: str, rng: random.Random) -> Iterator[Record]:
    animals = divide([row["animal"] for row in read_table("animals")], about="story")[part]
    for wording, is_new in _turns(wordings_of("story", STORY_WORDINGS), part):
        animal = rng.choice(animals)
        instruction = wording.format(a=with_article(animal))
        check = {"any_of": [animal], "sentences": 3}
        yield Record(instruction, "", tale(animal, rng), "story", part, _held_out(part, is_new), check)


def tale(animal: str, rng: random.Random) -> str:
    """A very short story about an animal: its name in it, at least three sentences."""
    return expand_with({**cast(rng), "a": animal}, rng.choice(read_blocks("tales")), rng)
