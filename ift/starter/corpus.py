"""The pretraining text: documents of many kinds, in which facts are stated and questions are never answered.

A base model that has read only this knows the facts, writes everyday prose, and does not follow instructions:
it has seen them in lists of exercises, each followed by the next one.
"""

import random
from collections.abc import Callable, Iterator
from itertools import accumulate

import numpy as np

from ift.starter.exercises import grammar, heading, questions, readings, sections
from ift.starter.knowledge import echoes, entries, facts, lists
from ift.starter.prose import everyday, index, numbers, sentences, story, tales
from ift.tokenizer import encode_text
from ift.types import EOS_ID

LEAST_SEEN = 20
"""An id that the text holds less often counts as unknown."""

KINDS: dict[Callable[[random.Random], str], float] = {
    entries: 0.38,
    facts: 0.38,
    echoes: 0.12,
    grammar: 0.08,
    readings: 0.06,
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


def documents(seed: int) -> Iterator[str]:
    """Documents without end, the same for the same seed."""
    rng = random.Random(f"corpus {seed}")
    makers, weights = tuple(KINDS), tuple(accumulate(KINDS.values()))
    while True:
        maker = rng.choices(makers, cum_weights=weights)[0]
        text = maker(rng)
        is_headed = maker not in (sections, entries) and rng.random() < 0.06
        yield (heading(rng) if is_headed else "") + text


def tokens(count: int, *, seed: int, progress: Callable[[int, int], None]) -> np.ndarray:
    """(count,) uint16: documents, an end-of-text before each.

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
