"""Which of GPT-2's ids a model has learned. The starter's text holds only a part of them; the rest it never saw."""

import json
from collections.abc import Collection, Sequence
from functools import lru_cache
from itertools import groupby
from pathlib import Path

from ift.data.tokenizer import decode, encode_text
from ift.errors import ModelError
from ift.model.names import UNTRAINED, find_model

FILE = "vocabulary.json"


def write_vocabulary(folder: Path, ids: Sequence[int]) -> None:
    """Store the known ids beside the weights they belong to."""
    text = json.dumps({"known_ids": list(ids)}, separators=(",", ":"))
    (folder / FILE).write_text(text + "\n", encoding="utf-8", newline="\n")


def known_ids(model: str) -> frozenset[int] | None:
    """The ids that a model knows from its pretraining; None where nothing is told, as for OpenAI's GPT-2.

    A run's checkpoint lists what its base model knew: what fine-tuning adds is seen too seldom to count.

    Raises:
        ModelError: there is no such model, or its list can't be read.
    """
    folder = find_model(model) if model != UNTRAINED else None
    path = folder / FILE if isinstance(folder, Path) else None
    return _read(path, path.stat().st_mtime_ns) if path and path.is_file() else None


def stretches(text: str, known: Collection[int]) -> list[tuple[str, bool]]:
    """The text in pieces, each with whether its tokens are known."""
    groups = groupby(encode_text(text), key=lambda token: token in known)
    return [(decode(list(ids)), is_known) for is_known, ids in groups]


@lru_cache(maxsize=4)
def _read(path: Path, stamp: int) -> frozenset[int]:
    try:
        return frozenset(json.loads(path.read_text(encoding="utf-8"))["known_ids"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        fix = f"Write {FILE} again, or remove it: then every id counts as known."
        raise ModelError("The model's list of known ids can't be read", where=str(path), fix=fix) from error
