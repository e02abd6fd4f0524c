"""Text to ids and back: which id is whose, and that no text ever becomes a control token."""

import hashlib
import inspect
import unicodedata

import pytest
import tiktoken_ext.openai_public

from ift.data import tokenizer
from ift.data.bulk_encoding import encode_all
from ift.data.templates import PRESETS, Template, load_template
from ift.data.tokenizer import (
    LONG_RUN,
    RANKS_SHA256,
    character_groups,
    decode,
    encode,
    encode_text,
    encoding,
    piece,
    token_sizes,
)
from ift.paths import ASSETS
from ift.roles import Role
from ift.types import EOS_ID, Example


def row(source, instruction="", input="", output=""):
    return encode(Template.parse(source).render(Example(instruction, input, output)))


def pieces(row):
    return [(piece(i), Role(role).label) for i, role in zip(row.ids.tolist(), row.roles.tolist(), strict=True)]


LONG_RUNS = [" ", "\n", " \n", "\t", "\u3000 ", "\r\n"]


@pytest.mark.parametrize("space", LONG_RUNS)
@pytest.mark.parametrize(
    ("before", "after"), [("", ""), ("a", "b"), ("it's", "'s"), ("a", ""), ("", "世"), ("\x1c", "5")]
)
def test_a_long_run_of_white_space_encodes_as_it_does_in_tiktoken(space, before, after):
    run = space * (LONG_RUN // len(space) + 3)
    text = f"{before}{run}{after} and {before}{run}{run}{after}"
    assert encode_text(text) == encoding().encode_ordinary(text)


@pytest.mark.parametrize("space", LONG_RUNS)
def test_a_million_characters_of_white_space_are_encoded_whole(space):
    text = f"a{space * 1_000_000}b"
    assert decode(encode_text(text)) == text


def test_the_ranks_are_the_ones_that_tiktoken_itself_expects():
    assert RANKS_SHA256 in inspect.getsource(tiktoken_ext.openai_public.r50k_base)
    assert hashlib.sha256((ASSETS / "tokenizer" / "gpt2.tiktoken").read_bytes()).hexdigest() == RANKS_SHA256


def test_the_ids_are_gpt2s():
    assert encode_text("Hello, I am") == [15496, 11, 314, 716]
    assert encoding().n_vocab == 50257


def test_end_of_text_in_a_text_is_ordinary_tokens():
    assert [piece(i) for i in encode_text("<|endoftext|>")] == ["<", "|", "end", "of", "text", "|", ">"]
    made = row("Q {{instruction}} A {{output}}", "<|endoftext|>", output="<|endoftext|>")
    assert made.ids.tolist().count(EOS_ID) == 1
    assert made.ids[-1] == EOS_ID


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize(("output", "input"), [("Paris", ""), (" Paris\n", "France"), ("", "x"), ("😀\0", "\u202e")])
def test_a_row_is_prompt_and_response_and_one_end_of_text(name, output, input):
    rendered = load_template(name).render(Example("Capital?", input, output))
    made = encode(rendered)
    assert made.ids.tolist() == [*encode_text(rendered.prompt), *encode_text(rendered.response), EOS_ID]
    assert made.prompt_ids == encode_text(rendered.prompt)


def test_every_id_carries_the_role_of_its_text():
    assert pieces(row("Do:\n{{instruction}}\nGo:\n{{output}}!", "hop", output="ok")) == [
        ("Do", "template"),
        (":", "template"),
        ("↵", "template"),
        ("hop", "instruction"),
        ("↵", "header"),
        ("Go", "header"),
        (":", "header"),
        ("↵", "header"),
        ("ok", "response"),
        ("!", "response"),
        ("<|endoftext|>", "eos"),
    ]


def test_a_token_that_straddles_segments_takes_the_role_of_its_last_character():
    assert pieces(row("{{instruction}}{{input}} x{{output}}", "he", "llo"))[:2] == [
        ("hello", "input"),
        ("·x", "header"),
    ]
    assert pieces(row("Q: {{instruction}} {{output}}", "hi"))[2] == ("·hi", "instruction")


def test_roles_are_found_by_bytes_so_long_characters_do_not_shift_them():
    made = row("é{{instruction}}ß{{output}}", "😀", output="ü")
    assert [Role(role).label for role in made.roles] == ["template", *["instruction"] * 2, "header", "response", "eos"]


def test_an_empty_prompt_and_an_empty_output_leave_the_end_of_text_alone():
    made = row("{{instruction}}{{output}}")
    assert (made.ids.tolist(), made.roles.tolist(), made.prompt_length) == ([EOS_ID], [Role.EOS], 0)


def test_decoding_gives_the_text_back():
    text = "Grüße 😀\n\0 <|endoftext|> \u202eabc"
    assert decode(encode_text(text)) == text


def test_half_a_character_decodes_to_a_replacement_not_to_an_error():
    assert decode(encode_text("😀")[:1]) == "\ufffd"


def test_the_size_of_a_token_is_its_utf8_bytes():
    assert [token_sizes()[i] for i in encode_text("é")] == [2]
    assert sum(token_sizes()[i] for i in encode_text("😀")) == 4


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (" hi", ["·hi"]),
        ("\n", ["↵"]),
        ("\t", ["⇥"]),
        ("\0", ["<0x00>"]),
        ("😀", ["<0xF0><0x9F><0x98>", "<0x80>"]),
        ("\u202e", ["<0xE2><0x80>", "<0xAE>"]),
        ("<b>", ["<", "b", ">"]),
    ],
)
def test_pieces_show_what_can_not_be_seen(text, expected):
    assert [piece(i) for i in encode_text(text)] == expected


def test_no_piece_is_empty_or_holds_a_control_character_or_turns_the_direction():
    labels = [piece(i) for i in range(EOS_ID + 1)]
    assert all(labels)
    characters = set("".join(labels))
    assert not [c for c in characters if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp")]
    assert not [c for c in characters if unicodedata.bidirectional(c) in ("RLE", "LRE", "RLO", "LRO", "PDF", "RLI")]


def test_tokens_that_are_one_character_only_together_are_told_as_a_group():
    ids = encode_text("a \U0001f9dc b")
    ((first, size, text),) = character_groups(ids)
    assert decode(ids[first : first + size]) == " \U0001f9dc"
    assert text == "·\U0001f9dc"
    assert size > 1


def test_a_group_that_a_cut_leaves_unfinished_is_none():
    ids = encode_text("\U0001f642")
    assert character_groups(ids[:-1]) == []
    assert character_groups(encode_text("plain text")) == []


def test_bytes_that_no_character_begins_with_do_not_swallow_what_follows():
    stray = encode_text("\U0001f642")[-1]
    smile = encode_text("\U0001f642")
    assert [size for _, size, _ in character_groups([stray, *smile])] == [len(smile)]


@pytest.mark.parametrize("offset", [0, 1, 255, 256, 300])
def test_a_long_run_of_white_space_is_found_wherever_it_begins(monkeypatch, offset):
    found = []
    monkeypatch.setattr(tokenizer, "_encode_with_long_runs", lambda text: found.append(text) or [])
    encode_text("a" * offset + " " * LONG_RUN + "b")
    assert found


def test_a_field_of_a_million_spaces_becomes_the_same_row_in_bulk():
    example = Example("x", "", f"a{' ' * 999_990}b")
    template = load_template("alpaca")
    (fast,), plain = encode_all([example], template), encode(template.render(example))
    assert fast.ids.tolist() == plain.ids.tolist()
    assert decode(fast.ids.tolist()).endswith(f"a{' ' * 999_990}b<|endoftext|>")
