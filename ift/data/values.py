"""The values of a data file, as they are and as the text that they become."""

import math
import re
from collections import Counter
from dataclasses import dataclass

MAX_CHARACTERS = 1_000_000
"""Of a field: hundreds of times GPT-2's context, and quick to look through."""
MAX_ROWS = 1_000_000
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a file as read. line: where a format has lines. split: what the list around it was called.

    problem: why there is no value. file: where there are several.
    """

    value: object
    line: int | None = None
    split: str | None = None
    problem: str = ""
    file: str | None = None


class NumberText(str):
    """A number with a fraction or an exponent as the file writes it: 0.10 stays 0.10."""

    __slots__ = ()


class Twice(dict[str, object]):
    """An object that names a field twice: which of its values is meant, nobody can say."""

    __slots__ = ("name",)

    def __init__(self, pairs: list[tuple[str, object]]) -> None:
        super().__init__(pairs)
        counts = Counter(name for name, _ in pairs)
        self.name = next(name for name, count in counts.items() if count > 1)


def as_number(text: str) -> NumberText:
    """What JSON's reader makes of a number that is not whole."""
    return NumberText(text)


def as_object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """What JSON's reader makes of an object: a dict, or a `Twice`."""
    made = dict(pairs)
    return made if len(made) == len(pairs) else Twice(pairs)


class BadValue(Exception):  # noqa: N818 (never seen outside of ift.data)
    """A value that can't become text: what it is, and how to fix it."""

    def __init__(self, what: str, fix: str) -> None:
        super().__init__(what)
        self.what, self.fix = what, fix


def is_none(value: object) -> bool:
    """Null, or the NaN that pandas writes for it."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def is_number(value: object) -> bool:
    """A number or a truth value that has a text of its own."""
    return isinstance(value, NumberText | bool | int) or (isinstance(value, float) and math.isfinite(value))


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


def kind(value: object) -> str:
    """What a value is, for a sentence."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "infinite"
    names = {
        type(None): "null",
        bool: "true or false",
        int: "a number",
        float: "a number",
        NumberText: "a number",
        str: "text",
        list: "a list",
        bytes: "bytes",
        dict: "an object",
        Twice: "an object",
    }
    return names.get(type(value), f"a {type(value).__name__}")
