"""The table of models, on tab 3: what there is to choose from, and what this machine can do with it."""

import gradio as gr

from ift.errors import IftError
from ift.runs.processes import available_bytes
from ift.training.model_table import model_choices
from playground.context import QUIET, Context
from playground.views import html
from playground.views.models import models_table


class ModelsTable:
    """Folded until somebody asks: it looks at the machine each time."""

    def __init__(self, context: Context) -> None:
        self.context = context
        with gr.Accordion("Which model fits this machine?", open=False, elem_id="models") as self.fold:
            self.table = gr.HTML(elem_id="models-table", elem_classes="plain")

    def wire(self, estimated: gr.components.Component) -> None:
        """Draw the table when it is opened, and again when `estimated` shows another estimate."""
        for event in (self.fold.expand, estimated.change):
            event(self._show, None, self.table, **QUIET)

    def _show(self) -> str:
        free = available_bytes()
        try:
            choices = model_choices(free_bytes=free)
        except IftError as problem:
            return html.error(problem)
        return models_table(choices, free_bytes=free, times=self.context.times)
