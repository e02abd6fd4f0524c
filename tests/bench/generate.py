"""Our answers to held-out prompts against transformers' `generate`, with the same weights, turn by turn."""

from collections.abc import Generator
from dataclasses import asdict, dataclass
from statistics import median

import numpy as np

from ift.data.records import split
from ift.data.sources import load_dataset
from ift.data.templates import load_template
from ift.data.tokenizer import encode
from ift.types import EOS_ID
from tests.bench.turns import Side, machine

SEED = 1
ALONE = 8
"""Prompts that are answered one at a time."""
BATCHES = (8, 16, 32, 64, 128)
"""Of transformers: the one that is quickest in a first round, which is not timed, is compared with."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What is measured; both sides build everything from it."""

    model: str
    data: str
    rows: int
    rounds: int
    threads: int

    @property
    def is_random(self) -> bool:
        """Whether the weights have learned nothing: then an answer ends where the record's own does."""
        return self.model == "gpt2"

    def prompts(self, longest: int = 0) -> dict[int, tuple[list[int], int]]:
        """Held-out records, evenly spread: each one's prompt, and how many tokens it is answered with at most."""
        examples, template = load_dataset(self.data).examples, load_template("alpaca")
        held_out = split(examples).test
        chosen = held_out[:: max(1, len(held_out) // self.rows)][: self.rows]
        rows = {record: encode(template.render(examples[record])) for record in chosen}
        return {
            record: (row.prompt_ids, len(row) - row.prompt_length if self.is_random else longest)
            for record, row in rows.items()
        }


def our_model(setup: Setup) -> "GPT2":  # noqa: F821 (torch is loaded in the sides' own processes)
    """The model on our side: its weights are those of both."""
    from ift.model.gpt2 import random_model
    from ift.model.gpt2_config import GPT2Config
    from ift.model.load_by_name import load_model

    return random_model(GPT2Config(), seed=SEED).eval() if setup.is_random else load_model(setup.model)


def ours(setup: Setup) -> Generator[dict, tuple[list[int], int], None]:
    """Answer the records asked for, all together; the batch size is not listened to."""
    import torch

    from ift.model.generate import Prompt, Sampling, default_max_new_tokens, generate
    from ift.runs.processes import keep_memory
    from tests.bench.turns import Clock

    torch.set_num_threads(setup.threads)
    keep_memory()
    model = our_model(setup)
    limit = default_max_new_tokens(model.config.n_positions)
    known = setup.prompts(limit)
    records, _ = yield {}
    while True:
        prompts = [Prompt(record, known[record][0], max_new_tokens=known[record][1]) for record in records]
        clock = Clock()
        found = {done.record: list(done.ids) for done in generate(model, prompts, Sampling(max_new_tokens=limit))}
        records, _ = yield {**clock.read(), "ids": found}


def theirs(setup: Setup) -> Generator[dict, tuple[list[int], int], None]:
    """The same with transformers, in batches of one size, sorted by length and padded on the left."""
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    from ift.model.generate import default_max_new_tokens
    from tests.bench.sides import copy_weights, hf_shape
    from tests.bench.turns import Clock

    torch.set_num_threads(setup.threads)
    weights = our_model(setup)
    known = setup.prompts(default_max_new_tokens(weights.config.n_positions))
    model = GPT2LMHeadModel(GPT2Config(**hf_shape(weights.config))).eval()
    copy_weights(weights, model)
    del weights
    records, size = yield {}
    while True:
        clock, found = Clock(), {}
        records = sorted(records, key=lambda record: len(known[record][0]))
        for start in range(0, len(records), size):
            chosen = records[start : start + size]
            found |= dict(zip(chosen, their_answers(model, [known[record] for record in chosen]), strict=True))
        records, size = yield {**clock.read(), "ids": found}


def their_answers(model: "GPT2LMHeadModel", prompts: list[tuple[list[int], int]]) -> list[list[int]]:  # noqa: F821
    """One batch's answers without their end-of-text; each prompt comes with its own limit of tokens."""
    import torch
    from transformers import StoppingCriteriaList

    width, limits = max(len(ids) for ids, _ in prompts), torch.tensor([limit for _, limit in prompts])
    limits = limits.clamp(max=model.config.n_positions - width)
    ids = torch.tensor([[EOS_ID] * (width - len(ids)) + ids for ids, _ in prompts])
    mask = torch.tensor([[0] * (width - len(ids)) + [1] * len(ids) for ids, _ in prompts])

    def ended(so_far: torch.Tensor, scores: object, **options: object) -> torch.Tensor:
        return so_far.shape[1] - width >= limits

    with torch.inference_mode():
        out = model.generate(
            ids,
            attention_mask=mask,
            max_new_tokens=int(limits.max()),
            do_sample=False,
            pad_token_id=EOS_ID,
            eos_token_id=EOS_ID,
            stopping_criteria=StoppingCriteriaList([ended]),
        )
    answers = [row[:limit] for row, limit in zip(out[:, width:].tolist(), limits.tolist(), strict=True)]
    return [answer[: answer.index(EOS_ID)] if EOS_ID in answer else answer for answer in answers]


def measure(setup: Setup) -> dict:
    """Medians over the rounds; every ratio is of two times right after each other."""
    records = list(setup.prompts())
    our_side, their_side = (Side(f"tests.bench.generate:{name}", setup) for name in ("ours", "theirs"))
    our_side.step(), their_side.step()
    sizes = [size for size in BATCHES if size < len(records)] + [len(records)]
    first, tried = our_side.step((records, 0)), {size: their_side.step((records, size)) for size in sizes}
    best = min(sizes, key=lambda size: tried[size]["time_s"])
    alone = records[:: max(1, len(records) // ALONE)][:ALONE]
    batched, single = [], []
    for _ in range(setup.rounds):
        batched.append((our_side.step((records, 0)), their_side.step((records, best))))
        single += [(our_side.step(([record], 0)), their_side.step(([record], 1))) for record in alone]
    lengths = [len(ids) for ids in first["ids"].values()]
    both = batched + single
    return {
        **asdict(setup),
        "machine": machine("torch", "transformers"),
        "rows": len(records),
        "tokens": {"mean": float(np.mean(lengths)), "longest": max(lengths)},
        "ratio_vs_transformers": _ratio(batched),
        "ratio_quartiles": np.percentile([two["time_s"] / one["time_s"] for one, two in batched], [25, 75]).tolist(),
        "ratio_one_at_a_time": _ratio(single),
        "their_batch": best,
        "their_seconds": {size: reply["time_s"] for size, reply in tried.items()},
        "equal_rows": float(np.mean([first["ids"][record] == tried[best]["ids"][record] for record in records])),
        "seconds": {"ours": _seconds(batched, 0), "transformers": _seconds(batched, 1)},
        "seconds_one_at_a_time": {"ours": _seconds(single, 0), "transformers": _seconds(single, 1)},
        "cores_used": {
            name: sum(pair[side]["cpu_s"] for pair in both) / sum(pair[side]["time_s"] for pair in both)
            for side, name in enumerate(("ours", "transformers"))
        },
        "peak_rss_bytes": {"ours": our_side.end(), "transformers": their_side.end()},
    }


def _ratio(pairs: list[tuple[dict, dict]]) -> float:
    return median(two["time_s"] / one["time_s"] for one, two in pairs)


def _seconds(pairs: list[tuple[dict, dict]], side: int) -> float:
    return median(pair[side]["time_s"] for pair in pairs)


def table(result: dict) -> str:
    """The same for people."""
    quartiles = "–".join(f"{value:.2f}" for value in result["ratio_quartiles"])
    ours, theirs = (result["seconds"][name] for name in ("ours", "transformers"))
    one, other = (result["seconds_one_at_a_time"][name] for name in ("ours", "transformers"))
    tokens = result["tokens"]
    return "\n".join(
        [
            f"{result['model']}, fp32, {result['rows']} prompts of {result['data']}, {result['threads']} threads. "
            f"{result['machine']}",
            f"answers of {tokens['mean']:.1f} tokens on average, {tokens['longest']} at most; "
            f"{result['equal_rows']:.1%} of them equal",
            f"all together: {result['ratio_vs_transformers']:.2f} times transformers (quartiles {quartiles}), "
            f"{ours:.2f} s and {theirs:.2f} s in batches of {result['their_batch']}, its best",
            f"one at a time: {result['ratio_one_at_a_time']:.2f} times transformers, {one:.3f} s and {other:.3f} s",
            f"cores used: {result['cores_used']['ours']:.2f} and {result['cores_used']['transformers']:.2f}",
        ]
    )
