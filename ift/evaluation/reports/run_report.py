"""A run as one HTML file that asks no other host for anything: verdict, scores, curves, ten answers, options."""

import html
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from ift.config import to_dict
from ift.evaluation.measures import measure_of
from ift.evaluation.reports.answer_tables import draw
from ift.evaluation.reports.loss_chart import Curve, chart
from ift.evaluation.verdict import verdict
from ift.events import Evaluated, Stepped
from ift.options import show
from ift.plurals import plural
from ift.runs.folder import Run
from ift.runs.scores import AnsweredRecord, ComparedRecord, JudgeSummary, Summary
from ift.types import Finish

STYLE = """
:root{color-scheme:light dark;--page:#fff;--ink:#14181f;--soft:#434c59;--line:#dfe3e9;--acc:#0b5cad;--after:#0b5cad;
--before:#5b6675;--good:#0b7a43;--warn:#8f5a00;--bad:#b3261e}
@media(prefers-color-scheme:dark){:root{--page:#12161c;--ink:#f4f6f8;--soft:#bcc5d0;--line:#363e49;--acc:#63b0ff;
--after:#63b0ff;--before:#9aa5b4;--good:#45d483;--warn:#f2b233;--bad:#ff8a80}}
body{background:var(--page);color:var(--ink);font:16px/1.5 system-ui,sans-serif;max-width:76rem;margin:2rem auto;
padding:0 1rem}
h1,h2{line-height:1.25}table{border-collapse:collapse;width:100%}th,td{border-bottom:1px solid var(--line);
padding:.3rem .6rem .3rem 0;text-align:left;vertical-align:top}td.n,th.n{text-align:right;white-space:nowrap}
td.text{white-space:pre-wrap;overflow-wrap:anywhere;min-width:9rem}td.soft{min-width:15rem}
.soft{color:var(--soft)}.verdict{border-left:6px solid var(--warn);
padding-left:1rem}.verdict.good{border-color:var(--good)}.verdict.bad{border-color:var(--bad)}
.verdict p:first-of-type{font-size:1.2rem}pre{white-space:pre-wrap;overflow-wrap:anywhere;border:1px solid var(--line);
padding:.6rem}figure{margin:1rem 0}svg{width:100%;height:auto}svg text{font-size:12px;fill:var(--soft)}
.grid{stroke:var(--line);fill:none}.line{fill:none;stroke-width:1.5}.line.before{stroke:var(--before)}
.line.after{stroke:var(--after);stroke-width:2.5}circle.after{fill:var(--after)}.legend span{margin-right:1.5rem}
.legend .before{color:var(--before)}.legend .after{color:var(--after)}.wide{overflow-x:auto}
@media print{details{display:block}}
"""
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; form-action 'none'">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>{body}</body>
</html>
"""


def report(run: Run, *, seed: int = 0) -> str:
    """The whole page. `seed`: of the ten answers that are shown.

    Raises:
        RunError: the folder is no run, or a file of it is damaged.
    """
    summary = run.scores
    pairs = run.comparison() if summary else ()
    body = "".join(
        [
            f"<h1>{_esc(run.id)}</h1>",
            _what(run),
            _scores(summary) if summary else _section("Scores", "<p>Not scored yet: python -m ift evaluate RUN</p>"),
            "".join(_judge(one) for one in summary.judges.values()) if summary else "",
            _curves(run),
            _answers(draw(pairs, seed=seed), len(pairs), seed) if pairs else "",
            _options(run),
        ]
    )
    return _PAGE.format(title=_esc(run.id), style=STYLE, body=body)


def _what(run: Run) -> str:
    config = run.config
    split = config.data.split
    text = (
        f"{_name(config.options.model)}, fine-tuned on {_name(config.data.name)}: {plural(split.train, 'record')} to "
        f"train on, {split.validation:,} to validate, {split.test:,} held out. "
        f"Template: {_name(config.options.template)}. Loss on: {config.options.train_on}. State: {run.state().value}."
    )
    return f'<p class="soft">{_esc(text)}</p>'


def _scores(summary: Summary) -> str:
    found = verdict(summary)
    sentences = "".join(f'<p class="soft">{_esc(text)}</p>' for text in (found.basis, *found.cautions) if text)
    lead = f"<p><b>{_esc(found.title)}</b>: {_esc(found.sentence)}</p>"
    head = (
        "Score",
        "Before",
        "After",
        "95 % of the difference",
        "Better",
        "Same",
        "Worse",
        "Sign test",
        "What it can't see",
    )
    rows = [_score(summary, name) for name in summary.after]
    kinds = ["", *["n"] * 7, "soft"]
    return f'<div class="verdict {found.tone}">{lead}{sentences}</div>' + _section("Scores", _table(head, rows, kinds))


def _score(summary: Summary, name: str) -> tuple[str, ...]:
    found, measure = summary.metric(name), measure_of(name)
    means = (measure.show(found.before), measure.show(found.after), measure.show_interval(found.interval))
    counts = ("", "", "", "")
    if one := found.outcome:
        p = "p < 0.001" if one.p_value < 0.001 else f"p = {one.p_value:.3f}"
        counts = (f"{one.wins:,}", f"{one.ties:,}", f"{one.losses:,}", p)
    return (measure.title, *means, *counts, measure.blind)


def _judge(judge: JudgeSummary) -> str:
    lines = [f"{plural(judge.scored, 'answer')} graded, {judge.unread:,} without a grade that can be read."]
    if judge.suspected:
        lines.append(f"{plural(judge.suspected, 'answer')} may ask the judge for a grade: read them yourself.")
    if judge.pairs:
        one = judge.pairs
        pairs = f"{one.wins:,} wins, {one.ties:,} ties, {one.losses:,} losses, {judge.unread_pairs:,} without a verdict"
        lines.append(f"Compared blind and in both orders, the fine-tuned model's answers have {pairs}.")
    said = "".join(f"<p>{_esc(line)}</p>" for line in lines)
    return _section(f"Judge {judge.model}", f"{said}<pre>{_esc(judge.rubric)}</pre>")


def _curves(run: Run) -> str:
    events, _ = run.training.read()
    steps = [event for event in events if isinstance(event, Stepped)]
    evaluated = [event for event in events if isinstance(event, Evaluated)]
    losses = [
        Curve("training batch", [(event.step, event.loss) for event in steps], "before"),
        Curve("validation", [(event.step, event.loss) for event in evaluated], "after", marked=True),
    ]
    rates = [Curve("learning rate", [(event.step, event.learning_rate) for event in steps], "before")]
    shown = chart(losses, x="step", y="loss in nats") + chart(rates, x="step", y="learning rate")
    return _section("Curves", shown) if shown else ""


def _answers(pairs: Sequence[ComparedRecord], total: int, seed: int) -> str:
    head = ("Record", "Question", "Expected", "Before", "After")
    rows = [
        (
            str(pair.after.record),
            "\n\n".join(filter(None, (pair.after.instruction, pair.after.input))),
            pair.after.output,
            _answer(pair.before),
            _answer(pair.after),
        )
        for pair in pairs
    ]
    title = f"{len(pairs)} of {plural(total, 'answer')}, drawn with seed {seed}"
    return _section(title, _table(head, rows, ["n", *["text"] * 4]))


def _answer(row: AnsweredRecord) -> str:
    if row.reason:
        return f"[no answer: {row.reason}]"
    return row.model_response.strip() + (" [cut]" if row.finish is Finish.LENGTH else "")


def _options(run: Run) -> str:
    config = run.config
    values = [(name, _name(show(value))) for name, value in to_dict(config.options).items() if value not in (None, "")]
    versions = list(config.versions.items())
    data = [("sha256 of the data file", config.data.sha256)]
    table = _table(("Option", "Value"), [*values, *data, *versions], ["", "text"])
    return _section("Template", f"<pre>{_esc(config.template_source)}</pre>") + _section("Options", table)


def _section(title: str, body: str) -> str:
    return f"<section><h2>{_esc(title)}</h2>{body}</section>"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], kinds: Sequence[str]) -> str:
    def cells(tag: str, texts: Sequence[str]) -> str:
        pairs = zip(texts, kinds, strict=True)
        return "".join(f'<{tag} class="{kind}">{_esc(text)}</{tag}>' for text, kind in pairs)

    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{cells("th", head)}</tr></thead><tbody>{body}</tbody></table></div>'


def _name(value: str) -> str:
    """A path's last part: where it was means nothing elsewhere, and is nobody's business."""
    return Path(value).name if os.path.isabs(value) else value


def _esc(text: str) -> str:
    return html.escape(text.encode("utf-8", "replace").decode())
