"""What a record's fields must be, and what is said of those that are not."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ift.data.file_rows import is_number, kind
from ift.types import Check

SPLITS = ("train", "test", "validation")
MAX_CHARACTERS = 1_000_000
"""Of a field: hundreds of times GPT-2's context, and quick to look through."""
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a row can't be used. row: its position in the file, from 0. field: the file's name of it; None: the row."""

    row: int
    field: str | None
    problem: str
    fix: str = ""
    line: int | None = None
    file: str | None = None

    @property
    def place(self) -> str:
        """File (where there are several), row, line and field, for a person."""
        file = f"{self.file}, " if self.file else ""
        line = f", line {self.line}" if self.line else ""
        return f"{file}row {self.row}{line}" + (f", field {self.field}" if self.field else "")

    def to_dict(self) -> dict[str, object]:
        """What programs get."""
        where = {"file": self.file} if self.file else {}
        return {"row": self.row, "field": self.field, "problem": self.problem, **where}


class BadValue(Exception):  # noqa: N818 (never seen outside of ift.data)
    """A value that can't become text: what it is, and how to fix it."""

    def __init__(self, what: str, fix: str) -> None:
        super().__init__(what)
        self.what, self.fix = what, fix


def as_text(value: object, name: str) -> str:
    """A text as it is, a number or a truth value as JSON writes it.

    Raises:
        BadValue: another value, half a character, or a text beyond `MAX_CHARACTERS`.
    """
    if type(value) is not str:
        if not is_number(value):
            raise BadValue(f"{name!r} is {kind(value)}, not text", 'Put it in quotes, or "" for none.')
        return str(value).lower() if isinstance(value, bool) else str(value)
    if len(value) > MAX_CHARACTERS:
        what = f"{name!r} has {len(value):,} characters, more than {MAX_CHARACTERS:,}"
        raise BadValue(what, "Split it into several records.")
    if not value.isascii() and _SURROGATE.search(value):
        raise BadValue(f"{name!r} holds half a character (a lone surrogate)", "Export the file again as UTF-8.")
    return value


def _task(value: object) -> str | None:
    return as_text(value, "task") if isinstance(value, str) else None


def _check(value: object) -> Check:
    fix = 'Use {"any_of": ["apple", "pear", …], "at_least": 2, "sentences": 1}; the last two may be left out.'
    value = value if isinstance(value, dict) else {}
    words = value.get("any_of")
    if not isinstance(words, list) or not words or not all(isinstance(word, str) and word for word in words):
        raise BadValue("The check of an open-ended task has no list of words", fix)
    counts = {name: value.get(name, 1) for name in ("at_least", "sentences")}
    if any(type(count) is not int or count < 0 for count in counts.values()) or counts["at_least"] > len(words):
        raise BadValue("The check of an open-ended task can't be met or counts nothing", fix)
    return Check(tuple(words), **counts)


def _split_name(value: object) -> str:
    value = "validation" if value == "val" else value
    if not isinstance(value, str) or value not in SPLITS:
        fix = f"Use one of {', '.join(SPLITS)} (or val), or leave the field out."
        raise BadValue(f"{value!r} is not a part of the data", fix)
    return value


def _held_out(value: object) -> tuple[str, ...]:
    return tuple(name for name in value if isinstance(name, str)) if isinstance(value, list) else ()


OWN_READERS: Mapping[str, Callable[[object], Any]] = {
    "split": _split_name,
    "task": _task,
    "check": _check,
    "held_out": _held_out,
}
"""What a record may have besides its texts, in every layout → how it is read."""
