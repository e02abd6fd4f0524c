"""The starter's tables and its instruction set: what each part may hold."""

import json
import random
import re
from collections import Counter

import pytest

from ift.data.records import to_example
from ift.paths import ASSETS
from ift.starter.clauses import REWRITINGS, draw, verbs
from ift.starter.facts import relations
from ift.starter.reserved import divide, facts_by_part, verbs_by_part, wordings_of
from ift.starter.tables import TABLES, read_lexicon, read_table
from ift.starter.tasks import LIST_WORDINGS, records, to_json, with_blank
from ift.starter.wording import Forms, mend_articles, with_article

RECORDS = records()
PARTS = {part: [record for record in RECORDS if record.split == part] for part in ("train", "validation", "test")}
FACT_TASKS = [name for name, relation in relations().items() if relation.wordings]


def words(text):
    return f" {' '.join(re.findall(r'[a-z0-9+-]+', text.lower()))} "


# Tables.


def test_there_are_thousands_of_facts_and_one_answer_a_key():
    assert sum(len(relation.facts) for relation in relations().values()) >= 3_000
    counted = Counter((fact.relation, fact.key) for relation in relations().values() for fact in relation.facts)
    assert [key for key, count in counted.items() if count > 1] == []


@pytest.mark.parametrize("path", sorted(TABLES.glob("*.txt")), ids=lambda path: path.stem)
def test_tables_are_plain_ascii_without_stray_blanks(path):
    text = path.read_text(encoding="utf-8")
    assert text.isascii()
    assert not [line for line in text.splitlines() if line != line.strip()]


@pytest.mark.parametrize("name", relations())
def test_every_sentence_about_every_fact_can_be_said_and_names_its_key_and_value(name):
    relation, rng = relations()[name], random.Random(0)
    for fact in relation.facts:
        said = fact.say(relation.answer, rng)
        assert fact.value.lower() in said.lower()
        assert "{" not in "".join(fact.say(form, rng) for form in (*relation.forms, *relation.back, *relation.wordings))


def test_arithmetic_is_right():
    for fact in relations()["arithmetic"].facts:
        a, sign, b = fact.key.split()
        assert int(fact.value) == (int(a) + int(b) if sign == "+" else int(a) - int(b))


def test_a_row_with_another_number_of_cells_is_told(tmp_path, monkeypatch):
    from ift.errors import DataError
    from ift.starter import tables

    (tmp_path / "odd.txt").write_text("a|b\n1|2\n3\n", encoding="utf-8")
    monkeypatch.setattr(tables, "TABLES", tmp_path)
    with pytest.raises(DataError, match="1 cells, not 2") as caught:
        read_table("odd")
    assert caught.value.where == "odd.txt, line 3"


@pytest.mark.parametrize(
    ("noun", "expected"),
    [("apple", "an apple"), ("pear", "a pear"), ("hour", "an hour"), ("unicorn", "a unicorn"), ("uncle", "an uncle")],
)
def test_articles_go_by_sound(noun, expected):
    assert with_article(noun) == expected
    assert mend_articles(f"This is a {noun}.") == f"This is {expected}."


def test_forms_give_a_column_as_a_text_needs_it():
    forms = Forms({"thing": "apple", "article": "the"}, random.Random(0))
    assert (
        "{thing} {Thing} {a thing} {A thing} {det thing}".format_map(forms) == "apple Apple an apple An apple the apple"
    )


def test_the_lexicon_has_every_word_once():
    assert len(set(read_lexicon())) == len(read_lexicon()) > 10_000
    assert "below" in read_lexicon()


# Clauses.


@pytest.mark.parametrize("rewriting", REWRITINGS, ids=lambda rewriting: rewriting.name)
def test_a_rewriting_changes_every_clause(rewriting):
    rng = random.Random(0)
    for _ in range(200):
        clause = draw(rng, among=verbs(), transitive=rewriting.is_transitive)
        assert clause.say(rewriting.before) != clause.say(rewriting.after)


def test_a_clause_in_every_form():
    rng = random.Random(0)
    verb = next(verb for verb in verbs() if verb.base == "wash")
    clause = draw(rng, among=[verb], transitive=True)
    assert clause.say("past").startswith(clause.subject[0].upper() + clause.subject[1:] + " washed ")
    assert clause.say("passive").endswith(f"washed by {clause.subject}.")


# What is held out.


def test_parts_share_nothing_and_lose_nothing():
    parts = divide(range(100), about="a test")
    assert [len(parts[part]) for part in ("test", "validation", "train")] == [30, 8, 62]
    assert sorted(value for part in parts.values() for value in part) == list(range(100))
    assert divide(range(100), about="a test") == parts


@pytest.mark.parametrize("name", FACT_TASKS)
def test_a_fact_is_in_one_part_with_what_belongs_to_it(name):
    groups = {part: {fact.group for fact in facts} for part, facts in facts_by_part(name).items()}
    assert sum(map(len, groups.values())) == len(set.union(*groups.values()))
    assert min(map(len, groups.values())) > 0


def test_the_opposite_way_round_is_no_new_fact():
    assert len({fact.group for fact in relations()["antonym"].facts if {"hot", "cold"} == {fact.key, fact.value}}) == 1


def test_wordings_are_in_one_part():
    wordings = wordings_of("list", LIST_WORDINGS)
    everything = [*wordings.train, *wordings.validation, *wordings.test]
    assert sorted(everything) == sorted(LIST_WORDINGS)
    assert (len(wordings.validation), len(wordings.test)) == (1, 2)


# The data set.


def test_the_parts_are_as_large_as_promised():
    assert 1_800 <= len(PARTS["train"]) <= 2_500
    assert 100 <= len(PARTS["validation"]) <= 200
    assert 300 <= len(PARTS["test"]) <= 500


def test_at_least_twenty_tasks_have_ten_test_records():
    counts = Counter(record.task for record in PARTS["test"])
    assert len(counts) >= 20
    assert min(counts.values()) >= 10
    assert {record.task for record in PARTS["train"]} == set(counts)


def test_no_question_stands_twice():
    assert max(Counter((record.instruction, record.input) for record in RECORDS).values()) == 1


def test_no_training_record_holds_key_and_answer_of_a_held_out_fact():
    texts = [words(f"{record.instruction} {record.input} {record.output}") for record in PARTS["train"]]
    for name in relations():
        for fact in facts_by_part(name)["test"]:
            key, value = words(fact.key), words(fact.value)
            assert not [text for text in texts if key in text and value in text], (name, fact.key, fact.value)


def test_what_is_held_out_is_recorded():
    assert not [record for record in PARTS["train"] if record.held_out]
    assert all("fact" in record.held_out for record in PARTS["test"])
    for task in {record.task for record in RECORDS}:
        new = [record for record in PARTS["test"] if record.task == task and "wording" in record.held_out]
        assert 4 <= len(new) <= 6, task


@pytest.mark.parametrize("name", FACT_TASKS)
def test_no_training_record_uses_a_held_out_wording(name):
    wordings, facts = (
        wordings_of(name, relations()[name].wordings),
        {fact.key: fact for fact in relations()[name].facts},
    )
    used = {
        (record.instruction.replace("'", "").replace('"', ""), record.input): facts[record.key]
        for record in PARTS["train"]
        if record.task == name
    }
    for wording in (*wordings.test, *wordings.validation):
        for (instruction, given), fact in used.items():
            text = fact.say(wording, random.Random(0)).replace("'", "").replace('"', "")
            assert text != (f"{instruction} | {given}" if given else instruction)


def test_held_out_verbs_are_rewritten_in_the_test_only():
    tasks = {rewriting.name for rewriting in REWRITINGS}
    used = {part: " ".join(r.output for r in records if r.task in tasks) for part, records in PARTS.items()}
    for verb in verbs_by_part()["test"]:
        assert not re.search(rf"\b{verb.ing}\b", used["train"]), verb.base


def test_open_ended_records_pass_their_own_check_and_others_have_none():
    from ift.evaluation.metrics import passes

    for record in RECORDS:
        example = to_example(json.loads(to_json((record,)))[0], where="here")
        assert (example.check is not None) == (record.task in ("list", "story"))
        assert example.check is None or passes(example.output, example.check) == 1.0


def test_a_gap_stands_for_the_value_once():
    assert with_blank("The capital of Peru is Lima.", "Lima") == "The capital of Peru is ____."
    assert with_blank("A car is a car.", "car") == ""
    assert with_blank("Nothing.", "car") == ""


def test_making_the_records_again_gives_the_file_in_the_box_byte_for_byte():
    assert to_json(records()).encode() == (ASSETS / "data" / "starter.json").read_bytes()
