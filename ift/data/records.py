"""Data files: read, validated record by record at the door, split."""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ift.errors import DataError
from ift.types import Check, Example

SPLITS = ("train", "test", "validation")
TRAIN_SHARE, TEST_SHARE = 0.85, 0.10
"""The book's shares, in file order; validation is the rest."""

_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Dataset:
    """A data file as read: its examples in file order, and the hash of its bytes."""

    name: str
    examples: tuple[Example, ...]
    sha256: str

    def __len__(self) -> int:
        return len(self.examples)


@dataclass(frozen=True, slots=True)
class Split:
    """Positions in the file. `from_file` tells whether the records said so themselves."""

    train: tuple[int, ...]
    test: tuple[int, ...]
    validation: tuple[int, ...]
    from_file: bool

    def part_of(self, record: int) -> str:
        """Which part a record is in."""
        return next(name for name in SPLITS if record in getattr(self, name))


def read_dataset(path: Path, *, name: str | None = None) -> Dataset:
    """Read a JSON array or a JSONL file of records with `instruction`, `output` and, if any, `input`.

    Raises:
        DataError: the file can't be read, is neither, or a record is not usable: file, row and field.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise DataError("The data file can't be read", where=str(path), fix="Check the path.") from error
    return parse_dataset(raw, name=name or path.name)


def parse_dataset(raw: bytes, *, name: str) -> Dataset:
    """The same for bytes; `name` is what errors call the file."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        where = f"{name}, byte {error.start}"
        raise DataError(
            "The file is not UTF-8 text", where=where, fix="Save it again with the encoding UTF-8."
        ) from error
    rows = _json_rows(text, name) if text.lstrip().startswith("[") else _jsonl_rows(text, name)
    examples = tuple(to_example(row, where=where) for row, where in rows)
    if not examples:
        raise DataError("The file has no records", where=name, fix="Give at least one.")
    return Dataset(name, examples, hashlib.sha256(raw).hexdigest())


def _json_rows(text: str, name: str) -> list[tuple[object, str]]:
    try:
        rows = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _not_json(error, name, line=getattr(error, "lineno", None)) from error
    return [(row, f"{name}, row {i}") for i, row in enumerate(rows)]


def _jsonl_rows(text: str, name: str) -> list[tuple[object, str]]:
    rows: list[tuple[object, str]] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            rows.append((json.loads(line), f"{name}, row {len(rows)}, line {number}"))
        except (ValueError, RecursionError) as error:
            raise _not_json(error, name, line=number) from error
    return rows


def _not_json(error: Exception, name: str, *, line: int | None) -> DataError:
    column = f", column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
    where = f"{name}, line {line}{column}" if line else name
    other = "nested too deeply" if isinstance(error, RecursionError) else "a number is too long"
    reason = error.msg if isinstance(error, json.JSONDecodeError) else other
    fix = "Give a JSON array of records, [{…}, {…}], or one record a line (JSONL)."
    return DataError(f"The file is not JSON: {reason}", where=where, fix=fix)


def to_example(row: object, *, where: str) -> Example:
    """Check one record; `input` may be left out and then counts as empty.

    Raises:
        DataError: not an object, a field missing or not a string, a `split` of an unknown name, a `check` that
            is none.
    """
    if not isinstance(row, dict):
        fix = 'Give an object: {"instruction": …, "input": …, "output": …}.'
        raise DataError(f"A record is {_kind(row)}, not an object", where=where, fix=fix)
    fields = {name: _text(row, name, where) for name in ("instruction", "input", "output")}
    task = _text(row, "task", where) if isinstance(row.get("task"), str) else None
    check = _check(row["check"], f"{where}, field check") if row.get("check") is not None else None
    held_out = row["held_out"] if isinstance(row.get("held_out"), list) else []
    return Example(
        **fields,
        split=_split_name(row, where),
        task=task,
        check=check,
        held_out=tuple(name for name in held_out if isinstance(name, str)),
    )


def _check(value: object, where: str) -> Check:
    fix = 'Give {"any_of": ["apple", "pear", …], "at_least": 2, "sentences": 1}; the last two may be left out.'
    words = value.get("any_of") if isinstance(value, dict) else None
    if not isinstance(words, list) or not words or not all(isinstance(word, str) and word for word in words):
        raise DataError("The check of an open-ended task has no list of words", where=where, fix=fix)
    counts = {name: value.get(name, 1) for name in ("at_least", "sentences")}
    if any(type(count) is not int or count < 0 for count in counts.values()) or counts["at_least"] > len(words):
        raise DataError("The check of an open-ended task can't be met or counts nothing", where=where, fix=fix)
    return Check(tuple(words), **counts)


def _text(row: dict, name: str, where: str) -> str:
    where = f"{where}, field {name}"
    if name not in row and name != "input":
        there = ", ".join(map(repr, row)) or "none"
        raise DataError(f"A record has no {name!r}", where=where, fix=f"Add it. The record's fields: {there[:120]}.")
    value = row.get(name, "")
    if not isinstance(value, str):
        fix = 'Put it in quotes, or "" for none.'
        raise DataError(f"{name!r} is {_kind(value)}, not text", where=where, fix=fix)
    if _SURROGATE.search(value):
        fix = "Export the file again as UTF-8."
        raise DataError(f"{name!r} holds half a character (a lone surrogate)", where=where, fix=fix)
    return value


def _split_name(row: dict, where: str) -> str | None:
    value = row.get("split")
    value = "validation" if value == "val" else value
    if value is not None and value not in SPLITS:
        fix = f"Give one of {', '.join(SPLITS)} (or val), or leave the field out."
        raise DataError(f"{value!r} is not a part of the data", where=f"{where}, field split", fix=fix)
    return value


def _kind(value: object) -> str:
    names = {
        type(None): "null",
        bool: "true or false",
        int: "a number",
        float: "a number",
        str: "text",
        list: "a list",
    }
    return names.get(type(value), "an object")


def split(examples: Sequence[Example]) -> Split:
    """By the records' own `split` where all have one, else 85 / 10 / 5 in file order: train | test | validation."""
    n = len(examples)
    if all(example.split for example in examples):
        parts = {name: tuple(i for i in range(n) if examples[i].split == name) for name in SPLITS}
        return Split(**parts, from_file=True)
    train, test = int(n * TRAIN_SHARE), int(n * TEST_SHARE)
    order = tuple(range(n))
    return Split(order[:train], order[train : train + test], order[train + test :], from_file=False)
