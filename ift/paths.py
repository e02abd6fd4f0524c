"""Where things lie: what ships with the project, and what it keeps on this machine."""

import os
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
"""The folder of `ift` itself."""
ROOT = PACKAGE.parent
"""What holds the packages: the checkout, or where pip installed them. `python -m ift` works from here."""
ASSETS = PACKAGE / "assets" if (PACKAGE / "assets").is_dir() else ROOT / "assets"
"""Starter model, data set, vocabulary, templates and the page's scripts: a wheel has them inside the package."""


def cache_dir() -> Path:
    """Downloaded data sets: `$IFT_CACHE`, else the user's cache folder."""
    default = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "ift"
    return Path(os.environ.get("IFT_CACHE", default))
