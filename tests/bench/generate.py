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
    device: str = "cpu"
    bf16: bool = False

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
    """The model on our side, on the CPU: its weights are those of both."""
    import torch

    from ift.model.gpt2 import random_model
    from ift.model.gpt2_config import GPT2Config
    from ift.model.load_by_name import load_model

    return (
        random_model(GPT2Config(), seed=SEED).eval()
        if setup.is_random
        else load_model(setup.model, device=torch.device("cpu"))
    )


def ours(setup: Setup, *, graphs: bool = True) -> Generator[dict, tuple[list[int], int], None]:
    """Answer the records asked for, all together; the batch size is not listened to."""
    import torch

    from ift.model.cuda.decoder import cuda_capture, plainly
    from ift.model.generate import Prompt, Sampling, default_max_new_tokens, generate
    from ift.runs.processes import keep_memory
    from tests.bench.turns import Clock

    torch.set_num_threads(setup.threads)
    keep_memory()
    model = our_model(setup).to(setup.device, torch.bfloat16 if setup.bf16 else torch.float32)
    capture = cuda_capture if graphs else plainly
    limit = default_max_new_tokens(model.config.n_positions)
    known = setup.prompts(limit)
    records, _ = yield {}
    while True:
        prompts = [Prompt(record, known[record][0], max_new_tokens=known[record][1]) for record in records]
        clock = Clock()
        done = list(generate(model, prompts, Sampling(max_new_tokens=limit), capture=capture))
        time = clock.read()
        records, _ = yield {**time, "ids": {answer.record: list(answer.ids) for answer in done}, **_device(setup)}


def eager(setup: Setup) -> Generator[dict, tuple[list[int], int], None]:
    """Ours without CUDA graphs."""
    yield from ours(setup, graphs=False)


def _device(setup: Setup) -> dict:
    import torch

    is_cuda = setup.device == "cuda"
    return {"device_bytes": torch.cuda.max_memory_allocated(), "card": torch.cuda.get_device_name()} if is_cuda else {}


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
    model.to(setup.device, torch.bfloat16 if setup.bf16 else torch.float32)
    del weights
    records, size = yield {}
    while True:
        clock, found = Clock(), {}
        records = sorted(records, key=lambda record: len(known[record][0]))
        for start in range(0, len(records), size):
            chosen = records[start : start + size]
            found |= dict(zip(chosen, their_answers(model, [known[record] for record in chosen]), strict=True))
        records, size = yield {**clock.read(), "ids": found, **_device(setup)}


def their_answers(model: "GPT2LMHeadModel", prompts: list[tuple[list[int], int]]) -> list[list[int]]:  # noqa: F821
    """One batch's answers without their end-of-text; each prompt comes with its own limit of tokens."""
    import torch
    from transformers import StoppingCriteriaList

    width, limits = max(len(ids) for ids, _ in prompts), torch.tensor([limit for _, limit in prompts])
    limits = limits.clamp(max=model.config.n_positions - width)
    ids = torch.tensor([[EOS_ID] * (width - len(ids)) + ids for ids, _ in prompts], device=model.device)
    mask = torch.tensor([[0] * (width - len(ids)) + [1] * len(ids) for ids, _ in prompts], device=model.device)

    def ended(so_far: torch.Tensor, scores: object, **options: object) -> torch.Tensor:
        return so_far.shape[1] - width >= limits.to(so_far.device)

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
    peers = {"transformers": "theirs", **({"eager": "eager"} if setup.device == "cuda" else {})}
    sides = {name: Side(f"tests.bench.generate:{of}", setup) for name, of in {"ours": "ours", **peers}.items()}
    for side in sides.values():
        side.step()
    sizes = [size for size in BATCHES if size < len(records)] + [len(records)]
    first = {name: sides[name].step((records, 0)) for name in sides if name != "transformers"}
    tried = {size: sides["transformers"].step((records, size)) for size in sizes}
    best = min(sizes, key=lambda size: tried[size]["time_s"])
    alone = records[:: max(1, len(records) // ALONE)][:ALONE]
    batched, single = [], []
    for record in alone if setup.device == "cuda" else ():  # graphs are recorded as a first prompt is answered
        for side in sides.values():
            side.step(([record], 1))
    for _ in range(setup.rounds):
        batched.append({name: side.step((records, best)) for name, side in sides.items()})
        single += [{name: side.step(([record], 1)) for name, side in sides.items()} for record in alone]
    ids = first["ours"]["ids"]
    lengths = [len(answer) for answer in ids.values()]
    both = batched + single
    return {
        **asdict(setup),
        "machine": ", ".join([*filter(None, [first["ours"].get("card")]), machine("torch", "transformers")]),
        "rows": len(records),
        "tokens": {"mean": float(np.mean(lengths)), "longest": max(lengths)},
        **{f"ratio_vs_{peer}": _ratio(batched, peer) for peer in peers},
        "ratio_quartiles": np.percentile(_ratios(batched, "transformers"), [25, 75]).tolist(),
        "ratio_one_at_a_time": _ratio(single, "transformers"),
        "ratio_one_at_a_time_quartiles": np.percentile(_ratios(single, "transformers"), [25, 75]).tolist(),
        "their_batch": best,
        "their_seconds": {size: reply["time_s"] for size, reply in tried.items()},
        "equal_rows": float(np.mean([ids[record] == tried[best]["ids"][record] for record in records])),
        "seconds": {name: _seconds(batched, name) for name in sides},
        "seconds_one_at_a_time": {name: _seconds(single, name) for name in sides},
        "cores_used": {
            name: sum(pair[name]["cpu_s"] for pair in both) / sum(pair[name]["time_s"] for pair in both)
            for name in sides
        },
        "peak_device_bytes": {name: both[-1][name].get("device_bytes", 0) for name in sides},
        "peak_rss_bytes": {name: side.end() for name, side in sides.items()},
    }


def _ratios(rounds: list[dict[str, dict]], peer: str) -> list[float]:
    return [one[peer]["time_s"] / one["ours"]["time_s"] for one in rounds]


def _ratio(rounds: list[dict[str, dict]], peer: str) -> float:
    return median(_ratios(rounds, peer))


def _seconds(rounds: list[dict[str, dict]], side: str) -> float:
    return median(one[side]["time_s"] for one in rounds)


def table(result: dict) -> str:
    """The same for people."""
    quartiles, one_quartiles = (
        "–".join(f"{value:.2f}" for value in result[name])
        for name in ("ratio_quartiles", "ratio_one_at_a_time_quartiles")
    )
    tokens, precision = result["tokens"], "bf16" if result["bf16"] else "fp32"
    lines = [
        f"{result['model']}, {precision}, {result['rows']} prompts of {result['data']}, {result['threads']} threads. "
        f"{result['machine']}",
        f"answers of {tokens['mean']:.1f} tokens on average, {tokens['longest']} at most; "
        f"{result['equal_rows']:.1%} of them equal",
        f"all together: {result['ratio_vs_transformers']:.2f} times transformers (quartiles {quartiles}), "
        f"{_each(result['seconds'], 2)}; transformers in batches of {result['their_batch']}, its best",
        f"one at a time: {result['ratio_one_at_a_time']:.2f} times transformers (quartiles {one_quartiles}), "
        f"{_each(result['seconds_one_at_a_time'], 4)}",
        "cores used: " + ", ".join(f"{name} {cores:.2f}" for name, cores in result["cores_used"].items()),
    ]
    if result["device"] == "cuda":
        peaks = (f"{name} {size / 1e9:.2f} GB" for name, size in result["peak_device_bytes"].items())
        lines.append("peak device memory: " + ", ".join(peaks))
    return "\n".join(lines)


def _each(seconds: dict[str, float], digits: int) -> str:
    return ", ".join(f"{name} {value:.{digits}f} s" for name, value in seconds.items())
