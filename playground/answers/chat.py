"""The chat with both models: the browser pulls an answer token by token, and may go on from another token.

The server remembers nothing: each question says what is written already, and a few tokens come back. So a browser that
has gone leaves no work behind, several share the models piece by piece, and an answer can be changed in its middle.
"""

import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ift.data.records import to_example
from ift.data.tokenizer import piece
from ift.errors import ConfigError
from ift.model.known_tokens import known_ids, stretches
from ift.runs.folder import Run
from ift.types import EOS_ID, Example, Side
from playground.answers.asking import about_run
from playground.context import Context
from playground.settings import Limits, amount

if TYPE_CHECKING:
    from ift.model.answer import StreamedToken

REPLY_S = 0.25
"""How long the models work for one reply: what is shown at once, and how long others wait."""
MOST_TOKENS = 1024
CUT = "time"
"""How an answer ends at the page's limit; what came so far is kept."""
WAITING = 4
"""Questions that wait for the models in a thread each; the others' browsers ask again, as threads are few."""
TOP = 10
WAITS = {"waits": True}
"""Others ask just now: the browser asks again."""


def queries(context: Context) -> list[Callable[[object], dict]]:
    """All of them; one at a time uses a model."""
    turn = Turn()
    return [more(context, turn), top(context, turn), prompt(context)]


class Turn:
    """One after the other, and not too many who wait."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting = threading.BoundedSemaphore(WAITING)

    @contextmanager
    def taken(self) -> Iterator[bool]:
        """Wait for one's turn; False at once where too many wait already."""
        if not self._waiting.acquire(blocking=False):
            yield False
            return
        try:
            with self._lock:
                yield True
        finally:
            self._waiting.release()


def more(context: Context, turn: Turn) -> Callable[[object], dict]:
    """The next tokens of one model's answer, as [id, piece, probability], and how it ended, if it has.

    spent_s: for how long it has been written at by now, for the browser to send again.
    """

    def chat_more(query: object) -> dict:
        def answer(run: Run, asked: dict) -> dict:
            from ift.model.answer import token_stream
            from ift.model.generate import Sampling, prompt_of

            options = _options(asked.get("options"))
            limits, spent_s = context.settings.limits, _number("spent_s", asked.get("spent_s") or 0)
            limits.require("new_tokens", options["max_new_tokens"], where="New tokens")
            limits.require("answer_s", spent_s, where="chat")
            sampling = Sampling(**options)
            begin = prompt_of(0, _example(asked), run.config.template)
            name, written = _model(run, asked), _ids(asked.get("written"))
            tokens = []
            with turn.taken() as is_mine:
                if not is_mine:
                    return WAITS
                model, began = context.models.get(name), time.monotonic()
                until = began + min(REPLY_S, limits.answer_s - spent_s)
                for token in token_stream(model, begin, sampling, written=written):
                    tokens.append(token)
                    if time.monotonic() > until:
                        break
                spent_s += time.monotonic() - began
            shown = [(token.id, _label(token.id), token.probability) for token in tokens]
            return {"tokens": shown, "spent_s": spent_s, **_ending(tokens[-1], spent_s, limits)}

        return about_run(context, query, answer)

    return chat_more


def top(context: Context, turn: Turn) -> Callable[[object], dict]:
    """The ten likeliest tokens after what is written, as [id, piece, probability]."""

    def chat_top(query: object) -> dict:
        def answer(run: Run, asked: dict) -> dict:
            from ift.model.generate import prompt_of
            from ift.model.token_losses import top_tokens

            ids = [*prompt_of(0, _example(asked), run.config.template).ids, *_ids(asked.get("written"))]
            name = _model(run, asked)
            with turn.taken() as is_mine:
                if not is_mine:
                    return WAITS
                found = top_tokens(context.models.get(name), ids, k=TOP)
            return {"top": [(token, _label(token), share) for token, share in found]}

        return about_run(context, query, answer)

    return chat_top


def prompt(context: Context) -> Callable[[object], dict]:
    """The prompt of a question in the run's template, and its stretches [text, whether the base model knows it]."""

    def chat_prompt(query: object) -> dict:
        def answer(run: Run, asked: dict) -> dict:
            rendered = run.config.template.render(_example(asked))
            known = known_ids(str(run.last_checkpoint()))
            texts = [str(asked.get(name) or "") for name in ("instruction", "input")]
            unknown = [] if known is None else [w for text in texts for w, knows in stretches(text, known) if not knows]
            parts = [(int(part.role), part.text) for part in rendered.segments]
            return {"parts": parts, "unknown": unknown}

        return about_run(context, query, answer)

    return chat_prompt


def _ending(last: "StreamedToken", spent_s: float, limits: Limits) -> dict:
    """How an answer ended with its last token, or at the page's limit; `finish` is None where it goes on.

    The browser says how long it was written at before: who says less gets what another question would get them, too.
    """
    if last.finish or spent_s < limits.answer_s:
        return {"finish": last.finish.value if last.finish else None}
    most = amount(limits.answer_s, "seconds")
    why = f"Cut after {most}, this page's limit for an answer: `python app.py` on your own machine has none"
    return {"finish": CUT, "why": why}


def _example(asked: Mapping[str, object]) -> Example:
    """The question, checked like a record of a data set."""
    texts = {name: asked.get(name) or "" for name in ("instruction", "input")}
    return to_example({**texts, "output": ""}, where="your question")


def _model(run: Run, asked: Mapping[str, object]) -> str:
    return run.models[Side.BEFORE if asked.get("side") == Side.BEFORE.value else Side.AFTER]


def _ids(value: object) -> list[int]:
    """The tokens that are written already.

    Raises:
        ConfigError: they are none.
    """
    ids = value if isinstance(value, list) else []
    if len(ids) > MOST_TOKENS or not all(type(token) is int and 0 <= token <= EOS_ID for token in ids):
        raise ConfigError("The answer so far can't be read", where="chat", fix="Ask again.")
    return ids


def _options(value: object) -> dict[str, object]:
    """The fields of `Sampling` that the browser sent; their limits are `Sampling`'s.

    Raises:
        ConfigError: one is no number.
    """
    given = value if isinstance(value, dict) else {}
    found: dict[str, object] = {"max_new_tokens": _whole("max_new_tokens", given.get("max_new_tokens", 40))}
    found["max_new_tokens"] = min(found["max_new_tokens"], MOST_TOKENS)
    found["temperature"] = _number("temperature", given.get("temperature", 0))
    found["seed"] = _whole("seed", given.get("seed", 0))
    if given.get("top_k") is not None:
        found["top_k"] = _whole("top_k", given["top_k"])
    return found


def _number(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ConfigError(f"{name} is no number", where=name, fix="Enter a number.")
    return float(value)


def _whole(name: str, value: object) -> int:
    number = _number(name, value)
    if number != int(number):
        raise ConfigError(f"{name} is {number}", where=name, fix="Use a whole number.")
    return int(number)


def _label(token: int) -> str:
    return "EOS" if token == EOS_ID else piece(token)
