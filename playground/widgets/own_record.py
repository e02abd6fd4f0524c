"""A record of one's own, on tab 2: first in the batch, and from there a question on tab 4."""

import gradio as gr

from ift.data.templates import MAX_CHARACTERS
from playground.context import LIVE, QUIET


class OwnRecord:
    """Three boxes, and what can be done with what they hold."""

    def __init__(self) -> None:
        with gr.Accordion("A record of your own", open=False, elem_id="own-record", elem_classes="group"):
            self.instruction = _box("Instruction", "e.g. Name the capital of Peru.", "own-instruction")
            self.input = _box("Input (may stay empty)", "", "own-input")
            self.output = _box("Output", "e.g. Lima", "own-output")
            with gr.Row():
                self.ask = gr.Button("Ask it on tab 4", size="sm", min_width=80, elem_id="own-ask")
                self.remove = gr.Button("Remove", size="sm", min_width=60, elem_id="own-remove")

    def wire(self) -> None:
        """Connect the buttons; a question goes to tab 4 in the browser alone."""
        self.remove.click(lambda: ("", "", ""), None, [self.instruction, self.input, self.output], **LIVE)
        self.ask.click(None, [self.instruction, self.input], None, js="(...question) => ift.ask(...question)", **QUIET)


def _box(label: str, placeholder: str, elem_id: str) -> gr.Textbox:
    return gr.Textbox(
        "", label=label, placeholder=placeholder, lines=1, max_lines=6, max_length=MAX_CHARACTERS, elem_id=elem_id
    )
