"""What a model's name means: `starter`, `gpt2` … `gpt2-xl`, a Hub id, a folder, a run."""

import json
import os
import re
from functools import lru_cache
from pathlib import Path

from ift.errors import ModelError
from ift.paths import ASSETS
from ift.runs.folder import Run, is_run

GPT2_SIZES = {
    "gpt2": 124_439_808,
    "gpt2-medium": 354_823_168,
    "gpt2-large": 774_030_080,
    "gpt2-xl": 1_557_611_200,
}
"""OpenAI's released sizes: name → parameters."""
GPT2_SHAPES = {
    "gpt2": {"n_layer": 12, "n_head": 12, "n_embd": 768},
    "gpt2-medium": {"n_layer": 24, "n_head": 16, "n_embd": 1024},
    "gpt2-large": {"n_layer": 36, "n_head": 20, "n_embd": 1280},
    "gpt2-xl": {"n_layer": 48, "n_head": 25, "n_embd": 1600},
}
"""Their shapes, for estimates before a download."""
UNTRAINED = "starter-untrained"
"""The starter's shape with random weights: what fine-tuning does without pretraining."""
NAMES = ("starter", *GPT2_SIZES, UNTRAINED)
UNTRAINED_SEED = 0
MOST_POSITIONS = 1_000_000
"""What a config.json may say; more would be a mistake."""

_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")


def find_model(name: str) -> Path | str:
    """A folder on this machine, or the Hub id to fetch; nothing is downloaded.

    Raises:
        ModelError: the name is none of the known kinds.
    """
    if name in ("starter", UNTRAINED):
        return ASSETS / "starter"
    if name in GPT2_SIZES:
        return f"openai-community/{name}"
    path = Path(name)
    if is_run(path):
        return Run(path).last_checkpoint()
    if os.path.isdir(path):  # unlike Path.is_dir, without an error where a folder can't be looked into
        return path
    if _HUB_ID.fullmatch(name) and not name.startswith("."):
        return name
    fix = f"Give {', '.join(NAMES)}, a Hub id (owner/name), a model's folder or a run's folder."
    raise ModelError(f"There is no model {name!r}", where=str(path.absolute()), fix=fix)


def context_length(name: str) -> int:
    """Positions that a model can read, as far as is known without a download (else GPT-2's 1,024); needs no torch.

    Raises:
        ModelError: there is no such model.
    """
    folder = find_model(name)
    path = folder / "config.json" if isinstance(folder, Path) else None
    try:
        return _positions(path, path.stat().st_mtime_ns) if path else 1024
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        fix = "Give a folder with config.json and model.safetensors, as transformers saves them."
        raise ModelError("The model's config.json can't be read", where=str(path), fix=fix) from error


@lru_cache(maxsize=64)
def _positions(path: Path, stamp: int) -> int:
    """`stamp`: when the file was written."""
    if not path.is_file():  # a pipe would be waited for without end
        raise OSError("not a regular file")
    found = int(json.loads(path.read_text(encoding="utf-8"))["n_positions"])
    if not 1 <= found <= MOST_POSITIONS:
        raise ValueError("n_positions can't be true")
    return found


def is_here(name: str) -> bool:
    """Whether a model can be loaded without a download."""
    import huggingface_hub

    found = find_model(name)
    return isinstance(found, Path) or isinstance(
        huggingface_hub.try_to_load_from_cache(found, "model.safetensors"), str
    )
