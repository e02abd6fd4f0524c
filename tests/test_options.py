"""An option is declared once: limits, texts and errors come from there."""

from dataclasses import dataclass, fields

import pytest

from ift.config import PRESETS, TrainConfig
from ift.data_options import DataOptions
from ift.errors import ConfigError
from ift.options import Group, Option, check_options, declare, nearest, options_of, show


@dataclass(frozen=True)
class Small:
    rank: int = declare(0, Option("Rank", minimum=0, special={0: "off"}, example="8", group=Group.LORA))
    scale: float = declare(1.0, Option("Scale", above=0, maximum=10, example="2", needs="rank"))
    rate: float = declare(0.0, Option("Rate", minimum=0, below=1, example="0.1"))
    width: int | None = declare(None, Option("Width", minimum=1, example="64", unset="as wide as needed"))
    mode: str = declare("sum", Option("Mode", choices=("sum", "mean")))
    fast: bool = declare(False, Option("Fast"))

    def __post_init__(self):
        check_options(self)


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"rank": -1}, "rank: -1 is below 0. Use at least 0, such as 8 (0: off)."),
        ({"rank": 1.5}, "rank: 1.5 is not a whole number. Use a whole number, at least 0, such as 8 (0: off)."),
        ({"rank": True}, "rank: True is not a whole number."),
        ({"scale": 0}, "scale: 0 is not above 0. Use a number above 0 and at most 10, such as 2."),
        ({"scale": 11}, "scale: 11 is above 10."),
        ({"scale": float("nan")}, "scale: nan is not a finite number."),
        ({"scale": 2.0}, "scale: 2.0 does nothing without rank. Set rank, too, such as 8, or leave scale out."),
        ({"rate": 1.0}, "rate: 1.0 is not below 1. Use at least 0 and below 1, such as 0.1."),
        ({"rate": "x"}, "rate: 'x' is not a number."),
        ({"width": 0}, "width: 0 is below 1. Use at least 1, such as 64, or leave it out: as wide as needed."),
        ({"mode": "men"}, "mode: 'men' is unknown. Did you mean mean?"),
        ({"mode": "product"}, "mode: 'product' is unknown. Use one of sum, mean."),
        ({"mode": 3}, "mode: 3 is not a text."),
        ({"fast": "yes"}, "fast: 'yes' is neither true nor false. Use true or false."),
    ],
)
def test_an_error_has_the_name_the_value_the_limit_and_what_to_use(given, error):
    with pytest.raises(ConfigError) as caught:
        Small(**given)
    assert str(caught.value).startswith(error)


def test_values_at_the_limits_are_fine():
    Small(rank=8, scale=10, rate=0, width=1, mode="mean", fast=True)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [("rank", "3", 3), ("scale", "2e0", 2.0), ("fast", "True", True), ("fast", "false", False), ("mode", "sum", "sum")],
)
def test_a_text_is_read_as_the_options_type(name, text, value):
    parsed = options_of(Small)[name].parse(text)
    assert (parsed, type(parsed)) == (value, type(value))


def test_a_description_has_help_limits_meanings_needs_and_default():
    described = options_of(Small)
    assert described["rank"].describe() == "Rank. At least 0. 0: off. Default: 0."
    assert described["scale"].describe() == "Scale. Above 0 and at most 10. Needs rank. Default: 1."
    assert described["width"].describe() == "Width. At least 1. Default: as wide as needed."


@pytest.mark.parametrize(
    ("value", "text"), [(5e-5, "5e-5"), (3e-4, "3e-4"), (0.01, "0.01"), (2.0, "2"), (16, "16"), (True, "true")]
)
def test_a_value_is_shown_as_one_writes_it(value, text):
    assert show(value) == text


def test_the_nearest_name_is_an_alias_first_and_nothing_when_none_is_near():
    assert nearest("lr", ["learning_rate"], aliases={"lr": "learning_rate"}) == "learning_rate"
    assert nearest("lerning_rate", ["learning_rate", "seed"]) == "learning_rate"
    assert nearest("color", ["learning_rate", "seed"]) == ""


@pytest.mark.parametrize("declaring", [TrainConfig, DataOptions])
def test_every_field_is_an_option_and_documented(declaring):
    options = options_of(declaring)
    assert list(options) == [field.name for field in fields(declaring)]
    for option in options.values():
        assert f"\n    {option.name}: {option.help}." in declaring.__doc__


def test_all_of_a_runs_options_have_a_group_but_the_one_that_torchrun_sets():
    assert [name for name, option in options_of(TrainConfig).items() if not option.group] == ["world_size"]


def test_no_name_of_another_tool_stands_for_two_options():
    options = options_of(TrainConfig)
    aliases = [alias for option in options.values() for alias in option.aliases]
    assert len(set(aliases)) == len(aliases)
    assert not set(aliases) & options.keys()


def test_presets_and_examples_are_values():
    for preset in PRESETS.values():
        TrainConfig(**preset)
    for option in options_of(TrainConfig).values():
        for example in option.example.split(" or ") if option.example else ():
            option.parse(example)
