import base64
import json

import pytest

from ift.data.templates import preset_source
from ift.errors import ConfigError
from playground.lens.state import View, read_link, to_link


def link(said):
    return base64.urlsafe_b64encode(json.dumps(said).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "view",
    [
        View(),
        View(template=preset_source("phi3"), mask="all", other="response", size=32, seed=7),
        View(template="Größe 🙂 {{instruction}}\n{{output}}", keep_eos=False, find="x", width="fixed", fixed_width=9),
    ],
)
def test_a_view_comes_back_from_its_link(view):
    assert read_link(link(to_link(view))) == view


def test_a_link_says_only_what_differs_and_a_preset_by_name():
    assert to_link(View()) == {}
    assert to_link(View(template=preset_source("chatml"))) == {"preset": "chatml"}


def test_an_upload_is_not_in_a_link_since_nobody_else_has_it():
    assert to_link(View(data="/home/somebody/uploads/x.json")) == {}


def test_no_link_is_no_view_and_what_the_browser_adds_is_left_alone():
    assert read_link("") is None
    assert read_link(link({"step": 3, "pin": [0, "input", 5], "hide": ["code"], "later": 1})) == View()


@pytest.mark.parametrize(
    "text",
    [
        "%",
        "AAAA",
        link([1]),
        link("x"),
        link({"size": "8"}),
        link({"size": True}),
        link({"size": 8.5}),
        link({"mask": "everything"}),
        link({"mask": ["all"]}),
        link({"preset": ["x"]}),
        link({"data": "/etc/passwd"}),
        link({"template": 5}),
        link({"template": "x" * 20_001}),
        link({"find": None}),
    ],
)
def test_a_link_that_asks_for_anything_else_is_refused(text):
    with pytest.raises(ConfigError, match="link"):
        read_link(text)
