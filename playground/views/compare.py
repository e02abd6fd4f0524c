"""The Before & after tab: verdict, means, tasks, every held-out record."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence

from ift.evaluation.intervals import mean
from ift.evaluation.measures import Unit, measure_of
from ift.evaluation.metrics import CHECK
from ift.events import Answered, Failed, TrainEvent
from ift.model.known_tokens import stretches
from ift.plurals import plural
from ift.runs.scores import AnsweredRecord, ComparedRecord, GroupSummary, Summary
from ift.runs.state import State
from ift.types import Completion, Finish
from playground.views.html import NEW_TO_MODEL, block, card, chip, esc, note, table, tiles

TITLES = {
    "exact_match": ("Exact match", "same words and numbers; case, articles and marks that carry no meaning ignored"),
    "token_f1": ("Token F1", "shared words, order ignored"),
    "rouge_l": ("ROUGE-L", "longest common word sequence"),
    "chrf": ("chrF", "shared character sequences"),
    "check": ("Own check", "open-ended records: lists and stories, by the record's own rule"),
    "ended": ("Stopped by itself", "end-of-text, or the template's own ending"),
}
LEADING = ("exact_match", CHECK)
"""The verdict is about the first of these that has a value: records with a check have no exact match."""
_GROUPS = {
    "fact": ("asks for a fact that no training record has", "ask for a fact that no training record has"),
    "wording": ("has a wording that no training record has", "have a wording that no training record has"),
}
FILTERS = ("all", "improved", "worse", "not right", "never stopped")
PAGE_ROWS = 50
FOLD_AT = 120
"""Characters of an answer that are always shown."""


def verdict(scores: Summary) -> str:
    """The one sentence, and a tile per metric."""
    leading = next((name for name in LEADING if scores.metric(name).interval), None)
    if leading is None:
        return note("warn", "No held-out record could be answered: every prompt fills the model's context.")
    found = scores.metric(leading)
    low, high = (100 * bound for bound in found.interval)
    if low > 0:
        kind, sign, verb = "", chip("good", "✓ decided"), "raised"
    elif high < 0:
        kind, sign, verb = "no", chip("bad", "✗ worse"), "lowered"
    else:
        kind, sign, verb = "open", chip("warn", "! open"), "may not have changed"
    change = f"{100 * (found.after - found.before):+.1f} points, 95 % interval [{low:+.1f}, {high:+.1f}]"
    metric = title_of(leading)[0].lower()
    means = f"{found.before:.1%} before, {found.after:.1%} after"
    sentence = f"Fine-tuning {verb} <b>{esc(metric)}: {means}</b> ({change})."
    detail = (
        f"{plural(scores.n, 'held-out record')}, greedy answers of up to {scores.max_new_tokens} tokens, paired "
        "bootstrap over the records. The interval is about the choice of records, not about the luck of one run."
    )
    split = "".join(f"<p>{_held_out(name, group, leading)}</p>" for name, group in scores.held_out.items())
    lead = f'<p class="muted">Verdict {sign}</p><p class="lead">{sentence}</p><p class="muted">{esc(detail)}</p>{split}'
    names = sorted(scores.after, key=lambda name: [*TITLES, name].index(name))  # those without a title come last
    return block(f'<div class="verdict {kind}">{lead}</div>', tiles(_tile(scores, name) for name in names))


def title_of(metric: str) -> tuple[str, str]:
    """A metric's title and what it means; its own name where this page has no title for it."""
    measure = measure_of(metric)
    return TITLES.get(metric, (measure.title, measure.meaning))


def _held_out(name: str, group: GroupSummary, metric: str) -> str:
    found = group.metric(metric)
    if found.before is None or found.after is None:
        return ""
    one, more = _GROUPS.get(name, (f"has a held-out {name}", f"have a held-out {name}"))
    text = f"{group.n:,} of them {one if group.n == 1 else more}"
    return f"{esc(text)}: {esc(title_of(metric)[0].lower())} <b>{found.before:.1%} → {found.after:.1%}</b>."


def _tile(scores: Summary, name: str) -> tuple[str, str, str]:
    title, meaning = title_of(name)
    found = scores.metric(name)
    if found.interval is None:
        return "no value", title, f"<span>{esc(_without_value(scores, name, meaning))}</span>"
    low, high = found.interval
    gain = f"gain [{100 * low:+.1f}, {100 * high:+.1f}]"
    means = f"{found.before:.1%} → {found.after:.1%}"
    if (measure := measure_of(name)).unit is not Unit.SHARE:
        gain = f"change [{measure.show(low, signed=True)}, {measure.show(high, signed=True)}]"
        means = f"{measure.show(found.before)} → {measure.show(found.after)}"
    return means, title, f"<span>{esc(' · '.join(filter(None, (gain, meaning))))}</span>"


def _without_value(scores: Summary, name: str, meaning: str) -> str:
    """Why a metric has no value, then what it means."""
    if name != CHECK and scores.metric(CHECK).interval:
        reason = "every answered record has its own check instead"
    else:
        reason = "none of its records could be answered"
    return " · ".join(filter(None, (reason, meaning)))


def choose(answers: Sequence[ComparedRecord], kind: str) -> list[ComparedRecord]:
    """The records of one of FILTERS; improved and worse go by token F1, or by the record's own check."""
    is_chosen: dict[str, Callable[[ComparedRecord], bool]] = {
        "all": lambda pair: True,
        "improved": lambda pair: pair.gain is not None and pair.gain > 0,
        "worse": lambda pair: pair.gain is not None and pair.gain < 0,
        "not right": lambda pair: pair.after.right == 0.0,
        "never stopped": lambda pair: pair.after.finish is Finish.LENGTH,
    }
    return [pair for pair in answers if is_chosen[kind](pair)]


def counts(answers: Sequence[ComparedRecord]) -> list[tuple[str, str]]:
    """The filters as (label with count, name) for a choice."""
    return [(f"{kind} {len(choose(answers, kind)):,}", kind) for kind in FILTERS]


def answers_table(answers: Sequence[ComparedRecord], *, page: int) -> str:
    """One page of records with expected, before, after and scores."""
    pages = max(1, -(-len(answers) // PAGE_ROWS))
    page = min(max(1, page), pages)
    shown = answers[(page - 1) * PAGE_ROWS : page * PAGE_ROWS]
    head = (
        ("Row", "n"),
        ("Task", "nw"),
        ("Instruction", "pre"),
        ("Expected", "pre"),
        ("Before", "pre before"),
        ("After", "pre"),
        ("F1 before → after", "n"),
        ("Exact", ""),
    )
    rows = [_row(pair) for pair in shown]
    return block(table(f"{len(answers):,} held-out records, page {page} of {pages}", head, rows))


def _row(pair: ComparedRecord) -> tuple[str, ...]:
    before, after = pair.before, pair.after
    question = f"<b>{esc(after.instruction)}</b>" + (f"\n{esc(after.input)}" if after.input else "")
    if after.check is not None:
        score, exact = "own check", chip("good", "✓ met") if after.check else chip("bad", "✗ not met")
    elif reason := after.reason or before.reason:
        score, exact = "none", chip("warn", f"! {reason}")
    else:
        score = f"{before.likeness:.2f} → {after.likeness:.2f}"
        exact = chip("good", "✓ yes") if after.right == 1 else chip("bad", "✗ no")
    return (
        str(after.record),
        esc(after.task or ""),
        question,
        esc(after.output),
        _answer(before),
        _answer(after),
        score,
        exact,
    )


def _answer(answered: AnsweredRecord) -> str:
    is_cut = answered.finish is Finish.LENGTH and not answered.reason
    return _folded(answered.model_response.strip()) + (f" {chip('warn', '! cut')}" if is_cut else "")


def _folded(text: str) -> str:
    """A long answer shows its beginning, and all of it on request: a table of 50 rows stays a table."""
    if len(text) <= FOLD_AT:
        return esc(text)
    return f"<details><summary>{esc(' '.join(text[:FOLD_AT].split()))} …</summary>{esc(text)}</details>"


def task_figure(answers: Sequence[ComparedRecord]) -> dict:
    """Right answers by task, before and after, for the figure component; empty where records name no task."""
    tasks = {pair.after.task or "" for pair in answers}
    if not any(tasks):
        return {}
    means = [(name, *_right([pair for pair in answers if (pair.after.task or "") == name])) for name in sorted(tasks)]
    means.sort(key=lambda row: (row[-1] is None, row[-1] or 0.0))  # the best last
    sizes = Counter(pair.after.task or "" for pair in answers)
    names = [f"{esc(name)} ({sizes[name]})" for name, _, _ in means]  # Plotly reads some HTML in labels
    before, after = [old for _, old, _ in means], [new for _, _, new in means]
    line = {"mode": "lines", "line": {"color": "--acc", "width": 5}, "opacity": 0.4, "hoverinfo": "skip"}
    x = [value for pair in zip(before, after, strict=True) for value in (*pair, None)]
    y = [value for name in names for value in (name, name, None)]
    hollow = {"size": 11, "color": "--page", "line": {"color": "--role-template-line", "width": 2}}
    dots = {"mode": "markers", "hovertemplate": "%{y}: %{x:.0%}<extra></extra>", "cliponaxis": False}
    height = 80 + 24 * len(names)
    return {
        "label": f"Right answers by task, before and after, {len(names)} tasks; the table below has every record",
        "height": height,
        "data": [
            {"x": x, "y": y, "showlegend": False, **line},
            {"x": before, "y": names, "name": "before", "marker": hollow, **dots},
            {"x": after, "y": names, "name": "after", "marker": {"size": 13, "color": "--acc"}, **dots},
        ],
        "layout": {
            "xaxis": {
                "title": {"text": "exact match; lists and stories: own check"},
                "tickformat": ".0%",
                "range": [-0.03, 1.03],
            },
            "yaxis": {"type": "category"},
        },
    }


def _right(answers: Sequence[ComparedRecord]) -> tuple[float | None, float | None]:
    """The share of right answers before and after; None where no record has a score."""
    return mean([pair.before.right for pair in answers]), mean([pair.after.right for pair in answers])


def chat(instruction: str, answers: Mapping[str, Completion | None]) -> str:
    """A question and what each model said; None is still to come."""
    ends = {
        Finish.EOS: chip("good", "✓ stopped by itself"),
        Finish.STOP: chip("good", "✓ ended"),
        Finish.LENGTH: chip("warn", "! cut"),
    }
    cards = []
    for name, answer in answers.items():
        body = f"{esc(answer.text.strip())}\n{ends[answer.finish]}" if answer else chip("acc", "▶ thinking")
        cards.append(f'<div class="say"><h3>{esc(name)}</h3>{body}</div>')
    return block(f'<p><b>{esc(instruction)}</b></p><div class="half">{"".join(cards)}</div>')


def new_words(texts: Sequence[str], known: Collection[int] | None) -> str:
    """What was typed, with the words that the base model never saw marked; empty where it knows all."""
    if known is None or all(is_known for text in texts for _, is_known in stretches(text, known)):
        return ""
    lines = (
        "".join(
            esc(part) if is_known else f'<mark class="u">{esc(part)}</mark>'
            for part, is_known in stretches(text, known)
        )
        for text in texts
        if text
    )
    return block(note("warn", NEW_TO_MODEL), f'<p class="typed">{"<br>".join(lines)}</p>')


def empty(text: str) -> str:
    """Nothing to compare yet, and what to do."""
    return block(card("Nothing to compare yet", f"<p>{esc(text)}</p>"))


def progress(events: Sequence[TrainEvent], offset: int, state: State, *, said: str = "") -> dict:
    """How far the answering is, for the progress bar."""
    last = next((event for event in reversed(events) if isinstance(event, Answered)), None)
    failed = next((event for event in events if isinstance(event, Failed)), None)
    error = {"what": failed.what, "where": failed.where, "fix": failed.fix} if failed else None
    if state is State.FAILED and not failed:
        error = {"what": said or "The answers can't be read", "where": "", "fix": "See run.log in the run's folder."}
    return {
        "state": state.value,
        "offset": offset,
        "over": state.is_over,
        "error": error,
        "side": last.side if last else "",
        "done": last.done if last else 0,
        "total": last.total if last else 0,
    }


def buttons_note(*, has_run: bool, saved: bool, has_test: bool, busy_id: str | None, is_strangers: bool = False) -> str:
    """Why the held-out records can't be answered now; empty where they can."""
    if not has_run:
        text = "There is no run yet: start one on the tab Fine-tune."
    elif busy_id:
        text = f"{busy_id} is running: wait until it has ended, or stop it."
    elif is_strangers:
        text = "Only the browser that started a run can score it on this public page."
    elif not saved:
        text = "The run has saved nothing: train again."
    else:
        text = "" if has_test else "The data set of this run has no test record: give at least 10 records."
    return f'<div class="ift"><p class="muted">{esc(text)}</p></div>' if text else ""
