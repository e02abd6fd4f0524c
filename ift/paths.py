"""Where things lie: what ships with the project, and what it keeps on this machine."""

import os
from pathlib import Path

ASSETS = Path(__file__).resolve().parent.parent / "assets"


def cache_dir() -> Path:
    """Downloaded data sets: `$IFT_CACHE`, else the user's cache folder."""
    default = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "ift"
    return Path(os.environ.get("IFT_CACHE", default))
