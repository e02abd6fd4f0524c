"""Real steps on this machine, of a trainer that is thrown away: what a run will need in memory and time.

A program of its own, `python -m ift.training.probe CONFIG`: it may run out of memory. `estimate` starts it.
"""

import json
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from dataclasses import asdict

import psutil
import torch

from ift.config import TrainConfig
from ift.data.batching import pair_counts
from ift.data.prepare import Rows, prepare
from ift.data.records import Dataset
from ift.data.sources import load_dataset
from ift.data.templates import Template, load_template
from ift.errors import IftError, InputError, is_out_of_memory
from ift.events import Evaluated, Stepped
from ift.model.gpt2 import GPT2, best_device
from ift.model.gpt2_config import GPT2Config
from ift.model.load_by_name import load_model
from ift.model.names import GPT2_SHAPES, is_here
from ift.model.precision import uses_bf16
from ift.runs.processes import available_bytes, keep_memory
from ift.training.estimate import LORA_RANK, Probe
from ift.training.finetune import followed_samples
from ift.training.memory_check import free_bytes, held_bytes, run_longest
from ift.training.resume import adapt
from ift.training.trainer import Trainer

STEPS_TIMED = 4
"""At least, of which the first does not count; quick ones go on for `TIMED_S`, as single steps differ by a fifth."""
TIMED_S = 2
TIME_LIMIT_S = 20
"""No further step is timed after that."""
VALIDATION_BATCHES = 2


def probe(config: TrainConfig, dataset: Dataset, template: Template) -> Probe:
    """Load, run the largest batch, then time what a run is made of.

    Raises:
        InputError: model or data can't be used.
        TrainingError: memory ran out.
    """
    device = best_device()
    available = free_bytes(device) + (held_bytes(device) if device.type != "cuda" else 0)
    model = _model(config)
    rows = prepare(
        dataset.examples,
        template,
        trained=config.trained,
        n_positions=model.config.n_positions,
        max_length=config.max_length,
        max_length_policy=config.max_length_policy,
    )
    trainer = _trainer(config, model, rows, dataset, template)
    start_s, loaded = time.time() - psutil.Process().create_time(), held_bytes(model.device)
    longest = run_longest(trainer)
    evaluation_s = _evaluation_s(trainer, rows)
    steps = _steps(trainer) if longest.needed_bytes <= available else []
    tokens = int(pair_counts(rows.train, rows.max_length).sum()) / config.steps_per_epoch(len(rows.train))
    timed = [(step.step_time_s, step.tokens) for step in steps] or [(longest.batch_time_s, longest.tokens)]
    seconds, timed_tokens = map(sum, zip(*timed, strict=True))
    total = trainer.total_steps
    return Probe(
        device=model.device.type,
        threads=torch.get_num_threads(),
        bf16=uses_bf16(model.device, bf16=config.bf16),
        available_bytes=available,
        parameters=sum(w.numel() for name, w in model.named_parameters() if "lora_" not in name),
        trained_parameters=sum(weight.numel() for _, weight in trainer.trained()),
        lora_parameters=LORA_RANK * 4 * model.config.n_embd * model.config.n_layer,  # C to r to 3C, in each block
        rows=longest.rows,
        width=longest.width,
        loaded_bytes=loaded,
        peak_bytes=longest.peak_bytes,
        steps=total,
        step_s=tokens * seconds / timed_tokens,
        has_stepped=bool(steps),
        evaluations=1 + -(-total // config.eval_steps),
        evaluation_s=evaluation_s,
        start_s=start_s,
    )


def _model(config: TrainConfig) -> GPT2:
    """The model; before its download one of the same shape, whose weights mean nothing."""
    if config.model in GPT2_SHAPES and not is_here(config.model):
        with torch.device("meta"):
            model = GPT2(GPT2Config(**GPT2_SHAPES[config.model]))
        model = model.to_empty(device=best_device())
        for weight in model.parameters():
            torch.nn.init.constant_(weight, 0.01)
    else:
        model = load_model(config.model)
    adapt(model, config)
    return model


def _trainer(config: TrainConfig, model: GPT2, rows: Rows, dataset: Dataset, template: Template) -> Trainer:
    """The run's own, but for its validation rows: some are enough to time."""
    some = VALIDATION_BATCHES * config.per_device_train_batch_size
    return Trainer(
        model,
        config,
        train=rows.train,
        validation=rows.validation[:: max(1, len(rows.validation) // some)][:some],
        samples=followed_samples(dataset, template, rows, config),
        max_length=rows.max_length,
    )


def _evaluation_s(trainer: Trainer, rows: Rows) -> float:
    began = validated = time.perf_counter()
    for event in trainer.evaluate_if_due():
        if isinstance(event, Evaluated):
            validated = time.perf_counter()
    share = len(rows.validation) / max(1, len(trainer.validation))
    return (validated - began) * share + time.perf_counter() - validated


def _steps(trainer: Trainer) -> list[Stepped]:
    """Some real steps without the first, which makes the optimizer's moments."""
    steps: list[Stepped] = []
    began = time.perf_counter()
    for _ in range(trainer.total_steps):
        step = next(trainer.advance())  # and not the evaluation after it
        if isinstance(step, Stepped):
            steps.append(step)
        if time.perf_counter() - began > (TIMED_S if len(steps) >= STEPS_TIMED else TIME_LIMIT_S):
            break
    return steps[1:] or steps


def _limit_memory(device: torch.device) -> None:
    """So that too much ends in an error here, and not with the kernel's choice of a process to kill."""
    if device.type == "cpu" and sys.platform == "linux":
        process = psutil.Process()
        _, hard = process.rlimit(psutil.RLIMIT_DATA)
        with suppress(psutil.Error, OSError, ValueError):  # a lower limit is set already
            process.rlimit(psutil.RLIMIT_DATA, (available_bytes(), hard))


def _end_with_parent() -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os._exit(1)


def main(argv: list[str]) -> None:
    """Print one line of JSON: what was measured, that memory ran out, or the error."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # who asked for the probe tells of it
    if "--attached" in argv:
        threading.Thread(target=_end_with_parent, daemon=True).start()
    keep_memory()
    _limit_memory(best_device())
    config = TrainConfig(**json.loads(argv[0]))
    try:
        made = probe(config, load_dataset(config.data, options=config.data_options), load_template(config.template))
        said: dict[str, object] = {"probe": asdict(made)}
    except IftError as error:
        kind = "InputError" if isinstance(error, InputError) else "TrainingError"
        said = {"error": [kind, error.what, error.where, error.fix]}
        if is_out_of_memory(error.__cause__ or error):
            said = {"out_of_memory": True}
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        said = {"out_of_memory": True}
    sys.stdout.write(json.dumps(said) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
