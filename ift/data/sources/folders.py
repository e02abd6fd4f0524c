"""Several files as one data set: a folder's, or those of a data set on the Hub, named by split."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from ift.data.file_rows import SPLIT_NAMES, Row
from ift.data.formats import read_content
from ift.data.records import Dataset, assemble, rows_of
from ift.data_options import DataOptions
from ift.errors import DataError

SUFFIXES = (".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".parquet")
_NO_RECORDS = ("dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json")
"""What the `datasets` library writes beside the records."""
_SPLIT = re.compile(rf"(?:partial-)?({'|'.join(SPLIT_NAMES)})(?![a-z])", re.IGNORECASE)


def split_of(path: str) -> str | None:
    """The split that a file's name says, or else the folder that it is in.

    >>> split_of("data/train-00000-of-00002.parquet"), split_of("default/test/0000.parquet"), split_of("trainers.csv")
    ('train', 'test', None)
    """
    for part in reversed(Path(path).parts[-2:]):
        if found := _SPLIT.match(part):
            return SPLIT_NAMES[found[1].lower()]
    return None


def choose_files(names: Iterable[str], *, where: str) -> list[tuple[str, str | None]]:
    """(name, split) of the files that hold records, in order.

    Raises:
        DataError: there are none, or some are named by split and others are not.
    """
    kept = [name for name in sorted(names) if name.removesuffix(".gz").endswith(SUFFIXES)]
    found = [(name, split_of(name)) for name in kept if Path(name).name not in _NO_RECORDS]
    if not found:
        fix = f"Use files that end in {', '.join(SUFFIXES)}, also with .gz."
        raise DataError("There is no data file", where=where, fix=fix)
    unnamed = [name for name, split in found if split is None]
    if unnamed and len(unnamed) < len(found):
        fix = "Name all of them by split (train.jsonl, test.jsonl …), or none."
        raise DataError(f"Some files are named by split, but {unnamed[0]} is not", where=where, fix=fix)
    return found


def read_folder(folder: Path, *, options: DataOptions) -> Dataset:
    """All data files of a folder and of its folders, as one data set.

    Raises:
        DataError: no data file, or one that can't be read.
        RecordsError: some records can't be used, and `options.on_error` is `raise`.
    """
    names = [path.relative_to(folder).as_posix() for path in folder.glob("*") if path.is_file()]
    names += [path.relative_to(folder).as_posix() for path in folder.glob("*/*") if path.is_file()]
    files = [(folder / name, name, split) for name, split in choose_files(names, where=str(folder))]
    return read_files(files, name=folder.resolve().name, options=options)


def read_files(files: Iterable[tuple[Path, str, str | None]], *, name: str, options: DataOptions) -> Dataset:
    """(path, what errors call it, split) each → one data set; its hash is that of all names and bytes.

    Raises:
        DataError: a file can't be read.
        RecordsError: some records can't be used, and `options.on_error` is `raise`.
    """
    rows: list[Row] = []
    ignored: list[str] = []
    formats: dict[str, None] = {}
    digest = hashlib.sha256()
    for path, shown, split in files:
        try:
            raw = path.read_bytes()
        except OSError as error:
            raise DataError("The data file can't be read", where=str(path), fix="Check the path.") from error
        digest.update(f"{shown} {hashlib.sha256(raw).hexdigest()}\n".encode())
        content = read_content(raw, name=shown)
        inner, others = rows_of(content, name=shown, options=options)
        rows += [replace(row, file=shown, split=split or row.split) for row in inner]
        ignored += others
        formats[content.format] = None
    return assemble(rows, ignored, "+".join(formats), name=name, sha256=digest.hexdigest(), options=options)
