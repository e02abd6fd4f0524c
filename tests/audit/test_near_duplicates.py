"""Nearly the same records are found among many, and records of one pattern are not taken for such."""

import random

from ift.audit.linter import lint
from ift.audit.near_duplicates import RUN, SHARED
from ift.data.sources import load_dataset
from ift.data.templates import load_template
from ift.data.tokenizer import encode_text
from ift.types import Example

ALPACA = load_template("alpaca")
RNG = random.Random(5)
WORDS = [
    f"{a}{b}" for a in ("red", "tall", "old", "new", "small") for b in ("", "er", "est", " tree", " house", " car")
]


def text(words):
    return " ".join(RNG.choices(WORDS, k=words))


def with_one_other_word(example):
    words = example.output.split()
    words[RNG.randrange(len(words))] = "another"
    return Example(example.instruction, example.input, " ".join(words), example.split)


def found(examples):
    *_, report = lint(examples, ALPACA)
    return {one.code: one for one in report.found}


def runs_of(example):
    fields = [encode_text(text) for text in (example.instruction, example.input, example.output)]
    return {tuple(ids[i : i + RUN]) for ids in fields for i in range(max(1, len(ids) - RUN + 1)) if ids}


def shared(one, other):
    runs, others = runs_of(one), runs_of(other)
    return len(runs & others) / len(runs | others)


def test_records_with_one_other_word_are_found():
    originals = [Example(text(8), "", text(60)) for _ in range(300)]
    changed = [with_one_other_word(example) for example in originals]
    near = set(found([*originals, *changed])["conflicting-answers"].positions)
    assert near == set(range(300, 600))  # the same question: another finding, and no second one
    renamed = [Example(f"Now, {one.instruction}", "", one.output) for one in changed]
    expected = {300 + i for i in range(300) if shared(originals[i], renamed[i]) >= SHARED}
    hits = set(found([*originals, *renamed])["near-duplicate"].positions)
    assert len(expected) > 150
    assert hits <= expected  # compared as hashes, and none is taken for another
    assert len(hits) > 0.95 * len(expected)


def test_a_field_of_one_token_counts_as_a_run():
    question = text(12)
    for answer in ("red", "blue"):
        one, other = Example(question, "", "red"), Example(question + "!", "", answer)
        assert ("near-duplicate" in found([one, other])) is (shared(one, other) >= SHARED) is (answer == "red")


def test_a_test_record_that_is_nearly_a_training_record_is_a_leak():
    example = Example(text(8), "", text(80), "train")
    near = with_one_other_word(example)
    records = [example, Example(near.instruction + "!", "", near.output, "test"), Example("a", "", "b", "validation")]
    leak = found(records)["leak"]
    assert (leak.positions, leak.details) == ((1,), ("0 exactly, 1 nearly",))


def test_records_of_one_pattern_are_not_nearly_the_same():
    starter = load_dataset("starter").examples
    assert "near-duplicate" not in found(starter)
    assert "near-duplicate" not in found([Example("", "", "")] * 2 + [Example("a", "", "b"), Example("c", "", "d")])
