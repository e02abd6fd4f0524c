"""The starter from its seed: data set, text, pretraining, packing. What is there already is not made again.

In the folder `out`:

data/starter.json       the instruction set
starter/                config.json, model.safetensors (fp16), vocabulary.json
work                    the text as token ids, the state of the pretraining, its events
"""

import dataclasses
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from ift.errors import ConfigError
from ift.events import TrainEvent
from ift.model.hf_model import write_model
from ift.model.known_tokens import write_vocabulary
from ift.runs.log import EventLog
from ift.starter import corpus, tasks
from ift.starter.pretraining import PretrainConfig, Pretrainer


def build(out: Path, config: PretrainConfig, *, progress: Callable[[int, int], None]) -> Iterator[TrainEvent]:
    """Make everything in `out`; the events are the pretraining's.

    Args:
        out: a folder of its own; an unfinished build in it is gone on with.
        config: the recipe.
        progress: is told (token ids written so far, in all).

    Raises:
        ConfigError: the folder holds a build of another recipe.
    """
    work = out / "work"
    for folder in (work, out / "data", out / "starter"):
        folder.mkdir(parents=True, exist_ok=True)
    _require_same_recipe(work / "recipe.json", dataclasses.asdict(config))
    (out / "data" / "starter.json").write_text(tasks.to_json(tasks.records()), encoding="utf-8")
    tokens = _text(work / "text.npy", config, progress)
    ids = np.array(corpus.learned_ids(tokens))
    trainer = Pretrainer(config, tokens, ids, work / "state")
    log = EventLog(work / "events.jsonl")
    for event in trainer:
        log.append(event)
        yield event
    write_model(trainer.model.full_size(), out / "starter", half=True)
    write_vocabulary(out / "starter", ids.tolist())


def _require_same_recipe(path: Path, recipe: dict) -> None:
    if path.is_file() and json.loads(path.read_text(encoding="utf-8")) != recipe:
        fix = "Give another folder, or the same options as before."
        raise ConfigError("The folder holds a build of another recipe", where=str(path), fix=fix)
    path.write_text(json.dumps(recipe, indent=2) + "\n", encoding="utf-8")


def _text(path: Path, config: PretrainConfig, progress: Callable[[int, int], None]) -> np.ndarray:
    if not path.is_file():
        tokens = corpus.tokens(config.tokens, seed=config.seed, progress=progress)
        part = path.with_suffix(".part.npy")
        np.save(part, tokens)
        part.replace(path)
    return np.load(path)
