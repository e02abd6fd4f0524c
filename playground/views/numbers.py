"""Numbers over the whole data set: a figure, the same as a table, and the rows that deserve a look."""

from ift.audit.statistics import DatasetStatistics
from ift.plurals import agree
from ift.roles import Role
from playground.views.html import block, card, esc, row_buttons, table, tiles

LISTED = 8


def padding_figure(found: DatasetStatistics) -> dict:
    """Padding by strategy, as horizontal bars."""
    names, shares = list(found.padding), [100 * share for share in found.padding.values()]
    bars = {
        "type": "bar",
        "orientation": "h",
        "y": names[::-1],
        "x": shares[::-1],
        "text": [f"{share:.1f} %" for share in shares[::-1]],
        "textposition": "outside",
        "cliponaxis": False,
        "marker": {"color": "--acc"},
        "hoverinfo": "skip",
    }
    return {
        "data": [bars],
        "layout": {"xaxis": {"title": {"text": "padded cells, percent of all cells"}, "rangemode": "tozero"}},
        "label": "Share of padded cells by the way rows are batched; the table below has the numbers",
        "height": 300,
    }


def numbers(found: DatasetStatistics, *, said: str) -> str:
    """Everything but the figure; `said` tells of what the numbers are."""
    trained = int(found.trained_by_role.sum())
    share = trained / found.tokens if found.tokens else 0.0
    padding = ((esc(name), f"{value:.1%}") for name, value in found.padding.items())
    roles = (
        (esc(role.title), f"{found.trained_by_role[role]:,}", f"{found.trained_by_role[role] / trained:.1%}")
        for role in Role
        if found.trained_by_role[role]
    )
    return block(
        f'<p class="muted">{esc(said)}</p>',
        tiles([(f"{found.tokens:,}", "tokens to predict", ""), (f"{share:.1%}", f"are trained: {trained:,}", "")]),
        table("Padding by the way rows are batched", (("Rows are", ""), ("Padded cells", "n")), padding),
        table("Trained targets by role", (("Role", ""), ("Targets", "n"), ("Share", "n")), roles),
        card("Rows that deserve a look", f'<ul class="probs">{"".join(_rows(found))}</ul>'),
    )


def _rows(found: DatasetStatistics) -> list[str]:
    kinds = (
        (found.without_eos, "loses|lose the end, and with it the end-of-text", "Raise max_length, or shorten them."),
        (
            found.without_target,
            "is|are left out for want of a trained target",
            "Train other roles, or raise max_length.",
        ),
        (found.same, "repeats|repeat an earlier row with its answer", "Delete them, unless they should weigh more."),
        (
            found.conflicting,
            "is|are in conflict with an earlier row: same question, another answer",
            "Keep the better answer.",
        ),
    )
    return [_row(rows, what, fix) for rows, what, fix in kinds]


def _row(rows: tuple[int, ...], what: str, fix: str) -> str:
    if not rows:
        return f'<li><b class="good" role="img" aria-label="good">✓</b><span>No row {esc(agree(1, what))}.</span></li>'
    links = row_buttons(rows[:LISTED], total=len(rows))
    noun, text = "row" if len(rows) == 1 else "rows", agree(len(rows), what)
    return (
        f'<li><b class="warn" role="img" aria-label="Change">!</b><span><b>{len(rows):,}</b> {noun} {esc(text)}.'
        f'<span class="fix">{links}</span><span class="fix">{esc(fix)}</span></span></li>'
    )
