"""Tab 2: edit the template, see the tensors."""

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from pathlib import Path

import gradio as gr

from ift.audit.statistics import dataset_statistics
from ift.data.templates import MAX_CHARACTERS, PRESETS, Template, preset_source, read_template
from ift.errors import IftError
from ift.plurals import plural
from playground import caches
from playground.context import LIVE, QUIET, Context, busy, when_loaded, whole
from playground.lens import code, queries
from playground.lens.draw import OWN, draw, seed, trained, typed
from playground.lens.state import MASKS, MAX_ROWS, NONE, ORDERS, WIDTHS, View, preset_of, read_link
from playground.views import html
from playground.views.numbers import numbers, padding_figure
from playground.widgets.own_record import OwnRecord

SYNTAX = (
    "{{instruction}} {{input}} {{output}}; {{#input}}…{{/input}} where a record has an input, "
    "{{^input}}…{{/input}} where it has none"
)


def _code() -> Callable[[object], list[dict]]:
    """For the browser, once; a function of its own, as Gradio marks what it exposes."""

    def lens_code(query: object) -> list[dict]:  # Gradio always sends one
        return code.lens_code()

    return lens_code


class PromptTab:
    """The tab's widgets and handlers."""

    def __init__(self, context: Context) -> None:
        self.context = context
        start = View()
        with gr.Row(elem_classes="railed", elem_id="prompt-page"):
            with gr.Column(elem_classes="rail", elem_id="rail"):
                self._build_editor(start)
                with gr.Column(elem_classes="switches"):
                    self._build_mask(start)
                    self._build_groups(start)
            self.grid = gr.HTML(
                {},
                html_template='<div class="ift lens"></div>',
                js_on_load=when_loaded(
                    "ift.lens(element, props, watch, server, {"
                    " lost: () => trigger('lost'), renamed: () => trigger('renamed') })"
                ),
                server_functions=[_code(), typed(context), *queries.answers(context)],
                elem_id="lens",
                elem_classes="plain",
            )

    def _build_editor(self, start: View) -> None:
        """The template, and right under it what is wrong with it."""
        with gr.Row(elem_classes="line"):
            choices = [*((title, name) for name, title in PRESETS.items()), ("Your own", OWN)]
            self.preset = gr.Dropdown(
                choices, value="alpaca", label="Template", container=False, min_width=80, elem_id="preset"
            )
            gr.HTML(
                html_template='<div class="ift editor"></div>',
                js_on_load=when_loaded("ift.editor(element)"),
                elem_id="editor",
                elem_classes="plain",
            )
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
        self.file = gr.UploadButton("Load a file", elem_id="load-template", elem_classes="offstage")
        with gr.Column(elem_classes="under"):
            gr.HTML(
                html_template='<div class="said"></div><div class="of-all"></div>',
                elem_id="template-message",
                elem_classes="plain",
            )
            gr.HTML(html_template='<div class="ift lint"></div>', elem_id="findings", elem_classes="plain")

    def _build_mask(self, start: View) -> None:
        self.mask = gr.Radio(
            MASKS, value=start.mask, label="Which tokens count in the loss", elem_id="mask", elem_classes="segments"
        )
        with gr.Row(elem_classes="checks"):
            self.keep_eos = gr.Checkbox(
                start.keep_eos,
                label="End of text (EOS)",
                info="Trained, it teaches the model to stop",
                min_width=80,
                elem_id="eos",
            )
            self.train_padding = gr.Checkbox(
                start.train_padding, label="Padding", info="A classic mistake", min_width=60, elem_id="pad"
            )

    def _build_groups(self, start: View) -> None:
        """Folded, each shows its value beside its name (assets/web/rail.js)."""
        with gr.Accordion("Second mask", open=False, elem_id="second-mask", elem_classes="group"):
            self.other = gr.Dropdown(
                [("none", NONE), *MASKS],
                value=start.other,
                label="Compare with a second mask",
                elem_id="other",
            )
        self.own = OwnRecord()
        self.own_instruction, self.own_input, self.own_output = self.own.instruction, self.own.input, self.own.output
        with gr.Accordion("Rows", open=False, elem_id="which-rows", elem_classes="group"):
            self.find = gr.Textbox(
                start.find, label="Rows that contain", placeholder="any text, e.g. opposite", elem_id="find"
            )
            # no slider: Gradio answers a typed number beyond its ends with a server error
            self.size = gr.Number(
                start.size, label="Rows in the batch", info=f"1 to {MAX_ROWS}", precision=0, elem_id="size"
            )
            self.first = gr.Number(start.first, label="First row", precision=0, elem_id="first")
        with gr.Accordion("Width and cut", open=False, elem_id="what-if", elem_classes="group"):
            self.width = gr.Radio(WIDTHS, value=start.width, label="Pad to", elem_id="width")
            self.fixed_width = gr.Number(start.fixed_width, label="Fixed width", precision=0, elem_id="fixed-width")
            self.max_length = gr.Number(
                start.max_length,
                label="max_length",
                info="Tokens per row; 0: the model's context",
                precision=0,
                elem_id="max-length",
            )
        with gr.Accordion("Row order", open=False, elem_id="row-order", elem_classes="group"):
            self.order = gr.Radio(ORDERS, value=start.order, label="Order of the rows", elem_id="order")
            self.seed = gr.Number(start.seed, label="Seed of the training order", precision=0, elem_id="order-seed")
        with gr.Accordion("Whole data set", open=False, elem_id="numbers", elem_classes="group") as self.counted:
            self.batch = gr.Number(8, label="Rows per batch", precision=0, elem_id="count-batch")
            self.count = gr.Button("Count with this template and mask", elem_id="count")
            self.padding = gr.HTML(
                {},
                html_template='<div class="ift"><h2>Padding</h2><div class="plot"></div></div>',
                js_on_load=when_loaded("ift.figure(element, props, watch)"),
                elem_id="padding",
                elem_classes="plain",
            )
            self.numbers = gr.HTML(elem_id="count-result", elem_classes="plain")

    def wire(
        self,
        data: gr.State,
        *,
        model: gr.Dropdown,
        run: gr.Dropdown,
        chart: gr.HTML,
    ) -> None:
        """Redraw the grid whenever anything that decides it changes.

        Args:
            data: the data set's name.
            model: decides how long a row may be and which ids are known.
            run: whose loss is shown.
            chart: reports when that run ends.
        """
        view = [self._widget(one.name, data) for one in fields(View)]
        self.restored = view
        decides = [*view, model, run]
        drawn = self._drawn = {"fn": self._draw, "inputs": decides, "outputs": self.grid}
        # Keys in the template go past Gradio (assets/web/template/typing.js), unless the server forgot the switches.
        self.grid.lost(**drawn, **LIVE)
        self.grid.renamed(lambda source: preset_of(source) or OWN, self.template, self.preset, **LIVE)
        self.preset.input(self._source, [self.preset, *decides], [self.template, self.grid], **LIVE)
        self.file.upload(self._load, [self.file, *decides], [self.template, self.grid], **QUIET)
        for component in (*(widget for widget in view if widget is not self.template), model, run):
            component.change(**drawn, **LIVE)
        chart.changed(**drawn, **LIVE)  # a run that ends has a model to show
        counting = (self._count, [*view, model, self.batch], [self.padding, self.numbers])
        for event in (self.count.click, self.counted.expand):
            event(*counting, **busy(self.numbers))

    def redraw_after(self, restored: gr.events.Dependency) -> None:
        """The grid follows what was put into the switches."""
        restored.then(**self._drawn, **LIVE)  # like all that draws: one in a queue would be overtaken

    def _count(self, *values: object) -> tuple:
        """The numbers of all rows; not at each keystroke, since every row is encoded."""
        *fields_of_view, model, size = values
        try:
            view = _view(fields_of_view)
            template, examples = Template.parse(view.template), caches.dataset(view.data).examples
            longest, rows = self.context.limit(model, view.max_length), max(1, whole("rows per batch", size))
            found = dataset_statistics(
                examples,
                template,
                trained=trained(view),
                max_length=longest,
                batch_size=rows,
                seed=seed(view.seed),
            )
        except IftError as problem:
            return {}, html.error(problem)
        said = f"All {len(examples):,} records, cut at {longest} tokens, {plural(rows, 'row')} per batch."
        return padding_figure(found), numbers(found, said=said)

    def _widget(self, name: str, data: gr.State) -> gr.components.Component:
        return data if name == "data" else getattr(self, name)

    def _draw(self, *values: object) -> dict:
        *fields_of_view, model, run = values
        return draw(self.context, _view(fields_of_view), model, run)

    def _source(self, preset: str, *values: object) -> tuple:
        return self._filled(preset_source(preset), values) if preset in PRESETS else (gr.skip(), gr.skip())

    def _load(self, path: str, *values: object) -> tuple:
        """A template file into the editor; what is wrong in it is said there, with line and column."""
        try:
            source = read_template(Path(path))
        except IftError as problem:
            return gr.skip(), {"message": html.error(problem)}
        return self._filled(source, values)

    def _filled(self, source: str, values: Sequence[object]) -> tuple:
        """A text for the editor, and the grid with it."""
        *fields_of_view, model, run = values
        return source, draw(self.context, replace(_view(fields_of_view), template=source), model, run)

    def restore(self, link: str, own: str | None) -> tuple:
        """Values for `restored`, from what a link says; nothing changes without one; `own`: an upload in use."""
        try:
            view = read_link(link)
            if view:
                self.context.require_data(view.data)
        except IftError as problem:
            gr.Warning(f"{problem.what}. {problem.fix}")
            view = None
        if view is None:
            return tuple(gr.skip() for _ in fields(View))
        return tuple(getattr(replace(view, data=own or view.data), one.name) for one in fields(View))


def _view(values: Sequence[object]) -> View:
    """What the widgets say; an emptied one says what the page begins with."""
    named = zip((one.name for one in fields(View)), values, strict=True)
    return View(**{name: value for name, value in named if value is not None})
