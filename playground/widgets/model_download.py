"""A model that is not here yet is downloaded before a run or an estimate begins: how far it is, and a way to end it."""

from collections.abc import Iterator
from pathlib import Path

import gradio as gr

from ift.model.hub import fetch_model
from ift.model.names import find_model, is_here
from playground.context import QUIET, Context
from playground.downloads import Download, Progress
from playground.views import html


class ModelDownload:
    """A Cancel button, and what a handler does before it needs a model."""

    def __init__(self, context: Context, *, endpoint: str | None = None) -> None:
        """`endpoint`: of the Hub, as `fetch_model` takes it."""
        self.context, self.endpoint = context, endpoint

    def build(self) -> None:
        """Lay out the button."""
        self.cancel = gr.Button("Cancel the download", visible=False, size="md", elem_id="cancel-model")
        self.token = gr.State("")
        self.cancel.click(self.context.downloads.cancel, self.token, None, queue=False, **QUIET)

    @property
    def shown(self) -> list:
        """What a handler has as outputs beside its message."""
        return [self.cancel, self.token]

    @property
    def at_rest(self) -> tuple:
        """Values for `shown` where no download is under way."""
        return gr.Button(visible=False), ""

    def fetch(self, model: str) -> Iterator[tuple]:
        """Messages with values for `shown`, until the model is here; none where it is here already.

        Raises:
            ModelError: there is no such model.
            DownloadError: it did not arrive, or the download was cancelled.
        """
        found = find_model(model)
        if is_here(model):
            return

        def work(progress: Progress) -> Path:
            return fetch_model(str(found), endpoint=self.endpoint, progress=progress)

        for step in self.context.downloads.follow(work):
            if isinstance(step, Download):
                said = step.text or "it begins"
                note = html.note("busy", f"Downloading {model}, once: {said}.")
                yield note, gr.Button(visible=True), step.token
