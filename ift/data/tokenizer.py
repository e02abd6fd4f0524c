"""GPT-2's byte-pair encoding, from the ranks that ship with the project."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import tiktoken
from tiktoken.load import load_tiktoken_bpe
from tiktoken_ext.openai_public import r50k_pat_str

from ift.paths import ASSETS
from ift.roles import Role
from ift.types import EOS_ID, Encoded, Rendered

RANKS_SHA256 = "306cd27f03c1a714eca7108e03d66b7dc042abe8c258b44c199a7ed9838dd930"


@lru_cache(maxsize=1)
def encoding() -> tiktoken.Encoding:
    """The GPT-2 encoding, with the file's hash checked."""
    ranks = load_tiktoken_bpe(str(ASSETS / "tokenizer" / "gpt2.tiktoken"), expected_hash=RANKS_SHA256)
    special = {"<|endoftext|>": EOS_ID}
    return tiktoken.Encoding("gpt2", pat_str=r50k_pat_str, mergeable_ranks=ranks, special_tokens=special)


def encode_text(text: str) -> list[int]:
    """Ids of ordinary text: `<|endoftext|>` in it is seven tokens, never the control token."""
    return encoding().encode_ordinary(text)


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
    raw = encoding().decode_single_token_bytes(token)
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return "".join(f"<0x{byte:02X}>" if byte >= 0x80 else chr(byte) for byte in raw).translate(_VISIBLE)
    return text.translate(_VISIBLE)


def character_groups(ids: Sequence[int]) -> list[tuple[int, int, str]]:
    """Runs of ids that only together are whole characters, as (first position, how many, their text).

    Bytes that no character begins with, or that a cut leaves unfinished, are in no group.
    """
    groups: list[tuple[int, int, str]] = []
    held, first = b"", 0
    for position, token in enumerate(ids):
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
