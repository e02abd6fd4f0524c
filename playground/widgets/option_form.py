"""The form of a run's options: a widget for each option that `TrainConfig` declares, in its groups."""

from collections.abc import Sequence
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
AUTOMATIC = "automatic"
"""What the form shows for an option that is left to the machine: None."""


def build_form() -> dict[str, gr.components.Component]:
    """Lay out the widgets of all options, a row per group; by name, in the order of `OPTIONS`."""
    widgets: dict[str, gr.components.Component] = {}
    for group in GROUPS:
        gr.HTML(f"<h3>{group.value}</h3>", elem_classes="plain")
        with gr.Row():
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
