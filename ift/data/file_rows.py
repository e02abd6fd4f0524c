"""A data file's rows and values as they are read, and the list of records that an object around it holds."""

import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ift.errors import DataError

MAX_ROWS = 1_000_000


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


def is_none(value: object) -> bool:
    """Null, or the NaN that pandas writes for it."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def is_number(value: object) -> bool:
    """A number or a truth value that has a text of its own."""
    return isinstance(value, NumberText | bool | int) or (isinstance(value, float) and math.isfinite(value))


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


SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "test": "test",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "eval": "validation",
}
"""What files and keys call a split → its name here."""
_FIX = "Use the list of records itself, [{…}, {…}]."


def unwrap(root: object, *, name: str, is_record: Callable[[dict[str, object]], bool]) -> tuple[list[Row], list[str]]:
    """The rows inside of a root object: itself where it is a record, one list of records, or lists named by split.

    Gives the keys that hold no rows, too.

    Raises:
        DataError: it holds something else, by its keys.
    """
    if not isinstance(root, dict):
        raise DataError(f"The file is {kind(root)}, not records", where=name, fix=_FIX)
    if isinstance(root, Twice):
        raise DataError(f"The file's object has {root.name!r} twice", where=name, fix="Keep one of them.")
    _require_no_columns(root, name)
    if is_record(root):
        return [Row(root)], []
    lists = {key: value for key, value in root.items() if isinstance(value, list)}
    others = [key for key in root if key not in lists]
    if lists and lists.keys() <= SPLIT_NAMES.keys():
        return [Row(one, split=SPLIT_NAMES[key]) for key, rows in lists.items() for one in rows], others
    inner = [one for rows in lists.values() for one in rows]
    if len(lists) == 1 and all(isinstance(one, dict) for one in inner):
        return [Row(one) for one in inner], others
    raise DataError(f"The file is one object with the keys {_keys(root)}", where=name, fix=_FIX)


def _require_no_columns(root: Mapping[str, object], name: str) -> None:
    """Refuse what pandas writes by default, and lists of cells: one object per column."""
    cells = [one for rows in root.values() if isinstance(rows, list) for one in rows]
    are_lists = all(isinstance(rows, list) for rows in root.values()) and not any(
        isinstance(one, dict) for one in cells
    )
    are_objects = all(isinstance(rows, dict) for rows in root.values())
    if len(root) > 1 and (are_objects or (are_lists and cells)):
        what = f"The file is one object of columns ({_keys(root)}), not a list of records"
        fix = 'Write records: dataframe.to_json(path, orient="records", lines=True).'
        raise DataError(what, where=name, fix=fix)


def _keys(root: Mapping[str, object]) -> str:
    return ", ".join(str(key)[:40] for key in list(root)[:8]) or "none"
