"""Tab 5: twins with one difference, the queue, and runs side by side."""

import gradio as gr

from playground.context import Context, when_loaded
from playground.experiments.queries import experiments


class ExperimentsTab:
    """One component that draws everything, and the functions that it asks."""

    def __init__(self, context: Context) -> None:
        self.board = gr.HTML(
            {},
            html_template='<div class="ift experiments col"></div>',
            js_on_load=when_loaded("ift.experiments(element, server)"),
            server_functions=experiments(context),
            elem_id="experiments",
            elem_classes="plain",
        )
