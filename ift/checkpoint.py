"""Checkpoints that are whole or not there: staged beside their place, synced, then renamed.

step-000100/   config.json  generation_config.json  model.safetensors    loads in transformers
               state.json       the step
               vocabulary.json  the ids known from pretraining, where the base model lists them
               manifest.json    sha256 of each file: safetensors load a flipped bit without a word
"""

import hashlib
import json
import os
import shutil
from collections.abc import Collection
from pathlib import Path

from ift.errors import ModelError
from ift.model import GPT2
from ift.vocabulary import write_vocabulary
from ift.weights import write_model

KEPT = 2
"""How many checkpoints stay: the newest, and the one before in case it is the newest that gets damaged."""


def save_checkpoint(parent: Path, model: GPT2, *, step: int, known: Collection[int] | None = None) -> Path:
    """Write `step-…` under `parent` and drop the ones before the last two; returns its folder."""
    final = parent / f"step-{step:06d}"
    staged = parent / f".{final.name}.part"
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir(parents=True)
    write_model(model, staged)
    if known is not None:
        write_vocabulary(staged, sorted(known))
    (staged / "state.json").write_text(json.dumps({"step": step}) + "\n", encoding="utf-8")
    manifest = {path.name: _sha256(path) for path in sorted(staged.iterdir())}
    (staged / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    for path in (*staged.iterdir(), staged):
        _sync(path)
    shutil.rmtree(final, ignore_errors=True)
    os.replace(staged, final)
    _sync(parent)
    for old in sorted(parent.glob("step-*"))[:-KEPT]:
        shutil.rmtree(old)
    return final


def verify_checkpoint(folder: Path) -> None:
    """Check every file against the manifest.

    Raises:
        ModelError: a file is missing or changed: which one.
    """
    fix = "Use the run's other checkpoint, or train again."
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        broken = [name for name, sha256 in manifest.items() if _sha256(folder / Path(name).name) != sha256]
    except (OSError, ValueError, AttributeError) as error:
        raise ModelError("The checkpoint is broken: a file is missing", where=str(folder), fix=fix) from error
    if broken:
        where = str(folder / broken[0])
        raise ModelError("The checkpoint is broken: a file differs from its manifest", where=where, fix=fix)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    if path.is_dir() and os.name == "nt":
        return  # Windows can't open a folder
    handle = os.open(path, os.O_RDWR if path.is_file() and os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
