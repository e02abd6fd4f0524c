"""Tab 2: edit the template, see the tensors."""

import json
from collections.abc import Callable

import gradio as gr

from ift.batching import parse_trained
from ift.errors import IftError
from ift.templates import MAX_CHARACTERS, PRESETS, Template, preset_source
from ift.types import TRAIN_ON
from ift.vocabulary import known_ids
from playground import library
from playground.context import LIVE, QUIET, Context, preset_of, train_on, whole
from playground.views import html, steps
from playground.views.lens import lens, notes

OWN = "own"
ROWS_SHOWN, MAX_ROWS = 8, 32
SYNTAX = (
    "{{instruction}} {{input}} {{output}}; {{#input}}…{{/input}} where a record has an input, "
    "{{^input}}…{{/input}} where it has none"
)
MASKS = [(name.replace("-", " "), name) for name in TRAIN_ON]
"""(label, name) of the named masks, for a radio."""


def _code() -> Callable[[object], list[dict]]:
    """For the browser, once; a function of its own, as Gradio marks what it exposes."""

    def lens_code(query: object) -> list[dict]:  # Gradio always sends one
        return steps.lens_code()

    return lens_code


class PromptTab:
    """The tab's widgets and handlers."""

    def __init__(self, context: Context) -> None:
        self.context = context
        with gr.Row():
            with gr.Column(scale=1, min_width=280, elem_classes="rail"):
                choices = [*((title, name) for name, title in PRESETS.items()), ("Your own", OWN)]
                self.preset = gr.Dropdown(choices, value="alpaca", label="Template", elem_id="preset")
                self.template = gr.Textbox(
                    preset_source("alpaca"),
                    label="Prompt template",
                    info=SYNTAX,
                    lines=12,
                    max_lines=24,
                    max_length=MAX_CHARACTERS,
                    elem_id="template",
                    elem_classes="mono",
                )
                self.message = gr.HTML(elem_id="template-message", elem_classes="plain")
                self.mask = gr.Radio(MASKS, value="response", label="Which tokens count in the loss", elem_id="mask")
                self.keep_eos = gr.Checkbox(
                    True, label="Train the end of text: the model learns to stop", elem_id="eos"
                )
                self.train_padding = gr.Checkbox(False, label="Train padding too (a classic mistake)", elem_id="pad")
                self.size = gr.Slider(1, MAX_ROWS, value=ROWS_SHOWN, step=1, label="Rows shown", elem_id="size")
                self.first = gr.Number(0, label="First row", precision=0, elem_id="first")
                self.max_length = gr.Number(
                    0,
                    label="max_length",
                    info="Tokens a row; 0: the model's context",
                    precision=0,
                    elem_id="max-length",
                )
            with gr.Column(scale=4, min_width=320):
                self.grid = gr.HTML(
                    {},
                    html_template='<div class="ift lens col"></div>',
                    js_on_load="ift.lens(element, props, watch, server)",
                    server_functions=[_code()],
                    elem_id="lens",
                    elem_classes="plain",
                )

    def wire(self, page: gr.Blocks, data: gr.State, model: gr.Dropdown) -> None:
        """Redraw the grid whenever anything that decides it changes."""
        switches = [self.mask, self.keep_eos, self.train_padding, self.max_length, self.size, self.first, model]
        drawn = {"fn": self._draw, "inputs": [data, self.template, *switches], "outputs": [self.grid, self.message]}
        edited = {**drawn, "fn": self._edit, "outputs": [*drawn["outputs"], self.preset]}
        self.template.change(**edited, **LIVE)  # `input` would miss what is pasted, dropped or undone
        self.preset.input(self._source, self.preset, self.template, **LIVE)
        for component in (data, *switches):
            component.change(**drawn, **LIVE)
        page.load(**drawn, **QUIET)

    def _draw(self, name: str, source: str, *switches: object) -> tuple:
        mask, keep_eos, train_padding, max_length, size, first, model = switches
        try:
            template, dataset = Template.parse(source), library.dataset(name)
            start = max(0, min(whole("first row", first), len(dataset) - 1))
            longest = self.context.limit(model, max_length)
            value = lens(
                dataset.examples,
                range(start, min(len(dataset), start + max(1, min(MAX_ROWS, whole("rows shown", size))))),
                template,
                trained=parse_trained(train_on(mask, keep_eos, train_padding)),
                max_length=longest,
                stamp=next(self.context.stamps),
                known=known_ids(self.context.model(model)),
            )
        except IftError as problem:
            return {"error": problem.what}, html.error(problem)
        return {"batch": json.dumps(value)}, notes(value, longest)

    def _edit(self, name: str, source: str, *switches: object) -> tuple:
        return *self._draw(name, source, *switches), preset_of(source) or OWN

    def _source(self, preset: str) -> str:
        return preset_source(preset) if preset in PRESETS else gr.skip()
