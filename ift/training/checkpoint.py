"""Checkpoints that are whole or not there: staged beside their place, synced, then renamed.

step-000100/   config.json  generation_config.json  model.safetensors    a whole model for transformers: `ift.export`
               vocab.json  merges.txt  tokenizer.json  tokenizer_config.json  chat_template.jinja
               adapter/        LoRA's product alone, for PEFT
               optimizer.safetensors   what training needs beyond the weights, while it may be resumed
               state.json       the step, and where training stood
               vocabulary.json  the ids known from pretraining, where the base model lists them
               manifest.json    sha256 of each file: safetensors load a flipped bit without a word
"""

import json
import os
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from ift.data.templates import Template
from ift.errors import TrainingError
from ift.export.hf_folder import write_hf_folder
from ift.export.hf_tokenizer import TOKENIZER_BYTES
from ift.model.gpt2 import GPT2
from ift.model.known_tokens import write_vocabulary
from ift.model.manifest import MANIFEST, OPTIMIZER, sha256_of_files
from ift.runs.folder import step_folder, step_folders, step_of

KEPT = 2
"""How many checkpoints stay: the newest, and the one before in case it is the newest that gets damaged.

The one with the lowest validation loss stays beside them.
"""
STATE = "state.json"


def save_checkpoint(
    parent: Path,
    model: GPT2,
    *,
    step: int,
    best_step: int | None = None,
    template: Template | None = None,
    base_model: str = "",
    known: Collection[int] | None = None,
    state: Mapping[str, object] | None = None,
    optimizer: Mapping[str, Tensor] | None = None,
) -> Path:
    """Write `step-…` under `parent` and drop what `KEPT` does not keep; returns its folder.

    Args:
        parent: the folder of all checkpoints of a run.
        model: its weights; what LoRA adds to them is merged.
        step: the optimizer steps behind them.
        best_step: that of the lowest validation loss so far; its checkpoint stays, if there is one.
        template: the prompt template of the run, written as chat_template.jinja.
        base_model: the name of the model that training began from; for the adapter, where there is LoRA.
        known: the ids that the base model knows.
        state: more for state.json; where `best_step` was not saved, its `validation_loss` decides which is the best.
        optimizer: tensors by name, where training may be resumed from here.

    Raises:
        TrainingError: it can't be written, for want of space say; the checkpoints before are whole.
    """
    final = step_folder(parent, step)
    staged = parent / f".{final.name}.part"
    try:
        _sweep(parent)
        staged.mkdir(parents=True)
        write_hf_folder(model, staged, template, base_model=base_model)
        if optimizer is not None:
            save_file({name: tensor.contiguous() for name, tensor in optimizer.items()}, staged / OPTIMIZER)
        if known is not None:
            write_vocabulary(staged, sorted(known))
        _write_json(staged / STATE, {"step": step, **(state or {})})
        _write_json(staged / MANIFEST, sha256_of_files(staged))
        for path in (*staged.rglob("*"), staged):
            _sync(path)
        _remove(final)
        os.replace(staged, final)
        _sync(parent)
        _keep_few(parent, best_step)
    except (OSError, SafetensorError) as error:
        shutil.rmtree(staged, ignore_errors=True)
        fix = "Free some space, or check the disk; then resume from the checkpoint before."
        raise TrainingError(f"The checkpoint can't be written: {error}", where=str(final), fix=fix) from error
    return final


def has_checkpoint(parent: Path, *, step: int) -> bool:
    """Whether that step was saved, and is still there."""
    return step_folder(parent, step).is_dir()


def read_state(folder: Path) -> dict:
    """What state.json holds; empty where it can't be read."""
    try:
        return dict(json.loads((folder / STATE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return {}


def checkpoint_bytes(model: GPT2) -> int:
    """What a checkpoint takes on disk: weights, tokenizer, and the optimizer's two moments of what is trained."""
    trained = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    return _weight_bytes(model) + 8 * trained


def bytes_to_save(parent: Path, model: GPT2) -> int:
    """What a run's checkpoints will take beyond now: those that stay, the best, and one in the making."""
    held = sum(path.stat().st_size for path in parent.rglob("*") if path.is_file())
    return max(0, (KEPT + 1) * checkpoint_bytes(model) + _weight_bytes(model) - held)


def _weight_bytes(model: GPT2) -> int:
    return 4 * sum(parameter.numel() for parameter in model.parameters()) + TOKENIZER_BYTES


def lacking_bytes(folder: Path, needed: int) -> int:
    """How many bytes the disk is short of; 0 when there is room."""
    return max(0, needed - shutil.disk_usage(folder).free)


def drop_after(parent: Path, *, step: int) -> None:
    """Remove the checkpoints of later steps."""
    for folder in step_folders(parent):
        if step_of(folder) > step:
            _remove(folder)


def drop_optimizers(parent: Path) -> None:
    """Training is over: keep the models alone, a third of the size."""
    for folder in step_folders(parent):
        _drop_optimizer(folder)


def _keep_few(parent: Path, best_step: int | None) -> None:
    folders = step_folders(parent)
    losses = {folder: read_state(folder).get("validation_loss") for folder in folders}
    known = {folder: loss for folder, loss in losses.items() if isinstance(loss, float)}
    best = min(known, key=lambda folder: known[folder], default=None)
    if best_step is not None and has_checkpoint(parent, step=best_step):
        best = step_folder(parent, best_step)  # which may have been evaluated only after it was saved
    for folder in folders[:-KEPT]:
        if folder == best:
            _drop_optimizer(folder)  # training resumes from one of the newest
        else:
            _remove(folder)


def _drop_optimizer(folder: Path) -> None:
    """First from the manifest: at no moment it names a file that is gone."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return  # a broken checkpoint is told by whoever loads it
    if manifest.pop(OPTIMIZER, None):
        part = folder / f".{MANIFEST}.part"
        _write_json(part, manifest)
        _sync(part)
        os.replace(part, folder / MANIFEST)
        (folder / OPTIMIZER).unlink(missing_ok=True)


def _remove(folder: Path) -> None:
    """Under another name first: what is half removed is no checkpoint."""
    if folder.exists():
        gone = folder.with_name(f".{folder.name}.old")
        os.replace(folder, gone)
        shutil.rmtree(gone)


def _sweep(parent: Path) -> None:
    """Remove what a killed process left unfinished."""
    for left in (*parent.glob(".step-*.part"), *parent.glob(".step-*.old")):
        shutil.rmtree(left)


def _write_json(path: Path, value: Mapping[str, object]) -> None:
    path.write_text(json.dumps(value, indent=2, allow_nan=False) + "\n", encoding="utf-8", newline="\n")


def _sync(path: Path) -> None:
    if path.is_dir() and os.name == "nt":
        return  # Windows can't open a folder
    handle = os.open(path, os.O_RDWR if path.is_file() and os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
