"""The page: a head, five tabs and what connects them."""

import gradio as gr

from playground.context import QUIET, Context, when_loaded
from playground.lesson import read_lesson
from playground.settings import Settings
from playground.tabs.compare import CompareTab
from playground.tabs.data import DataTab
from playground.tabs.experiments import ExperimentsTab
from playground.tabs.prompt import PromptTab
from playground.tabs.train import TrainTab
from playground.views.html import esc
from playground.widgets.lesson_panel import LessonPanel

HEAD = """<div class="ift-head"><h1>ift <span>playground</span></h1><div class="tools">{mode}
<button type="button" id="share">Share</button>
<button type="button" data-mode="projector" aria-pressed="false">Projector</button>
<button type="button" data-mode="dark" aria-pressed="false">Dark</button></div></div>"""


def build(context: Context) -> gr.Blocks:
    """The whole page over one folder of runs."""
    with gr.Blocks(title="ift playground", fill_width=True, delete_cache=(3600, 86400)) as page:
        shown = gr.BrowserState(None, storage_key="ift-run", secret="ift")
        head = gr.HTML(
            HEAD.format(mode=_mode(context.settings)),
            js_on_load=when_loaded("ift.header(element, { restore: () => trigger('restore') })"),
            elem_classes="plain",
            elem_id="head",
        )
        with gr.Tabs(elem_id="tabs"):
            with gr.Tab("1 Data", elem_id="tab-data") as data_tab:
                data = DataTab(context)
            with gr.Tab("2 Prompt & batch", elem_id="tab-prompt"):
                prompt = PromptTab(context)
            with gr.Tab("3 Fine-tune", elem_id="tab-train") as train_tab:
                train = TrainTab(context, shown=shown)
            with gr.Tab("4 Before & after", elem_id="tab-compare"):
                compare = CompareTab(context)
            with gr.Tab("5 Experiments", elem_id="tab-experiments"):
                ExperimentsTab(context)
        lesson = LessonPanel(read_lesson())
        kept = gr.HTML(
            {},
            html_template="<i hidden></i>",
            js_on_load=when_loaded("ift.settings(props, watch)"),
            elem_id="kept-settings",
            elem_classes="plain offstage",
        )
        data.wire(train.model, prompt)
        prompt.wire(data.name, model=train.model, run=train.run, chart=train.chart)
        train.wire(train_tab, prompt, data.name, kept)
        _restore(page, head, prompt, train, data)
        compare.wire()
        lesson.wire(data, prompt, train)
        prompt.own.wire()
        prompt.redraw_after(compare.open_in_lens([*prompt.restored, *data.restored], data.shown))
        data.show_on(page.load)
        data.show_on(data_tab.select)  # the template may have changed since
        _follow_run(page, context, train, compare)
    return page


def _mode(settings: Settings) -> str:
    """Who uses the page and its limits, and how to do without them; nothing on one's own machine."""
    if not settings.is_shared:
        return ""
    limits = "".join(f"<dt>{esc(what)}</dt><dd>{esc(most)}</dd>" for what, most in settings.limits.describe().items())
    without = "Without limits: <code>python app.py</code> on your own machine"
    without += ", or Duplicate this Space with <code>IFT_MODE=local</code>." if settings.on_space else "."
    summary = f"{settings.mode.value.capitalize()} page: its limits"
    return f"<details><summary>{summary}</summary><div><dl>{limits}</dl><p>{without}</p></div></details>"


def _restore(page: gr.Blocks, head: gr.HTML, prompt: PromptTab, train: TrainTab, data: DataTab) -> None:
    """What a link says, or the browser's history after a reload or Back, into all widgets; nothing without either."""
    link = gr.Textbox(visible=False)

    def restore(text: str) -> tuple:
        own = data.own(text)
        view = prompt.restore(text, own)
        chosen, mask = (view[prompt.restored.index(one)] for one in (data.name, prompt.mask))
        return *view, *data.restore(text, chosen), *train.restore(text, mask)

    everything = [*prompt.restored, *data.restored, *train.restored]
    asked = f"() => {when_loaded('return [ift.link.text()]')}"
    for event in (page.load, head.restore):
        restored = event(restore, link, everything, js=asked, **QUIET)
        prompt.redraw_after(restored)
        train.judge_after(restored.then)
        restored.then(None, None, None, js=f"() => {when_loaded('ift.link.restored()')}")


def _follow_run(page: gr.Blocks, context: Context, train: TrainTab, compare: CompareTab) -> None:
    """One run is shown on two tabs; a reload, a second tab and a restarted server find it again."""
    looks = [*train.looks, *compare.looks]

    def look(run_id: str | None) -> tuple:
        if run_id is None and train.run_choices():  # asked before `attach` has answered, which then says it all
            return tuple(gr.skip() for _ in looks)
        return *train.look(run_id), *compare.look(run_id)

    def attach(run_id: str | None) -> tuple:
        names, busy = train.run_choices(), context.jobs.busy()
        going_on = busy.id if busy and busy.id in names else next(iter(names), None)
        chosen = run_id if run_id in names else going_on
        choice, pulled = gr.Dropdown(names, value=chosen), {"run": chosen}
        return choice, choice, pulled, pulled, *look(chosen)

    everything = [train.run, compare.run, train.chart, compare.evidence, *looks]
    shown = train.control.shown
    gr.on([page.load, shown.change], attach, shown, everything, **QUIET)
    # also where nobody had chosen the run, and it was shown as the newest:
    train.control.discarded.then(attach, shown, everything, **QUIET)
    for choice in (train.run, compare.run):
        choice.input(lambda run_id: run_id, choice, shown, **QUIET)
    for changed in (train.chart.changed, compare.evidence.changed):
        changed(look, train.run, looks, **QUIET)
