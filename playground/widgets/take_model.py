"""Take the model with you, on tab 4: a run's model as one file for other programs."""

from collections.abc import Iterator
from contextlib import suppress

import gradio as gr

from ift.errors import IftError, RunError
from ift.plurals import plural
from ift.runs.folder import Run
from playground.context import QUIET, Context
from playground.runs.exports import Taken
from playground.views import html

FORMATS = [
    ("Hugging Face: transformers, vLLM, the Hub", "hf"),
    ("GGUF, 16 bits: llama.cpp, LM Studio, Ollama", "gguf-f16"),
    ("GGUF, 8 bits: half the size", "gguf-q8_0"),
    ("LoRA adapter, for PEFT", "adapter"),
]


class TakeModel:
    """The choice of a format, the buttons, and the link to the file."""

    def __init__(self, context: Context) -> None:
        self.context = context
        with gr.Accordion("Take the model with you", open=False, elem_id="take"):
            self.to = gr.Radio(FORMATS, value="hf", label="For", elem_id="take-format")
            with gr.Row():
                self.make = gr.Button("Prepare the download", size="md", elem_id="take-make")
                self.cancel = gr.Button("Cancel", size="md", visible=False, elem_id="take-cancel")
            self.said = gr.HTML(elem_id="take-said", elem_classes="plain")

    def wire(self, run: gr.Dropdown) -> None:
        """Connect the buttons with the run shown."""
        self.make.click(self._make, [run, self.to], [self.said, self.cancel], **QUIET)
        self.cancel.click(self._cancel, run, None, queue=False, **QUIET)
        for component in (run, self.to):
            component.change(lambda: "", None, self.said, **QUIET)  # it was about another one

    def _owned(self, run_id: str | None) -> Run:
        run = self.context.jobs.run(run_id)
        if run is None:
            raise RunError("There is no run to take", where="run", fix="Train a model first.")
        self.context.ownership.require(run)
        return run

    def _make(self, run_id: str | None, to: str) -> Iterator[tuple]:
        try:
            run = self._owned(run_id)
            yield html.note("busy", "Writing the model as one file."), gr.Button(visible=True)
            made = self.context.exports.make(run, to)
        except IftError as problem:
            yield html.error(problem), gr.Button(visible=False)
            return
        yield ready(made), gr.Button(visible=False)

    def _cancel(self, run_id: str | None) -> None:
        with suppress(IftError):  # there is none of theirs to cancel
            self.context.exports.cancel(self._owned(run_id).id)


def ready(made: Taken) -> str:
    """The file to download, and the command that takes it further."""
    size = f"{made.size_bytes / 1e6:,.1f} MB" if made.size_bytes >= 1e5 else plural(made.size_bytes, "byte")
    link = f'<a class="ift-btn" href="{html.esc(made.address)}" download>Download {html.esc(made.name)} · {size}</a>'
    then = f'<p class="muted">Then, in a shell:</p><pre class="code">{html.esc(made.next_command)}</pre>'
    return f'<div class="ift"><div class="msg ok">{link}{then}</div></div>'
