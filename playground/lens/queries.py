"""What the browser asks about a batch that it shows: losses, likeliest tokens, and what the linter says of all rows."""

from collections.abc import Callable

import numpy as np

from ift.data.tokenizer import piece
from ift.errors import IftError
from playground.context import Context
from playground.lens.draw import trained
from playground.lens.recent import Kept
from playground.tokenized_uploads import is_rows, load_rows
from playground.views.data import rows_overview
from playground.views.findings import chips
from playground.views.lint import findings
from playground.visitors import current

FLOP = 2
"""Operations of a forward pass, per token and parameter."""
_FORGOTTEN = {"what": "The server has forgotten this batch", "where": "", "fix": "It is drawn again."}
GONE = {"gone": True, "error": _FORGOTTEN}
"""The page draws anew, and asks again."""


def answers(context: Context) -> list[Callable[[object], dict]]:
    """All of them."""
    return [losses(context), top(context), linter(context)]


def losses(context: Context) -> Callable[[object], dict]:
    """For the grid: loss of every next token, in nats, as (B, T) lists a side; null where a row has ended."""

    def lens_losses(query: object) -> dict:
        def answer(kept: Kept) -> dict:
            from ift.model.token_losses import token_losses

            batch = kept.shown.batch
            models = {side: context.models.get(name) for side, name in kept.models.items()}
            work = sum(FLOP * batch.tokens * model.config.parameters for model in models.values())
            context.settings.limits.require("loss_gflop", work / 1e9, where="the loss on the grid: rows and max_length")
            return {side.value: _listed(token_losses(model, batch)) for side, model in models.items()}

        return _about(context, query, answer)

    return lens_losses


def top(context: Context) -> Callable[[object], dict]:
    """For the pinned position: the five likeliest next tokens per side, as [id, piece, probability]."""

    def lens_top(query: object) -> dict:
        def answer(kept: Kept) -> dict:
            from ift.model.token_losses import top_tokens

            batch = kept.shown.batch
            row, t = int(query["row"]), int(query["t"])
            if not (0 <= row < len(batch.lengths) and 0 <= t < batch.lengths[row]):
                return {}
            read = batch.inputs[row, : t + 1].tolist()
            found = {side: top_tokens(context.models.get(name), read) for side, name in kept.models.items()}
            return {side.value: [(token, piece(token), share) for token, share in best] for side, best in found.items()}

        return _about(context, query, answer)

    return lens_top


def linter(context: Context) -> Callable[[object], dict]:
    """For the pause after typing: the linter's report on more and more rows, until it is complete.

    Gives it as HTML, and what has nothing to do with the mask as chips, too: those of the mask are the batch's own.
    """

    def lens_lint(query: object) -> dict:
        def answer(kept: Kept) -> dict:
            view = kept.view
            if is_rows(view.data):
                return {"html": rows_overview(load_rows(view.data).report), "chips": "", "complete": True}
            report = context.linters.report(view.data, view.template)
            longest = context.limit(kept.model, view.max_length)
            found = report.findings(trained=trained(view), max_length=longest)
            shown = chips(report.found, total=report.total)
            return {"html": findings(report, found), "chips": shown, "complete": report.complete}

        return _about(context, query, answer)

    return lens_lint


def _about(context: Context, query: object, answer: Callable[[Kept], dict]) -> dict:
    """An answer about the batch whose stamp the query names. The query comes from the browser: it may be anything."""
    kept = context.recent.get(query.get("stamp"), current().key) if isinstance(query, dict) else None
    if kept is None or kept.shown is None:
        return GONE
    try:
        return answer(kept)
    except IftError as problem:
        return {"error": {"what": problem.what, "where": problem.where, "fix": problem.fix}}
    except (KeyError, TypeError, ValueError, OverflowError):
        return GONE


def _listed(losses: np.ndarray) -> list[list[float | None]]:
    return [[None if np.isnan(value) else round(float(value), 3) for value in row] for row in losses]
