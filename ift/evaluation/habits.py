"""What an answer does whatever the question was: it leaks the template, repeats itself, begins right and goes on."""

import re
from collections.abc import Sequence
from functools import lru_cache

from ift.data.templates import Template
from ift.evaluation.words import normalize, rouge_words, words_of

ANYWHERE = 6
"""Characters from which on a header is one wherever it stands; a shorter one, such as `A:`, where a line begins."""
SEQUENCE = 4
_GOES_ON = re.compile(r"\w|[.,:/-]\d")
"""What makes a word or a number another one: Paris, Parish; 5, 5.5."""


@lru_cache(maxsize=16)
def headers_of(template: Template) -> tuple[str, ...]:
    """The lines of a template's own text that an answer should not hold.

    Single words without any mark are left out: any answer may begin a line with one.

    >>> headers_of(Template.parse("### Question:\\n{{instruction}}\\n\\nso\\nA: {{output}}"))
    ('### Question:', 'A:')
    """
    lines = (line.strip() for part in template.parts if not part.is_field for line in part.text.splitlines())
    return tuple(dict.fromkeys(line for line in lines if len(line) > 1 and not line.isalnum()))


def format_leak(answer: str, expected: str, headers: Sequence[str]) -> float:
    """1.0 where the answer holds a header of the template that the expected answer does not hold."""
    return float(any(_holds(answer, header) and not _holds(expected, header) for header in headers))


def _holds(text: str, header: str) -> bool:
    if len(header) >= ANYWHERE:
        return header in text
    return any(line.lstrip().startswith(header) for line in text.splitlines())


def repetition(answer: str) -> float:
    """The share of an answer's sequences of four words that stand in it before; 0.0 where it has too few words.

    >>> repetition("one two three four five"), repetition("no no no no no")
    (0.0, 0.5)
    """
    words = rouge_words(answer)
    sequences = [tuple(words[i : i + SEQUENCE]) for i in range(len(words) - SEQUENCE + 1)]
    return 1 - len(set(sequences)) / len(sequences) if sequences else 0.0


def starts_right(answer: str, expected: str) -> float:
    """1.0 where the answer begins with the expected one, whatever follows: what an answer that never stops can show.

    >>> starts_right("Paris.\\n\\n### Instruction:", "Paris."), starts_right("Parish", "Paris")
    (1.0, 0.0)
    """
    words, wanted = words_of(normalize(answer)), words_of(normalize(expected))
    if wanted and words[: len(wanted)] == wanted:
        return 1.0
    text, start = answer.strip().casefold(), expected.strip().casefold()
    goes_on = start[-1:].isalnum() and _GOES_ON.match(text[len(start) :])
    return float(bool(start) and text.startswith(start) and not goes_on)
