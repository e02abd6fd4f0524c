"""One instruction, one answer: whole, or token by token for somebody who watches."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from ift.data.templates import Template
from ift.errors import InputError
from ift.model.cuda.decoder import decoder_for
from ift.model.generate import (
    GrowingAnswer,
    Prompt,
    Sampling,
    draw_tokens,
    generate,
    prompt_of,
    read_prompts,
    why_no_answer,
)
from ift.model.gpt2 import GPT2
from ift.types import Completion, Example, Finish


def ask(model: GPT2, template: Template, example: Example, sampling: Sampling) -> Completion:
    """Answer an example whose output is not known.

    Raises:
        InputError: the prompt is empty or fills the model's context.
    """
    prompt = prompt_of(0, example, template)
    _require_room(prompt, model)
    return next(generate(model, [prompt], sampling))


@dataclass(frozen=True, slots=True)
class StreamedToken:
    """A token of an answer; the end-of-text is one, too.

    probability: what the model gave it, among all tokens and at temperature 1, however it was picked. finish: how the
    answer ended with this token, or None where it goes on.
    """

    id: int
    probability: float
    finish: Finish | None


@torch.inference_mode()
def token_stream(
    model: GPT2, prompt: Prompt, sampling: Sampling, *, written: Sequence[int] = ()
) -> Iterator[StreamedToken]:
    """The tokens of one answer as they are picked, until it ends.

    A stream that is broken off resumes where it was, with the same tokens as in one go: what is drawn at a position
    follows from the seed and the position alone. Greedy tokens are `generate`'s.

    Args:
        model: in evaluation mode.
        prompt: what to answer.
        sampling: how; `max_new_tokens` counts what is already written.
        written: the answer's first tokens, which need not be what the model would pick.

    Raises:
        InputError: the prompt can't be answered, or what is written has ended the answer already.
    """
    _require_room(prompt, model)
    answer = GrowingAnswer(prompt, sampling, model.config.n_positions)
    _replay(answer, written)
    size = len(prompt.ids) + answer.limit
    with decoder_for(model, rows=1, size=size) as decoder:
        decoder.begin([len(prompt.ids) + len(written)])
        last = read_prompts(model, [Prompt(prompt.record, [*prompt.ids, *written])], decoder.cache)  # (1, C)
        while True:
            logits = model.logits(last)  # (1, V)
            answer.rng.manual_seed(sampling.seed * 1_000_003 + len(answer.ids))
            greedy = sampling.temperature == 0
            (token,) = model.likeliest(last).tolist() if greedy else draw_tokens(logits, [answer], sampling)
            probability = float(logits[0].float().softmax(dim=-1)[token])
            completion = answer.take(token)
            yield StreamedToken(token, probability, completion.finish if completion else None)
            if completion:
                return
            last = decoder.step([token])


def _require_room(prompt: Prompt, model: GPT2) -> None:
    reason = why_no_answer(prompt, model.config.n_positions)
    if reason:
        raise InputError(f"There is no room for an answer: {reason}", where="instruction and input", fix="Change them.")


def _replay(answer: GrowingAnswer, written: Sequence[int]) -> None:
    for token in written:
        if answer.take(token) is not None:
            fix = "Allow more new tokens, or go on from an earlier one."
            raise InputError("The answer has ended there", where=f"token {len(answer.ids)}", fix=fix)
