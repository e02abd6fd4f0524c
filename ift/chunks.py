"""Counting tokens without encoding whole rows: text falls into chunks whose tokens never depend on their neighbours.

GPT-2's split pattern never puts a character that is no white space and the white space after it into one piece, and
looks no further ahead than that. So a text may be cut before any white space that follows a word, and the pieces
encode to just what the whole would. A chunk is white space and the word after it; few are different, even in large
data, so their sizes are kept.
"""

import re
from functools import lru_cache

from ift.tokenizer import encode, encode_text
from ift.types import Rendered, Role, Segment

WHITE_SPACE = "\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
r"""What `\s` is for tiktoken, as a character class; Python's own `\s` also takes U+001C to U+001F."""
LONGEST_KEPT = 64
"""Characters; a longer chunk hardly comes again."""

_CHUNK = re.compile(f"[{WHITE_SPACE}]*[^{WHITE_SPACE}]+|[{WHITE_SPACE}]+")
_LAST_CHUNK_REVERSED = re.compile(f"[^{WHITE_SPACE}]*[{WHITE_SPACE}]*")
_STARTS_WITH_SPACE = re.compile(f"[{WHITE_SPACE}]")


def chunks(text: str) -> list[str]:
    """The text in pieces that can be encoded one by one.

    >>> chunks("Don't stop.\\n\\nGo on ")
    ["Don't", ' stop.', '\\n\\nGo', ' on', ' ']
    """
    return _CHUNK.findall(text)


def first_chunk(text: str) -> str:
    """The first of `chunks`, or nothing."""
    found = _CHUNK.match(text)
    return found[0] if found else ""


def last_chunk(text: str) -> str:
    """The last of `chunks`, or nothing; looks at the text's end only."""
    return _LAST_CHUNK_REVERSED.match(text[::-1])[0][::-1]


def count_tokens(text: str) -> int:
    """How many tokens `encode_text` makes of a text."""
    return sum(map(_size, chunks(text)))


def count_roles(rendered: Rendered) -> list[int]:
    """(7,) tokens of each role, by role number: those of `encode`, without the ids."""
    counts = [0] * len(Role)
    counts[Role.RESPONSE] = count_tokens(rendered.response)
    counts[Role.EOS] = 1
    open_chunk: list[Segment] = []  # a chunk that may go on in the next segment
    for segment in rendered.segments:
        if segment.role == Role.RESPONSE:
            break
        pieces = chunks(segment.text)
        if open_chunk and _goes_on(open_chunk[-1].text, segment.text):
            open_chunk.append(Segment(pieces.pop(0), segment.role))
            if not pieces:
                continue
        _close(open_chunk, counts)
        open_chunk = [Segment(pieces.pop(), segment.role)]
        counts[segment.role] += sum(map(_size, pieces))
    _close(open_chunk, counts)
    return counts


def _goes_on(before: str, after: str) -> bool:
    ends_in_space = _STARTS_WITH_SPACE.match(before[-1])
    return bool(ends_in_space or not _STARTS_WITH_SPACE.match(after))


def _close(chunk: list[Segment], counts: list[int]) -> None:
    if len(chunk) == 1:
        counts[chunk[0].role] += _size(chunk[0].text)
    elif chunk:
        for role in _roles(tuple((piece.text, piece.role) for piece in chunk)):
            counts[role] += 1


@lru_cache(maxsize=2**18)
def _kept_size(chunk: str) -> int:
    return len(encode_text(chunk))


def _size(chunk: str) -> int:
    return _kept_size(chunk) if len(chunk) <= LONGEST_KEPT else len(encode_text(chunk))


@lru_cache(maxsize=2**16)
def _roles(pieces: tuple[tuple[str, Role], ...]) -> tuple[int, ...]:
    """The role of each token of a chunk that lies in several segments."""
    return tuple(encode(Rendered(tuple(Segment(*piece) for piece in pieces))).roles[:-1].tolist())
