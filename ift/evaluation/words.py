"""What two texts are compared by: a normalized text, words in any script, and which words differ.

Both are the field's own algorithms, mended where they lose meaning: SQuAD's normalization took "-5" for "5" and
"C++" for "C", and ROUGE's tokenizer knows no letters but a to z.
"""

import re
import unicodedata
from difflib import SequenceMatcher
from enum import StrEnum
from functools import lru_cache

ARTICLES = frozenset({"a", "an", "the"})

_SIGN = r"(?<!\w)-(?=\.?\d)"
_BETWEEN_DIGITS = r"(?<=\d)[-.,:/*](?=\d)"
_POINT_FIRST = r"(?<!\w)\.(?=\d)"
_AFTER_LETTER = r"(?<=\w)[-#](?!\w)"  # A-, C#
_BEFORE_NAME = r"(?<!\S)\.(?=\w)"  # .NET
_OPERATOR = r"(?<!\S)[-*/](?!\S)(?=\s+[\w(])|!(?==)"  # x - y, x != y
_ALWAYS = r"[+<>=%$&@^~|\\‰§′″]|(?<=\w)_(?=\w)"
_MEANS_SOMETHING = re.compile(
    "|".join((_SIGN, _BETWEEN_DIGITS, _POINT_FIRST, _AFTER_LETTER, _BEFORE_NAME, _OPERATOR, _ALWAYS))
)
_THOUSANDS = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?![\d,])")
_DASHES = str.maketrans({"−": "-", "–": "-", "‐": "-", "‑": "-"})  # minus, en dash, hyphens

_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Myanmar, Khmer
    "\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9f"  # kana
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Chinese characters
)
"""Scripts that put no spaces between words: there a character is a word."""
_ONE_BY_ONE = re.compile(f"([{_UNSPACED}])")


@lru_cache(maxsize=64)
def normalize(text: str) -> str:
    """Lower case, without articles, extra spaces and punctuation that carries no meaning.

    Signs, decimal points, operators, and marks that belong to a name stay. An article that ends the text is none
    ("Plan A"). Extends the SQuAD 1.1 evaluation script's `normalize_answer`, which drops all of them.

    >>> [normalize(text) for text in ("The cat!", "-5.", "1,000", "3.5", "C++", "well-known", "Vitamin A")]
    ['cat', '-5', '1000', '3.5', 'c++', 'wellknown', 'vitamin a']
    """
    text = unicodedata.normalize("NFC", text).translate(_DASHES).lower()
    text = _THOUSANDS.sub(lambda number: number[0].replace(",", ""), text)
    kept = {match.start() for match in _MEANS_SOMETHING.finditer(text)}
    marks = {c for c in set(text) if _is_punctuation(c)}
    words = "".join(c for i, c in enumerate(text) if c not in marks or i in kept).split()
    return " ".join(word for i, word in enumerate(words) if word not in ARTICLES or i == len(words) - 1)


def words_of(text: str) -> list[str]:
    """The words of a normalized text; in scripts without spaces, its characters."""
    return _with_spaces(text).split()


def rouge_words(text: str) -> list[str]:
    """Lower-case words for ROUGE: for ASCII what the `rouge-score` package makes, else the same with all letters.

    A word is a run of letters, marks and digits of any script; an emoji is a word, and so is each character of a
    script without spaces.

    >>> rouge_words("Grüße, 世界! It's 5-fold")
    ['grüße', '世', '界', 'it', 's', '5', 'fold']
    """
    text = unicodedata.normalize("NFC", text.lower())
    return _with_spaces("".join(_as_word_or_space(character) for character in text)).split()


def _with_spaces(text: str) -> str:
    """Spaces around the characters of scripts without any; a mark stays with the character before it."""
    if text.isascii():
        return text
    spaced = _ONE_BY_ONE.sub(lambda m: m[1] if _kind(m[1]) == "M" else f" {m[1]}", text)
    return re.sub(f"(?<=[{_UNSPACED}])(?=[^{_UNSPACED}])", _gap, spaced)


def _gap(between: re.Match[str]) -> str:
    after = between.string[between.end()]
    return "" if _kind(after) == "M" else " "


@lru_cache(maxsize=4096)
def _kind(character: str) -> str:
    """The first letter of its Unicode category: L letter, M mark, N number, P punctuation, S symbol."""
    return unicodedata.category(character)[0]


def _is_punctuation(character: str) -> bool:
    return _kind(character) == "P" or (character.isascii() and _kind(character) == "S")


@lru_cache(maxsize=4096)
def _as_word_or_space(character: str) -> str:
    if _kind(character) in "LMN":
        return character
    return f" {character} " if unicodedata.category(character) == "So" else " "


_PIECES = re.compile(r"\s+|[\w’'-]+|[^\s\w]")
MOST_PIECES = 1_000
"""Words, marks and gaps of a text, at most: the time to compare grows with the product of both."""


class Change(StrEnum):
    """What a stretch of text is, seen from the expected answer."""

    SAME = "same"
    MISSING = "missing"
    """Only the expected answer has it."""
    ADDED = "added"
    """Only the other one has it."""


def word_difference(expected: str, answer: str) -> tuple[tuple[Change, str], ...]:
    """Both texts in one, as stretches in reading order; what is missing comes before what stands there instead.

    Long texts are not compared: the answer is one `ADDED` stretch then.

    >>> [(str(change), text) for change, text in word_difference("It is red.", "It was red.")]
    [('same', 'It '), ('missing', 'is'), ('added', 'was'), ('same', ' red.')]
    """
    if expected == answer:
        return ((Change.SAME, answer),) if answer else ()
    old, new = _PIECES.findall(expected), _PIECES.findall(answer)
    if max(len(old), len(new)) > MOST_PIECES:
        return ((Change.ADDED, answer),)
    stretches: list[tuple[Change, str]] = []
    for kind, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            stretches.append((Change.SAME, "".join(old[i:j])))
            continue
        sides = ((Change.MISSING, old[i:j]), (Change.ADDED, new[k:m]))
        stretches += [(change, "".join(pieces)) for change, pieces in sides if pieces]
    return tuple(stretches)


def is_alike(expected: str, answer: str, *, share: float = 0.4) -> bool:
    """Whether an answer has at least this share of the expected words: else a difference shows nothing."""
    words = [word for word in _PIECES.findall(expected) if not word.isspace()]
    found = set(_PIECES.findall(answer))
    return bool(words) and sum(word in found for word in words) >= share * len(words)
