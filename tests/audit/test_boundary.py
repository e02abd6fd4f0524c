"""The boundary of prompt and response, and tokens of chunks: both equal whole-text encoding, always."""

import random

import pytest

from ift.audit.boundary import boundary_change
from ift.data.chunks import chunks, encode_texts, first_chunk, last_chunk
from ift.data.templates import Template
from ift.data.tokenizer import encode, encode_text
from ift.roles import Role
from ift.types import Example, Rendered, Segment

PIECES = [
    *("a", "l", "'", "s", "t", "ve", "r", "ll", " the", "1", "42", "٣", "½", "é", "e\u0301", "中", "ǅ"),
    *(" ", "  ", "\n", "\n\n", "\t", "\r\n", "\x1c", "\x85", "\xa0", "\u3000", "\u200b", "\u180e", "\u2028", "\ufeff"),
    *(".", "!", "###", ":", "<|", "|>", "<script>", "{{output}}", "\0", "\u202e", "😀", "👩‍👩‍👧", "x" * 70),
]
"""Letters and contractions, digits, every kind of white space, marks, and what may be in a hostile record."""
PROMPT_ROLES = (Role.TEMPLATE, Role.INSTRUCTION, Role.INPUT, Role.HEADER)


def random_rows(count):
    rng = random.Random(0)
    for _ in range(count):
        texts = [(role, "".join(rng.choices(PIECES, k=rng.randint(0, 4)))) for role in (*PROMPT_ROLES, Role.RESPONSE)]
        yield Rendered(tuple(Segment(text, role) for role, text in texts if text))


def rendered(prompt, response):
    parts = ((prompt, Role.HEADER), (response, Role.RESPONSE))
    return Rendered(tuple(Segment(text, role) for text, role in parts if text))


def test_the_border_changes_just_where_whole_text_encoding_gives_other_ids():
    found = 0
    for row in random_rows(5000):
        stable = encode_text(row.text) == encode(row).ids[:-1].tolist()
        assert (boundary_change(row) is None) == stable, row
        found += not stable
    assert found > 300  # the cases must have both kinds


def test_chunks_encode_by_themselves_to_what_the_whole_text_does():
    for row in random_rows(5000):
        assert [i for chunk in chunks(row.text) for i in encode_text(chunk)] == encode_text(row.text), row


def test_texts_encoded_in_one_go_are_those_encoded_one_by_one():
    texts = ["", *(row.text for row in random_rows(3000)), " end "]
    ids, starts, counts = encode_texts(texts)
    assert [ids[i : i + n].tolist() for i, n in zip(starts, counts, strict=True)] == list(map(encode_text, texts))
    assert [len(part) for part in encode_texts([])] == [0, 0, 0]


def test_chunks_are_the_whole_text_and_the_border_ones_its_ends():
    for row in random_rows(1000):
        pieces = chunks(row.text)
        assert "".join(pieces) == row.text
        assert [first_chunk(row.text), last_chunk(row.text)] == ([pieces[0], pieces[-1]] if pieces else ["", ""])


@pytest.mark.parametrize(
    ("prompt", "response", "label"),
    [
        ("Q\nA: ", "Paris", "· | Paris → ·Paris"),
        ("Q\nA:\n\n", "Paris", "↵↵ | Paris → ↵ ↵ Paris"),
        ("it'", "s", "' | s → 's"),
        ("don'l", "l", "' l | l → 'll"),
        ("x = 1", "2", "·1 | 2 → ·12"),
        ("hel", "lo there", "hel | lo → hello"),
    ],
)
def test_a_border_that_would_move_says_which_tokens(prompt, response, label):
    change = boundary_change(rendered(prompt, response))
    assert change.label == label


@pytest.mark.parametrize(
    ("prompt", "response"),
    [("Q\nA:\n", "Paris"), ("Q\nA:", " Paris"), ("Q\nA:", "Paris"), ("Q\nA: ", ""), ("", "Paris"), ("😀\n", "😀")],
)
def test_a_border_that_stays_is_no_change(prompt, response):
    assert boundary_change(rendered(prompt, response)) is None


def test_a_template_that_ends_in_a_space_changes_its_rows():
    def change(source):
        return boundary_change(Template.parse(source).render(Example("Capital?", "", "Paris")))

    assert change("{{instruction}}\nA: {{output}}")
    assert not change("{{instruction}}\nA:\n{{output}}")
