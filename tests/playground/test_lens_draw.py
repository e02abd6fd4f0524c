"""From switches and keys to the grid's value (playground/lens/draw.py); what the grid makes of it: tests/ui."""

import asyncio
import json

import pytest

from ift.data.templates import preset_source
from ift.roles import Role
from ift.types import Example
from playground import caches
from playground.context import Context
from playground.lens.draw import OWN, draw, is_light, typed
from playground.lens.state import View
from playground.settings import Settings
from tests.helpers import write_records

ORDERS = ("file", "training")
TEXT = "Q: {{instruction}}\nA: {{output}}"


@pytest.fixture(scope="module")
def context(tmp_path_factory):
    return Context(Settings(home=tmp_path_factory.mktemp("home")))


def key(context, query):
    """What the server answers to a key."""
    return asyncio.run(typed(context)(query))


def test_a_key_gives_what_the_switches_give_with_that_template(context):
    view = View(mask="all", size=3, first=2, width="fixed", fixed_width=150)
    stamp = draw(context, view, "starter", None)["stamp"]
    by_key = key(context, {"stamp": stamp, "template": TEXT})
    by_switch = draw(
        context, View(template=TEXT, mask="all", size=3, first=2, width="fixed", fixed_width=150), "starter", None
    )
    assert json.loads(by_key["batch"]) == json.loads(by_switch["batch"])
    assert by_key["template"] == TEXT
    assert by_key["stamp"] != by_switch["stamp"]


def test_one_key_follows_another(context):
    stamp = draw(context, View(size=2), "starter", None)["stamp"]
    for text in ("A {{instruction}} {{output}}", "AB {{instruction}} {{output}}"):
        value = key(context, {"stamp": stamp, "template": text})
        stamp = value["stamp"]
    assert json.loads(value["batch"])["segments"][0][0] == [0, "AB "]


def test_what_is_wrong_with_a_template_is_said_and_the_switches_are_still_known(context):
    stamp = draw(context, View(mask="all", size=2), "starter", None)["stamp"]
    wrong = key(context, {"stamp": stamp, "template": "{{outptu}}"})
    assert "batch" not in wrong
    assert "line 1, column 1" in wrong["message"]
    mended = key(context, {"stamp": wrong["stamp"], "template": TEXT})
    assert json.loads(mended["batch"])["mask"] == "all"
    assert mended["message"] == ""


def test_switches_turned_while_the_template_is_broken_count_once_it_is_mended(context):
    stamp = draw(context, View(template="{{", mask="all", size=2), "starter", None)["stamp"]
    assert json.loads(key(context, {"stamp": stamp, "template": TEXT})["batch"])["mask"] == "all"


@pytest.mark.parametrize("name", ["alpaca", "phi3"])
def test_a_presets_text_is_called_by_its_name(context, name):
    stamp = draw(context, View(size=1), "starter", None)["stamp"]
    assert key(context, {"stamp": stamp, "template": preset_source(name)})["preset"] == name
    assert key(context, {"stamp": stamp, "template": preset_source(name) + "x"})["preset"] == OWN


@pytest.mark.parametrize(
    "query", [None, [], "x", {}, {"stamp": "none", "template": TEXT}, {"stamp": 1, "template": TEXT}]
)
def test_who_knows_no_stamp_gets_nothing(context, query):
    assert key(context, query) is None


@pytest.mark.parametrize("template", [None, 1, ["x"], {"a": 1}])
def test_a_template_that_is_no_text_gets_nothing(context, template):
    stamp = draw(context, View(size=1), "starter", None)["stamp"]
    assert key(context, {"stamp": stamp, "template": template}) is None


def test_half_a_surrogate_pair_is_no_trouble(context):
    stamp = draw(context, View(size=1), "starter", None)["stamp"]
    value = key(context, {"stamp": stamp, "template": "\ud800 " + TEXT})
    json.dumps(value).encode("utf-8")


MINE = {"own_instruction": "Name the capital of Peru.", "own_output": "Lima"}


def test_a_record_of_ones_own_is_first_and_the_batch_keeps_its_size(context):
    found = json.loads(draw(context, View(first=5, size=3, **MINE), "starter", None)["batch"])
    assert found["rows"] == [-1, 5, 6]
    assert found["segments"][0][-1] == [int(Role.RESPONSE), "Lima"]
    alone = json.loads(draw(context, View(size=1, **MINE), "starter", None)["batch"])
    assert alone["rows"] == [-1]
    assert json.loads(draw(context, View(own_input=" \n"), "starter", None)["batch"])["rows"][0] == 0


def test_a_record_of_ones_own_is_checked_as_a_files_is(context):
    for text in ("x" * 20_001, "half \ud800"):
        shown = draw(context, View(own_instruction=text), "starter", None)
        assert "your own record" in shown["message"]
        assert "batch" not in shown


def test_a_record_of_ones_own_has_no_row_to_show(context):
    message = draw(context, View(size=1, max_length=30, **MINE), "starter", None)["message"]
    assert "nothing trained: all 1 row" in message
    assert "data-row" not in message


def test_a_key_takes_the_records_of_the_batch_before_it_unless_they_follow_from_the_template(context, tmp_path):
    data = write_records(tmp_path / "records.json", range(20))
    first = {order: draw(context, View(data=str(data), size=3, order=order), "starter", None) for order in ORDERS}
    data.unlink()
    caches._dataset.cache_clear()  # as if other visitors' data sets had taken its room
    wrong = key(context, {"stamp": first["file"]["stamp"], "template": "{{"})
    found = key(context, {"stamp": wrong["stamp"], "template": TEXT})
    assert json.loads(found["batch"])["rows"] == [0, 1, 2]
    assert "batch" not in key(context, {"stamp": first["training"]["stamp"], "template": TEXT})


def test_only_a_batch_of_little_text_is_drawn_before_anything_else():
    short, long = (dict(enumerate([Example("1+1?", "", "2" * n)] * 8)) for n in (1, 3_000))
    assert is_light(View(), short)
    for view, chosen in (
        (View(), None),
        (View(), long),
        (View(width="data set"), short),
        (View(template="x" * 3_000 + TEXT), short),
        (View(template="{{instruction}}" * 90 + TEXT, own_instruction="x" * 300), short),
    ):
        assert not is_light(view, chosen)
