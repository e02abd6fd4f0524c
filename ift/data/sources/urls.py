"""A data file at an address that the user typed."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from ift.data.sources.downloads import download
from ift.paths import cache_dir


def fetch_url(url: str, *, progress: Callable[[int, int], None] | None = None) -> Path:
    """The file at an address, in the cache: downloaded once.

    Raises:
        DownloadError: as `download` does.
    """
    folder = cache_dir() / "urls" / hashlib.sha256(url.encode()).hexdigest()[:16]
    name = Path(urlsplit(url).path).name.lstrip(".")[-100:] or "data"
    return download(url, folder / name, progress=progress)
