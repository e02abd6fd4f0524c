"""A JSON file whose root is one object: a record, or what holds the records."""

from collections.abc import Callable, Mapping

from ift.data.values import Row, Twice, kind
from ift.errors import DataError

SPLITS = {
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
    if lists and lists.keys() <= SPLITS.keys():
        return [Row(one, split=SPLITS[key]) for key, rows in lists.items() for one in rows], others
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
