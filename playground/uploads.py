"""Files that visitors brought, each with how it is read, where a run finds both again."""

import hashlib
import json
import re
from dataclasses import asdict
from pathlib import Path

from ift.data.file_rows import MAX_ROWS
from ift.data.records import parse_dataset
from ift.data.sources import NAMES
from ift.data.sources.hub_datasets import ID
from ift.data_options import DataOptions
from playground.settings import Limits, Mode, Settings

UNPACKED = 2
"""Times the limit of an upload that it may unpack to."""
_OPTIONS = "options.json"
_UPLOAD = re.compile(r"[0-9a-f]{12}/[^/\\\0]{1,255}")
LOCAL = Limits.of(Mode.LOCAL)


def keep_upload(folder: Path, path: Path, options: DataOptions | None = None, *, limits: Limits = LOCAL) -> Path:
    """Check an uploaded file and keep it under the hash of its bytes and of how they are read.

    So a name means one data set only, whatever else the same file was read as.

    Raises:
        ConfigError: it is over one of the page's limits.
        DataError: not a usable data set.
        RecordsError: some records can't be used, and `options` don't leave them out.
    """
    options = options or DataOptions()
    raw = read_upload(path, limits)
    _check(raw, path.name, options, limits)
    given = {} if options == DataOptions() else asdict(options)
    key = hashlib.sha256(raw + json.dumps(given).encode() * bool(given)).hexdigest()[:12]
    kept = folder / key / (path.name if path.name != _OPTIONS else f"my-{_OPTIONS}")
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(raw)
    if given:
        (kept.parent / _OPTIONS).write_text(json.dumps(given), encoding="utf-8")
    return kept


def kept_name(data: str, settings: Settings) -> str:
    """What a browser keeps of a data set of its visitor's own that is in use; empty for one of the page's choices."""
    path = Path(data)
    if path.parent.parent == settings.uploads:
        return f"{path.parent.name}/{path.name}"
    return data if ID.fullmatch(data) and data not in NAMES else ""


def own_data(kept: object, settings: Settings) -> str | None:
    """The data set that `kept_name` named, if it is still here; an upload's folder only those know who had the file."""
    if not isinstance(kept, str):
        return None
    if _UPLOAD.fullmatch(kept):
        path = settings.uploads / kept
        return str(path) if path.is_file() and path.name != _OPTIONS else None
    return kept if ID.fullmatch(kept) and not settings.is_shared else None


def read_upload(path: Path, limits: Limits = LOCAL) -> bytes:
    """The bytes of an uploaded file.

    Raises:
        ConfigError: it is larger than the page takes.
    """
    limits.require("upload_bytes", path.stat().st_size, where=path.name)
    return path.read_bytes()


def _check(raw: bytes, name: str, options: DataOptions, limits: Limits) -> None:
    found = parse_dataset(
        raw,
        name=name,
        options=options,
        max_unpacked_bytes=int(UNPACKED * limits.upload_bytes),
        max_rows=int(min(limits.rows, MAX_ROWS)),
    )
    limits.require("rows", len(found), where=name)
    for number, example in enumerate(found.examples):
        for field in ("instruction", "input", "output"):
            size = len(getattr(example, field))
            if size > limits.field_characters:  # asked for first: its place is only worked out where it is needed
                limits.require("field_characters", size, where=f"{name}, record {number}, {field}")


def data_options(name: str) -> DataOptions:
    """How the data set of this name is read: as it was uploaded, else as everything is."""
    path = Path(name).parent / _OPTIONS
    if not path.is_absolute():  # a name alone: its folder would be the one that the server was started in
        return DataOptions()
    try:
        return DataOptions(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):  # no upload, or one that is read as everything is
        return DataOptions()
