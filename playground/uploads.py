"""Files that visitors brought, each with how it is read, where a run finds both again."""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

from ift.data.records import parse_dataset
from ift.data_options import DataOptions
from ift.errors import DataError

MAX_UPLOAD_BYTES = 50 * 2**20
MAX_UNPACKED_BYTES = 100 * 2**20
_OPTIONS = "options.json"


def keep_upload(folder: Path, path: Path, options: DataOptions | None = None) -> Path:
    """Check an uploaded file and keep it under the hash of its bytes and of how they are read.

    So a name means one data set only, whatever else the same file was read as.

    Raises:
        DataError: too large, or not a usable data set.
        RecordsError: some records can't be used, and `options` don't leave them out.
    """
    options = options or DataOptions()
    if path.stat().st_size > MAX_UPLOAD_BYTES:
        fix = f"Use at most {MAX_UPLOAD_BYTES // 2**20} MB, or the command line."
        raise DataError("The file is too large for the page", where=path.name, fix=fix)
    raw = path.read_bytes()
    parse_dataset(raw, name=path.name, options=options, max_unpacked_bytes=MAX_UNPACKED_BYTES)
    given = {} if options == DataOptions() else asdict(options)
    key = hashlib.sha256(raw + json.dumps(given).encode() * bool(given)).hexdigest()[:12]
    kept = folder / key / path.name
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(raw)
    if given:
        (kept.parent / _OPTIONS).write_text(json.dumps(given), encoding="utf-8")
    return kept


def data_options(name: str) -> DataOptions:
    """How the data set of this name is read: as it was uploaded, else as everything is."""
    path = Path(name).parent / _OPTIONS
    try:
        return DataOptions(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):  # no upload, or one that is read as everything is
        return DataOptions()
