"""Tab 3: choose a model and how it is trained, start, watch."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import gradio as gr

from ift.config import PRESETS, TrainConfig, make_config, preset_for
from ift.data.records import split
from ift.data.templates import Template
from ift.errors import DataError, IftError
from ift.model.names import GPT2_SIZES, find_model
from ift.runs.run_note import clean_note, write_note
from ift.types import Example
from playground import caches
from playground.context import LIVE, QUIET, Context, train_on, when_loaded, whole
from playground.lens.state import MASKS, View, preset_of, read_rest, to_link
from playground.runs import polls
from playground.runs.jobs import train_options
from playground.tabs.prompt import PromptTab
from playground.uploads import data_options, kept_name
from playground.views import html
from playground.views import run as views
from playground.views.findings import chips
from playground.views.run_list import run_list
from playground.widgets.estimate_button import EstimateButton
from playground.widgets.model_download import ModelDownload
from playground.widgets.models_table import ModelsTable
from playground.widgets.option_form import build_form, settings_link, settings_values, to_options, to_values
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
        self.control = RunButtons(context, shown=shown)
        self.run = gr.Dropdown([], value=None, allow_custom_value=True, visible=False)  # the run shown
        with gr.Row(elem_classes="railed", elem_id="train-page"):
            with gr.Column(elem_classes="rail", elem_id="runs"):
                self.runs = gr.HTML(
                    elem_id="run-list",
                    elem_classes="plain",
                    js_on_load=when_loaded("ift.runs(element, data => trigger('chosen', data))"),
                )
            with gr.Column(elem_id="train-main"):
                with gr.Row(elem_id="run-notes"):
                    self.control.message.render()
                    self.control.why.render()
                with gr.Row(elem_id="setup"):
                    with gr.Column(elem_id="form", scale=3, min_width=320):
                        self._build_options()
                    with gr.Column(elem_id="this-run", scale=2, min_width=240):
                        self._build_start()
                with gr.Column(elem_id="live"):
                    self._build_live()

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
        self.preset = gr.Radio(
            presets, value=preset_for(quick.model), label="Preset", elem_id="run-preset", elem_classes="cards"
        )
        self.mask = gr.Radio(
            MASKS,
            value=quick.train_on,
            label="Which tokens count in the loss",
            elem_id="run-mask",
            elem_classes="segments",
        )
        with gr.Accordion("Hyper-parameters", open=True, elem_id="hyper"):
            self.hyper = build_form()

    def _build_start(self) -> None:
        gr.HTML('<div class="ift"><h2>This run</h2></div>', elem_classes="plain")
        self.ready = gr.HTML(elem_id="ready", elem_classes="plain")
        self.judged = gr.HTML(elem_id="run-findings", elem_classes="plain")
        self.start = gr.Button("Start fine-tuning", variant="primary", size="lg", elem_id="start")
        self.download = ModelDownload(self.context)
        self.download.build()
        self.needs = EstimateButton(self.context, self.download)
        with gr.Accordion("The same run from a command line", open=False):
            self.command = gr.Code(language="shell", interactive=False, label="Command", elem_id="command")

    def _build_live(self) -> None:
        self.chart = gr.HTML(
            {},
            html_template='<div class="ift run" hidden></div>',
            js_on_load=when_loaded(
                "ift.run(element, props, watch, {"
                " changed: data => trigger('changed', data), named: data => trigger('named', data) }, server)"
            ),
            server_functions=[polls.training(self.context)],
            elem_id="chart",
            elem_classes="plain",
        )
        self.control.build()

    def wire(self, tab: gr.Tab, prompt: PromptTab, data: gr.State, kept: gr.HTML) -> None:
        """Connect the widgets, and the mask with the prompt tab's.

        Args:
            tab: the one that this stands in.
            prompt: has the template and the switches.
            data: the data set's name.
            kept: takes what of this the browser keeps.
        """
        hyper = list(self.hyper.values())
        switches = [self.model, self.mask, prompt.keep_eos, prompt.train_padding, prompt.max_length, *hyper]
        inputs = [data, prompt.template, *switches]
        outputs = [self.control.shown, self.control.message, *self.download.shown]
        self.start.click(self._start, inputs, outputs, **QUIET)
        self.control.wire(self.run, self.chart)
        self.models.wire(self.needs.needs)
        self.runs.chosen(_chosen, None, self.control.shown, **QUIET)
        self.chart.named(self._name, None, self.control.message, **QUIET)
        self.needs.wire(tab, self._config, inputs, {**self.hyper, "max_length": prompt.max_length})
        preset = {"fn": self._preset, "inputs": self.preset, "outputs": [self.mask, prompt.mask, *hyper]}
        self.preset.input(**preset, **QUIET)
        self.model.input(preset_for, self.model, self.preset, **QUIET).then(**preset, **QUIET)
        self.mask.input(lambda mask: mask, self.mask, prompt.mask, **LIVE)
        prompt.mask.change(lambda mask: mask, prompt.mask, self.mask, **LIVE)
        self.restored = [self.mask, self.preset, self.model, *hyper, self.control.shown]
        preview = self._previewed = {"fn": self._preview, "inputs": inputs, "outputs": [self.ready, self.command, kept]}
        judge = self._judged = {"fn": self._judge, "inputs": inputs, "outputs": self.judged}
        for component in (data, *switches):
            component.change(**preview, **LIVE)
            component.change(**judge, **QUIET, trigger_mode="always_last")
            component.change(None, None, self.control.message, js="() => ''")  # it was about what stood there before
        self.judge_after(tab.select)  # not at each key in the template: the lens needs that time

    def judge_after(self, event: Callable) -> None:
        """What would run, and what would spoil it, is said anew: widgets that nobody has seen yet tell no change."""
        event(**self._previewed, **QUIET)
        event(**self._judged, **QUIET, trigger_mode="always_last")

    @property
    def looks(self) -> list:
        """What `look` fills."""
        return [self.start, self.model, self.runs, *self.control.looks]

    def look(self, run_id: str | None) -> tuple:
        """The buttons and the reason as they can be used now, and the models there are."""
        jobs = self.context.jobs
        can_start = gr.Button(interactive=self.context.settings.is_shared or jobs.busy() is None)
        runs = run_list(((run, jobs.state(run, run.training)) for run in jobs.runs()), run_id)
        return can_start, gr.Dropdown(choices=model_choices(self.context)), runs, *self.control.look(run_id)

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

    def restore(self, link: str, mask: object) -> tuple:
        """Values for `restored`, from what a link says and the mask that it means; nothing changes without one."""
        said = read_rest(link)
        if not said:
            return tuple(gr.skip() for _ in self.restored)
        run = said.get("run")
        run = run if self.context.jobs.run(run) else gr.skip()
        model, *hyper = settings_values(said.get("train"), self._offered_model)
        return mask, _preset_of(mask, hyper), model, *hyper, run

    def _offered_model(self, name: str) -> bool:
        """Whether a link may name a model: on a public page one of the list."""
        return not self.context.settings.is_shared or name in dict(model_choices(self.context)).values()

    def _preview(self, data: str, source: str, model: str, *switches: object) -> tuple:
        view = to_link(View(data=data, mask=str(switches[0])))
        own = kept_name(data, self.context.settings)
        kept = {"train": settings_link(model, switches[4:]), "view": view, "own": own}
        try:
            config, template = self._config(data, model, *switches), Template.parse(source)
            find_model(config.model)
            examples = caches.dataset(data).examples
            _require_training(examples, data)
            tokens = caches.tokens_per_row(data, source)
            rows = len(split(examples).train)
            self.context.require_training(config, rows=rows, tokens_per_row=tokens)
        except IftError as problem:
            return html.error(problem), "", kept
        name = preset_of(template.source) or "my-template.txt"
        command = views.command_line([*train_options(config, name), "--out", "runs/my-run"])
        ready = views.ready(config, template=name, records=len(examples), rows=rows, tokens_per_row=tokens)
        return ready, command, kept

    def _judge(self, data: str, source: str, model: str, *switches: object) -> str:
        """What would spoil a run with these settings, as chips; every row is looked at, so it comes by itself."""
        try:
            config = self._config(data, model, *switches)
            longest = self.context.limit(model, config.max_length or 0)
            report = self.context.linters.data_report(data, source, trained=config.trained, max_length=longest)
        except IftError:
            return ""  # said by the preview
        return chips([one for one in report.findings if one.code in SPOIL], total=len(report.dataset))

    def _start(self, data: str, source: str, model: str, *switches: object) -> Iterator[tuple]:
        """The run to show, a message, and how far the model's download is."""
        try:
            config, template = self._config(data, model, *switches), Template.parse(source)
            examples = caches.dataset(data).examples
            _require_training(examples, data)
            rows, tokens = len(split(examples).train), caches.tokens_per_row(data, source)
            self.context.require_training(config, rows=rows, tokens_per_row=tokens)
            for step in self.download.fetch(config.model):
                yield gr.skip(), *step
            run_id = self._begin(config, template)
        except IftError as problem:
            yield gr.skip(), html.error(problem), *self.download.at_rest
            return
        yield run_id, "", *self.download.at_rest

    def _begin(self, config: TrainConfig, template: Template) -> str:
        """At once on one's own machine; on a shared page in turn, and scored right after it."""
        if self.context.settings.is_shared:
            return self.context.queue.add(config, source=template.source, evaluate=True).run
        preset = preset_of(template.source)
        return self.context.jobs.start_training(config, template=preset, source=template.source).id

    def _name(self, event: gr.EventData) -> str:
        """Keep what somebody calls a run, in its folder."""
        given = event._data if isinstance(event._data, dict) else {}
        run = self.context.jobs.run(given.get("run"))
        if run is None:
            return ""
        try:
            self.context.ownership.require(run)
        except IftError as problem:
            return html.error(problem)
        write_note(run, clean_note(given.get("title"), given.get("note")))
        return ""

    def _preset(self, preset: str) -> list:
        config = TrainConfig(**PRESETS[preset])
        return [config.train_on, config.train_on, *to_values(config)]


def _preset_of(mask: object, hyper: list[object]) -> str | None:
    """The preset whose values these are."""
    configs = {name: TrainConfig(**options) for name, options in PRESETS.items()}
    return next((name for name, one in configs.items() if [one.train_on, *to_values(one)] == [mask, *hyper]), None)


def _chosen(event: gr.EventData) -> object:
    """The run that was chosen in the list."""
    given = event._data if isinstance(event._data, dict) else {}
    return given.get("run") if isinstance(given.get("run"), str) else gr.skip()


def _require_training(examples: Sequence[Example], data: str) -> None:
    if not split(examples).train:
        fix = 'Use at least 2 records, or mark some with "split": "train".'
        raise DataError("The training split is empty", where=Path(data).name, fix=fix)


def model_choices(context: Context) -> list[tuple[str, str]]:
    """The starter, OpenAI's sizes, and the runs of this server that saved something."""
    sizes = [(f"{name} · {parameters / 1e6:,.0f} M parameters", name) for name, parameters in GPT2_SIZES.items()]
    runs = [(f"run {run.id}", run.id) for run in context.jobs.runs() if run.checkpoints()]
    return [("starter · 11 M parameters, in the box", "starter"), *sizes, *runs]
