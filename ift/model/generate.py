"""Answers: many prompts in one batch with a key/value cache; a row leaves the batch when it is done."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ift.data.batching import collate
from ift.data.templates import Template, is_stop
from ift.data.tokenizer import decode, encode
from ift.data.unpadded import unpad
from ift.errors import ConfigError
from ift.model.cuda.decoder import CaptureFor, cuda_capture, decoder_for
from ift.model.gpt2 import GPT2
from ift.model.gpt2_config import GPT2Config
from ift.model.kv_cache import Cache, row_bytes
from ift.model.linear import GreedyHead
from ift.roles import Role
from ift.types import EOS_ID, Completion, Encoded, Example, Finish

BATCH_ROWS = 128
"""Prompts answered together, at most: more rows make a step longer, but hardly quicker for each."""
CACHE_BYTES = 2 * 2**30
"""Memory for the keys and values of the prompts answered together, at most."""
CUDA_BATCH_ROWS, CUDA_SHARE = 1024, 4
"""On a CUDA device more rows hardly make a step longer, and a quarter of the free memory is for keys and values."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What to resume from.

    ending: template text after the output; may be empty. It stops an answer unless it is white space (see `is_stop`),
    and is never part of one. max_new_tokens: where this prompt's answer ends at the latest, if before `Sampling`'s.
    """

    record: int
    ids: Sequence[int]
    ending: str = ""
    max_new_tokens: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How the next token is picked: the likeliest at temperature 0, else drawn.

    top_k: from so many of the likeliest. top_p: from the fewest of them that have this probability together. None: from
    all; with both, top_k comes first.
    """

    max_new_tokens: int
    temperature: float = 0.0
    top_k: int | None = None
    top_p: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.max_new_tokens < 1:
            raise ConfigError("max_new_tokens is below 1", where="max_new_tokens", fix="Give 1 or more.")
        if not 0 <= self.temperature <= 100:
            raise ConfigError(f"temperature can't be {self.temperature}", where="temperature", fix="Give 0 to 100.")
        if self.top_k is not None and self.top_k < 1:
            raise ConfigError("top_k is below 1", where="top_k", fix="Give 1 or more, or leave it out.")
        if self.top_p is not None and not 0 < self.top_p <= 1:
            raise ConfigError(f"top_p can't be {self.top_p}", where="top_p", fix="Give above 0 to 1, or leave it out.")
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


def generate(
    model: GPT2, prompts: Sequence[Prompt], sampling: Sampling, *, capture: CaptureFor = cuda_capture
) -> Iterator[Completion]:
    """Answer every prompt; completions come as they are done, not in order.

    A prompt that can't be answered (see `why_no_answer`) gives an empty completion that ends by length. What a
    row says does not depend on the rows beside it: each has its own random numbers, from the seed and its record.
    `capture`: how steps are recorded as CUDA graphs (`ift.model.cuda.decoder`).
    """
    n_positions = model.config.n_positions
    refused = [prompt for prompt in prompts if why_no_answer(prompt, n_positions)]
    yield from (Completion(prompt.record, "", (), Finish.LENGTH) for prompt in refused)
    asked = [prompt for prompt in prompts if not why_no_answer(prompt, n_positions)]
    asked.sort(key=lambda prompt: len(prompt.ids))  # equal neighbours waste no columns
    rows = [GrowingAnswer(prompt, sampling, n_positions) for prompt in asked]
    while rows:
        lengths, limits = [len(row.prompt.ids) for row in rows], [row.limit for row in rows]
        count = rows_that_fit(model.config, lengths, limits, **_room(model.device))
        yield from _answer(model, rows[:count], sampling, capture)
        rows = rows[count:]


class GrowingAnswer:
    """One answer while it grows: `limit` tokens at most, `rng` for what is drawn, `ids` so far."""

    def __init__(self, prompt: Prompt, sampling: Sampling, n_positions: int) -> None:
        self.prompt = prompt
        limits = (sampling.max_new_tokens, prompt.max_new_tokens, n_positions - len(prompt.ids))
        self.limit = min(limit for limit in limits if limit is not None)
        self.rng = torch.Generator().manual_seed(sampling.seed * 1_000_003 + prompt.record)
        self.ids: list[int] = []

    def take(self, token: int) -> Completion | None:
        """Add a token; the completion, once the answer is done."""
        if token == EOS_ID:
            return self._completion(decode(self.ids).removesuffix(self.prompt.ending), Finish.EOS)
        self.ids.append(token)
        if is_stop(self.prompt.ending):
            text, found, _ = decode(self.ids).partition(self.prompt.ending)
            if found:
                return self._completion(text, Finish.STOP)
        return self._completion(decode(self.ids), Finish.LENGTH) if len(self.ids) == self.limit else None

    def _completion(self, text: str, finish: Finish) -> Completion:
        return Completion(self.prompt.record, text, tuple(self.ids), finish)


def rows_that_fit(
    config: GPT2Config,
    lengths: Sequence[int],
    limits: Sequence[int],
    *,
    most: int = BATCH_ROWS,
    cache_bytes: int = CACHE_BYTES,
) -> int:
    """How many of the first rows are answered together: prompts of these lengths, with up to so many new tokens."""
    for count in range(min(len(lengths), most), 1, -1):
        if count * row_bytes(config, max(lengths[:count]) + max(limits[:count])) <= cache_bytes:
            return count
    return 1


def _room(device: torch.device) -> dict[str, int]:
    if device.type != "cuda":
        return {}
    free = torch.cuda.mem_get_info(device)[0]
    unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return {"most": CUDA_BATCH_ROWS, "cache_bytes": (free + unused) // CUDA_SHARE}


@torch.inference_mode()
def _answer(model: GPT2, rows: list[GrowingAnswer], sampling: Sampling, capture: CaptureFor) -> Iterator[Completion]:
    size = max(len(row.prompt.ids) for row in rows) + max(row.limit for row in rows)
    with decoder_for(model, rows=len(rows), size=size, capture=capture) as decoder:
        decoder.begin([len(row.prompt.ids) for row in rows])
        likeliest = GreedyHead(model.wte.weight) if sampling.temperature == 0 else None
        last = read_prompts(model, [row.prompt for row in rows], decoder.cache)  # (B, C)
        while True:
            tokens = likeliest(last).tolist() if likeliest else draw_tokens(model.logits(last), rows, sampling)
            done = [row.take(token) for row, token in zip(rows, tokens, strict=True)]
            yield from (completion for completion in done if completion)
            order = decoder.drop({b for b, completion in enumerate(done) if completion})
            if not order:
                return
            rows = [rows[b] for b in order]
            last = decoder.step([tokens[b] for b in order])


def read_prompts(model: GPT2, prompts: Sequence[Prompt], cache: Cache) -> Tensor:
    """Read all prompts, what they share only once; gives the last layer of each one's last token, (B, C)."""
    batch = collate([_asking(prompt) for prompt in prompts], trained=frozenset({Role.EOS}))
    unpadded = unpad(batch)
    cache.begin(torch.from_numpy(batch.lengths).to(model.device))
    inputs, positions, layout, places, wanted, counted = (
        torch.from_numpy(getattr(unpadded, name)).to(model.device)
        for name in ("inputs", "positions", "layout", "places", "wanted", "counted")
    )
    return model.read(inputs, positions, layout, places, wanted, cache)[counted]


def _asking(prompt: Prompt) -> Encoded:
    """A row whose only target is what comes after the prompt."""
    ids = np.array([*prompt.ids, EOS_ID], dtype=np.uint16)
    roles = np.full(len(ids), Role.TEMPLATE, dtype=np.uint8)
    roles[-1] = Role.EOS
    return Encoded(ids, roles, len(prompt.ids))


def draw_tokens(logits: Tensor, rows: Sequence[GrowingAnswer], sampling: Sampling) -> list[int]:
    """(B, V) logits → a token per row, each with its row's own random numbers."""
    logits = logits.cpu().double()  # in this order: Apple's MPS has no doubles
    logits = (logits - logits.amax(dim=-1, keepdim=True)) / sampling.temperature  # at most 0, however cold it is
    if sampling.top_k is not None:
        kept = logits.topk(min(sampling.top_k, logits.shape[-1])).values[:, -1:]
        logits = logits.masked_fill(logits < kept, -torch.inf)
    shares = logits.softmax(dim=-1)
    if sampling.top_p is not None:
        shares = _nucleus(shares, sampling.top_p)
    return [int(torch.multinomial(share, 1, generator=row.rng)) for share, row in zip(shares, rows, strict=True)]


def _nucleus(shares: Tensor, top_p: float) -> Tensor:
    """(B, V) → (B, V): all but the fewest likeliest that have `top_p` together are 0.

    Source: Holtzman et al. 2020, section 3.1.
    """
    ordered, ids = shares.sort(dim=-1, descending=True, stable=True)
    before = ordered.cumsum(dim=-1) - ordered
    return torch.zeros_like(shares).scatter(-1, ids, ordered.masked_fill(before >= top_p, 0.0))
