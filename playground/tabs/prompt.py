"""Tab 2: edit the template, see the tensors."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

import gradio as gr

from ift.batching import parse_trained
from ift.census import census
from ift.config import TrainConfig
from ift.errors import DataError, IftError
from ift.templates import MAX_CHARACTERS, PRESETS, Template, preset_source, read_template
from ift.types import TRAIN_ON, Role
from ift.vocabulary import known_ids
from playground import library, xray
from playground.context import BUSY, LIVE, QUIET, Context, Kept, preset_of, train_on, when_loaded, whole
from playground.view import MASKS, MAX_ROWS, NONE, ORDERS, WIDTHS, View, read_link, to_link
from playground.views import html, steps
from playground.views.data import containing
from playground.views.lens import lens, notes, shown
from playground.views.numbers import numbers, padding_figure

if TYPE_CHECKING:
    from playground.tabs.train import TrainTab

OWN = "own"
SYNTAX = (
    "{{instruction}} {{input}} {{output}}; {{#input}}…{{/input}} where a record has an input, "
    "{{^input}}…{{/input}} where it has none"
)


def _code() -> Callable[[object], list[dict]]:
    """For the browser, once; a function of its own, as Gradio marks what it exposes."""

    def lens_code(query: object) -> list[dict]:  # Gradio always sends one
        return steps.lens_code()

    return lens_code


class PromptTab:
    """The tab's widgets and handlers."""

    def __init__(self, context: Context) -> None:
        self.context = context
        start = View()
        with gr.Row():
            with gr.Column(scale=1, min_width=280, elem_classes="rail"):
                choices = [*((title, name) for name, title in PRESETS.items()), ("Your own", OWN)]
                self.preset = gr.Dropdown(choices, value="alpaca", label="Template", elem_id="preset")
                self.template = gr.Textbox(
                    start.template,
                    label="Prompt template",
                    info=SYNTAX,
                    lines=12,
                    max_lines=24,
                    max_length=MAX_CHARACTERS,
                    elem_id="template",
                    elem_classes="mono",
                )
                with gr.Column(elem_classes="tools"):
                    gr.HTML(
                        html_template='<div class="ift editor"></div>',
                        js_on_load=when_loaded("ift.editor(element)"),
                        elem_id="editor",
                        elem_classes="plain",
                    )
                    self.file = gr.UploadButton("Load a file", size="sm", elem_id="load-template")
                self.message = gr.HTML(elem_id="template-message", elem_classes="plain")
                with gr.Column(elem_classes="switches"):
                    self._build_switches(start)
            with gr.Column(scale=4, min_width=320):
                self.grid = gr.HTML(
                    {},
                    html_template='<div class="ift lens col"></div>',
                    js_on_load=when_loaded("ift.lens(element, props, watch, server)"),
                    server_functions=[_code(), xray.losses(context), xray.top(context), xray.linter(context)],
                    elem_id="lens",
                    elem_classes="plain",
                )
                with gr.Accordion("Numbers over the whole data set", open=False, elem_id="numbers") as self.counted:
                    self.batch = gr.Number(8, label="Rows a batch", precision=0, elem_id="count-batch")
                    self.count = gr.Button("Count with this template and mask", elem_id="count")
                    self.padding = gr.HTML(
                        {},
                        html_template='<div class="ift"><h2>Padding</h2><div class="plot"></div></div>',
                        js_on_load=when_loaded("ift.figure(element, props, watch)"),
                        elem_id="padding",
                        elem_classes="plain",
                    )
                    self.numbers = gr.HTML(elem_id="count-result", elem_classes="plain")

    def _build_switches(self, start: View) -> None:
        self.mask = gr.Radio(MASKS, value=start.mask, label="Which tokens count in the loss", elem_id="mask")
        self.keep_eos = gr.Checkbox(
            start.keep_eos, label="Train the end of text: the model learns to stop", elem_id="eos"
        )
        self.train_padding = gr.Checkbox(
            start.train_padding, label="Train padding too (a classic mistake)", elem_id="pad"
        )
        self.other = gr.Dropdown(
            [("no second mask", NONE), *MASKS], value=start.other, label="Compare with a second mask", elem_id="other"
        )
        self.find = gr.Textbox(
            start.find, label="Rows that contain", placeholder="any text, e.g. opposite", elem_id="find"
        )
        self.size = gr.Slider(1, MAX_ROWS, value=start.size, step=1, label="Rows in the batch", elem_id="size")
        self.first = gr.Number(start.first, label="First row", precision=0, elem_id="first")
        with gr.Accordion("What if: width, cut, order", open=False, elem_id="what-if"):
            self.width = gr.Radio(WIDTHS, value=start.width, label="Pad to", elem_id="width")
            self.fixed_width = gr.Number(start.fixed_width, label="Fixed width", precision=0, elem_id="fixed-width")
            self.max_length = gr.Number(
                start.max_length,
                label="max_length",
                info="Tokens a row; 0: the model's context",
                precision=0,
                elem_id="max-length",
            )
            self.order = gr.Radio(ORDERS, value=start.order, label="Order of the rows", elem_id="order")
            self.seed = gr.Number(start.seed, label="Seed of the training order", precision=0, elem_id="order-seed")

    def wire(self, page: gr.Blocks, data: gr.State, source: gr.Radio, train: "TrainTab") -> None:
        """Redraw the grid whenever anything that decides it changes.

        Args:
            page: its load restores what a link says.
            data: the data set's name.
            source: the choice of a data set, which a link may set.
            train: its model decides how long a row may be and what is known, its run whose loss is shown.
        """
        model, run = train.model, train.run
        by_field = {one.name: self._widget(one.name, data) for one in fields(View)}
        view = list(by_field.values())
        drawn = {"fn": self._draw, "inputs": [*view, model, run], "outputs": [self.grid, self.message]}
        edited = {**drawn, "fn": self._edit, "outputs": [*drawn["outputs"], self.preset]}
        self.template.change(**edited, **LIVE)  # `input` would miss what is pasted, dropped or undone
        self.preset.input(self._source, self.preset, self.template, **LIVE)
        self.file.upload(self._load, self.file, [self.template, self.message], **QUIET)
        for component in (*(widget for widget in view if widget is not self.template), model, run):
            component.change(**drawn, **LIVE)
        train.chart.changed(**drawn, **QUIET)  # a run that ends has a model to show
        counting = (self._count, [*view, model, self.batch], [self.padding, self.numbers])
        for event in (self.count.click, self.counted.expand):
            event(*counting, **BUSY)
        link = gr.Textbox(visible=False)
        restored = page.load(
            self._restore,
            link,
            [*view, source, self.preset],
            js=f"() => {when_loaded('return [ift.link.text()]')}",
            **QUIET,
        )
        restored.then(**drawn, **QUIET)

    def _count(self, *values: object) -> tuple:
        """The numbers of all rows; not at each keystroke, since every row is encoded."""
        *fields_of_view, model, size = values
        try:
            view = _view(fields_of_view)
            template, examples = Template.parse(view.template), library.dataset(view.data).examples
            longest, rows = self.context.limit(model, view.max_length), max(1, whole("rows a batch", size))
            found = census(
                examples,
                template,
                trained=_trained(view),
                max_length=longest,
                batch_size=rows,
                seed=_seed(view.seed),
            )
        except IftError as problem:
            return {}, html.error(problem)
        said = f"All {len(examples):,} records, cut at {longest} tokens, {rows} rows a batch."
        return padding_figure(found), numbers(found, said=said)

    def _widget(self, name: str, data: gr.State) -> gr.components.Component:
        return data if name == "data" else getattr(self, name)

    def _draw(self, *values: object) -> tuple:
        *fields_of_view, model, run_id = values
        try:
            view = _view(fields_of_view)
            value, message = self._drawn(view, model, run_id)
        except IftError as problem:
            return {"error": problem.what}, html.error(problem)
        return {"batch": json.dumps(value)}, message

    def _drawn(self, view: View, model: str, run_id: str | None) -> tuple[dict, str]:
        template, dataset = Template.parse(view.template), library.dataset(view.data)
        longest = self.context.limit(model, view.max_length)
        trained = _trained(view)
        order = range(len(dataset))
        if view.order == "training":
            order = library.training_order(
                view.data, template.source, trained=trained, max_length=longest, seed=_seed(view.seed)
            )
        found = shown(
            dataset.examples,
            _batch(containing(dataset, order, view.find) if view.find else order, view),
            template,
            trained=trained,
            width=self._width(view, longest),
            max_length=longest,
        )
        stamp = next(self.context.stamps)
        run, models, labels = self.context.jobs.run(run_id), {"before": self.context.model(model)}, {}
        if run and run.checkpoints():
            models = {"before": run.config["config"]["model"], "after": str(run.last_checkpoint())}
            labels = {"after": run.id}
        sides = {side: labels.get(side, Path(name).name) for side, name in models.items()}  # a stranger sees no paths
        self.context.recent.keep(stamp, Kept(found, models, view.data, template.source))
        other = None if view.other == NONE else TRAIN_ON[view.other]
        value = lens(found, stamp=stamp, known=known_ids(self.context.model(model)), other=other)
        text = f"{view.data}\0{template.source}".encode("utf-8", "replace")
        about = {"sides": sides, "link": to_link(view), "text": hashlib.sha256(text).hexdigest()}
        return {**value, **about}, notes(value, longest)

    def _width(self, view: View, longest: int) -> int | None:
        """The width asked for; None leaves it to the batch."""
        if view.width == "fixed":
            return whole("fixed width", view.fixed_width)
        if view.width == "data set":
            return min(library.longest(view.data, view.template), longest)
        return None

    def _edit(self, *values: object) -> tuple:
        *fields_of_view, _, _ = values
        return *self._draw(*values), preset_of(_view(fields_of_view).template) or OWN

    def _source(self, preset: str) -> str:
        return preset_source(preset) if preset in PRESETS else gr.skip()

    def _load(self, path: str) -> tuple:
        """A template file into the editor; what is wrong in it is said there, with line and column."""
        try:
            return read_template(Path(path)), gr.skip()
        except IftError as problem:
            return gr.skip(), html.error(problem)

    def _restore(self, link: str) -> tuple:
        """All that a link says into the switches; nothing changes without one."""
        try:
            view = read_link(link)
        except IftError as problem:
            gr.Warning(f"{problem.what}. {problem.fix}")
            view = None
        if view is None:
            return tuple(gr.skip() for _ in range(len(fields(View)) + 2))
        values = (getattr(view, one.name) for one in fields(View))
        return *values, view.data, preset_of(view.template) or OWN


def _view(values: Sequence[object]) -> View:
    return View(**dict(zip((one.name for one in fields(View)), values, strict=True)))


def _trained(view: View) -> frozenset[Role]:
    return parse_trained(train_on(view.mask, view.keep_eos, view.train_padding))


def _batch(records: Sequence[int], view: View) -> Sequence[int]:
    """The records of the batch, among those found; a start beyond their end shows the last ones."""
    if not records:
        raise DataError(f"No row contains “{view.find}”", where="Rows that contain", fix="Shorten it.")
    size = max(1, min(MAX_ROWS, whole("rows in the batch", view.size)))
    start = max(0, min(whole("first row", view.first), len(records) - 1))
    return records[start : start + size]


def _seed(value: float | None) -> int:
    return TrainConfig(seed=whole("seed", value)).seed  # checked there
