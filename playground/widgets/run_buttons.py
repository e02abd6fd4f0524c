"""The buttons on tab 3 that act on the run shown: stop, resume, discard after a question."""

import gradio as gr

from ift.errors import IftError
from ift.runs.folder import Run
from ift.runs.state import State
from playground.context import QUIET, Context
from playground.views import html
from playground.views import run as views

STOP_AND_DISCARD, DISCARD = "Stop and discard", "Discard this run"


class RunButtons:
    """The buttons, the question before a discard, and what to say about them."""

    def __init__(self, context: Context, *, shown: gr.BrowserState) -> None:
        """`shown`: the run that this browser looks at."""
        self.context, self.shown = context, shown
        self.message = gr.HTML(elem_id="run-message", elem_classes="plain", render=False)
        self.why = gr.HTML(elem_id="why", elem_classes="plain", render=False)

    def build(self) -> None:
        """Lay out the buttons and the question; `message` and `why` are laid out where the tab wants them."""
        with gr.Row(elem_id="run-actions"):
            self.stop = gr.Button("Stop and keep", interactive=False, size="md", min_width=110, elem_id="stop")
            self.resume = gr.Button("Resume", interactive=False, size="md", min_width=110, elem_id="resume")
            self.discard = gr.Button(
                STOP_AND_DISCARD, variant="stop", interactive=False, size="md", min_width=110, elem_id="discard"
            )
            self.share = gr.Button(
                "Share to look at",
                visible=self.context.settings.is_shared,
                size="md",
                min_width=110,
                elem_id="share-run",
            )
        with gr.Column(visible=False, elem_id="discard-question") as self.question:
            self.asked = gr.HTML(elem_classes="plain")
            with gr.Row():
                self.sure = gr.Button("Discard it", variant="stop", size="md", elem_id="discard-yes")
                self.keep = gr.Button("Keep it", size="md", elem_id="discard-no")

    def wire(self, run: gr.Dropdown, chart: gr.HTML) -> None:
        """Connect the buttons with the run shown and the chart that hears of its state."""
        self.stop.click(self._stop, run, self.message, **QUIET)
        self.resume.click(self._resume, run, [self.message, self.resume], **QUIET)
        self.share.click(self._share, run, self.message, **QUIET)
        self.discard.click(self._ask, run, [self.question, self.asked], **QUIET)
        self.discarded = self.sure.click(self._discard, run, [self.shown, self.message, self.question], **QUIET)
        chart.changed(self._settle, None, self.message, **QUIET)
        run.input(lambda: "", None, self.message, **QUIET)  # it was about the run shown before
        for event in (self.keep.click, run.change):
            event(lambda: gr.Column(visible=False), None, self.question, **QUIET)

    @property
    def looks(self) -> list:
        """What `look` fills."""
        return [self.stop, self.resume, self.discard, self.why]

    def look(self, run_id: str | None) -> tuple:
        """The buttons and the reason as they can be used now."""
        jobs = self.context.jobs
        run, busy = jobs.run(run_id), jobs.busy()
        waits = self._waits(run)
        works = waits or (busy is not None and busy == run)
        trains = waits or (works and jobs.is_training(run))  # a run that is being scored has nothing to save
        is_own = run is not None and self.context.ownership.may_change(run)
        is_free = busy is None or self.context.settings.is_shared
        can_resume = is_own and is_free and not works and jobs.can_resume(run)
        strangers = run is not None and not is_own
        return (
            gr.Button(interactive=trains and is_own),
            gr.Button(interactive=can_resume),
            gr.Button(STOP_AND_DISCARD if trains or run is None else DISCARD, interactive=is_own and works is trains),
            views.buttons_note(
                run_id,
                jobs.name(busy),
                can_resume=can_resume,
                is_strangers=strangers,
                has_saved=run is None or bool(run.checkpoints()),
                has_queue=self.context.settings.is_shared,
            ),
        )

    def _share(self, run_id: str | None) -> str:
        run = self.context.jobs.run(run_id)
        if run is None:
            return ""
        try:
            return views.share_link(run.id, self.context.ownership.share(run))
        except IftError as problem:
            return html.error(problem)

    def _stop(self, run_id: str | None) -> str:
        run = self.context.jobs.run(run_id)
        if run is None:
            return ""
        try:
            self.context.ownership.require(run)
        except IftError as problem:
            return html.error(problem)
        if self._waits(run):
            self.context.queue.cancel(run.id)
            return html.note("ok", f"{run.id} waits no longer.")
        self.context.queue.cancel(run.id)  # else its scoring would begin
        self.context.jobs.stop(run)
        return html.note("busy", "Stopping: the run saves what it has reached.")

    def _waits(self, run: Run | None) -> bool:
        is_unborn = run is not None and self.context.jobs.state(run, run.training) is State.ABSENT
        return is_unborn and self.context.queue.place(run.id) is not None

    def _resume(self, run_id: str | None) -> tuple:
        run = self.context.jobs.run(run_id)
        if run is None:
            return "", gr.skip()
        try:
            self.context.ownership.require(run)
            self.context.jobs.resume_training(run)
        except IftError as problem:
            return html.error(problem), gr.skip()
        return html.note("busy", "Continuing from the last checkpoint."), gr.Button(interactive=False)

    def _settle(self) -> object:
        return gr.skip() if self.context.jobs.busy() else ""  # «stopping» is over

    def _ask(self, run_id: str | None) -> tuple:
        return gr.Column(visible=True), views.discard_question(run_id or "")

    def _discard(self, run_id: str | None) -> tuple:
        run, closed = self.context.jobs.run(run_id), gr.Column(visible=False)
        if run is None:
            return None, "", closed
        try:
            self.context.ownership.require(run)
            self.context.jobs.discard(run)
        except IftError as problem:
            return gr.skip(), html.error(problem), closed
        return None, "", closed
