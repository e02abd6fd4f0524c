"""Dataclasses from JSON: each field is checked against its type, so that damage shows where it is read.

    {"record": 7, "finish": "eos"}  →  from_fields(Row, …)  →  Row(record=7, finish=Finish.EOS)

A file of another version may have more fields, which are ignored, or fewer, which take their defaults.
"""

import dataclasses
import math
from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from ift.errors import InputError, RunError

T = TypeVar("T")
Reader = Callable[[object], object]
"""Takes a JSON value and gives the typed value."""

_PLAIN: Mapping[type, str] = {str: "text", bool: "true or false", int: "a whole number"}


class _FieldError(Exception):
    """A field that is missing or has another type; its path grows on the way out, so that what is right costs none."""

    def __init__(self, problem: str, path: str = "") -> None:
        self.path, self.problem = path, problem
        super().__init__(path, problem)

    def within(self, outer: str) -> "_FieldError":
        """The same, seen from the object or the list around it."""
        dot = "." if self.path and not self.path.startswith("[") else ""
        return _FieldError(self.problem, f"{outer}{dot}{self.path}")


def from_fields(cls: type[T], value: object, *, where: str, fix: str, error: type[InputError] = RunError) -> T:
    """A dataclass from what `json.loads` gives.

    Fields may be text, numbers, truth values, `StrEnum`s, other dataclasses, tuples and mappings of these, or None
    where their type allows it. In the file a field may have another name: `field(metadata={"json": name})`.

    Args:
        cls: the dataclass.
        value: an object of JSON; fields that `cls` does not have are ignored.
        where: the file, for the error.
        fix: what to do, for the error.
        error: its class.

    Raises:
        InputError: of the class `error`: a field is missing or has another type; `where` names file and field.
    """
    try:
        return _dataclass(cls)(value)  # type: ignore[return-value, arg-type]  # a reader of cls gives a cls
    except _FieldError as wrong:
        place = f"{where}, field {wrong.path}" if wrong.path else where
        raise error(f"{wrong.path or 'The value'} {wrong.problem}", where=place, fix=fix) from None


@cache
def _dataclass(cls: type) -> Reader:
    hints = get_type_hints(cls)
    fields = [(field, _key(field), _reader(hints[field.name])) for field in dataclasses.fields(cls)]

    def read(value: object) -> object:
        if not isinstance(value, dict):
            raise _FieldError(f"is {_kind(value)}, not an object")
        found = {}
        for field, key, reader in fields:
            if key in value:
                try:
                    found[field.name] = reader(value[key])
                except _FieldError as wrong:
                    raise wrong.within(key) from None
            elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
                raise _FieldError("is missing", key)
        return cls(**found)

    return read


def _key(field: dataclasses.Field[Any]) -> str:
    """What a field is called in the file: `field(metadata={"json": …})`, else its own name."""
    return str(field.metadata.get("json", field.name))


@cache
def _reader(hint: Any) -> Reader:  # noqa: ANN401  # a type is whatever typing says it is
    origin, arguments = get_origin(hint), get_args(hint)
    if dataclasses.is_dataclass(hint):
        return _dataclass(hint)  # type: ignore[arg-type]
    if origin is UnionType and NoneType in arguments:
        (other,) = (argument for argument in arguments if argument is not NoneType)
        reader = _reader(other)
        return lambda value: None if value is None else reader(value)
    if origin is tuple:
        return _tuple(_reader(arguments[0]), None if arguments[-1] is Ellipsis else len(arguments))
    if origin is not None and issubclass(origin, Mapping):
        return _mapping(_reader(arguments[1]))
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return _choice(hint)
    if hint is float:
        return _number
    return (lambda value: value) if hint is object else _plain(hint)


def _plain(cls: type) -> Reader:
    def read(value: object) -> object:
        if type(value) is not cls:  # to isinstance, true is a whole number
            raise _FieldError(f"is {_kind(value)}, not {_PLAIN[cls]}")
        return value

    return read


def _number(value: object) -> float:
    if type(value) not in (int, float) or not math.isfinite(value):  # type: ignore[arg-type]
        raise _FieldError(f"is {_kind(value)}, not a number")
    return float(value)  # type: ignore[arg-type]


def _choice(cls: type[StrEnum]) -> Reader:
    names = ", ".join(cls)

    def read(value: object) -> object:
        try:
            return cls(str(value))
        except ValueError:
            raise _FieldError(f"is {str(value)[:40]!r}, not one of {names}") from None

    return read


def _tuple(reader: Reader, size: int | None) -> Reader:
    def read(value: object) -> object:
        if not isinstance(value, list | tuple):
            raise _FieldError(f"is {_kind(value)}, not a list")
        if size is not None and len(value) != size:
            raise _FieldError(f"has {len(value)} values, not {size}")
        found: list[object] = []
        try:
            for item in value:
                found.append(reader(item))
        except _FieldError as wrong:
            raise wrong.within(f"[{len(found)}]") from None
        return tuple(found)

    return read


def _mapping(reader: Reader) -> Reader:
    def read(value: object) -> object:
        if not isinstance(value, dict):
            raise _FieldError(f"is {_kind(value)}, not an object")
        found: dict[str, object] = {}
        for name, item in value.items():
            try:
                found[name] = reader(item)
            except _FieldError as wrong:
                raise wrong.within(name) from None
        return found

    return read


def _kind(value: object) -> str:
    """What a value is, in JSON's words."""
    if isinstance(value, float) and not math.isfinite(value):
        return "not finite"
    names = {NoneType: "null", bool: "true or false", int: "a number", float: "a number", str: "text", list: "a list"}
    return names.get(type(value), "an object")
