"""Our training step against transformers' plain loop, on the same batches, turn by turn.

Each side has a process of its own, with its own memory; only one of them works at a time. What a step of ours
spends is also set against the least it could: the matrix products of the same batch, alone.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from statistics import median

import numpy as np

from ift.config import TrainConfig
from ift.data.batching import Batch, collate
from ift.data.order import epoch_batches
from ift.data.prepare import prepare
from ift.data.sources import load_dataset
from ift.data.templates import load_template
from ift.masks import TRAIN_ON
from ift.model.gpt2_config import GPT2Config
from ift.types import Encoded
from tests.bench.turns import Side, machine

MODELS = {
    "starter": GPT2Config(n_positions=256, n_embd=192, n_layer=4, n_head=6),
    "gpt2": GPT2Config(),
    "gpt2-medium": GPT2Config(n_embd=1024, n_layer=24, n_head=16),
}


@dataclass(frozen=True, slots=True)
class Setup:
    """What is measured; both sides build everything from it."""

    model: str
    data: str
    train_on: str
    batch: int
    steps: int
    threads: int
    bf16: bool

    @property
    def shape(self) -> GPT2Config:
        """The model's."""
        return MODELS[self.model]

    def config(self) -> TrainConfig:
        """Of our trainer; one more step than is timed, and no evaluation."""
        return TrainConfig(
            train_on=self.train_on,
            max_steps=self.steps + 1,
            per_device_train_batch_size=self.batch,
            learning_rate=5e-5,
            lr_scheduler_type="constant",
            warmup_steps=0,
            eval_steps=1_000_000,
            bf16=self.bf16,
        )

    def rows(self) -> tuple[Encoded, ...]:
        """The training rows."""
        examples, template = load_dataset(self.data).examples, load_template("alpaca")
        n_positions = self.shape.n_positions
        return prepare(examples, template, trained=TRAIN_ON[self.train_on], n_positions=n_positions).train

    def batches(self) -> Iterator[Batch]:
        """The very ones that our trainer makes of them."""
        rows, seed = self.rows(), self.config().seed
        for positions in epoch_batches(len(rows), self.batch, seed=seed):
            yield collate(
                [rows[i] for i in positions], trained=TRAIN_ON[self.train_on], max_length=self.shape.n_positions
            )


def measure(setup: Setup) -> dict:
    """Medians over the steps after the first; every ratio is of two times for one batch, right after each other."""
    peers = ["transformers", *(["trl"] if find_spec("trl") else [])]
    sides = {name: Side(f"tests.bench.sides:{name}", setup) for name in ("ours", "products", *peers)}
    rounds = [{name: side.step() for name, side in sides.items()} for _ in range(setup.steps + 1)]
    first, timed = rounds[0], rounds[1:]
    peaks = {name: side.end() for name, side in sides.items()}
    del peaks["products"]
    ratios = {peer: [one[peer]["time_s"] / one["ours"]["time_s"] for one in timed] for peer in peers}
    tokens, trained = (sum(one["ours"][name] for one in timed) for name in ("tokens", "trained_tokens"))
    seconds, cpu = ({name: sum(one[name][of] for one in timed) for name in peaks} for of in ("time_s", "cpu_s"))
    return {
        **asdict(setup),
        "machine": machine("torch", *peers),
        **{f"ratio_vs_{peer}": median(of) for peer, of in ratios.items()},
        "ratio_quartiles": {peer: np.percentile(of, [25, 75]).tolist() for peer, of in ratios.items()},
        "share_of_limit": median(one["products"]["limit_s"] / one["ours"]["time_s"] for one in timed),
        "tokens_per_s": {name: tokens / total for name, total in seconds.items()},
        "trained_tokens_per_s": {name: trained / total for name, total in seconds.items()},
        "step_s": {name: median(one[name]["time_s"] for one in timed) for name in peaks},
        "cores_used": {name: cpu[name] / seconds[name] for name in peaks},
        "loss_difference": {peer: abs(first["ours"]["loss"] - first[peer]["loss"]) for peer in peers},  # same weights
        "peak_rss_bytes": peaks,
        "peak_rss_ratio": {peer: peaks["ours"] / peaks[peer] for peer in peers},
    }


def table(setup: Setup, result: dict) -> str:
    """The same for people."""
    precision = "bf16" if setup.bf16 else "fp32"
    what = f"{setup.model}, {precision}, loss on {setup.train_on}, {setup.batch} rows of {setup.data}"
    lines = [
        f"{what}, {setup.threads} threads, {setup.steps} steps. {result['machine']}",
        f"{result['share_of_limit']:.0%} of what the matrix products alone would reach",
    ]
    for peer, quartiles in result["ratio_quartiles"].items():
        spread = "–".join(f"{value:.2f}" for value in quartiles)
        difference = f"losses differ by {result['loss_difference'][peer]:.1e}"
        lines.append(f"{result[f'ratio_vs_{peer}']:.2f} times {peer} (quartiles {spread}); {difference}")
    for side in result["tokens_per_s"]:
        tokens, trained = result["tokens_per_s"][side], result["trained_tokens_per_s"][side]
        step, peak = result["step_s"][side], result["peak_rss_bytes"][side]
        speed = f"{side:12} {tokens:8,.0f} tokens/s, {trained:7,.0f} trained/s, {step:.3f} s a step"
        lines.append(f"{speed}, {peak / 1e9:.2f} GB, {result['cores_used'][side]:.2f} cores")
    return "\n".join(lines)
