"""A training step on a CUDA device: ours as graphs and kernel by kernel against transformers, step by step in turn.

One process, one card: all three have the same random weights, the same batches and bf16 autocast.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from statistics import median

import torch

from ift.data.batching import Batch
from ift.events import Stepped
from ift.model.gpt2 import random_model
from ift.training.trainer import Trainer
from tests.bench.sides import SEED, their_model, unshifted
from tests.bench.train import Setup

DEVICE = torch.device("cuda")
WARM_UP = 16
"""Steps of each side that are not counted: in them graphs are recorded."""
PRODUCT = 8192
"""Rows and columns of the matrices that the card's rate is measured with."""


def _ours(setup: Setup, *, graphs: bool) -> Callable[[], Stepped]:
    config = replace(setup.config(), max_steps=setup.steps + WARM_UP, cuda_graphs=graphs)
    model = random_model(setup.shape, seed=SEED).to(DEVICE)
    trainer = Trainer(model, config, train=setup.rows(), max_length=setup.shape.n_positions)
    return lambda: next(event for event in trainer.advance() if isinstance(event, Stepped))


def _theirs(setup: Setup) -> Callable[[Batch], float]:
    """transformers' default attention (SDPA) and the fused AdamW; the batch is sent within the step."""
    model = their_model(setup).to(DEVICE)
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-5, weight_decay=0.01, fused=True)

    def step(batch: Batch) -> float:
        ids, mask, labels = (torch.from_numpy(array).to(DEVICE) for array in unshifted(batch))
        optimizer.zero_grad()
        with torch.autocast("cuda", torch.bfloat16, enabled=setup.bf16):
            loss = model(input_ids=ids, attention_mask=mask, labels=labels).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return loss.item()

    return step


def product_rate() -> float:
    """The card's bf16 matrix rate in FLOP/s: the median of ten products of random matrices after three."""
    a, b = (torch.randn(PRODUCT, PRODUCT, device=DEVICE, dtype=torch.bfloat16) for _ in range(2))
    times = []
    for _ in range(13):
        torch.cuda.synchronize()
        began = time.perf_counter()
        a @ b
        torch.cuda.synchronize()
        times.append(time.perf_counter() - began)
    return 2 * PRODUCT**3 / median(times[3:])


def _timed(work: Callable[[], object]) -> tuple[float, object]:
    torch.cuda.synchronize()
    began = time.perf_counter()
    result = work()
    torch.cuda.synchronize()
    return time.perf_counter() - began, result


def _peaks(setup: Setup) -> dict[str, float]:
    """The most device memory of each side alone, in bytes."""
    found = {}
    for name, side in _sides(setup).items():
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        step, batches = side(), setup.batches()
        for _ in range(4):
            step(next(batches))
        found[name] = torch.cuda.max_memory_allocated()
        del step
    return found


def _sides(setup: Setup) -> dict[str, Callable[[], Callable[[Batch], object]]]:
    def ours(graphs: bool) -> Callable[[Batch], object]:
        step = _ours(setup, graphs=graphs)
        return lambda batch: step()  # the trainer draws the same batches by itself

    return {"graph": lambda: ours(True), "eager": lambda: ours(False), "transformers": lambda: _theirs(setup)}


def measure(setup: Setup) -> dict:
    """Medians over the steps after the warm-up; ratios are of two times for one batch, right after each other."""
    peaks = _peaks(setup)
    steps = {name: side() for name, side in _sides(setup).items()}
    rounds: list[dict[str, tuple[float, object]]] = []
    for _, batch in zip(range(setup.steps + WARM_UP), setup.batches(), strict=False):
        rounds.append({name: _timed(lambda step=step, batch=batch: step(batch)) for name, step in steps.items()})
    timed, rate = rounds[WARM_UP:], product_rate()
    events = [one["graph"][1] for one in timed]
    seconds = {name: sum(one[name][0] for one in timed) for name in steps}
    parameters = sum(weight.numel() for weight in random_model(setup.shape, seed=SEED).parameters())
    tokens, trained = (sum(getattr(event, name) for event in events) for name in ("tokens", "trained_tokens"))
    flops = {name: 6 * parameters * tokens / total for name, total in seconds.items()}
    return {
        **asdict(setup),
        "device": torch.cuda.get_device_name(),
        "torch": torch.__version__,
        "step_ms": {name: 1e3 * median(one[name][0] for one in timed) for name in steps},
        "ratio_vs_transformers": median(one["transformers"][0] / one["graph"][0] for one in timed),
        "ratio_vs_eager": median(one["eager"][0] / one["graph"][0] for one in timed),
        "tokens_per_s": {name: tokens / total for name, total in seconds.items()},
        "trained_tokens_per_s": {name: trained / total for name, total in seconds.items()},
        "tflops": {name: value / 1e12 for name, value in flops.items()},
        "share_of_products": {name: value / rate for name, value in flops.items()},
        "product_tflops": rate / 1e12,
        "peak_bytes": peaks,
        "losses": list(_losses(rounds)),
    }


def _losses(rounds: list[dict[str, tuple[float, object]]]) -> Iterator[tuple[float, ...]]:
    """Of the first and the last step: graph, eager, transformers."""
    for one in (rounds[0], rounds[-1]):
        yield tuple(getattr(result, "loss", result) for _, result in one.values())


def table(setup: Setup, result: dict) -> str:
    """The same for people."""
    head = f"{setup.model}, loss on {setup.train_on}, {setup.batch} rows of {setup.data}, {setup.steps} steps"
    lines = [
        f"{head}; {result['device']}, torch {result['torch']}, {result['product_tflops']:.0f} TFLOP/s in bf16 products",
        f"{result['ratio_vs_transformers']:.2f} times transformers, {result['ratio_vs_eager']:.2f} times eager",
    ]
    for name, step_ms in result["step_ms"].items():
        speed = f"{result['tokens_per_s'][name]:10,.0f} tokens/s {result['trained_tokens_per_s'][name]:9,.0f} trained/s"
        rate = f"{result['tflops'][name]:6.1f} TFLOP/s ({result['share_of_products'][name]:.1%})"
        lines.append(f"{name:12} {step_ms:7.2f} ms {speed} {rate} {result['peak_bytes'][name] / 1e9:.2f} GB")
    lines += [f"losses {', '.join(f'{loss:.4f}' for loss in losses)}" for losses in result["losses"]]
    return "\n".join(lines)
