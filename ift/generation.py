"""Answers: many prompts in one batch with a key/value cache; a row leaves the batch when it is done."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ift.errors import ConfigError
from ift.model import GPT2, KVCache
from ift.templates import Template
from ift.tokenizer import decode, encode
from ift.types import EOS_ID, Completion, Example

BATCH_ROWS = 64
"""Prompts answered together; bounds the cache's memory."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What to go on from. `ending`: template text after the output, which ends an answer; may be empty."""

    record: int
    ids: Sequence[int]
    ending: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How the next token is picked: the likeliest at temperature 0, else drawn from the `top_k` (None: all)."""

    max_new_tokens: int
    temperature: float = 0.0
    top_k: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.max_new_tokens < 1:
            raise ConfigError("max_new_tokens is below 1", where="max_new_tokens", fix="Give 1 or more.")
        if not 0 <= self.temperature <= 100:
            raise ConfigError(f"temperature can't be {self.temperature}", where="temperature", fix="Give 0 to 100.")
        if self.top_k is not None and self.top_k < 1:
            raise ConfigError("top_k is below 1", where="top_k", fix="Give 1 or more, or leave it out.")
        if not 0 <= self.seed < 2**32:
            raise ConfigError(f"seed can't be {self.seed}", where="seed", fix="Give 0 to 4294967295.")


def prompt_of(record: int, example: Example, template: Template) -> Prompt:
    """What a model is asked for an example: exactly the first ids of its training row."""
    return Prompt(record, encode(template.render(example)).prompt_ids, template.ending(example))


def default_max_new_tokens(n_positions: int) -> int:
    """A quarter of the context: 256 tokens for OpenAI's GPT-2, 64 for the starter."""
    return n_positions // 4


def why_no_answer(prompt: Prompt, n_positions: int) -> str | None:
    """The reason why a prompt can't be answered, or None."""
    if not prompt.ids:
        return "the prompt is empty"
    if len(prompt.ids) >= n_positions:
        return f"the prompt of {len(prompt.ids)} tokens fills the model's context of {n_positions}"
    return None


def generate(model: GPT2, prompts: Sequence[Prompt], sampling: Sampling) -> Iterator[Completion]:
    """Answer every prompt; completions come as they are done, not in order.

    A prompt that can't be answered (see `why_no_answer`) gives an empty completion that ends by "length". What a
    row says does not depend on the rows beside it: each has its own random numbers, from the seed and its record.
    """
    order = sorted(prompts, key=lambda prompt: len(prompt.ids))  # equal neighbours waste no padding
    for start in range(0, len(order), BATCH_ROWS):
        chunk = order[start : start + BATCH_ROWS]
        refused = [prompt for prompt in chunk if why_no_answer(prompt, model.config.n_positions)]
        yield from (Completion(prompt.record, "", (), "length") for prompt in refused)
        if len(refused) < len(chunk):
            yield from _answer(model, [prompt for prompt in chunk if prompt not in refused], sampling)


class _Row:
    """One answer while it grows."""

    def __init__(self, prompt: Prompt, sampling: Sampling, n_positions: int) -> None:
        self.prompt = prompt
        self.limit = min(sampling.max_new_tokens, n_positions - len(prompt.ids))
        self.rng = torch.Generator().manual_seed(sampling.seed * 1_000_003 + prompt.record)
        self.ids: list[int] = []

    def take(self, token: int) -> Completion | None:
        """Add a token; the completion, once the answer is done."""
        if token == EOS_ID:
            return self._completion(decode(self.ids), "eos")
        self.ids.append(token)
        if self.prompt.ending:
            text, found, _ = decode(self.ids).partition(self.prompt.ending)
            if found:
                return self._completion(text, "stop")
        return self._completion(decode(self.ids), "length") if len(self.ids) == self.limit else None

    def _completion(self, text: str, finish: str) -> Completion:
        return Completion(self.prompt.record, text, tuple(self.ids), finish)


@torch.inference_mode()
def _answer(model: GPT2, prompts: Sequence[Prompt], sampling: Sampling) -> Iterator[Completion]:
    rows = [_Row(prompt, sampling, model.config.n_positions) for prompt in prompts]
    lengths = torch.tensor([len(prompt.ids) for prompt in prompts], device=model.device)  # (B,)
    T = int(lengths.max())
    ids = torch.tensor([[*prompt.ids, *[EOS_ID] * (T - len(prompt.ids))] for prompt in prompts], device=model.device)
    size = max(len(row.prompt.ids) + row.limit for row in rows)
    cache = KVCache(model.config, rows=len(rows), size=max(size, T), like=model.wte.weight)
    hidden = model.hidden(ids, cache, lengths)  # (B, T, C)
    last = hidden[torch.arange(len(rows), device=model.device), lengths - 1]  # (B, C)
    while rows:
        tokens = _pick(model.logits(last), rows, sampling)
        done = [row.take(token) for row, token in zip(rows, tokens, strict=True)]
        yield from (completion for completion in done if completion)
        going = [b for b, completion in enumerate(done) if completion is None]
        rows = [rows[b] for b in going]
        if not rows:
            return
        if len(going) < len(done):
            cache.keep(torch.tensor(going, device=model.device))
        last = model.hidden(torch.tensor([[tokens[b]] for b in going], device=model.device), cache)[:, -1]


def _pick(logits: Tensor, rows: Sequence[_Row], sampling: Sampling) -> list[int]:
    """(B, V) → one token a row."""
    if sampling.temperature == 0:
        return logits.argmax(dim=-1).tolist()
    logits = logits.cpu().double()  # in this order: Apple's MPS has no doubles
    logits = (logits - logits.amax(dim=-1, keepdim=True)) / sampling.temperature  # at most 0, however cold it is
    if sampling.top_k is not None:
        kept = logits.topk(min(sampling.top_k, logits.shape[-1])).values[:, -1:]
        logits = logits.masked_fill(logits < kept, -torch.inf)
    shares = logits.softmax(dim=-1)
    return [int(torch.multinomial(share, 1, generator=row.rng)) for share, row in zip(shares, rows, strict=True)]
