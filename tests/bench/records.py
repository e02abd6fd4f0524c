"""As many records as a benchmark needs, none like another, from a data set with fewer."""

import random
import re
from itertools import product

from ift.data.records import to_example
from ift.data.sources import load_dataset
from ift.types import Example

NEW_WORDS = 0.06
"""Share of words that are changed for one that was never there, as large data keep bringing new ones."""
_WORD = re.compile(r"[a-z]{3,}")
_SYLLABLES = ["".join(letters) for letters in product("bdfgklmnprstv", "aeiou")]


def records(source: str, count: int, *, seed: int = 1) -> list[dict[str, str]]:
    """The data set's records over and over, each time with other words, all to train on."""
    examples, rng = load_dataset(source).examples, random.Random(seed)

    def changed(word: re.Match) -> str:
        return word[0] if rng.random() > NEW_WORDS else "".join(rng.choices(_SYLLABLES, k=rng.randint(2, 4)))

    made = []
    for i in range(count):
        example = examples[i % len(examples)]
        fields = {"instruction": f"{example.instruction} ({i})", "input": example.input, "output": example.output}
        made.append({**{name: _WORD.sub(changed, text) for name, text in fields.items()}, "split": "train"})
    return made


def examples_of(rows: list[dict[str, str]]) -> list[Example]:
    """The same as they come from a file."""
    return [to_example(row, where=f"record {i}") for i, row in enumerate(rows)]
