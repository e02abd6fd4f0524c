"""The pretraining text: documents of many kinds, in which facts are stated and questions are never answered.

A base model that has read only this knows the facts, writes everyday prose, and does not follow instructions:
it has seen them in lists of exercises, each followed by the next one.
"""

import random
from collections.abc import Callable, Iterator
from itertools import accumulate

import numpy as np

from ift.data.tokenizer import encode_text
from ift.starter.exercises import grammar, heading, questions, sections
from ift.starter.knowledge import echoes, entries, facts, lists
from ift.starter.prose import everyday, index, numbers, sentences, story, tales
from ift.types import EOS_ID

LEAST_SEEN = 20
"""An id that the text holds less often counts as unknown."""
ENDED_SHARE = 0.3
"""Of the documents that are no prose: how many are the last before an end-of-text; the others go on after a blank line.
So after a statement the base model goes on, and that an answer ends is left to the fine-tuning."""

KINDS: dict[Callable[[random.Random], str], float] = {
    entries: 0.38,
    facts: 0.38,
    echoes: 0.16,
    grammar: 0.08,
    story: 0.11,
    tales: 0.05,
    everyday: 0.13,
    sentences: 0.12,
    lists: 0.11,
    questions: 0.035,
    sections: 0.04,
    index: 0.075,
    numbers: 0.04,
}
"""Documents of each kind, in relative numbers."""
PROSE = (story, tales, everyday, sentences)
"""Documents that an end-of-text always follows."""


def documents(seed: int) -> Iterator[str]:
    """Texts without end, each a document or several; the same for the same seed."""
    rng = random.Random(f"corpus {seed}")
    joined: list[str] = []
    for text, is_prose in _documents(rng):
        joined.append(text)
        if is_prose or rng.random() < ENDED_SHARE:
            yield "\n\n".join(joined)
            joined = []


def _documents(rng: random.Random) -> Iterator[tuple[str, bool]]:
    makers, weights = tuple(KINDS), tuple(accumulate(KINDS.values()))
    while True:
        maker = rng.choices(makers, cum_weights=weights)[0]
        text = maker(rng)
        is_headed = maker not in (sections, entries) and rng.random() < 0.06
        yield (heading(rng) if is_headed else "") + text, maker in PROSE


def tokens(count: int, *, seed: int, progress: Callable[[int, int], None]) -> np.ndarray:
    """(count,) uint16: texts, an end-of-text before each.

    Args:
        count: how many ids.
        seed: of the documents.
        progress: is told (ids so far, ids in all).
    """
    ids = np.empty(count, dtype=np.uint16)
    filled = 0
    for text in documents(seed):
        document = [EOS_ID, *encode_text(text)][: count - filled]
        ids[filled : filled + len(document)] = document
        filled += len(document)
        progress(filled, count)
        if filled == count:
            return ids
    return ids


def learned_ids(tokens: np.ndarray) -> tuple[int, ...]:
    """The ids that a text of `tokens` (n,) uint16 teaches, in order."""
    counts = np.bincount(tokens, minlength=EOS_ID + 1)
    return tuple(np.flatnonzero(counts >= LEAST_SEEN).tolist())
