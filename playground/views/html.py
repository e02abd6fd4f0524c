"""Small pieces of HTML; every text that comes from outside goes through `esc`."""

import html
from collections.abc import Iterable, Sequence

from ift.errors import IftError
from ift.roles import Role

NEW_TO_MODEL = (
    "Tokens with a wavy line are new to the starter: its pretraining text never held them, so it knows nothing about "
    "them and can't write them. Fine-tuning teaches only what the training rows show. OpenAI's GPT-2 models know all."
)


def esc(text: object) -> str:
    """Text made safe for HTML; half a surrogate pair would end the visitor's event stream."""
    return html.escape(str(text).encode("utf-8", "replace").decode("utf-8"))


def block(*parts: str) -> str:
    """Parts below each other, in the page's own style."""
    return f'<div class="ift col">{"".join(parts)}</div>'


def card(title: str, *parts: str) -> str:
    """A titled card."""
    return f'<section class="card"><h2>{esc(title)}</h2>{"".join(parts)}</section>'


def tiles(items: Iterable[tuple[str, str, str]]) -> str:
    """(value, what it is, further HTML) each."""
    return f'<div class="tiles">{"".join(_tile(*item) for item in items)}</div>'


def _tile(value: str, text: str, more: str) -> str:
    return f'<div class="tile"><b>{esc(value)}</b><span>{esc(text)}</span>{more}</div>'


def chip(kind: str, text: str) -> str:
    """A sign and a word; `kind` colors it: good, warn, bad, acc or none."""
    return f'<span class="chip {kind}">{esc(text)}</span>'


def error(problem: IftError) -> str:
    """What, where and how to fix."""
    parts = (("Where", problem.where), ("Fix", problem.fix))
    rows = "".join(f"<dt>{name}</dt><dd>{esc(text)}</dd>" for name, text in parts if text)
    return f'<div class="ift"><div class="msg" role="alert"><h3>{esc(problem.what)}</h3><dl>{rows}</dl></div></div>'


def note(kind: str, text: str) -> str:
    """One line in a frame; `kind`: ok, busy or warn."""
    return f'<div class="ift"><div class="msg {kind}"><p>{esc(text)}</p></div></div>'


def role_bar(shares: dict[Role, float]) -> str:
    """Shares of a whole by role, as a bar."""
    parts = (
        f'<i style="width:{100 * share:.2f}%;background:var(--role-{role.label}-line)"></i>'
        for role, share in shares.items()
    )
    return f'<div class="sbar" aria-hidden="true">{"".join(parts)}</div>'


def legend(shares: dict[Role, float]) -> str:
    """Letter, name and share of each role."""
    rows = (
        f'<li><i class="sw role-{role.label}">{role.letter}</i>{role.title} {share:.0%}</li>'
        for role, share in shares.items()
    )
    return f'<ul class="legend">{"".join(rows)}</ul>'


def row_buttons(rows: Sequence[int], *, total: int) -> str:
    """A button a row that the page listens to (`data-row`), and how many more there are; empty where none is.

    A negative position is of a record that is in no file: it has no button.
    """
    total -= sum(row < 0 for row in rows)
    rows = [row for row in rows if row >= 0]
    if not rows:
        return ""
    buttons = " ".join(
        f'<button type="button" class="ift-btn link" data-row="{row}" aria-label="Show row {row}">{row}</button>'
        for row in rows
    )
    more = f" and {total - len(rows):,} more" if total > len(rows) else ""
    return f"{'Row' if total == 1 else 'Rows'} {buttons}{more}"


def table(caption: str, head: Sequence[tuple[str, str]], rows: Iterable[Sequence[str]]) -> str:
    """`head`: (title, class) a column. Cells are HTML already: escape what comes from outside."""
    titles = "".join(f'<th scope="col" class="{kind}">{esc(title)}</th>' for title, kind in head)
    body = "".join(
        "<tr>" + "".join(f'<td class="{kind}">{cell}</td>' for cell, (_, kind) in zip(row, head, strict=True)) + "</tr>"
        for row in rows
    )
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{esc(caption)}"><table><caption>{esc(caption)}'
        f"</caption><thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table></div>"
    )
