"""The five steps from text to targets, each with the lines of `ift` that do it, read from the source."""

import inspect
from collections.abc import Callable

from ift.data.batching import Batch, collate
from ift.data.templates import Template
from ift.data.tokenizer import encode

STEPS: tuple[tuple[str, Callable, tuple[str, ...]], ...] = (
    ("Template.render", Template.render, ("for part, role", "text =", "segments.append")),
    ("encode", encode, ("prompt =", "response =", "ids =")),
    ("collate", collate, ("T =", "inputs =", "next_ids =", "roles =")),
    ("collate", collate, ("inputs[b", "next_ids[b", "roles[b")),
    ("Batch.targets", Batch.targets.func, ("return",)),
)
"""Of each step: a name, the function that does it, and how the lines shown begin."""


def lens_code() -> list[dict]:
    """{where, lines} a step."""
    return [{"where": name, "lines": excerpt(function, *starts)} for name, function, starts in STEPS]


def excerpt(function: Callable, *starts: str) -> list[str]:
    """The lines of a function that begin like this, without indentation.

    Raises:
        LookupError: a line is not there any more.
    """
    lines = [line for line in inspect.getsource(function).splitlines() if line.strip().startswith(starts)]
    missing = [start for start in starts if not any(line.strip().startswith(start) for line in lines)]
    if missing:
        raise LookupError(f"{function.__qualname__} has no line that begins with {missing[0]!r}")
    return [line.strip() for line in lines]
