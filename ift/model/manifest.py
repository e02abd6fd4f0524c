"""The sha256 of each file beside a model: safetensors load a flipped bit without a word."""

import hashlib
import json
from pathlib import Path, PurePosixPath

from ift.errors import ModelError

MANIFEST = "manifest.json"
OPTIMIZER = "optimizer.safetensors"
"""What only training needs: not checked where nobody loads it."""


def verify_checkpoint(folder: Path, *, to_resume: bool = True) -> None:
    """Check every file against the manifest; without `to_resume` all but the optimizer's, which nobody loads then.

    Raises:
        ModelError: a file is missing or changed: which one.
    """
    fix = "Use the run's other checkpoint, or train again."
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        wanted = {name: sha256 for name, sha256 in manifest.items() if to_resume or name != OPTIMIZER}
        broken = [name for name, sha256 in wanted.items() if sha256_of(_inside(folder, name)) != sha256]
    except (OSError, ValueError, AttributeError) as error:
        where = str(getattr(error, "filename", None) or folder / MANIFEST)
        what = "is missing" if isinstance(error, FileNotFoundError) else "can't be read"
        raise ModelError(f"The checkpoint is broken: a file {what}", where=where, fix=fix) from error
    if broken:
        where = str(folder / broken[0])
        raise ModelError("The checkpoint is broken: a file differs from its manifest", where=where, fix=fix)


def sha256_of_files(folder: Path) -> dict[str, str]:
    """The manifest of a folder: each file's path in it, with `/`, → its sha256."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): sha256_of(path) for path in files}


def _inside(folder: Path, name: str) -> Path:
    """The path of a file that a manifest names; one from elsewhere may name no file outside its folder."""
    parts = PurePosixPath(name).parts
    if ".." in parts or PurePosixPath(name).is_absolute():
        raise ValueError(f"{name!r} is not a file of this folder")
    return folder.joinpath(*parts)


def has_optimizer(folder: Path) -> bool:
    """Whether training may resume from a checkpoint; a broken manifest takes nothing back."""
    try:
        return OPTIMIZER in json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError, TypeError):
        return True


def sha256_of(path: Path) -> str:
    """Of a file, as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
