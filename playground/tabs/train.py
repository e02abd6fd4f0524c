"""Tab 3: choose a model and how it is trained, start, watch."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import gradio as gr

from ift.config import PRESETS, TrainConfig, make_config, preset_for
from ift.data.records import split
from ift.data.templates import Template
from ift.errors import DataError, IftError
from ift.model.names import GPT2_SIZES, find_model
from ift.types import Example
from playground import caches
from playground.context import LIVE, QUIET, Context, train_on, when_loaded, whole
from playground.lens.state import MASKS, preset_of
from playground.runs import polls
from playground.runs.jobs import train_options
from playground.tabs.prompt import PromptTab
from playground.uploads import data_options
from playground.views import html
from playground.views import run as views
from playground.views.findings import chips
from playground.widgets.estimate_button import EstimateButton
from playground.widgets.models_table import ModelsTable
from playground.widgets.option_form import build_form, to_options, to_values
from playground.widgets.run_buttons import RunButtons

PRESET_TITLES = {
    "quick": "Quick: 2 epochs, batch 16, learning rate 3e-4, loss on the response",
    "book": "Book, chapter 7: 2 epochs, batch 8, learning rate 5e-5, weight decay 0.1, loss on all tokens",
}


SPOIL = ("split-empty", "nothing-trained", "row-cut", "eos-masked", "padding-trained", "split-partial", "leak")
"""The findings that are shown before Start."""


class TrainTab:
    """The tab's widgets and handlers."""

    def __init__(self, context: Context, *, shown: gr.BrowserState) -> None:
        """`shown`: the run that this browser looks at."""
        self.context = context
        with gr.Row():
            with gr.Column(scale=3, min_width=320):
                self._build_options()
            with gr.Column(scale=2, min_width=320):
                self.ready = gr.HTML(elem_id="ready", elem_classes="plain")
                self.judged = gr.HTML(elem_id="run-findings", elem_classes="plain")
                self.needs = EstimateButton(context)
                self.start = gr.Button("Start fine-tuning", variant="primary", size="lg", elem_id="start")
                self.control = RunButtons(context, shown=shown)
                with gr.Accordion("The same run from a command line", open=False):
                    self.command = gr.Code(language="shell", interactive=False, label="Command", elem_id="command")
        self.run = gr.Dropdown(
            [], value=None, label="Run shown", info="Every run of this server", allow_custom_value=True, elem_id="run"
        )
        self.chart = gr.HTML(
            {},
            html_template='<div class="ift run col" hidden></div>',
            js_on_load=when_loaded("ift.run(element, props, watch, data => trigger('changed', data), server)"),
            server_functions=[polls.training(context)],
            elem_id="chart",
            elem_classes="plain",
        )

    def _build_options(self) -> None:
        quick = TrainConfig()
        self.model = gr.Dropdown(
            model_choices(self.context),
            value=quick.model,
            label="Model",
            info="The starter is in the box. GPT-2 is downloaded once. A run continues from its last checkpoint.",
            allow_custom_value=not self.context.settings.is_shared,
            elem_id="model",
        )
        self.models = ModelsTable(self.context)
        presets = [(title, name) for name, title in PRESET_TITLES.items()]
        self.preset = gr.Radio(presets, value=preset_for(quick.model), label="Preset", elem_id="run-preset")
        self.mask = gr.Radio(MASKS, value=quick.train_on, label="Which tokens count in the loss", elem_id="run-mask")
        with gr.Accordion("Hyper-parameters", open=False, elem_id="hyper"):
            self.hyper = build_form()

    def wire(self, page: gr.Blocks, tab: gr.Tab, prompt: PromptTab, data: gr.State) -> None:
        """Connect the widgets, and the mask with the prompt tab's; `tab`: the one that this stands in."""
        hyper = list(self.hyper.values())
        switches = [self.model, self.mask, prompt.keep_eos, prompt.train_padding, prompt.max_length, *hyper]
        inputs = [data, prompt.template, *switches]
        outputs = [self.control.shown, self.control.message]
        self.start.click(self._start, inputs, outputs, **QUIET)
        self.control.wire(self.run, self.chart)
        self.models.wire(self.needs.needs)
        self.needs.wire(tab, self._config, inputs, {**self.hyper, "max_length": prompt.max_length})
        preset = {"fn": self._preset, "inputs": self.preset, "outputs": [self.mask, prompt.mask, *hyper]}
        self.preset.input(**preset, **QUIET)
        self.model.input(preset_for, self.model, self.preset, **QUIET).then(**preset, **QUIET)
        self.mask.input(lambda mask: mask, self.mask, prompt.mask, **LIVE)
        prompt.mask.input(lambda mask: mask, prompt.mask, self.mask, **LIVE)
        preview = {"fn": self._preview, "inputs": inputs, "outputs": [self.ready, self.command]}
        judge = {"fn": self._judge, "inputs": inputs, "outputs": self.judged}
        for component in (data, *switches):
            component.change(**preview, **LIVE)
            component.change(**judge, **QUIET, trigger_mode="always_last")
            component.change(None, None, self.control.message, js="() => ''")  # it was about what stood there before
        for event in (page.load, tab.select):  # not at each key in the template: the lens needs that time
            event(**preview, **QUIET)
            event(**judge, **QUIET, trigger_mode="always_last")

    @property
    def looks(self) -> list:
        """What `look` fills."""
        return [self.start, self.model, *self.control.looks]

    def look(self, run_id: str | None) -> tuple:
        """The buttons and the reason as they can be used now, and the models there are."""
        can_start = gr.Button(interactive=self.context.settings.is_shared or self.context.jobs.busy() is None)
        return can_start, gr.Dropdown(choices=model_choices(self.context)), *self.control.look(run_id)

    def run_choices(self) -> list[str]:
        """Names of all runs, newest first; one that is just starting too."""
        busy = self.context.jobs.busy()
        names = [run.id for run in self.context.jobs.runs()]
        is_new = busy and busy.id not in names and self.context.ownership.may_see(busy)
        waiting = [ticket.run for ticket in self.context.queue.tickets() if self.context.jobs.run(ticket.run)]
        return list(dict.fromkeys([*([busy.id] if is_new else []), *waiting, *names]))

    def _config(self, data: str, model: str, *switches: object) -> TrainConfig:
        mask, keep_eos, train_padding, max_length, *numbers = switches
        options = to_options(numbers)
        options["max_length"] = whole("max_length", max_length) or None
        on = train_on(mask, keep_eos, train_padding)
        options |= asdict(data_options(data))
        return make_config({**options, "model": self.context.model(model), "data": data, "train_on": on})

    def _preview(self, data: str, source: str, model: str, *switches: object) -> tuple:
        try:
            config, template = self._config(data, model, *switches), Template.parse(source)
            find_model(config.model)
            examples = caches.dataset(data).examples
            _require_training(examples, data)
            tokens = caches.tokens_per_row(data, source)
            rows = len(split(examples).train)
            self.context.require_training(config, rows=rows, tokens_per_row=tokens)
        except IftError as problem:
            return html.error(problem), ""
        name = preset_of(template.source) or "my-template.txt"
        command = views.command_line([*train_options(config, name), "--out", "runs/my-run"])
        ready = views.ready(config, template=name, records=len(examples), rows=rows, tokens_per_row=tokens)
        return ready, command

    def _judge(self, data: str, source: str, model: str, *switches: object) -> str:
        """What would spoil a run with these settings, as chips; every row is looked at, so it comes by itself."""
        try:
            config = self._config(data, model, *switches)
            longest = self.context.limit(model, config.max_length or 0)
            report = self.context.linters.data_report(data, source, trained=config.trained, max_length=longest)
        except IftError:
            return ""  # said by the preview
        return chips([one for one in report.findings if one.code in SPOIL], total=len(report.dataset))

    def _start(self, data: str, source: str, model: str, *switches: object) -> tuple:
        try:
            config, template = self._config(data, model, *switches), Template.parse(source)
            examples = caches.dataset(data).examples
            _require_training(examples, data)
            rows, tokens = len(split(examples).train), caches.tokens_per_row(data, source)
            self.context.require_training(config, rows=rows, tokens_per_row=tokens)
            find_model(config.model)
            run_id = self._begin(config, template)
        except IftError as problem:
            return gr.skip(), html.error(problem)
        return run_id, ""

    def _begin(self, config: TrainConfig, template: Template) -> str:
        """At once on one's own machine; on a shared page in turn, and scored right after it."""
        if self.context.settings.is_shared:
            return self.context.queue.add(config, source=template.source, evaluate=True).run
        preset = preset_of(template.source)
        return self.context.jobs.start_training(config, template=preset, source=template.source).id

    def _preset(self, preset: str) -> list:
        config = TrainConfig(**PRESETS[preset])
        return [config.train_on, config.train_on, *to_values(config)]


def _require_training(examples: Sequence[Example], data: str) -> None:
    if not split(examples).train:
        fix = 'Use at least 2 records, or mark some with "split": "train".'
        raise DataError("The training split is empty", where=Path(data).name, fix=fix)


def model_choices(context: Context) -> list[tuple[str, str]]:
    """The starter, OpenAI's sizes, and the runs of this server that saved something."""
    sizes = [(f"{name} · {parameters / 1e6:,.0f} M parameters", name) for name, parameters in GPT2_SIZES.items()]
    runs = [(f"run {run.id}", run.id) for run in context.jobs.runs() if run.checkpoints()]
    return [("starter · 11 M parameters, in the box", "starter"), *sizes, *runs]
