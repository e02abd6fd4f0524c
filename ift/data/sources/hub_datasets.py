"""Data sets from the Hugging Face Hub: their Parquet files, downloaded once, at the commit of the first download."""

import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ift.data.sources.folders import choose_files
from ift.errors import DataError, DownloadError
from ift.paths import cache_dir

ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+(/[\w.-]+)?")
"""owner/name, or owner/name/configuration."""
CONVERTED = "refs/convert/parquet"
"""Where the Hub keeps every data set as Parquet, one folder per configuration and split."""
MAX_BYTES = 2**30
_TIMEOUT_S = 10


@dataclass(frozen=True, slots=True)
class HubDataset:
    """What a data set's id stood for when it was first downloaded. license: its owner's word, or empty."""

    repo: str
    commit: str
    files: tuple[str, ...]
    sizes: tuple[int, ...]
    license: str


def fetch_hub_dataset(
    name: str, *, endpoint: str | None = None, progress: Callable[[int, int], None] | None = None
) -> tuple[HubDataset, list[Path]]:
    """The files of a data set on the Hub, in the Hub client's own cache, which resumes what broke off.

    Args:
        name: owner/name, or owner/name/configuration where there are several.
        endpoint: the Hub's address; `HF_ENDPOINT` or the public one unless given.
        progress: is called with (bytes so far, bytes in all) after each file.

    Raises:
        DownloadError: no network, no such data set, no access, or more than `MAX_BYTES`.
        DataError: it has no data files, or several configurations and none is named.
    """
    from httpx2 import TransportError  # huggingface_hub's own client
    from huggingface_hub import constants
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    where = f"{endpoint or constants.ENDPOINT}/datasets/{name}"
    try:
        found = _known(name) or _look(name, endpoint, where)
        paths = []
        for file in found.files:
            paths.append(_fetch_file(found, file, endpoint))
            if progress:
                progress(sum(found.sizes[: len(paths)]), sum(found.sizes))
    except (LocalEntryNotFoundError, TransportError) as error:
        fix = "Check the network, or use a file of your own."
        raise DownloadError(
            "The data set can't be downloaded: the Hub does not answer", where=where, fix=fix
        ) from error
    except (HFValidationError, OSError) as error:
        fix = "Check the name and, for a private data set, that you are logged in (`hf auth login`)."
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DownloadError(f"The data set can't be downloaded: {reason}", where=where, fix=fix) from error
    _record(name).parent.mkdir(parents=True, exist_ok=True)
    _record(name).write_text(json.dumps(asdict(found)), encoding="utf-8")
    return found, paths


def _fetch_file(found: HubDataset, file: str, endpoint: str | None) -> Path:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        path = hf_hub_download(
            found.repo, file, repo_type="dataset", revision=found.commit, local_files_only=True, endpoint=endpoint
        )
    except LocalEntryNotFoundError:
        path = hf_hub_download(found.repo, file, repo_type="dataset", revision=found.commit, endpoint=endpoint)
    return Path(path)


def _record(name: str) -> Path:
    return cache_dir() / "hub" / f"{name.replace('/', '--')}.json"


def _known(name: str) -> HubDataset | None:
    """What an earlier download found: a run's data stay the same, with and without a network."""
    try:
        stored = json.loads(_record(name).read_text(encoding="utf-8"))
        lists = {key: tuple(stored[key]) for key in ("files", "sizes")}
        return HubDataset(repo=stored["repo"], commit=stored["commit"], license=stored["license"], **lists)
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _look(name: str, endpoint: str | None, where: str) -> HubDataset:
    from huggingface_hub import HfApi
    from huggingface_hub.errors import RevisionNotFoundError

    repo, _, configuration = name.partition("/")[2].partition("/")
    repo = f"{name.partition('/')[0]}/{repo}"
    api = HfApi(endpoint=endpoint)
    own = api.dataset_info(repo, files_metadata=True, timeout=_TIMEOUT_S)
    try:
        info = api.dataset_info(repo, revision=CONVERTED, files_metadata=True, timeout=_TIMEOUT_S)
    except RevisionNotFoundError:
        info = own
    sizes = {file.rfilename: file.size or 0 for file in info.siblings or ()}
    names = _configured(list(sizes), configuration, where) if info is not own else list(sizes)
    files = tuple(file for file, _ in choose_files(names, where=where))
    chosen = tuple(sizes[file] for file in files)
    if sum(chosen) > MAX_BYTES:
        fix = "Download a part of it by hand and use its path."
        raise DownloadError(f"The data set has {sum(chosen) / 1e9:.1f} GB", where=where, fix=fix)
    return HubDataset(repo, info.sha or "main", files, chosen, _license(own.card_data))


def _configured(names: list[str], configuration: str, where: str) -> list[str]:
    """The files of one configuration: the one named, the only one, or `default`."""
    there = sorted({name.partition("/")[0] for name in names if name.endswith(".parquet")})
    wanted = configuration or (there[0] if len(there) == 1 else "default")
    if wanted not in there:
        what = f"The data set has the configurations {', '.join(there[:8]) or 'none'}"
        raise DataError(what, where=where, fix="Put one behind its name: owner/name/configuration.")
    return [name for name in names if name.startswith(f"{wanted}/")]


def _license(card: Any) -> str:  # noqa: ANN401 (the Hub's client has no type for it)
    value = getattr(card, "license", None) if card else None
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value or "")
