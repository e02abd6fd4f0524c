"""Tab 1: choose a data set, see what it holds."""

from collections.abc import Callable, Iterator
from pathlib import Path

import gradio as gr

from ift.audit.data_report import DataReport
from ift.data.records import RecordsError
from ift.data.sources import NAMES, PUBLIC, load_dataset
from ift.data.sources.downloads import is_url
from ift.data.sources.hub_datasets import ID
from ift.data.sources.urls import fetch_url
from ift.data_options import LAYOUTS, TURNS, DataOptions
from ift.errors import ConfigError, IftError
from ift.masks import parse_trained
from playground import caches
from playground.context import LIVE, QUIET, Context, busy, train_on, when_loaded
from playground.downloads import Download
from playground.lens.state import read_rest
from playground.tabs.prompt import PromptTab
from playground.tokenized_uploads import is_rows, keep_rows, load_rows
from playground.uploads import keep_upload, own_data
from playground.views import data as views
from playground.views import html

OWN, ROWS = "own", "rows"
SUFFIXES = [".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".parquet", ".gz", ".txt"]
"""What the browser offers; what a file is, its bytes decide."""


class DataTab:
    """The tab's widgets and handlers. `name` holds what `--data` would be."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.name = gr.State("starter")
        self.file = gr.State(None)  # what was brought last, whether or not it could be used
        with gr.Row(elem_classes="railed", elem_id="data-page"):
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
                with gr.Group(visible=False) as self.others:
                    self.rows = gr.File(
                        label="Rows: JSON Lines or Parquet of input_ids and labels", file_types=SUFFIXES, elem_id="rows"
                    )
                    self.tokenizer = gr.File(
                        label="Their tokenizer.json; none: GPT-2's", file_types=[".json"], elem_id="rows-tokenizer"
                    )
                with gr.Accordion("How it is read", open=False, visible=False, elem_id="reading") as self.reading:
                    self.layout = gr.Dropdown(list(LAYOUTS), value="auto", label="Layout", elem_id="layout")
                    self.fields = gr.Textbox(
                        label="Fields, ours = the file's",
                        placeholder="instruction=question,output=answer",
                        elem_id="fields",
                    )
                    self.turns = gr.Radio(list(TURNS), value="last", label="Answers of a conversation", elem_id="turns")
                    self.again = gr.Button("Read again", elem_id="read-again")
            with gr.Column(scale=4, min_width=320, elem_classes="main-part"):
                self.message = gr.HTML(elem_id="data-message", elem_classes="plain")
                self.cancel = gr.Button("Cancel", visible=False, size="md", elem_id="cancel-download")
                self.token = gr.State("")  # of the download under way
                self.leave_out = gr.Button("Leave these out", visible=False, elem_id="leave-out")
                self.overview = gr.HTML(elem_id="data-overview", elem_classes="plain")
                self.figure = gr.HTML(
                    {},
                    html_template='<div class="ift"><h2>How long the rows are</h2><div class="plot"></div></div>',
                    js_on_load=when_loaded("ift.figure(element, props, watch)"),
                    elem_id="lengths",
                    elem_classes="plain",
                )
                with gr.Row() as self.search:
                    self.query = gr.Textbox(
                        label="Search the records", placeholder="e.g. capital", scale=3, elem_id="query"
                    )
                    self.part = gr.Dropdown(
                        ["all", "train", "validation", "test"], value="all", label="Part", elem_id="part"
                    )
                    self.page = gr.Number(1, label="Page", precision=0, elem_id="data-page")
                # the code of a finding whose rows alone are shown; the buttons of findings fill it (assets/web/rows.js)
                self.finding = gr.Textbox("", label="Finding", visible="hidden", elem_id="finding")
                self.records = gr.HTML(elem_id="records", elem_classes="plain")

    def wire(self, model: gr.Dropdown, prompt: PromptTab) -> None:
        """Connect the widgets; the model, and the prompt tab's template, mask and limit decide what is found."""
        masks = [prompt.mask, prompt.keep_eos, prompt.train_padding]
        self._inputs = [self.name, prompt.template, model, prompt.max_length, *masks]
        self._search = [*self._inputs, self.query, self.part, self.finding, self.page]
        at_work = [self.cancel, self.token]
        places = [self.upload, self.elsewhere, self.reading, self.others]
        chosen = [self.source, self.name, *places, self.message, self.leave_out, *at_work]
        self.restored = [self.source, *places, self.message]
        self._chosen = {"fn": self._choose, "inputs": [self.source, self.name], "outputs": chosen}
        self.choose_after(self.source.input)
        self.cancel.click(self.context.downloads.cancel, self.token, None, queue=False, **QUIET)
        options = [self.name, self.layout, self.fields, self.turns]
        taken = [self.source, self.name, self.file, self.message, self.leave_out]
        self.upload.change(self._take, [self.upload, *options], taken, **QUIET)
        shown_rows = [self.source, self.name, self.message]
        for file in (self.rows, self.tokenizer):
            file.change(self._take_rows, [self.rows, self.tokenizer, self.name], shown_rows, **QUIET)
        for event in (self.load.click, self.place.submit):
            event(self._fetch, [self.place, *options], [*taken, *at_work], **QUIET)
        self.again.click(self._take, [self.file, *options], taken, **QUIET)
        self.leave_out.click(self._take_good, [self.file, *options], taken, **QUIET)
        for change in (self.query.change, self.part.change, self.finding.change, self.page.change):
            change(self._table, self._search, self.records, **LIVE)
        self.show_on(self.name.change)

    def choose_after(self, event: Callable) -> None:
        """Take the data set that is chosen, on an event that changes the choice."""
        event(**self._chosen, **QUIET)

    def own(self, link: str) -> str | None:
        """The data set of the visitor's own that the browser says was in use; None where there is none any more."""
        return own_data(read_rest(link).get("own"), self.context.settings)

    def restore(self, link: str, name: object) -> tuple:
        """Values for `restored`, where a link says something; `name`: of the data set that it comes to."""
        if not isinstance(name, str):
            return tuple(gr.skip() for _ in self.restored)
        kept = read_rest(link).get("own")
        if kept and self.own(link) is None:
            gone = f"{str(kept)[:80].rpartition('/')[2]} is no longer here: choose it again."
            return *self.shown(name)[:-1], html.note("warn", gone)
        return self.shown(name)

    def shown(self, name: str) -> tuple:
        """Values for `restored` where this data set is in use."""
        source = _source_of(name)
        note = html.note("ok", f"{_title(name)} is in use.") if source not in NAMES else ""
        return source, *self._places(source), note

    def show_on(self, event: Callable) -> None:
        """Show the data set's report on an event, such as the page's load."""
        outputs = [self.overview, self.figure, self.search, self.finding]
        shown = event(self._show, [self.finding, *self._inputs], outputs, **busy(self.overview))
        shown.then(self._table, self._search, self.records, **QUIET)

    def _report(self, name: str, source: str, model: str, max_length: float, *masks: object) -> DataReport:
        longest = self.context.limit(model, max_length)
        roles = parse_trained(train_on(*masks))
        return self.context.linters.data_report(name, source, trained=roles, max_length=longest)

    def _show(self, code: str | None, name: str, *given: object) -> tuple:
        """The report, the figure, the search, and the finding whose rows are shown, as long as it is there."""
        hidden = gr.HTML({}, visible="hidden"), gr.Row(visible=False), ""
        try:
            if is_rows(name):
                return views.rows_overview(load_rows(name).report), *hidden
            data, report = caches.dataset(name), self._report(name, *given)
        except IftError as problem:
            return html.error(problem), *hidden
        figure = gr.HTML(views.length_figure(report, max_length=report.max_length), visible=True)
        kept = code if code and report.rows_of(code) else ""
        return views.overview(data, report), figure, gr.Row(visible=True), kept

    def _table(self, name: str, *given: object) -> str:
        *decides, query, part, code, page = given
        try:
            data, report = caches.dataset(name), self._report(name, *decides)
        except IftError:
            return ""  # said already, above
        found = views.find(data, report, query=query or "", part=part or "all", code=code or "")
        return views.records_table(data, report, found, page=int(page or 1), code=code or "")

    def _choose(self, chosen: str, name: str) -> Iterator[tuple]:
        hidden = gr.Button(visible=False)
        if chosen == _source_of(name):
            _, *shown, note = self.shown(name)
            yield gr.skip(), gr.skip(), *shown, note, hidden, *_AT_REST  # in use already
            return
        shown = self._places(chosen)
        if chosen in (OWN, ROWS):
            note = html.note("busy", f"Choose a file. Still in use: {_title(name)}.")
            yield gr.skip(), gr.skip(), *shown, note, hidden, *_AT_REST
            return
        try:
            self.context.require_data(chosen)
            for step in self.context.downloads.follow(lambda progress: caches.dataset(chosen, progress)):
                if isinstance(step, Download):
                    yield gr.skip(), gr.skip(), *shown, *_waiting(step)
        except IftError as problem:
            source = gr.Radio(value=_source_of(name))  # what is in use is what is chosen
            yield source, gr.skip(), *(gr.skip() for _ in shown), html.error(problem), hidden, *_AT_REST
            return
        yield gr.skip(), chosen, *shown, "", hidden, *_AT_REST

    def _places(self, chosen: str) -> tuple:
        """Where a choice wants a file or an address, and how such a file is read: those widgets."""
        own = chosen == OWN
        return (
            gr.File(None, visible=own) if own else gr.File(visible=False),
            gr.Group(visible=own and not self.context.settings.is_shared),
            gr.Accordion(visible=own),
            gr.Group(visible=chosen == ROWS),
        )

    def _fetch(self, place: str | None, name: str, *options: str) -> Iterator[tuple]:
        """What is at an address is taken as an upload is; a data set on the Hub keeps its name and is read as it is."""
        place = (place or "").strip()
        try:
            if self.context.settings.is_shared or not (is_url(place) or ID.fullmatch(place)):
                fix = "Use an address that begins with https:// or owner/name; a public page takes uploads only."
                raise ConfigError(f"{place[:80]!r} can't be loaded", where="the page", fix=fix)
            work = fetch_url if is_url(place) else load_dataset
            path = None
            for step in self.context.downloads.follow(lambda progress: work(place, progress=progress)):
                if isinstance(step, Download):
                    yield gr.skip(), gr.skip(), None, *_waiting(step)
                else:
                    path = step.value
        except IftError as problem:
            yield *self._refused(None, problem, name), *_AT_REST
            return
        if is_url(place):
            yield *self._take(str(path), name, *options), *_AT_REST
        else:
            yield OWN, place, None, html.note("ok", f"{place} is in use."), gr.Button(visible=False), *_AT_REST

    def _take_rows(self, path: str | None, tokenizer: str | None, name: str) -> tuple:
        """The choice shown, the name of what is in use, and a message."""
        if path is None:
            return gr.skip(), gr.skip(), ""
        try:
            kept = keep_rows(
                self.context.settings.uploads,
                Path(path),
                Path(tokenizer) if tokenizer else None,
                limits=self.context.settings.limits,
            )
        except IftError as problem:
            return _source_of(name), gr.skip(), _kept(problem, name)
        return ROWS, str(kept), html.note("ok", f"{kept.name} is shown here and on tab 2. It can't be trained on.")

    def _take_good(self, *given: str | None) -> tuple:
        return self._take(*given, on_error="drop")

    def _take(
        self, path: str | None, name: str, layout: str, fields: str | None, turns: str, on_error: str = "raise"
    ) -> tuple:
        """The choice shown, the data set's name, the file, a message, and whether records can be left out."""
        if path is None:
            return gr.skip(), gr.skip(), None, self.shown(name)[-1], gr.Button(visible=False)
        try:
            options = DataOptions(layout=layout, fields=fields or "", turns=turns, on_error=on_error)
            settings = self.context.settings
            kept = keep_upload(settings.uploads, Path(path), options, limits=settings.limits)
        except IftError as problem:
            return self._refused(path, problem, name)
        return OWN, str(kept), path, html.note("ok", f"{kept.name} is in use."), gr.Button(visible=False)

    def _refused(self, path: str | None, problem: IftError, name: str) -> tuple:
        """What was in use stays, and is shown as chosen; the box for a file stays open for another try."""
        source = _source_of(name)
        if isinstance(problem, RecordsError):
            can_go_on = bool(path and problem.dataset.examples)
            said = views.problems(problem, kept=_title(name))
            return source, gr.skip(), path, said, gr.Button(visible=can_go_on)
        return source, gr.skip(), path, _kept(problem, name), gr.Button(visible=False)


_AT_REST = gr.Button(visible=False), ""
"""Cancel, and the token of a download: where none is under way."""


def _waiting(step: Download) -> tuple:
    """The message, "Leave these out", Cancel and the token while a data set comes."""
    said = f"Downloading: {step.text}." if step.text else "Reading the data set."
    return html.note("busy", said), gr.Button(visible=False), gr.Button(visible=True), step.token


def _kept(problem: IftError, name: str) -> str:
    """What went wrong, and what is in use all the same."""
    return html.error(problem) + html.note("warn", f"Still in use: {_title(name)}.")


def _source_of(name: str) -> str:
    """The choice that a data set's name belongs to."""
    return name if name in NAMES else ROWS if is_rows(name) else OWN


def _title(name: str) -> str:
    """A data set's name for a sentence: of an upload, its file's."""
    return Path(name).name if name not in NAMES else f"the {name} set"


def _choices() -> list[tuple[str, str]]:
    starter = f"Starter set · {len(caches.dataset('starter')):,} records · made for this project"
    public = [(f"{one.title} · {one.records:,} records · {one.licence}", name) for name, one in PUBLIC.items()]
    return [(starter, "starter"), *public, ("A file of your own", OWN), ("Rows of another trainer", ROWS)]
