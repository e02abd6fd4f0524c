"""Text falls into chunks whose tokens never depend on their neighbours: each can be encoded by itself.

GPT-2's split pattern never puts a character that is no white space and the white space after it into one piece, and
looks no further ahead than that. So a text may be cut before any white space that follows a word, and the pieces
encode to just what the whole would. A chunk is white space and the word after it.
"""

import re
from collections.abc import Sequence

import numpy as np

from ift.data.tokenizer import WHITE_SPACE, encode_text, token_sizes, utf8_size

_CHUNK = re.compile(f"[{WHITE_SPACE}]*[^{WHITE_SPACE}]+|[{WHITE_SPACE}]+")
_SPACES = frozenset(WHITE_SPACE)
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
    found = _LAST_CHUNK_REVERSED.match(text[::-1])
    return found[0][::-1] if found else ""


def encode_texts(texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The ids of each text by itself: all of them, (N,) uint16; where each text's begin, and how many: (n,) int64.

    They are encoded in one go, which spares a call for each: a text that begins with white space may stand behind one
    that ends with a word, and any other may when a line break is between them, as the split pattern never puts a
    single one together with the word behind it. A text that ends in white space goes alone.
    """
    alone = [i for i, text in enumerate(texts) if not text or text[-1] in _SPACES]
    is_led = np.array([text[:1] not in _SPACES for text in texts], dtype=bool)  # by a line break
    lines = [f"\n{text}" if led else text for text, led in zip(texts, is_led.tolist(), strict=True)]
    for i in alone:
        lines[i] = ""
    is_led[alone] = False
    others = [encode_text(texts[i]) for i in alone]
    whole = "".join(lines)
    found = np.array(encode_text(whole), dtype=np.uint16)
    line_ends = np.cumsum(list(map(len if whole.isascii() else utf8_size, lines)))
    ends = np.searchsorted(np.cumsum(token_sizes()[found]), line_ends, side="right")
    starts = np.concatenate([[0], ends[:-1]]) + is_led if lines else ends
    counts = ends - starts
    counts[alone] = list(map(len, others))
    starts[alone] = len(found) + np.cumsum(counts[alone]) - counts[alone]
    return np.concatenate([found, *(np.array(ids, dtype=np.uint16) for ids in others)]), starts, counts
