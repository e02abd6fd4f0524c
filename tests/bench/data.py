"""From records to rows that can be trained on: ours against `datasets.map` with a fast tokenizer, turn by turn.

Both format with the Alpaca template, tokenize prompt and response, append the end-of-text, and mark what is trained.
"""

from collections.abc import Generator
from dataclasses import asdict, dataclass
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from ift.masks import TRAIN_ON
from ift.types import EOS_ID, IGNORE_INDEX
from tests.bench.records import examples_of, records
from tests.bench.turns import Clock, Side, machine

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

CONTEXT = 1024
WAYS = ("row by row", "in batches")
"""Of `datasets.map`: a function of one record, as most scripts have it, or of a thousand."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What is measured; both sides build everything from it."""

    data: str
    records: int
    rounds: int


def ours(setup: Setup) -> Generator[dict, str, None]:
    """What a run does: split, encode, cut at the context, tell what trains nothing."""
    from ift.data.prepare import prepare
    from ift.data.templates import load_template
    from ift.data.tokenizer import encoding

    examples, template = examples_of(records(setup.data, setup.records)), load_template("alpaca")
    encoding()  # the vocabulary is there on both sides before the clock starts
    yield {}
    while True:
        clock = Clock()
        rows = prepare(examples, template, trained=TRAIN_ON["response"], n_positions=CONTEXT).train
        took = clock.read()
        trained = int(np.isin(rows.roles, list(TRAIN_ON["response"])).sum())
        yield {**took, "tokens": len(rows.ids), "sum": int(rows.ids.sum(dtype=np.int64)), "trained": trained}


def theirs(setup: Setup) -> Generator[dict, str, None]:
    """`Dataset.map` in memory; asked for one of `WAYS`."""
    import datasets

    datasets.disable_caching()
    datasets.disable_progress_bars()
    rows = datasets.Dataset.from_list(records(setup.data, setup.records))
    tokenizer = fast_tokenizer()
    way = yield {}
    while True:
        batched = way == WAYS[1]
        clock = Clock()
        made = rows.map(
            _batch if batched else _row,
            batched=batched,
            fn_kwargs={"tokenizer": tokenizer},
            remove_columns=rows.column_names,
            keep_in_memory=True,
        )
        took = clock.read()
        ids, labels = (np.concatenate([np.array(row) for row in made[name]]) for name in ("input_ids", "labels"))
        trained = int((labels != IGNORE_INDEX).sum())
        way = yield {**took, "tokens": len(ids), "sum": int(ids.sum()), "trained": trained}


def _prompt(instruction: str, text: str) -> str:
    opening = (
        "Below is an instruction that describes a task. Write a response that appropriately completes the request."
    )
    middle = f"\n\n### Input:\n{text}" if text else ""
    return f"{opening}\n\n### Instruction:\n{instruction}{middle}\n\n### Response:\n"


def _row(row: dict, tokenizer: "PreTrainedTokenizerFast") -> dict:
    prompt = tokenizer(_prompt(row["instruction"], row["input"]))["input_ids"]
    response = [*tokenizer(row["output"])["input_ids"], EOS_ID]
    return {"input_ids": prompt + response, "labels": [IGNORE_INDEX] * len(prompt) + response}


def _batch(rows: dict, tokenizer: "PreTrainedTokenizerFast") -> dict:
    texts = [_prompt(*pair) for pair in zip(rows["instruction"], rows["input"], strict=True)]
    prompts, responses = tokenizer(texts)["input_ids"], tokenizer(rows["output"])["input_ids"]
    pairs = [(prompt, [*response, EOS_ID]) for prompt, response in zip(prompts, responses, strict=True)]
    return {
        "input_ids": [prompt + response for prompt, response in pairs],
        "labels": [[IGNORE_INDEX] * len(prompt) + response for prompt, response in pairs],
    }


def fast_tokenizer() -> "PreTrainedTokenizerFast":
    """transformers' fast tokenizer, from the vocabulary that ships with the project; no download."""
    from tokenizers import ByteLevelBPETokenizer
    from transformers import PreTrainedTokenizerFast

    from ift.data.tokenizer import encoding

    ranks = [encoding().decode_single_token_bytes(i) for i in range(EOS_ID)]
    letters = _letters()
    names = ["".join(letters[byte] for byte in token) for token in ranks]
    numbers = {token: i for i, token in enumerate(ranks)}
    merges = [tuple(names[i] for i in _halves(token, numbers)) for token in ranks if len(token) > 1]
    vocabulary = {name: i for i, name in enumerate(names)}
    return PreTrainedTokenizerFast(tokenizer_object=ByteLevelBPETokenizer(vocabulary, merges)._tokenizer)


def _letters() -> dict[int, str]:
    """GPT-2's printable letter for every byte."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    return {byte: chr(byte) for byte in plain} | {byte: chr(256 + i) for i, byte in enumerate(others)}


def _halves(token: bytes, numbers: dict[bytes, int]) -> tuple[int, int]:
    """The two ids that a token was merged from: merge by rank until two are left."""
    parts = [bytes([byte]) for byte in token]
    while len(parts) > 2:
        pairs = [(numbers.get(parts[i] + parts[i + 1], len(numbers)), i) for i in range(len(parts) - 1)]
        i = min(pairs)[1]
        parts[i : i + 2] = [parts[i] + parts[i + 1]]
    return numbers[parts[0]], numbers[parts[1]]


def measure(setup: Setup) -> dict:
    """Medians over the rounds after the first; every ratio is of two times right after each other."""
    our_side, their_side = (Side(f"tests.bench.data:{name}", setup) for name in ("ours", "theirs"))
    our_side.step(), their_side.step()
    our_side.step()
    rounds = [{"ours": our_side.step(), **{way: their_side.step(way) for way in WAYS}} for _ in range(setup.rounds)]
    best = min(WAYS, key=lambda way: median(one[way]["time_s"] for one in rounds))
    ours, other = rounds[0]["ours"], rounds[0][best]
    return {
        **asdict(setup),
        "machine": machine("tiktoken", "datasets", "tokenizers"),
        "ratio_vs_datasets": median(one[best]["time_s"] / one["ours"]["time_s"] for one in rounds),
        "their_way": best,
        "seconds": {name: median(one[name]["time_s"] for one in rounds) for name in ("ours", *WAYS)},
        "tokens": ours["tokens"],
        "same_tokens": all(ours[name] == other[name] for name in ("tokens", "sum", "trained")),
        "cores_used": {
            name: sum(one[name]["cpu_s"] for one in rounds) / sum(one[name]["time_s"] for one in rounds)
            for name in ("ours", *WAYS)
        },
        "peak_rss_bytes": {"ours": our_side.end(), "datasets": their_side.end()},
    }


def table(result: dict) -> str:
    """The same for people."""
    seconds, cores = result["seconds"], result["cores_used"]
    lines = [f"{name:12} {seconds[name]:7.2f} s, {cores[name]:.2f} cores" for name in seconds]
    same = "the same tokens" if result["same_tokens"] else "NOT the same tokens"
    return "\n".join(
        [
            f"{result['records']:,} records like {result['data']}, {result['tokens']:,} tokens. {result['machine']}",
            f"{result['ratio_vs_datasets']:.1f} times datasets.map {result['their_way']}; {same}",
            *lines,
        ]
    )
