"""Tab 1: choose a data set, see what it holds."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import gradio as gr

from ift.data.records import parse_dataset
from ift.data.sources import PUBLIC
from ift.errors import DataError, IftError
from playground import caches
from playground.context import LIVE, QUIET, Context, busy, when_loaded
from playground.views import data as views
from playground.views import html

OWN = "own"
MAX_UPLOAD_BYTES = 50 * 2**20


class DataTab:
    """The tab's widgets and handlers. `name` holds what `--data` would be."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.name = gr.State("starter")
        with gr.Row():
            with gr.Column(scale=1, min_width=260, elem_classes="rail"):
                self.source = gr.Radio(_choices(), value="starter", label="Data set", elem_id="source")
                self.upload = gr.File(
                    label="A file of your own: JSON or JSONL",
                    file_types=[".json", ".jsonl", ".ndjson"],
                    visible=False,
                    elem_id="upload",
                )
                self.message = gr.HTML(elem_id="data-message", elem_classes="plain")
            with gr.Column(scale=4, min_width=320):
                self.overview = gr.HTML(elem_id="data-overview", elem_classes="plain")
                self.figure = gr.HTML(
                    {},
                    html_template='<div class="ift"><h2>How long the rows are</h2><div class="plot"></div></div>',
                    js_on_load=when_loaded("ift.figure(element, props, watch)"),
                    elem_id="lengths",
                    elem_classes="plain",
                )
                with gr.Row():
                    self.query = gr.Textbox(
                        label="Search the records", placeholder="e.g. capital", scale=3, elem_id="query"
                    )
                    self.part = gr.Dropdown(
                        ["all", "train", "validation", "test"], value="all", label="Part", elem_id="part"
                    )
                    self.page = gr.Number(1, label="Page", precision=0, elem_id="data-page")
                self.records = gr.HTML(elem_id="records", elem_classes="plain")

    def wire(self, template: gr.Textbox, model: gr.Dropdown, max_length: gr.Number) -> None:
        """Connect the widgets; `template`, `model` and `max_length` decide what the rows look like."""
        self._inputs = [self.name, template, model, max_length]
        self._search = [*self._inputs, self.query, self.part, self.page]
        self.source.input(
            self._choose, self.source, [self.name, self.upload, self.message], **busy(self.message, "full")
        )
        self.upload.change(self._take, self.upload, [self.name, self.message], **QUIET)
        for change in (self.query.change, self.part.change, self.page.change):
            change(self._table, self._search, self.records, **LIVE)
        self.show_on(self.name.change)

    def show_on(self, event: Callable) -> None:
        """Show the data set's report on an event, such as the page's load."""
        shown = event(self._show, self._inputs, [self.overview, self.figure], **busy(self.overview))
        shown.then(self._table, self._search, self.records, **QUIET)

    def _show(self, name: str, source: str, model: str, max_length: float) -> tuple:
        try:
            longest = self.context.limit(model, max_length)
            data = caches.dataset(name)
            report = caches.report(name, source, longest)
        except IftError as problem:
            return html.error(problem), {}
        return views.overview(data, report, max_length=longest), views.length_figure(report, max_length=longest)

    def _table(self, name: str, source: str, model: str, max_length: float, query: str, part: str, page: float) -> str:
        try:
            data = caches.dataset(name)
            report = caches.report(name, source, self.context.limit(model, max_length))
        except IftError:
            return ""  # said already, above
        found = views.find(data, report, query=query or "", part=part)
        return views.records_table(data, report, found, page=int(page or 1))

    def _choose(self, chosen: str, progress: gr.Progress = gr.Progress()) -> tuple:  # noqa: B008 (Gradio's way)
        if chosen == OWN:
            note = html.note("busy", "Choose a file; the data set so far stays until then.")
            return gr.skip(), gr.File(None, visible=True), note
        try:
            caches.dataset(chosen, lambda done, total: progress((done, total or None), unit="bytes"))
        except IftError as problem:
            return gr.skip(), gr.File(visible=False), html.error(problem)
        return chosen, gr.File(visible=False), ""

    def _take(self, path: str | None) -> tuple:
        if path is None:
            return gr.skip(), ""
        try:
            kept = keep_upload(self.context.settings.uploads, Path(path))
        except IftError as problem:
            return gr.skip(), html.error(problem)
        return str(kept), html.note("ok", f"{kept.name} is in use.")


def keep_upload(folder: Path, path: Path) -> Path:
    """Check an uploaded file and keep it under the hash of its bytes, where a run finds it again.

    Raises:
        DataError: too large, or not a usable data set.
    """
    if path.stat().st_size > MAX_UPLOAD_BYTES:
        fix = f"Give at most {MAX_UPLOAD_BYTES // 2**20} MB, or use the command line."
        raise DataError("The file is too large for the page", where=path.name, fix=fix)
    raw = path.read_bytes()
    parse_dataset(raw, name=path.name)
    kept = folder / hashlib.sha256(raw).hexdigest()[:12] / path.name
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(raw)
    return kept


def _choices() -> list[tuple[str, str]]:
    starter = f"Starter set · {len(caches.dataset('starter')):,} records · made for this project"
    public = [(f"{one.title} · {one.records:,} records · {one.licence}", name) for name, one in PUBLIC.items()]
    return [(starter, "starter"), *public, ("A file of your own", OWN)]
