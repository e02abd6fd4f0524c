"""Tab 4: the held-out records before and after, and a chat with both models."""

import json
from collections.abc import Iterator

import gradio as gr

from ift.data.records import to_example
from ift.errors import ConfigError, IftError
from ift.model.known_tokens import known_ids
from ift.runs.folder import Run
from ift.runs.state import State
from playground.context import LIVE, QUIET, Context, when_loaded, whole
from playground.runs import polls
from playground.views import compare as views
from playground.views import html
from playground.widgets.take_model import TakeModel

CHAT_TOKENS = 40
_NOTE = html.note("busy", "Your question is answered after the one before it.")
_WAITS = f"() => document.querySelector('#said .say .chip.acc') ? {json.dumps(_NOTE)} : ''"
"""In the browser: what to show below the button at a question; `chip acc` marks an answer that is still to come."""


class CompareTab:
    """The tab's widgets and handlers."""

    def __init__(self, context: Context) -> None:
        self.context = context
        with gr.Row():
            base = "Its base model is “before”"
            self.run = gr.Dropdown(
                [], value=None, label="Run", info=base, scale=2, allow_custom_value=True, elem_id="compare-run"
            )
            with gr.Column(scale=2, min_width=280):
                self.answer = gr.Button(
                    "Answer the held-out records", variant="primary", interactive=False, elem_id="answer"
                )
                self.stop = gr.Button("Stop", variant="stop", visible=False, elem_id="stop-answering")
                self.why = gr.HTML(elem_id="answer-why", elem_classes="plain")
        self.progress = gr.HTML(
            {},
            html_template='<div class="ift evaluation col"></div>',
            js_on_load=when_loaded("ift.evaluation(element, props, watch, data => trigger('changed', data), server)"),
            server_functions=[polls.evaluation(context)],
            elem_id="evaluation",
            elem_classes="plain",
        )
        self.verdict = gr.HTML(elem_id="verdict", elem_classes="plain")
        with gr.Row():
            with gr.Column(scale=3, min_width=320):
                self.figure = gr.HTML(
                    {},
                    html_template='<div class="ift"><h2>By task</h2><div class="plot"></div></div>',
                    js_on_load=when_loaded("ift.figure(element, props, watch)"),
                    elem_id="by-task",
                    elem_classes="plain",
                    visible="hidden",
                )
            with gr.Column(scale=2, min_width=320):
                self._build_chat()
        self.filter = gr.Radio(list(views.FILTERS), value="all", label="Records", visible="hidden", elem_id="filter")
        self.page = gr.Number(1, label="Page", precision=0, visible="hidden", elem_id="answers-page")
        self.table = gr.HTML(elem_id="answers", elem_classes="plain")
        self.take = TakeModel(context)

    def _build_chat(self) -> None:
        gr.HTML('<div class="ift"><h2>Ask both models</h2></div>', elem_classes="plain")
        self.instruction = gr.Textbox("What is the capital of France?", label="Instruction", elem_id="ask-instruction")
        self.input = gr.Textbox(label="Input (may stay empty)", elem_id="ask-input")
        self.known = gr.HTML(elem_id="ask-new", elem_classes="plain")
        with gr.Row():
            self.temperature = gr.Number(0, label="Temperature", info="0: the likeliest token", min_width=120)
            self.tokens = gr.Number(CHAT_TOKENS, label="New tokens", info="at most", precision=0, min_width=120)
        self.ask = gr.Button("Ask both", variant="primary", interactive=False, elem_id="ask")
        self.waiting = gr.HTML(elem_id="ask-waiting", elem_classes="plain")
        self.said = gr.HTML(elem_id="said", elem_classes="plain")

    def wire(self) -> None:
        """Connect the tab's own widgets."""
        self.answer.click(self._answer, self.run, [self.progress, self.why], **QUIET)
        self.stop.click(self._stop, self.run, self.why, **QUIET)
        self.take.wire(self.run)
        self.progress.changed(self.show, self.run, self.results, **QUIET)
        for change in (self.filter.input, self.page.change):
            change(self._table, [self.run, self.filter, self.page], self.table, **LIVE)
        typed = [self.run, self.instruction, self.input]
        for box in typed:
            box.change(self._new_words, typed, self.known, **LIVE)
        asked = [self.run, self.instruction, self.input, self.temperature, self.tokens]
        for event in (self.ask.click, self.instruction.submit, self.input.submit):
            # a question during an answer waits for its turn, whichever way it was asked, and the page says so
            event(None, None, self.waiting, js=_WAITS, **QUIET)
            queued = {"trigger_mode": "multiple", "concurrency_id": "ask"}
            event(self._ask, asked, [self.said, self.waiting], **QUIET, **queued)

    @property
    def results(self) -> list:
        """What `show` fills."""
        return [self.verdict, self.figure, self.filter, self.page, self.table]

    def show(self, run_id: str | None) -> tuple:
        """The results of a run, or what to do to get some."""
        run = self.context.jobs.run(run_id)
        scores = run.scores if run else None
        if scores is None:
            hidden = gr.HTML({}, visible="hidden"), gr.Radio(visible="hidden"), gr.Number(visible="hidden")
            return views.empty(_next_step(run)), *hidden, ""
        answers = run.comparison()
        figure = views.task_figure(answers)
        return (
            views.verdict(scores),
            gr.HTML(figure, visible=True if figure else "hidden"),
            gr.Radio(views.counts(answers), value="all", visible=True),
            gr.Number(1, visible=True),
            views.answers_table(answers, page=1),
        )

    @property
    def looks(self) -> list:
        """What `look` fills."""
        return [self.answer, self.stop, self.ask, self.why]

    def look(self, run_id: str | None) -> tuple:
        """Answer, Stop, Ask and the reason, as they can be used now."""
        run, busy = self.context.jobs.run(run_id), self.context.jobs.busy()
        saved = run is not None and bool(run.checkpoints())
        answering = run is not None and self.context.jobs.state(run, run.evaluation) in (State.STARTING, State.RUNNING)
        has_test = saved and run.config.data.split.test > 0
        busy_id = self.context.jobs.name(busy)
        is_own = run is not None and self.context.ownership.may_change(run)
        note = views.buttons_note(
            has_run=run is not None, saved=saved, has_test=has_test, busy_id=busy_id, is_strangers=not is_own
        )
        is_free = busy is None or self.context.settings.is_shared
        can = gr.Button(interactive=saved and has_test and is_free and is_own)
        return can, gr.Button(visible=answering and is_own), gr.Button(interactive=saved), note

    def _answer(self, run_id: str | None) -> tuple:
        run = self.context.jobs.run(run_id)
        if run is None:
            return gr.skip(), gr.skip()
        try:
            self.context.ownership.require(run)
            self.context.jobs.start_evaluation(run)
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

    def _table(self, run_id: str | None, chosen: str, page: float | None) -> str:
        run = self.context.jobs.run(run_id)
        if run is None or run.scores is None:
            return ""
        answers = run.comparison()
        return views.answers_table(views.choose(answers, chosen), page=int(page or 1))

    def _new_words(self, run_id: str | None, *texts: str | None) -> str:
        run = self.context.jobs.run(run_id)
        if run is None:
            return ""
        try:
            return views.new_words([text or "" for text in texts], known_ids(str(run.last_checkpoint())))
        except IftError:
            return ""  # a run that has saved nothing can't be asked; `look` says so

    def _ask(self, run_id: str | None, *question: object) -> Iterator[tuple[str, str]]:
        """The answers as they come, and nothing about waiting any more."""
        try:
            run = self.context.jobs.run(run_id)
            if run is None:
                raise ConfigError("There is no run to ask", where="run", fix="Train a model first.")
            yield from ((said, "") for said in self._answers(run, *question))
        except IftError as problem:
            yield html.error(problem), ""

    def _answers(self, run: Run, instruction: str, text: str, temperature: float, tokens: float) -> Iterator[str]:
        from ift.model.answer import ask
        from ift.model.generate import Sampling

        template = run.config.template
        example = to_example({"instruction": instruction, "input": text, "output": ""}, where="your question")
        count = whole("New tokens", tokens)
        self.context.settings.limits.require("new_tokens", count, where="New tokens")
        sampling = Sampling(max_new_tokens=count, temperature=float(temperature or 0))
        base, tuned = run.models.values()
        models = {f"Before · {base}": base, f"After · {run.id}": tuned}
        said: dict = dict.fromkeys(models)
        yield views.chat(instruction, said)
        for name, model in models.items():
            said[name] = ask(self.context.models.get(model), template, example, sampling)
            yield views.chat(instruction, said)


def _next_step(run: Run | None) -> str:
    if run is None:
        return "Train a model first, on the tab Fine-tune, or choose a run above."
    if run.evaluation.state() is State.RUNNING:
        return "The held-out records are being answered."
    return (
        "Press “Answer the held-out records”: the base model and the fine-tuned one answer each, and both are scored."
    )
