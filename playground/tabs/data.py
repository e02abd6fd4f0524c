"""Tab 1: choose a data set, see what it holds."""

from collections.abc import Callable
from pathlib import Path

import gradio as gr

from ift.data.records import RecordsError
from ift.data.sources import NAMES, PUBLIC, load_dataset
from ift.data.sources.hub_datasets import ID
from ift.data.sources.urls import fetch_url, is_url
from ift.data_options import LAYOUTS, TURNS, DataOptions
from ift.errors import ConfigError, IftError
from playground import caches
from playground.context import LIVE, QUIET, Context, busy, when_loaded
from playground.uploads import keep_upload
from playground.views import data as views
from playground.views import html

OWN = "own"
SUFFIXES = [".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".parquet", ".gz", ".txt"]
"""What the browser offers; what a file is, its bytes decide."""


class DataTab:
    """The tab's widgets and handlers. `name` holds what `--data` would be."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.name = gr.State("starter")
        self.file = gr.State(None)  # what was brought last, whether or not it could be used
        with gr.Row():
            with gr.Column(scale=1, min_width=260, elem_classes="rail"):
                self.source = gr.Radio(_choices(), value="starter", label="Data set", elem_id="source")
                self.upload = gr.File(
                    label="JSON, JSON Lines, CSV or Parquet",
                    file_types=SUFFIXES,
                    visible=False,
                    elem_id="upload",
                )
                with gr.Group(visible=False) as self.elsewhere:
                    self.place = gr.Textbox(
                        label="Or an address, or a data set on the Hugging Face Hub",
                        placeholder="https://… or owner/name",
                        elem_id="place",
                    )
                    self.load = gr.Button("Load", elem_id="load")
                with gr.Accordion("How it is read", open=False, visible=False, elem_id="reading") as self.reading:
                    self.layout = gr.Dropdown(list(LAYOUTS), value="auto", label="Layout", elem_id="layout")
                    self.fields = gr.Textbox(
                        label="Fields, ours = the file's",
                        placeholder="instruction=question,output=answer",
                        elem_id="fields",
                    )
                    self.turns = gr.Radio(list(TURNS), value="last", label="Answers of a conversation", elem_id="turns")
                    self.again = gr.Button("Read again", elem_id="read-again")
            with gr.Column(scale=4, min_width=320):
                self.message = gr.HTML(elem_id="data-message", elem_classes="plain")
                self.leave_out = gr.Button("Leave these out", visible=False, elem_id="leave-out")
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
        chosen = [self.name, self.upload, self.elsewhere, self.reading, self.message, self.leave_out]
        self.source.input(self._choose, [self.source, self.name], chosen, **busy(self.message, "full"))
        options = [self.name, self.layout, self.fields, self.turns]
        taken = [self.name, self.file, self.message, self.leave_out]
        self.upload.change(self._take, [self.upload, *options], taken, **QUIET)
        self.load.click(self._fetch, [self.place, *options], taken, **busy(self.message, "full"))
        self.place.submit(self._fetch, [self.place, *options], taken, **busy(self.message, "full"))
        self.again.click(self._take, [self.file, *options], taken, **QUIET)
        self.leave_out.click(self._take_good, [self.file, *options], taken, **QUIET)
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

    def _choose(self, chosen: str, name: str, progress: gr.Progress = gr.Progress()) -> tuple:  # noqa: B008 (Gradio's way)
        own = chosen == OWN
        shown = (
            gr.File(None, visible=own) if own else gr.File(visible=False),
            gr.Group(visible=own and not self.context.settings.is_shared),
            gr.Accordion(visible=own),
        )
        hidden = gr.Button(visible=False)
        if own:
            note = html.note("busy", f"Choose a file. Still in use: {_title(name)}.")
            return gr.skip(), *shown, note, hidden
        try:
            self.context.require_data(chosen)
            caches.dataset(chosen, _bytes(progress))
        except IftError as problem:
            return gr.skip(), *shown, html.error(problem), hidden
        return chosen, *shown, "", hidden

    def _fetch(
        self,
        place: str | None,
        name: str,
        layout: str,
        fields: str | None,
        turns: str,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 (Gradio's way)
    ) -> tuple:
        """What is at an address is taken as an upload is; a data set on the Hub keeps its name and is read as it is."""
        place = (place or "").strip()
        try:
            if self.context.settings.is_shared or not (is_url(place) or ID.fullmatch(place)):
                fix = "Use an address that begins with https:// or owner/name; a public page takes uploads only."
                raise ConfigError(f"{place[:80]!r} can't be loaded", where="the page", fix=fix)
            if is_url(place):
                path = fetch_url(place, progress=_bytes(progress))
                return self._take(str(path), name, layout, fields, turns)
            load_dataset(place, progress=_bytes(progress))
        except IftError as problem:
            return self._refused(None, problem, name)
        return place, None, html.note("ok", f"{place} is in use."), gr.Button(visible=False)

    def _take_good(self, *given: str | None) -> tuple:
        return self._take(*given, on_error="drop")

    def _take(
        self, path: str | None, name: str, layout: str, fields: str | None, turns: str, on_error: str = "raise"
    ) -> tuple:
        """The data set's name, the file, a message, and whether records can be left out."""
        if path is None:
            return gr.skip(), None, "", gr.Button(visible=False)
        try:
            options = DataOptions(layout=layout, fields=fields or "", turns=turns, on_error=on_error)
            settings = self.context.settings
            kept = keep_upload(settings.uploads, Path(path), options, limits=settings.limits)
        except IftError as problem:
            return self._refused(path, problem, name)
        return str(kept), path, html.note("ok", f"{kept.name} is in use."), gr.Button(visible=False)

    def _refused(self, path: str | None, problem: IftError, name: str) -> tuple:
        if isinstance(problem, RecordsError):
            can_go_on = bool(path and problem.dataset.examples)
            return gr.skip(), path, views.problems(problem, kept=_title(name)), gr.Button(visible=can_go_on)
        note = html.note("warn", f"Still in use: {_title(name)}.")
        return gr.skip(), path, html.error(problem) + note, gr.Button(visible=False)


def _bytes(progress: gr.Progress) -> Callable[[int, int], None]:
    return lambda done, total: progress((done, total or None), unit="bytes")


def _title(name: str) -> str:
    """A data set's name for a sentence: of an upload, its file's."""
    return Path(name).name if name not in NAMES else f"the {name} set"


def _choices() -> list[tuple[str, str]]:
    starter = f"Starter set · {len(caches.dataset('starter')):,} records · made for this project"
    public = [(f"{one.title} · {one.records:,} records · {one.licence}", name) for name, one in PUBLIC.items()]
    return [(starter, "starter"), *public, ("A file of your own", OWN)]
