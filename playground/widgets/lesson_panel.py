"""The lesson beside the tabs, whose exercises set the real controls."""

import gradio as gr

from ift.data.templates import preset_source
from playground.context import QUIET, when_loaded
from playground.lesson import Lesson
from playground.tabs.data import DataTab
from playground.tabs.prompt import PromptTab
from playground.tabs.train import TrainTab
from playground.widgets.option_form import OPTIONS


class LessonPanel:
    """The component and its handlers."""

    def __init__(self, lesson: Lesson) -> None:
        self.lesson = lesson
        self.panel = gr.HTML(
            lesson.to_dict(),
            html_template='<div class="ift lesson"></div>',
            js_on_load=when_loaded("ift.lesson(element, props, setup => trigger('prepare', setup))"),
            elem_id="lesson",
            elem_classes="plain",
        )

    def wire(self, data: DataTab, prompt: PromptTab, train: TrainTab) -> None:
        """Connect it with the controls that an exercise may set; all others stay as they are."""
        masks = [prompt.mask, prompt.keep_eos, prompt.train_padding, train.mask]
        controls = [data.source, prompt.template, *masks, *train.hyper.values()]
        prepared = self.panel.prepare(self.values, None, controls, **QUIET)
        prompt.redraw_after(prepared)
        train.judge_after(prepared.then)
        data.choose_after(prepared.then)

    def values(self, event: gr.EventData) -> tuple:
        """Of the controls: what the exercise names, and nothing else."""
        options = self._options(event._data)
        mask = [options["train_on"], True, False, options["train_on"]] if "train_on" in options else 4 * [gr.skip()]
        template = preset_source(str(options["template"])) if "template" in options else gr.skip()
        hyper = (options.get(name, gr.skip()) for name in OPTIONS)
        return options.get("data", gr.skip()), template, *mask, *hyper

    def _options(self, sent: object) -> dict[str, object]:
        """Of the setup that the browser names by its step's number and its own; it may send anything."""
        fields = sent if isinstance(sent, dict) else {}
        step, number = fields.get("step"), fields.get("setup")
        steps = self.lesson.steps
        if type(step) is not int or type(number) is not int or not 0 <= step < len(steps):
            return {}
        setups = steps[step].setups
        return dict(setups[number].options) if 0 <= number < len(setups) else {}
