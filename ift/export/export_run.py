"""A run's model, taken away: a folder for the Hugging Face Hub, a GGUF file with its Modelfile, or LoRA's adapter."""

import os
import shutil
from enum import StrEnum
from pathlib import Path

from ift.errors import RunError
from ift.export.chat_template import ollama_modelfile
from ift.export.gguf_file import OutType, write_gguf
from ift.export.hf_folder import ADAPTER, write_hf_folder
from ift.export.model_card import write_model_card
from ift.model.hf_model import read_model
from ift.model.manifest import verify_checkpoint
from ift.runs.folder import Run


class Target(StrEnum):
    """What a run's model is exported to."""

    HF = "hf"
    """A folder that transformers, vLLM and the Hub read."""
    GGUF = "gguf"
    """One file for llama.cpp, LM Studio and Ollama, with a Modelfile for the last."""
    ADAPTER = "adapter"
    """What LoRA trained, as PEFT reads it, without the base model."""


def export_run(run: Run, out: Path, to: Target, *, outtype: OutType = "f16", archive: bool = False) -> Path:
    """Write a run's last checkpoint in another program's format; what is there is whole or not there.

    Args:
        run: a run that has saved a checkpoint.
        out: the folder to make; the name of a GGUF file is its name.
        to: the format.
        outtype: how a GGUF file keeps its matrices.
        archive: make one ZIP file `out`.zip instead of the folder.

    Returns:
        The folder, or the ZIP file.

    Raises:
        RunError: there is no checkpoint, it has no adapter, or the place can't be written or is taken.
        ModelError: the checkpoint is damaged.
        ConfigError: the model can't be kept as `outtype`.
    """
    checkpoint = run.last_checkpoint()
    verify_checkpoint(checkpoint, to_resume=False)
    made = out.with_name(f"{out.name}.zip") if archive else out
    _require_free(made)
    staged = out.with_name(f".{out.name}.part")
    try:
        shutil.rmtree(staged, ignore_errors=True)
        staged.mkdir(parents=True)
        _write(run, checkpoint, staged, to, outtype, name=out.name)
        write_model_card(run, checkpoint, staged, name=out.name, to=to.value)
        if archive:
            Path(shutil.make_archive(str(staged), "zip", staged)).replace(made)
        else:
            os.replace(staged, made)
    except OSError as error:
        fix = "Free some space, or use another folder."
        raise RunError(f"The export can't be written: {error.strerror}", where=str(made), fix=fix) from error
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return made


def next_command(made: Path, to: Target) -> str:
    """The command that takes an export further; nothing is sent by itself."""
    is_packed = made.suffix == ".zip"
    folder = made.with_suffix("") if is_packed else made
    unpack = f"unzip {made} -d {folder} && " if is_packed else ""
    if to is Target.GGUF:
        return f"{unpack}ollama create {folder.name} -f {folder / 'Modelfile'}"
    return f"{unpack}hf upload YOUR-NAME/{folder.name} {folder} ."


def _require_free(made: Path) -> None:
    is_empty_folder = made.is_dir() and not any(made.iterdir())
    if made.exists() and not is_empty_folder:
        raise RunError("The place of the export is taken", where=str(made.absolute()), fix="Use a new name with --out.")


def _write(run: Run, checkpoint: Path, folder: Path, to: Target, outtype: OutType, *, name: str) -> None:
    if to is Target.ADAPTER:
        _copy_adapter(run, checkpoint, folder)
        return
    model, template = read_model(checkpoint), run.config.template
    if to is Target.HF:
        write_hf_folder(model, folder, template, base_model=run.config.options.model)
    else:
        write_gguf(model, folder / f"{name}.gguf", template, name=name, outtype=outtype)
        text = ollama_modelfile(template, weights=f"{name}.gguf", n_positions=model.config.n_positions)
        (folder / "Modelfile").write_text(text, encoding="utf-8", newline="\n")


def _copy_adapter(run: Run, checkpoint: Path, folder: Path) -> None:
    if not (checkpoint / ADAPTER).is_dir():
        r = run.config.options.r
        what = "trained all weights of the model" if not r else "was saved before adapters were kept"
        fix = "Take the whole model instead: for Hugging Face (--to hf) or as GGUF (--to gguf)."
        raise RunError(f"This run {what}: there is no adapter", where=str(checkpoint), fix=fix)
    shutil.copytree(checkpoint / ADAPTER, folder, dirs_exist_ok=True)
