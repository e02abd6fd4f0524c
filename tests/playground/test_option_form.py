"""The form of a run's options is made of what `TrainConfig` declares."""

import gradio as gr
import pytest

from ift.config import PRESETS, TrainConfig
from ift.errors import ConfigError
from ift.options import Group, options_of
from playground.widgets.option_form import OPTIONS, settings_link, settings_values, to_options, to_values, widget


def test_it_has_each_option_that_is_not_chosen_elsewhere():
    elsewhere = (Group.DATA, Group.PROCESSES, None)
    expected = {name for name, option in options_of(TrainConfig).items() if option.group not in elsewhere}
    assert set(OPTIONS) == expected
    assert "learning_rate" in expected


def test_each_widget_has_the_options_name_help_and_limits():
    rate = widget(OPTIONS["learning_rate"])
    assert (rate.label, rate.value) == ("learning_rate", 3e-4)
    assert rate.info == "Learning rate at its peak. Above 0 and at most 1."
    assert widget(OPTIONS["lr_scheduler_type"]).choices == [(name, name) for name in ("constant", "linear", "cosine")]
    assert isinstance(widget(OPTIONS["group_by_length"]), gr.Checkbox)


@pytest.mark.parametrize("preset", PRESETS)
def test_what_it_shows_for_a_config_is_read_back_as_that_config(preset):
    config = TrainConfig(**PRESETS[preset], bf16=False)
    kept = {name: getattr(config, name) for name in OPTIONS}
    assert to_options(to_values(config)) == kept
    assert to_options(to_values(TrainConfig()))["bf16"] is None


@pytest.mark.parametrize(("name", "value"), [("learning_rate", None), ("max_steps", None), ("max_steps", 1.5)])
def test_an_empty_field_or_a_fraction_is_told_by_name(name, value):
    values = to_values(TrainConfig())
    values[list(OPTIONS).index(name)] = value
    with pytest.raises(ConfigError, match=name):
        to_options(values)


def test_settings_come_back_from_a_link_as_they_were():
    start = to_values(TrainConfig())
    values = list(start)
    names = list(OPTIONS)
    values[names.index("learning_rate")] = 0.001
    values[names.index("bf16")] = "true"
    link = settings_link("gpt2", values)
    assert link == {"model": "gpt2", "learning_rate": 0.001, "bf16": "true"}
    assert settings_values(link, lambda name: True) == ["gpt2", *values]
    assert settings_link("starter", start) == {}


@pytest.mark.parametrize(
    "said",
    [
        *[None, [], "text", {"learning_rate": "high"}, {"seed": True}, {"lr_scheduler_type": "steep"}],
        *[{"group_by_length": 1}, {"learning_rate": float("nan")}, {"model": 3}, {"model": "/etc"}, {"bf16": "yes"}],
        {"target_modules": "x" * 999},
    ],
)
def test_a_link_that_says_what_no_widget_holds_leaves_the_start(said):
    found = settings_values(said, lambda name: name == "gpt2")
    assert found == ["starter", *to_values(TrainConfig())]
