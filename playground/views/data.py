"""The Data tab: what a data set holds, what deserves a look, and its records."""

from bisect import bisect_left
from collections.abc import Sequence

import numpy as np

from ift.audit.data_report import DataReport
from ift.audit.findings import LABELS, Severity
from ift.audit.tokenized_audit import TokenizedReport
from ift.data.records import Dataset, RecordsError
from ift.plurals import plural
from ift.roles import Role
from ift.types import Example
from playground.views.findings import found_list
from playground.views.html import block, card, esc, legend, note, role_bar, table, tiles

PAGE_ROWS = 25
USUAL_PERCENT, LONG_TAIL = 99.5, 1.5
"""Of rows that a histogram shows bar by bar; and how many times as long the longest may be without a cut."""
LEAST_LABELED = 0.12
"""Of the split's bar: a share that has room for its name."""
PROBLEMS_SHOWN = 100


def overview(data: Dataset, report: DataReport) -> str:
    """Lead, tiles, what was found, split."""
    total = sum(report.tokens_by_role.values())
    shares = {role: report.tokens_by_role[role.label] / total for role in Role if role is not Role.PAD}
    answer = shares[Role.RESPONSE] + shares[Role.EOS]
    n = len(data)
    numbers = tiles(
        [
            (f"{n:,}", _readable(data), ""),
            *([(f"{report.tasks}", "kinds of task", "")] if report.tasks else []),
            (f"{report.lengths.mean():.1f}", f"tokens per row ({report.lengths.min()} to {report.lengths.max()})", ""),
            (f"{report.with_input / n:.0%}", f"have an input ({report.with_input:,})", ""),
            (f"{answer:.0%}", "of all tokens are response or end of text", role_bar(shares)),
        ]
    )
    return block(
        f'<p class="lead"><b>Stage 1 of 3, data.</b> {n:,} instruction–answer pairs, checked row by row. '
        f"{_verdict(data, report)}</p>",
        numbers,
        legend(shares),
        f'<div class="half">{_checks(data, report)}<div class="ift col">{_split(report)}{_reading(data)}</div></div>',
    )


def rows_overview(report: TokenizedReport) -> str:
    """What the rows of another trainer train, and what was found in them."""
    numbers = tiles(
        [
            (f"{report.rows:,}", "rows of another trainer", ""),
            (f"{report.longest:,}", "tokens in the longest row", ""),
            (f"{report.trained_share:.1%}", f"of {report.tokens:,} tokens are trained", ""),
        ]
    )
    unread = ""
    if report.problems:
        first = report.problems[0]
        what = f"{plural(len(report.problems), 'row')} can't be read: the first is row {first.row}"
        unread = note("warn", f"{what}, whose {first.field} {first.problem}.")
    return block(numbers, unread, card("Findings", found_list(report.findings)))


def _verdict(data: Dataset, report: DataReport) -> str:
    look = sum(one.severity is Severity.WARNING for one in report.findings) + len(_unread(data))
    verdict = {0: "Nothing stands in the way of training.", 1: "One thing deserves a look before training."}
    return verdict.get(look, f"{look} things deserve a look before training.")


def _readable(data: Dataset) -> str:
    reading = data.reading
    return f"records, {plural(reading.dropped, 'row')} left out" if reading.dropped else "records, all readable"


def _unread(data: Dataset) -> list[tuple[str, str]]:
    """(what deserves a look, what it means) of how the file was read."""
    unused = [
        (f"{name} is not used, in {plural(data.reading.unused[name], 'record')}", f"Did you mean {ours}?")
        for name, ours in data.reading.likely.items()
    ]
    left_out = (
        [(f"{plural(data.reading.dropped, 'row')} left out", "They can't be used.")] if data.reading.dropped else []
    )
    return unused + left_out


def _reading(data: Dataset) -> str:
    """How the file was read: its format and layout, and all that became of its fields."""
    reading = data.reading
    mapping = ", ".join(f"{ours} from {theirs}" for ours, theirs in reading.fields.items())
    rows = (("format", reading.format), ("layout", reading.layout), ("fields", mapping))
    items = "".join(f"<dt>{name}</dt><dd>{esc(text)}</dd>" for name, text in rows)
    notes = "".join(f"<li>{esc(text)}</li>" for text in reading.notes())
    return card("How the file was read", f"<dl>{items}</dl>", f"<ul>{notes}</ul>" if notes else "")


def problems(refused: RecordsError, *, kept: str) -> str:
    """All that is wrong with a file's rows, the first in full; `kept`: the data set that stays in use."""
    dataset = refused.dataset
    found = dataset.reading.problems
    head = (("Row", "n"), ("Line", "n"), ("Field", "nw"), ("Problem", "pre"))
    rows = [
        (str(one.row), str(one.line or ""), esc(one.field or ""), esc(f"{one.problem}. {one.fix}")) for one in found
    ]
    shown = rows[:PROBLEMS_SHOWN]
    caption = plural(len(rows), "problem") + (f", the first {len(shown)} here" if len(rows) > len(shown) else "")
    what = f"{plural(dataset.reading.dropped, 'row')} of {dataset.reading.rows:,} in {dataset.name} can't be used"
    rest = f"Still in use: {kept}." if dataset.examples else f"No row of the file can be used. Still in use: {kept}."
    return (
        f'<div class="ift"><div class="msg" role="alert"><h3>{esc(what)}</h3><p>{esc(rest)}</p>'
        f"{table(caption, head, shown)}</div></div>"
    )


def _checks(data: Dataset, report: DataReport) -> str:
    items = "".join(
        f'<li><b class="warn">!</b><span><b>{esc(what)}.</b><span class="fix">{esc(meaning)}</span></span></li>'
        for what, meaning in _unread(data)
    )
    unread = f'<ul class="probs">{items}</ul>' if items else ""
    return card("Findings", unread, found_list(report.findings, filters=True))


def _split(report: DataReport) -> str:
    parts = {name: len(getattr(report.split, name)) for name in ("train", "validation", "test")}
    total = sum(parts.values())
    said = "as the file says" if report.split.from_file else "85 / 10 / 5 in file order: train, test, validation"
    label = ", ".join(f"{name} {count:,}" for name, count in parts.items())
    cells = "".join(
        f'<div class="{name}" style="flex:{count} 0 0">{text if count >= LEAST_LABELED * total else ""}</div>'
        for name, count in parts.items()
        for text in (f"{name} {count:,}",)
    )
    meaning = {
        "train": "what the model learns from",
        "validation": "watched while it trains",
        "test": "never trained on; answered and scored before and after",
    }
    rows = "".join(
        f"<dt>{name}</dt><dd>{count:,} · {count / total:.1%} · {meaning[name]}</dd>" for name, count in parts.items()
    )
    bar = f'<div class="splitbar" role="img" aria-label="Split: {label}">{cells}</div>'
    return card("Split", f'<p class="muted">{said}</p>', bar, f"<dl>{rows}</dl>")


def length_figure(report: DataReport, *, max_length: int | None) -> dict:
    """Histogram of row lengths for the figure component; colors are CSS variables.

    Of a long tail, the last bar holds what is beyond it, and a note says how much that is.
    """
    end = _tail_start(report.lengths, max_length)
    longer = int((report.lengths > end).sum())
    lengths = np.minimum(report.lengths, end)
    edges = np.histogram_bin_edges(lengths, bins=min(40, max(4, int(lengths.max() - lengths.min() + 1))))
    counts, edges = np.histogram(lengths, bins=edges)
    middles = ((edges[:-1] + edges[1:]) / 2).round(2)
    bar = {
        "type": "bar",
        "x": middles.tolist(),
        "y": counts.tolist(),
        "width": np.diff(edges).round(2).tolist(),
        "marker": {"color": "--role-template", "line": {"color": "--role-template-line", "width": 1}},
        "hovertemplate": "about %{x:.0f} tokens: %{y} rows<extra></extra>",
    }
    shapes = []
    if max_length and max_length < report.lengths.max():
        line = {"color": "--bad", "width": 2, "dash": "dash"}
        shapes = [{"type": "line", "x0": max_length, "x1": max_length, "yref": "paper", "y0": 0, "y1": 1, "line": line}]
    half, most = np.percentile(report.lengths, [50, 95])
    beyond = f"; the last bar holds {plural(longer, 'longer row')}, up to {report.lengths.max():,} tokens"
    return {
        "label": f"Rows by length in tokens: half have {half:.0f} or fewer, 95 percent {most:.0f} or fewer",
        "data": [bar],
        "layout": {
            "bargap": 0.04,
            "shapes": shapes,
            "xaxis": {"title": {"text": f"tokens in the row{beyond if longer else ''}"}},
            "yaxis": {"title": {"text": "rows"}},
        },
        "height": 260,
    }


def _tail_start(lengths: np.ndarray, max_length: int | None) -> int:
    """Tokens beyond which a histogram of lengths (rows,) puts all rows together; their longest where that is near.

    A limit that cuts rows is always within.
    """
    longest = int(lengths.max())
    usual = int(np.percentile(lengths, USUAL_PERCENT))
    start = max(usual, max_length + 1) if max_length and max_length < longest else usual
    return longest if longest < LONG_TAIL * start else start


def find(data: Dataset, report: DataReport, *, query: str, part: str, code: str = "") -> list[int]:
    """Records whose text contains the query, case ignored, in one part of the split or in all.

    `code`: only rows of this finding.
    """
    records = range(len(data)) if part == "all" else getattr(report.split, part)
    if code:
        rows = set(report.rows_of(code))
        records = [i for i in records if i in rows]
    return containing(data, records, query)


def containing(data: Dataset, records: Sequence[int], query: str) -> list[int]:
    """Those of the records whose text contains the query, case ignored."""
    words = query.lower().strip()
    return [i for i in records if words in _haystack(data.examples[i])] if words else list(records)


def _haystack(example: Example) -> str:
    return "\n".join((example.instruction, example.input, example.output, example.task or "")).lower()


def records_table(data: Dataset, report: DataReport, found: Sequence[int], *, page: int, code: str = "") -> str:
    """One page of records; `code`: the finding whose rows they are."""
    pages = max(1, -(-len(found) // PAGE_ROWS))
    page = min(max(1, page), pages)
    shown = found[(page - 1) * PAGE_ROWS : page * PAGE_ROWS]
    part_of = {i: name for name in ("train", "validation", "test") for i in getattr(report.split, name)}
    marks = {one.label: one.positions for one in report.findings if one.positions}
    head = (
        ("Row", "n"),
        ("Part", "nw"),
        ("Task", "nw"),
        ("Instruction", "pre"),
        ("Input", "pre"),
        ("Output", "pre"),
        ("Tokens", "n"),
    )
    rows = []
    for i in shown:
        example = data.examples[i]
        notes = "".join(
            f' <span class="chip warn">! {esc(name)}</span>' for name, rows_of in marks.items() if _is_in(i, rows_of)
        )
        empty = '<span class="muted">none</span>'
        rows.append(
            (
                str(i),
                part_of[i],
                esc(example.task or ""),
                esc(example.instruction),
                esc(example.input) if example.has_input else empty,
                esc(example.output) + notes,
                str(report.lengths[i]),
            )
        )
    caption = f"{len(found):,} of {plural(len(data), 'record')}, page {page} of {pages}"
    return block(_chosen(code), table(caption, head, rows))


def _chosen(code: str) -> str:
    """Which finding's rows are shown, and the way back to all."""
    if not code:
        return ""
    back = '<button type="button" class="ift-btn link" data-finding="">Show all records</button>'
    return f"<p>Only rows with: <b>{esc(LABELS.get(code, code))}</b>. {back}</p>"


def _is_in(row: int, rows: Sequence[int]) -> bool:
    """Whether a row is among rows in order."""
    place = bisect_left(rows, row)
    return place < len(rows) and rows[place] == row
