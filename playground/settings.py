"""Where the page keeps things and what it allows; read once, from the environment."""

import os
from dataclasses import dataclass
from pathlib import Path

from ift.paths import ASSETS

WEB = ASSETS / "web"
PROJECT = ASSETS.parent


@dataclass(frozen=True, slots=True)
class Settings:
    """`public` is a page that strangers use, such as a Space: there, no path and no Hub id is taken from visitors."""

    home: Path
    public: bool

    @property
    def runs(self) -> Path:
        """Run folders."""
        return self.home / "runs"

    @property
    def uploads(self) -> Path:
        """Data files that visitors brought, under the hash of their bytes."""
        return self.home / "uploads"


def read_settings() -> Settings:
    """`IFT_HOME`: the folder to keep runs in, else the working folder. `SPACE_ID` is set on a Hugging Face Space."""
    home = Path(os.environ.get("IFT_HOME", ".")).resolve()
    return Settings(home=home, public="SPACE_ID" in os.environ or os.environ.get("IFT_PUBLIC") == "1")
