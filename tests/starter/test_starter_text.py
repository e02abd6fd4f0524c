"""The pretraining text: it tells everything, answers nothing, and is the same each time."""

import random
from itertools import islice, pairwise

import numpy as np
import pytest

from ift.data.templates import load_template
from ift.data.tokenizer import decode
from ift.starter import corpus
from ift.starter.exercises import questions, sections
from ift.starter.facts import relations
from ift.starter.knowledge import entries, statement
from ift.starter.patterns import cast, expand, expand_with
from ift.starter.prose import index
from ift.starter.reserved import wordings_of
from ift.starter.tables import read_blocks
from ift.starter.tasks import records
from ift.types import EOS_ID

TEXT = "\n\n".join(islice(corpus.documents(0), 4_000))


def no_progress(done, total):
    pass


def test_the_same_seed_gives_the_same_text_and_another_another():
    first = [list(islice(corpus.documents(seed), 20)) for seed in (0, 0, 1)]
    assert first[0] == first[1] != first[2]


def test_tokens_are_documents_with_an_end_of_text_before_each():
    ids = corpus.tokens(500, seed=3, progress=no_progress)
    assert ids.shape == (500,)
    assert ids[0] == EOS_ID
    documents = "".join(islice(corpus.documents(3), 40))
    assert documents.startswith(decode(ids[ids != EOS_ID].tolist()))


def test_progress_ends_at_all_of_it():
    told = []
    corpus.tokens(300, seed=0, progress=lambda *counts: told.append(counts))
    assert told[-1] == (300, 300)


def test_only_what_is_seen_often_enough_is_learned():
    often, seldom = corpus.LEAST_SEEN, corpus.LEAST_SEEN - 1
    assert corpus.learned_ids(np.array([7] * often + [9] * seldom, dtype=np.uint16)) == (7,)


@pytest.mark.parametrize("maker", corpus.KINDS, ids=lambda maker: maker.__name__)
def test_every_kind_of_document_is_text_without_an_open_slot(maker):
    rng = random.Random(1)
    for _ in range(100):
        text = maker(rng)
        assert text.strip()
        assert "{n}" not in text
        assert "<place>" not in text


@pytest.mark.parametrize("name", ["plots", "tales", "themes", "notes", "sentences"])
def test_every_line_of_every_block_can_be_written(name):
    rng = random.Random(0)
    for block in read_blocks(name):
        expand_with(cast(rng), block, rng)


def test_a_pattern_keeps_its_heroes_and_gets_articles_and_capitals():
    people = {**cast(random.Random(0)), "n": "Ada", "he": "she"}
    text = expand("[{n}|{n}] ate a apple. {he} left.", people, random.Random(0))
    assert text == "Ada ate an apple. She left."


def test_a_fact_is_told_key_first_where_it_must_be():
    relation = relations()["capital"]
    rng = random.Random(0)
    for fact in relation.facts:
        text = statement(relation, fact, rng, forward=True)
        assert text.index(fact.key) < text.rindex(fact.value)


@pytest.mark.parametrize("name", [name for name, relation in relations().items() if relation.wordings])
def test_held_out_wordings_never_occur(name):
    wordings, rng = wordings_of(name, relations()[name].wordings), random.Random(0)
    for wording in (*wordings.test, *wordings.validation):
        for fact in rng.sample(relations()[name].facts, 20):
            assert fact.say(wording, rng).partition(" | ")[0] not in TEXT


def test_the_prompts_opening_never_occurs():
    assert load_template("alpaca").source.splitlines()[0] not in TEXT


def test_questions_are_not_followed_by_their_answers():
    asked = {record.instruction: record for record in records() if record.value and not record.input}
    rng = random.Random(2)
    lines = "\n".join(maker(rng) for _ in range(4_000) for maker in (questions, sections))
    found = 0
    for question, record in asked.items():
        start = lines.find(question)
        if start >= 0:
            found += 1
            answer = lines[start + len(question) : start + len(question) + 120]
            assert not (record.key in answer and record.value in answer), question
    assert found > 50


def test_entries_do_not_say_the_same_twice_in_a_row():
    rng = random.Random(0)
    for _ in range(300):
        sentences = entries(rng).replace("\n", " ").split(". ")
        assert all(a != b for a, b in pairwise(sentences))


def test_an_index_shows_words_in_small_and_large_letters():
    rng = random.Random(0)
    pages = [index(rng) for _ in range(50)]
    assert any(page.split("\n")[0].islower() for page in pages)
    assert any(page[0].isupper() for page in pages)
