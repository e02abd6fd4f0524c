"""Tab 4: the held-out records before and after, one of them under the glass, and a chat with both models."""

from collections.abc import Callable
from dataclasses import fields

import gradio as gr

from ift.errors import IftError
from ift.evaluation.evaluation_options import EvaluationOptions
from ift.runs.folder import Run
from ift.runs.state import State
from playground.answers import chat, options, queries
from playground.answers.lens_view import lens_view
from playground.context import QUIET, Context, when_loaded
from playground.lens.state import View
from playground.runs import polls
from playground.views import compare as views
from playground.views import html
from playground.widgets.take_model import TakeModel

GOING_ON = (State.STARTING, State.RUNNING)


class CompareTab:
    """The tab's widgets and handlers."""

    def __init__(self, context: Context) -> None:
        self.context = context
        with gr.Column(elem_id="answers-tab"):
            with gr.Row(elem_id="answers-top"):
                gr.HTML(html_template='<div class="ift verdict-line"></div>', elem_id="verdict", elem_classes="plain")
                self._build_buttons()
            self.why = gr.HTML(elem_id="answer-why", elem_classes="plain")
            self.evidence = gr.HTML(
                {},
                html_template='<div class="ift answers"></div>',
                js_on_load=when_loaded(
                    "ift.answers(element, props, watch, { changed: data => trigger('changed', data),"
                    " opened: data => trigger('opened', data) }, server)"
                ),
                server_functions=[polls.evaluation(context), *queries.queries(context)],
                elem_id="answers",
                elem_classes="plain",
            )
            self.chat = gr.HTML(
                {},
                html_template='<div class="ift chat"></div>',
                js_on_load=when_loaded("ift.chat(element, props, watch, server)"),
                server_functions=chat.queries(context),
                elem_id="chat",
                elem_classes="plain",
            )

    def _build_buttons(self) -> None:
        plain = {"show_label": False, "container": False, "min_width": 0}
        self.run = gr.Dropdown([], value=None, label="Run", allow_custom_value=True, elem_id="compare-run", **plain)
        self.answer = gr.Button("Answer the held-out records", variant="primary", interactive=False, elem_id="answer")
        self.stop = gr.Button("Stop", variant="stop", visible=False, elem_id="stop-answering")
        self.menu = gr.HTML(
            {},
            html_template='<div class="ift answer-menu"></div>',
            js_on_load=when_loaded("ift.answerOptions(element, props, watch, data => trigger('start', data))"),
            elem_id="answer-menu",
            elem_classes="plain",
        )
        self.take = TakeModel(self.context)

    def wire(self) -> None:
        """Connect the tab's own widgets."""
        begun = [self.evidence, self.why]
        self.answer.click(self._answer, self.run, begun, **QUIET)
        self.take.wire(self.run)
        self.menu.start(self._answer_with, self.run, begun, **QUIET)
        self.stop.click(self._stop, self.run, self.why, **QUIET)

    def open_in_lens(self, switches: list, shown: Callable[[str], tuple]) -> gr.events.Dependency:
        """Show the chosen record on tab 2.

        Args:
            switches: what is filled: all that decides the grid, then what shows which data set is in use.
            shown: the values of the latter, for a data set's name.
        """

        def fill(run_id: str | None, event: gr.EventData) -> tuple:
            run, sent = self.context.jobs.run(run_id), event._data
            record = sent.get("record") if isinstance(sent, dict) else None
            if run is None or type(record) is not int:
                return tuple(gr.skip() for _ in switches)
            view = lens_view(run, record)
            return *(getattr(view, one.name) for one in fields(View)), *shown(view.data)

        return self.evidence.opened(fill, self.run, switches, **QUIET)

    @property
    def looks(self) -> list:
        """What `look` fills."""
        return [self.answer, self.stop, self.menu, self.chat, self.why]

    def look(self, run_id: str | None) -> tuple:
        """Answer, Stop, the chat's models and the reason, as they can be used now."""
        run, busy = self.context.jobs.run(run_id), self.context.jobs.busy()
        saved = run is not None and bool(run.checkpoints())
        answering = run is not None and self.context.jobs.state(run, run.evaluation) in GOING_ON
        has_test = saved and run.config.data.split.test > 0
        is_own = run is not None and self.context.ownership.may_change(run)
        note = views.buttons_note(
            has_run=run is not None,
            saved=saved,
            has_test=has_test,
            busy_id=None if answering else self.context.jobs.name(busy),
            is_strangers=not is_own,
        )
        is_free = busy is None or self.context.settings.is_shared
        can = saved and has_test and is_free and is_own
        has_scores = run is not None and run.scores is not None
        button = gr.Button(
            views.answer_title(run),
            interactive=can,
            variant="secondary" if has_scores else "primary",
            visible=not answering,
        )
        is_shared = self.context.settings.is_shared
        menu = {}
        if saved and not answering:
            menu = {
                "run": run.id,
                "fields": options.form(run, is_shared=is_shared),
                "can": can,
                "hint": options.hint(is_shared=is_shared),
            }
        models = {"run": run.id, "names": views.model_names(run)} if saved else {}
        return button, gr.Button(visible=answering and is_own), menu, models, note

    def _answer(self, run_id: str | None) -> tuple:
        """As it was asked last, else as the options are by default; what is answered already is not asked again."""
        run = self.context.jobs.run(run_id)
        is_shared = self.context.settings.is_shared
        return self._begin(run, lambda: options.again(run, is_shared=is_shared))

    def _answer_with(self, run_id: str | None, event: gr.EventData) -> tuple:
        sent, is_shared = event._data, self.context.settings.is_shared
        given = sent.get("options") if isinstance(sent, dict) else None
        return self._begin(self.context.jobs.run(run_id), lambda: options.read(given, is_shared=is_shared))

    def _begin(self, run: Run | None, asked: Callable[[], EvaluationOptions]) -> tuple:
        if run is None:
            return gr.skip(), gr.skip()
        try:
            self.context.ownership.require(run)
            how = asked()
            self.context.settings.limits.require("new_tokens", how.max_new_tokens or 0, where="max_new_tokens")
            self.context.jobs.start_evaluation(run, how)
        except IftError as problem:
            return gr.skip(), html.error(problem)
        return {"run": run.id, "again": next(self.context.stamps)}, ""

    def _stop(self, run_id: str | None) -> str:
        run = self.context.jobs.run(run_id)
        if run is None:
            return ""
        try:
            self.context.ownership.require(run)
        except IftError as problem:
            return html.error(problem)
        self.context.jobs.stop(run)
        return ""
