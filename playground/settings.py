"""Where the page keeps things and what it allows; read once, from the environment."""

import os
from dataclasses import dataclass
from pathlib import Path

from ift.paths import ASSETS

WEB = ASSETS / "web"
LOOPBACK = ("127.0.0.1", "localhost", "::1")


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


def read_settings(host: str) -> Settings:
    """`IFT_HOME`: the folder to keep runs in, else the working folder. `IFT_PUBLIC`: 1 or 0.

    Unless that says otherwise, a page that other machines can reach is public.
    """
    home = Path(os.environ.get("IFT_HOME", ".")).resolve()
    reachable = "SPACE_ID" in os.environ or host not in LOOPBACK
    return Settings(home=home, public=os.environ.get("IFT_PUBLIC", str(int(reachable))) != "0")
