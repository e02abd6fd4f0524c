"""The form of a run's options: a widget for each option that `TrainConfig` declares, in its groups."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from ift.config import TrainConfig
from ift.errors import ConfigError
from ift.options import Group, Option, options_of
from playground.context import whole

GROUPS = (Group.LENGTH, Group.OPTIMIZER, Group.BATCH, Group.LORA, Group.DROPOUT, Group.REPORTS)
"""Those that the form has: what is in the others is chosen elsewhere on the page, or needs several processes."""
OPTIONS = {
    name: option for group in GROUPS for name, option in options_of(TrainConfig).items() if option.group is group
}
"""The form's options by name, in its order."""
LONGEST_TEXT = 300
"""Characters of a text that a link may put into the form."""
AUTOMATIC = "automatic"
"""What the form shows for an option that is left to the machine: None."""


def build_form() -> dict[str, gr.components.Component]:
    """Lay out the widgets of all options, a column per group; by name, in the order of `OPTIONS`."""
    widgets: dict[str, gr.components.Component] = {}
    with gr.Row(elem_classes="options"):
        for group in GROUPS:
            with gr.Column(min_width=160):
                gr.HTML(f"<h3>{group.value}</h3>", elem_classes="plain")
                widgets |= {name: widget(option) for name, option in OPTIONS.items() if option.group is group}
    return widgets


def widget(option: Option) -> gr.components.Component:
    """The widget of one option; its checks are `TrainConfig`'s, whose errors say how to fix."""
    shown: dict[str, Any] = {
        "value": _shown(option.default),
        "label": option.name,
        "info": option.describe(default="", lists_values=False),
        "elem_id": option.name,
        "min_width": 220,
    }
    if option.kind is bool and option.optional:
        return gr.Dropdown([AUTOMATIC, "true", "false"], **shown)
    if option.kind is bool:
        return gr.Checkbox(**shown)
    if option.choices:
        return gr.Dropdown(list(option.choices), **shown)
    return gr.Textbox(**shown) if option.kind is str else gr.Number(**shown)


def to_options(values: Sequence[object]) -> dict[str, object]:
    """The options by name, from the widgets' values in their order.

    Raises:
        ConfigError: a field is empty, or a whole number has a fraction.
    """
    return {name: _option(OPTIONS[name], value) for name, value in zip(OPTIONS, values, strict=True)}


def to_values(config: TrainConfig) -> list[object]:
    """What the widgets show for a config, in their order."""
    return [_shown(getattr(config, name)) for name in OPTIONS]


def settings_link(model: str | None, values: Sequence[object]) -> dict[str, object]:
    """The model, and what the widgets show otherwise than at the start: as a link carries it."""
    start = to_values(TrainConfig())
    changed = {name: value for name, value, first in zip(OPTIONS, values, start, strict=True) if value != first}
    found = {"model": model, **changed} if (model or "starter") != TrainConfig().model else changed
    return {name: value for name, value in found.items() if value is not None}


def settings_values(said: object, is_offered: Callable[[str], bool]) -> list[object]:
    """The model, then values for the widgets in their order, from what a link says.

    It may say anything: what is no value for its widget keeps its start. What is out of range is the form's to refuse.

    Args:
        said: as `settings_link` gives it.
        is_offered: whether a model may be named.
    """
    given = said if isinstance(said, dict) else {}
    model = given.get("model")
    known = isinstance(model, str) and len(model) <= LONGEST_TEXT and is_offered(model)
    start = dict(zip(OPTIONS, to_values(TrainConfig()), strict=True))
    values = [given[name] if _fits(OPTIONS[name], given.get(name)) else start[name] for name in OPTIONS]
    return [model if known else TrainConfig().model, *values]


def _fits(option: Option, value: object) -> bool:
    if option.kind is bool and option.optional:
        return value in (AUTOMATIC, "true", "false")
    if option.kind is bool:
        return isinstance(value, bool)
    if option.choices:
        return value in option.choices
    if option.kind is str:
        return isinstance(value, str) and len(value) <= LONGEST_TEXT
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _shown(value: object) -> object:
    return AUTOMATIC if value is None else value


def _option(option: Option, value: Any) -> object:  # noqa: ANN401  a widget's value: text, number, switch or None
    if value == AUTOMATIC:
        return None
    if option.kind is int:
        return whole(option.name, value)
    if value is None:
        raise ConfigError(f"{option.name} is empty", where=option.name, fix="Enter a number.")
    return value == "true" if option.kind is bool and isinstance(value, str) else value
