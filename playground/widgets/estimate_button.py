"""What a run will need, on tab 3: measured on request, with the nearest setting that fits."""

from collections.abc import Callable, Iterator, Sequence

import gradio as gr

from ift.config import TrainConfig
from ift.data.templates import Template
from ift.errors import IftError
from playground.context import LIVE, QUIET, Context
from playground.lens.state import preset_of
from playground.views import estimate as views
from playground.views import html
from playground.widgets.model_download import ModelDownload


class EstimateButton:
    """A button that estimates, and one that takes what was advised."""

    def __init__(self, context: Context, download: ModelDownload) -> None:
        self.context, self.download = context, download
        self.measure = gr.Button("Estimate memory and time", size="md", elem_id="estimate")
        self.needs = gr.HTML(elem_id="needs", elem_classes="plain")
        self.nearest = gr.State({})
        self.asked = gr.State("")  # the template that was estimated
        self.use = gr.Button("Use the nearest setting that fits", size="md", visible=False, elem_id="use")

    def wire(
        self,
        tab: gr.Tab,
        config: Callable[..., TrainConfig],
        inputs: Sequence,
        options: dict[str, gr.components.Component],
    ) -> None:
        """Connect the buttons.

        Args:
            tab: the one that this stands in.
            config: what the page's widgets ask for, from their values without the template's.
            inputs: these widgets: data, template, then the others; an estimate is forgotten when one of them changes.
            options: the widgets that advice can change, by name.
        """
        self.config, self.names = config, list(options)
        shown = [self.needs, self.nearest, self.use]
        self.measure.click(self._measure, inputs, [*shown, self.asked, *self.download.shown], **QUIET)
        self.use.click(self._use, self.nearest, list(options.values()), **QUIET)
        data, template, *others = inputs
        for component in (data, *others):
            component.change(lambda: _said(""), None, shown, **LIVE)
        template.change(None, None, self.needs, js="() => ''")  # asks nobody: the lens needs that time at each key
        tab.select(self._look, [template, self.asked], shown, **QUIET)

    def _look(self, source: str, asked: str) -> tuple:
        return _said("") if source != asked else tuple(gr.skip() for _ in range(3))

    def _measure(self, data: str, source: str, *values: object) -> Iterator[tuple]:
        """What is said, the nearest setting and its button, what was asked, and how far the model's download is."""
        rest = self.download.at_rest
        try:
            config, template = self.config(data, *values), Template.parse(source)
            for note, *shown in self.download.fetch(config.model):
                yield *_said(note), source, *shown
            yield *_said(html.note("busy", "Running the largest batch and some steps on this machine.")), source, *rest
            preset = preset_of(template.source)
            made = self.context.jobs.estimate(config, template=preset, source=template.source)
        except IftError as problem:
            yield *_said(html.error(problem)), source, *rest
            return
        self.context.times[config.model] = made.probe.time_s
        yield *_said(views.estimate(made), dict(made.nearest[0].options) if made.nearest else {}), source, *rest

    def _use(self, options: dict) -> list:
        return [options.get(name, gr.skip()) for name in self.names]


def _said(text: str, options: dict | None = None) -> tuple:
    return text, options or {}, gr.Button(visible=bool(options))
