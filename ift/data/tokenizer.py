"""GPT-2's byte-pair encoding, from the ranks that ship with the project."""

import re
from collections.abc import Sequence
from functools import cache, lru_cache

import numpy as np
import tiktoken
from tiktoken.load import load_tiktoken_bpe
from tiktoken_ext.openai_public import r50k_pat_str

from ift.paths import ASSETS
from ift.roles import Role
from ift.types import EOS_ID, Encoded, Rendered

RANKS_SHA256 = "306cd27f03c1a714eca7108e03d66b7dc042abe8c258b44c199a7ed9838dd930"
WHITE_SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
r"""What `\s` is for tiktoken, character by character; Python's own `\s` also takes U+001C to U+001F."""
LONG_RUN = 4096
"""Characters of white space in one run that are given to the encoding's split pattern, at most."""
_STEP = 256
_LONG_RUN = re.compile(f"[{WHITE_SPACE}]{{{LONG_RUN},}}")
_LONG_RUN_SAMPLED = re.compile(f"[{WHITE_SPACE}]{{{LONG_RUN // _STEP}}}")
"""What a long run is among every `_STEP`-th character: asked first, as a search through all takes 12 % of encoding."""


@lru_cache(maxsize=1)
def encoding() -> tiktoken.Encoding:
    """The GPT-2 encoding, with the file's hash checked."""
    ranks = load_tiktoken_bpe(str(ASSETS / "tokenizer" / "gpt2.tiktoken"), expected_hash=RANKS_SHA256)
    special = {"<|endoftext|>": EOS_ID}
    return tiktoken.Encoding("gpt2", pat_str=r50k_pat_str, mergeable_ranks=ranks, special_tokens=special)


def encode_text(text: str) -> list[int]:
    """Ids of ordinary text: `<|endoftext|>` in it is seven tokens, never the control token."""
    if len(text) >= LONG_RUN and _LONG_RUN_SAMPLED.search(text[::_STEP]):
        return _encode_with_long_runs(text)
    return encoding().encode_ordinary(text)


def _encode_with_long_runs(text: str) -> list[int]:
    """The same ids, with runs of white space left out of the split pattern, which overflows its stack on a million.

    The pattern makes one piece of a run but for its last character, which goes with the word after it, and never puts
    a word and the white space after it into one piece; so the text can be cut at both ends of that piece.
    """
    ids: list[int] = []
    at = 0
    for run in _LONG_RUN.finditer(text):
        end = run.end() if run.end() == len(text) else run.end() - 1
        ids += encoding().encode_ordinary(text[at : run.start()])
        ids += encoding()._encode_single_piece(text[run.start() : end])
        at = end
    return ids + encoding().encode_ordinary(text[at:])


def decode(ids: list[int] | tuple[int, ...]) -> str:
    """Text of ids; bytes that are no character yet become U+FFFD."""
    return encoding().decode(list(ids), errors="replace")


@lru_cache(maxsize=1)
def token_sizes() -> np.ndarray:
    """(50257,) int64: how many bytes of UTF-8 each id stands for."""
    return np.array([len(encoding().decode_single_token_bytes(i)) for i in range(EOS_ID + 1)])


def utf8_size(text: str) -> int:
    """Bytes of a text as UTF-8: what `token_sizes` of its ids add up to."""
    return len(text) if text.isascii() else len(text.encode())


def encode(rendered: Rendered) -> Encoded:
    """The row of a rendered record: prompt, response and EOS_ID, with the role of every id.

    The prompt is encoded by itself, so what the model is asked at inference is a true prefix of what it was
    trained on. A token that straddles two segments of the prompt takes the role of its last character.
    """
    prompt = encode_text(rendered.prompt)
    response = encode_text(rendered.response)
    ids = np.array([*prompt, *response, EOS_ID], dtype=np.uint16)
    roles = np.full(len(ids), Role.RESPONSE, dtype=np.uint8)
    roles[: len(prompt)] = _prompt_roles(rendered, prompt)
    roles[-1] = Role.EOS
    return Encoded(ids, roles, len(prompt))


def _prompt_roles(rendered: Rendered, ids: list[int]) -> np.ndarray:
    segments = [segment for segment in rendered.segments if segment.role != Role.RESPONSE]
    segment_ends = np.cumsum([utf8_size(segment.text) for segment in segments])
    token_ends = np.cumsum(token_sizes()[ids])
    roles = np.array([segment.role for segment in segments], dtype=np.uint8)
    return roles[np.searchsorted(segment_ends, token_ends)]


def piece(token: int) -> str:
    """A token's text as a label: `·` for a space, `↵` for a line break, `<0xE2>` for bytes of a longer character."""
    text = _text(token)
    if text is None:
        raw = encoding().decode_single_token_bytes(token)
        text = "".join(f"<0x{byte:02X}>" if byte >= 0x80 else chr(byte) for byte in raw)
    return text.translate(_VISIBLE)


@cache  # of at most a vocabulary; a redraw at a key asks for those of the whole batch, twice
def _text(token: int) -> str | None:
    """Whole characters, or None where a token holds a part of one."""
    try:
        return encoding().decode_single_token_bytes(token).decode()
    except UnicodeDecodeError:
        return None


def character_groups(ids: Sequence[int]) -> list[tuple[int, int, str]]:
    """Runs of ids that only together are whole characters, as (first position, how many, their text).

    Bytes that no character begins with, or that a cut leaves unfinished, are in no group.
    """
    groups: list[tuple[int, int, str]] = []
    held, first = b"", 0
    for position, token in enumerate(ids):
        if not held and _text(token) is not None:
            continue
        first = first if held else position
        held += encoding().decode_single_token_bytes(token)
        try:
            text = held.decode()
        except UnicodeDecodeError as error:
            held = held if error.reason == "unexpected end of data" else b""
            continue
        if position > first:
            groups.append((first, position - first + 1, text.translate(_VISIBLE)))
        held = b""
    return groups


_VISIBLE = {i: f"<0x{i:02X}>" for i in (*range(32), *range(127, 160))}  # control characters, shown and harmless
_VISIBLE |= {i: f"<U+{i:04X}>" for i in (0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))}  # direction
_VISIBLE |= {ord(" "): "·", ord("\n"): "↵", ord("\t"): "⇥"}
