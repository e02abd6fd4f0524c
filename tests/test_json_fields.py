"""Dataclasses from JSON: what is whole comes back as it was, what is damaged is named."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum

import pytest

from ift.errors import ConfigError, RunError
from ift.json_fields import from_fields


class Color(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True, slots=True)
class Inner:
    name: str
    color: Color | None = None


@dataclass(frozen=True, slots=True)
class Outer:
    count: int
    share: float
    flag: bool
    inner: Inner
    many: tuple[Inner, ...] = ()
    bounds: tuple[float, float] | None = None
    by_name: Mapping[str, float | None] = field(default_factory=dict)
    rest: object = None


WHOLE = Outer(
    count=3,
    share=0.5,
    flag=True,
    inner=Inner("a", Color.RED),
    many=(Inner("b"), Inner("c", Color.BLUE)),
    bounds=(0.25, 1.0),
    by_name={"x": None, "y": 2.0},
    rest=[1, {"any": "thing"}],
)


def read(value):
    return from_fields(Outer, value, where="file.json", fix="Train again.")


def test_what_is_written_is_read_back_with_its_types():
    found = read(json.loads(json.dumps(asdict(WHOLE))))
    assert found == WHOLE
    assert found.inner.color is Color.RED


def test_fields_that_are_not_there_take_their_defaults_and_others_are_ignored():
    found = read({"count": 1, "share": 1, "flag": False, "inner": {"name": "a", "later": 5}, "also": "later"})
    assert found == Outer(1, 1.0, False, Inner("a"))
    assert type(found.share) is float


@pytest.mark.parametrize(
    ("change", "where", "problem"),
    [
        ({"count": "3"}, "count", "is text, not a whole number"),
        ({"count": True}, "count", "is true or false, not a whole number"),
        ({"count": 3.5}, "count", "is a number, not a whole number"),
        ({"share": None}, "share", "is null, not a number"),
        ({"share": True}, "share", "is true or false, not a number"),
        ({"share": float("nan")}, "share", "is not finite, not a number"),
        ({"flag": 1}, "flag", "is a number, not true or false"),
        ({"inner": []}, "inner", "is a list, not an object"),
        ({"inner": {}}, "inner.name", "is missing"),
        ({"inner": {"name": "a", "color": "green"}}, "inner.color", "is 'green', not one of red, blue"),
        ({"many": {}}, "many", "is an object, not a list"),
        ({"many": [{"name": "a"}, {"name": 2}]}, "many[1].name", "is a number, not text"),
        ({"bounds": [1]}, "bounds", "has 1 values, not 2"),
        ({"by_name": []}, "by_name", "is a list, not an object"),
        ({"by_name": {"x": "1"}}, "by_name.x", "is text, not a number"),
    ],
)
def test_a_damaged_field_is_named_with_its_file(change, where, problem):
    with pytest.raises(RunError) as caught:
        read({**asdict(WHOLE), **change})
    assert (caught.value.what, caught.value.where) == (f"{where} {problem}", f"file.json, field {where}")
    assert caught.value.fix == "Train again."


@pytest.mark.parametrize("value", [None, [], "text", 3])
def test_what_is_no_object_at_all_is_refused(value):
    with pytest.raises(ConfigError, match=r"The value is .*, not an object") as caught:
        from_fields(Inner, value, where="the address", fix="", error=ConfigError)
    assert caught.value.where == "the address"
