"""Text falls into chunks whose tokens never depend on their neighbours: each can be encoded, or counted, by itself.

GPT-2's split pattern never puts a character that is no white space and the white space after it into one piece, and
looks no further ahead than that. So a text may be cut before any white space that follows a word, and the pieces
encode to just what the whole would. A chunk is white space and the word after it; few are different, even in large
data, so their sizes are kept.
"""

import re
from functools import lru_cache

from ift.tokenizer import encode_text

WHITE_SPACE = "\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
r"""What `\s` is for tiktoken, as a character class; Python's own `\s` also takes U+001C to U+001F."""
LONGEST_KEPT = 64
"""Characters; a longer chunk hardly comes again."""

_CHUNK = re.compile(f"[{WHITE_SPACE}]*[^{WHITE_SPACE}]+|[{WHITE_SPACE}]+")
_LAST_CHUNK_REVERSED = re.compile(f"[^{WHITE_SPACE}]*[{WHITE_SPACE}]*")


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


@lru_cache(maxsize=2**18)
def _kept_size(chunk: str) -> int:
    return len(encode_text(chunk))


def _size(chunk: str) -> int:
    return _kept_size(chunk) if len(chunk) <= LONGEST_KEPT else len(encode_text(chunk))
