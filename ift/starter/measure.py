"""What a built starter can do, by the project's own commands: the base, three fine-tunings, and their twins."""

import json
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ift.errors import IftError
from ift.evaluation.intervals import mean
from ift.events import Evaluated, Stepped
from ift.model.hf_model import read_model
from ift.model.known_tokens import known_ids
from ift.runs.folder import Run
from ift.runs.log import EventLog
from ift.runs.scores import AnsweredRecord
from ift.starter import quality
from ift.starter.facts import relations
from ift.starter.tasks import Record, records
from ift.types import Side

TWINS: Mapping[str, Sequence[str]] = {
    "loss on all tokens": ("--train_on", "all"),
    "end of text masked": ("--train_on", "response,"),
    "random weights": ("--model", "starter-untrained"),
}
"""What differs from the default, with the same seed."""
SHOWN = 10
"""Answers in the model card, drawn by a fixed seed."""


def measure(out: Path, *, seeds: int) -> dict:
    """Fine-tune and score the build in `out` with the default options, once a seed; runs that are there are kept.

    Raises:
        IftError: a run failed: its last line.
    """
    default = [_run(out, f"seed-{seed}", ("--seed", str(seed))) for seed in range(seeds)]
    twins = {name: _run(out, name.replace(" ", "-"), ("--seed", "0", *options)) for name, options in TWINS.items()}
    return {
        "base": _base(out, default[0]),
        "default": [_scores(run) for run in default],
        "twins": {name: _scores(run) for name, run in twins.items()},
        "answers": _answers(default[0]),
        "pretraining": _pretraining(out),
    }


def _run(out: Path, name: str, options: Sequence[str]) -> Run:
    run = Run(out / "runs" / name)
    if run.scores is None:
        model, data = str(out / "starter"), str(out / "data" / "starter.json")
        train = ("train", "--preset", "quick", "--model", model, "--data", data, *options, "--out", str(run.path))
        for command in (train, ("evaluate", str(run.path))):
            done = subprocess.run((sys.executable, "-m", "ift", *command), capture_output=True, text=True, check=False)
            if done.returncode:
                fix = "Remove the run's folder and try again."
                raise IftError(done.stderr.strip().rpartition("\n")[2], where=str(run.path), fix=fix)
    return run


def _base(out: Path, run: Run) -> dict:
    began = time.perf_counter()
    model = read_model(out / "starter")
    json.loads((out / "data" / "starter.json").read_text(encoding="utf-8"))
    load_s = time.perf_counter() - began
    test = [record for record in records() if record.split == "test"]
    cloze = quality.cloze(model.eval())
    texts = quality.samples(model)
    return {
        "load_s": load_s,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "known_ids": len(known_ids(str(out / "starter")) or ()),
        "facts": sum(len(relation.facts) for relation in relations().values()),
        "relations": len(relations()),
        "cloze": cloze,
        "cloze_mean": quality.cloze_mean(cloze),
        "bare_questions_answered": quality.bare_questions(model, test),
        "formatted_questions_answered": _answered(run.answers(Side.BEFORE), test),
        "samples_that_repeat": quality.repeats(texts),
        "samples": len(texts),
        "first_samples": texts[: len(quality.OPENINGS)],
    }


def _answered(rows: Iterable[AnsweredRecord], test: Sequence[Record]) -> float:
    """Lenient, over the questions for a fact: key and answer stand in the first line."""
    asked = {(record.instruction, record.input): record for record in test if record.value}
    pairs = ((row.model_response, asked.get((row.instruction, row.input))) for row in rows)
    return mean([quality.is_answered(text, record) for text, record in pairs if record]) or 0.0


def _scores(run: Run) -> dict:
    events, _ = run.training.read()
    steps = [event for event in events if isinstance(event, Stepped)]
    cloze = quality.cloze(read_model(run.last_checkpoint()).eval())
    return {
        **(run.scores.to_dict() if run.scores else {}),
        "by_task": _by_task(run),
        "cloze": cloze,
        "cloze_mean": quality.cloze_mean(cloze),
        "steps": len(steps),
        "training_s": sum(event.step_time_s for event in steps),
        "whole_run_s": events[-1].time_s,
    }


def _by_task(run: Run) -> dict[str, dict[str, float]]:
    """Per task: records, and the share that is right before and after, by exact match or the record's own check."""
    sides = {side.value: run.answers(side) for side in Side}
    tasks = sorted({row.task or "" for row in sides["after"]})
    right = {side: [(row.task or "", row.right) for row in rows] for side, rows in sides.items()}
    return {
        task: {
            "n": sum(name == task for name, _ in right["after"]),
            **{side: mean([value for name, value in pairs if name == task]) or 0.0 for side, pairs in right.items()},
        }
        for task in tasks
    }


def _answers(run: Run) -> list[dict]:
    """Test records drawn by a seed, with what the base and the fine-tuned model said."""
    return [
        {"instruction": pair.after.instruction, "input": pair.after.input, "output": pair.after.output}
        | {"before": pair.before.model_response, "after": pair.after.model_response}
        for pair in random.Random(0).sample(run.comparison(), SHOWN)
    ]


def _pretraining(out: Path) -> dict:
    events, _ = EventLog(out / "work" / "events.jsonl").read()
    steps = {event.step: event for event in events if isinstance(event, Stepped)}  # a step done twice counts once
    losses = [event.loss for event in events if isinstance(event, Evaluated)]
    return {
        "recipe": json.loads((out / "work" / "recipe.json").read_text(encoding="utf-8")),
        "tokens": sum(step.tokens for step in steps.values()),
        "seconds": sum(step.step_time_s for step in steps.values()),
        "validation_loss": losses[-1],
    }


def median(runs: Sequence[Mapping], *path: str) -> float:
    """The median over runs of a number that stands under these keys."""

    def value(run: Any) -> float:  # noqa: ANN401  # JSON
        for key in path:
            run = run[key]
        return run

    return statistics.median(value(run) for run in runs)
