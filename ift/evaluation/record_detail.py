"""One held-out record under the glass: the expected answer token by token, before and after, and where answers part."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import torch

from ift.data.templates import Template
from ift.data.tokenizer import encode, encode_text, piece
from ift.model.gpt2 import GPT2
from ift.model.token_losses import top_tokens
from ift.runs.scores import AnsweredRecord, ComparedRecord
from ift.types import EOS_ID, Example, Finish

TOP = 5
ROWS_AT_ONCE = 64
"""Positions whose logits are held at a time: all of a long answer's would fill the memory."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A token that a model may write next; `piece`: as a label."""

    id: int
    piece: str
    probability: float


@dataclass(frozen=True, slots=True)
class TokenSide:
    """What one model makes of a token of the expected answer, after the prompt and the tokens before it.

    loss: nats. top: the likeliest tokens there, likeliest first.
    """

    loss: float
    top: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class ExpectedToken:
    """A token of the expected answer, or the end-of-text behind it."""

    id: int
    piece: str
    before: TokenSide
    after: TokenSide


@dataclass(frozen=True, slots=True)
class Parting:
    """Where the two models' answers part; `shared`: the pieces that both begin with, then what each may write next."""

    shared: tuple[str, ...]
    before: tuple[Choice, ...]
    after: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class RecordDetail:
    """A record's evidence.

    prompt: exactly what both models were given. tokens: of the expected answer, with the template's own ending and the
    end-of-text, so far as they fit in the context. leaves_at: the position in `tokens` where the fine-tuned model's
    answer leaves the expected one, None where it never does. parting: None where both answers are the same.
    """

    record: int
    prompt: str
    prompt_tokens: int
    tokens: tuple[ExpectedToken, ...]
    leaves_at: int | None
    parting: Parting | None

    @property
    def end(self) -> ExpectedToken | None:
        """The end-of-text at the true end; None where it does not fit in the context.

        Its probability is `exp(-loss)`.
        """
        last = self.tokens[-1] if self.tokens else None
        return last if last and last.id == EOS_ID else None

    def to_dict(self) -> dict[str, object]:
        """For the page."""
        return asdict(self)


def record_detail(before: GPT2, after: GPT2, template: Template, pair: ComparedRecord) -> RecordDetail:
    """Look at one record with both models: a forward pass each over its row, and one where their answers part."""
    example = Example(pair.after.instruction, pair.after.input, pair.after.output)
    rendered = template.render(example)
    row = encode(rendered)
    prompt, expected = row.prompt_ids, [int(token) for token in row.ids[row.prompt_length :]]
    sides = [_read(model, prompt, expected) for model in (before, after)]
    tokens = tuple(ExpectedToken(t, piece(t), old, new) for t, old, new in zip(expected, *sides, strict=False))
    ending = template.ending(example)
    old, new = _written(pair.before, ending), _written(pair.after, ending)
    parting = _first_difference(old, new) if prompt else None  # an empty prompt is asked of no model
    return RecordDetail(
        record=pair.after.record,
        prompt=rendered.prompt,
        prompt_tokens=len(prompt),
        tokens=tokens,
        leaves_at=_first_difference([token.id for token in tokens], new),
        parting=None if parting is None else _parting(before, after, prompt, new[:parting]),
    )


def _written(answer: AnsweredRecord, ending: str) -> list[int]:
    """What the model wrote, with the end-of-text where it did; earlier versions kept only the text."""
    ids = list(answer.response_ids) or encode_text(
        answer.model_response + (ending if answer.finish is Finish.STOP else "")
    )
    return [*ids, EOS_ID] if answer.finish is Finish.EOS else ids


def _first_difference(one: Sequence[int], other: Sequence[int]) -> int | None:
    """The first position at which both go on, and differently; None where the shorter one is how the other begins."""
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), None)


def _parting(before: GPT2, after: GPT2, prompt: Sequence[int], shared: Sequence[int]) -> Parting:
    choices = (_choices(top_tokens(model, [*prompt, *shared], k=TOP)) for model in (before, after))
    return Parting(tuple(map(piece, shared)), *choices)


def _choices(found: Sequence[tuple[int, float]]) -> tuple[Choice, ...]:
    return tuple(Choice(token, piece(token), probability) for token, probability in found)


@torch.inference_mode()
def _read(model: GPT2, prompt: Sequence[int], expected: Sequence[int]) -> list[TokenSide]:
    """One side of each expected token, up to where the context is full."""
    if not prompt:
        return []  # nothing comes before the first token: no model was asked
    ids = torch.tensor([*prompt, *expected], device=model.device)
    n = min(len(ids) - 1, model.config.n_positions)  # (input, next id) pairs that fit
    first = len(prompt) - 1  # its next id is the first expected token
    hidden = model.hidden(ids[None, :n])[0, first:]  # (M, C)
    sides: list[TokenSide] = []
    for part, wanted in zip(hidden.split(ROWS_AT_ONCE), ids[first + 1 : n + 1].split(ROWS_AT_ONCE), strict=True):
        logs = model.logits(part).float().log_softmax(dim=-1)  # (m, V)
        values, best = logs.exp().topk(TOP)
        losses = -logs.gather(1, wanted[:, None])[:, 0]
        for loss, tops, shares in zip(losses.tolist(), best.tolist(), values.tolist(), strict=True):
            sides.append(TokenSide(loss, _choices(list(zip(tops, shares, strict=True)))))
    return sides
