"""A record of one's own, on tab 2: first in the batch, and from there a question on tab 4."""

import gradio as gr

from ift.data.templates import MAX_CHARACTERS
from playground.context import LIVE, QUIET

_GO = "() => [...document.querySelectorAll('[role=tab]')].find(tab => tab.textContent.trim().startsWith('4'))?.click()"
"""In the browser: open tab 4."""


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

    def wire(self, instruction: gr.Textbox, text: gr.Textbox) -> None:
        """Connect the buttons; `instruction` and `text` are the question's boxes on tab 4."""
        self.remove.click(lambda: ("", "", ""), None, [self.instruction, self.input, self.output], **LIVE)
        asked = self.ask.click(
            lambda *record: record, [self.instruction, self.input], [instruction, text], queue=False, **QUIET
        )
        asked.then(None, None, None, js=_GO)


def _box(label: str, placeholder: str, elem_id: str) -> gr.Textbox:
    return gr.Textbox(
        "", label=label, placeholder=placeholder, lines=1, max_lines=6, max_length=MAX_CHARACTERS, elem_id=elem_id
    )
