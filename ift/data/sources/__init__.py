"""Where data sets come from: the starter set, the public ones, a file or a folder, an address, the Hub."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from ift.data.records import Dataset, read_dataset
from ift.data.sources.downloads import download, is_url
from ift.data.sources.folders import SUFFIXES, read_files, read_folder, split_of
from ift.data.sources.hub_datasets import ID, fetch_hub_dataset
from ift.data.sources.urls import fetch_url
from ift.data_options import DataOptions
from ift.errors import DataError, DownloadError
from ift.paths import ASSETS, cache_dir


@dataclass(frozen=True, slots=True)
class Source:
    """A public data set: where it lies and what its bytes hash to (None where its owner may change it)."""

    title: str
    records: int
    licence: str
    url: str
    sha256: str | None = None


PUBLIC = {
    "book": Source(
        "Build a Large Language Model (From Scratch), chapter 7",
        1_100,
        "Apache-2.0",
        "https://raw.githubusercontent.com/rasbt/LLMs-from-scratch/main/ch07/01_main-chapter-code/instruction-data.json",
        "7e09a9af353722ca15c18bc580f093f9c39d3178335a75177319cb1e1d163944",
    ),
    "alpaca": Source(
        "Stanford Alpaca",
        52_002,
        "CC BY-NC 4.0, no commercial use",
        "https://raw.githubusercontent.com/tatsu-lab/stanford_alpaca/main/alpaca_data.json",
    ),
}
NAMES = ("starter", *PUBLIC)


def load_dataset(
    name_or_path: str,
    *,
    options: DataOptions | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Dataset:
    """The data set of a name (`starter`, `book`, `alpaca`), else of a path, an address or an id on the Hub.

    Args:
        name_or_path: what comes from a network is downloaded once and then read from the cache. A folder's files
            are named by split (train.jsonl, test.jsonl …), or none is.
        options: how its records are read; `DataOptions()` unless given.
        progress: is told (bytes so far, bytes in all or 0) while a file is downloaded.

    Raises:
        DataError: no such name or file, or one that can't be read.
        RecordsError: some records can't be used, and `options.on_error` is `raise`.
        DownloadError: the file did not arrive.
    """
    if name_or_path == "starter":
        return read_dataset(ASSETS / "data" / "starter.json", name="starter", options=options)
    if name_or_path in PUBLIC:
        return read_dataset(fetch_public(name_or_path, progress=progress), name=name_or_path, options=options)
    return _recognized(_load_own(name_or_path, options or DataOptions(), progress))


def _load_own(name: str, options: DataOptions, progress: Callable[[int, int], None] | None) -> Dataset:
    if is_url(name):
        return read_dataset(fetch_url(name, progress=progress), options=options)
    path = Path(name)
    if os.path.isfile(path):  # unlike Path.is_file, without an error where a folder can't be looked into
        return read_dataset(path, options=options)
    if name and os.path.isdir(path):
        return read_folder(path, options=options)
    if not ID.fullmatch(name) or name.endswith((*SUFFIXES, ".gz")):
        fix = f"Use {', '.join(NAMES)}, the path of a file or a folder, an address, or the id of a data set on the Hub."
        raise DataError(f"There is no data set {name!r}", where=str(path.absolute()), fix=fix)
    found, paths = fetch_hub_dataset(name, progress=progress)
    files = [(path, file, split_of(file)) for path, file in zip(paths, found.files, strict=True)]
    dataset = read_files(files, name=name, options=options)
    return replace(dataset, reading=replace(dataset.reading, license=found.license))


def _recognized(dataset: Dataset) -> Dataset:
    title = next((one.title for one in PUBLIC.values() if one.sha256 == dataset.sha256), "")
    return replace(dataset, reading=replace(dataset.reading, known=title)) if title else dataset


def fetch_public(name: str, *, progress: Callable[[int, int], None] | None = None) -> Path:
    """The file of a public data set in the cache, downloaded if it is not there.

    Raises:
        DownloadError: it did not arrive.
    """
    return fetch(PUBLIC[name], cache_dir() / f"{name}.json", progress=progress)


def fetch(source: Source, path: Path, *, progress: Callable[[int, int], None] | None = None) -> Path:
    """Download a public data set to `path`, unless it is there already, whole and unchanged.

    Raises:
        DownloadError: as `download` does, or something else came than a JSON array of the expected bytes.
    """

    def check(part: Path) -> None:
        with part.open("rb") as file:
            start = file.read(512).lstrip(b"\xef\xbb\xbf \t\r\n")
        if not start.startswith(b"["):
            fix = "Open the address in a browser to see what is there now; download the file by hand and give its path."
            raise DownloadError("Something else came than a JSON array", where=source.url, fix=fix)
        if source.sha256 not in (None, _sha256(part)):
            fix = "The file was changed at its source or on the way; download it by hand and give its path."
            raise DownloadError("Other bytes came than expected (sha256 differs)", where=source.url, fix=fix)

    def is_there(path: Path) -> bool:
        return path.is_file() and source.sha256 in (None, _sha256(path))

    return download(source.url, path, is_there=is_there, check=check, progress=progress)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
