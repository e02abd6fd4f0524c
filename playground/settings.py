"""Where the page keeps things, who uses it and what it takes; read once, from the command line and the environment."""

import math
import os
import re
from dataclasses import dataclass, field, fields
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any

from ift.errors import ConfigError
from ift.paths import ASSETS

WEB = ASSETS / "web"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
KEY = re.compile(r"[\w-]{22,64}", re.ASCII)
"""What a visitor's key looks like: 128 bits or more, in base64."""
SPACE_DISK = Path("/data")
"""Where a Space keeps what survives its sleep, if its owner has attached storage."""
MEBIBYTE, GIBIBYTE = 2**20, 2**30


class Mode(StrEnum):
    """Who uses the page: its owner alone, a class with its teacher, or strangers."""

    LOCAL = "local"
    CLASSROOM = "classroom"
    PUBLIC = "public"


def _limit(classroom: float, public: float, what: str, unit: str = "") -> Any:  # noqa: ANN401  a field of any type
    return field(default=math.inf, metadata={"classroom": classroom, "public": public, "what": what, "unit": unit})


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that one visitor may ask of the page, infinite where there is no limit; what each is, its text says."""

    upload_bytes: float = _limit(50 * MEBIBYTE, 10 * MEBIBYTE, "an uploaded file", "bytes")
    body_bytes: float = _limit(8 * MEBIBYTE, 2 * MEBIBYTE, "a request", "bytes")
    rows: float = _limit(50_000, 5_000, "rows of a data set")
    field_characters: float = _limit(100_000, 20_000, "characters of a field")
    row_tokens: float = _limit(1_024, 512, "tokens per row")
    run_tokens: float = _limit(20_000_000, 2_000_000, "tokens of a training")
    width: float = _limit(1_024, 512, "columns of a batch")
    parameters: float = _limit(400_000_000, 125_000_000, "parameters of a model")
    steps: float = _limit(2_000, 300, "steps of a training")
    wall_s: float = _limit(3_600, 600, "time of a training", "seconds")
    trainings: float = _limit(1, 1, "trainings at once")
    trainings_of_one: float = _limit(2, 1, "trainings of one visitor, running or waiting")
    waiting: float = _limit(100, 30, "trainings that wait")
    loss_gflop: float = _limit(2_400, 600, "GFLOP for the losses of a batch")
    new_tokens: float = _limit(512, 256, "new tokens of an answer")
    answer_s: float = _limit(60, 30, "time that an answer is written", "seconds")
    sessions: float = _limit(300, 200, "pages open at once")
    disk_bytes: float = _limit(100 * GIBIBYTE, 20 * GIBIBYTE, "disk space", "bytes")
    kept_s: float = _limit(math.inf, 2 * 3_600, "time that a run is kept after its end", "seconds")

    @classmethod
    def of(cls, mode: Mode) -> "Limits":
        """Those of a mode; a local page has none, but what no machine should try."""
        if mode is Mode.LOCAL:
            return cls(body_bytes=64 * MEBIBYTE, upload_bytes=50 * MEBIBYTE, trainings=1)
        return cls(**{one.name: one.metadata[mode.value] for one in fields(cls)})

    def describe(self) -> dict[str, str]:
        """What each limit is about and how much it is, for people; those that are infinite are left out."""
        known = {one: getattr(self, one.name) for one in fields(self)}
        return {one.metadata["what"]: amount(n, one.metadata["unit"]) for one, n in known.items() if n < math.inf}

    def require(self, name: str, value: float, *, where: str = "") -> None:
        """Refuse what is over a limit.

        Raises:
            ConfigError: it is; the error names the limit, and how to run without it.
        """
        most = getattr(self, name)
        if not value <= most:  # NaN is refused, too
            about = next(one.metadata for one in fields(self) if one.name == name)
            unit = about["unit"]
            what = f"{amount(value, unit)} is over this page's limit of {amount(most, unit)} ({about['what']})"
            raise ConfigError(what, where=where or about["what"], fix=WITHOUT_LIMITS)


WITHOUT_LIMITS = (
    "Use less, or run it on your own machine, which has no such limit: `python app.py`, or a copy of the Space."
)


def amount(value: float, unit: str = "") -> str:
    """A limit or what is over it: 10 MB, 30 minutes, 5,000."""
    if unit == "bytes":
        size, name = next(((size, name) for size, name in _SIZES if value >= size), (1, "bytes"))
        return f"{value / size:,.4g} {name}"
    if unit == "seconds":
        size, name = next(((size, name) for size, name in _TIMES if value >= size), (1, "seconds"))
        return f"{value / size:,.4g} {name}"
    return f"{value:,.0f}" if math.isfinite(value) else str(value)


_SIZES = ((GIBIBYTE, "GB"), (MEBIBYTE, "MB"), (1024, "KB"))
_TIMES = ((3_600, "hours"), (60, "minutes"))


@dataclass(frozen=True)
class Settings:
    """Of one server.

    home: the folder that holds runs and uploads. mode: who uses the page. teacher_key: who knows it sees and may do
    everything in a classroom; empty: nobody does. limits: those of the mode, unless others are given.
    """

    home: Path
    mode: Mode = Mode.LOCAL
    teacher_key: str = ""
    limits: Limits = None  # type: ignore[assignment]  # set below

    def __post_init__(self) -> None:
        if self.limits is None:
            object.__setattr__(self, "limits", Limits.of(self.mode))

    def describe(self) -> str:
        """The mode and its limits, for the terminal."""
        limits = self.limits.describe() if self.is_shared else {}
        lines = [
            f"Mode: {self.mode}" + ("" if limits else " (no limits)"),
            *(f"  {what}: {n}" for what, n in limits.items()),
        ]
        return "\n".join(lines)

    @property
    def on_space(self) -> bool:
        """Whether this is a Hugging Face Space, which its visitors can duplicate."""
        return "SPACE_ID" in os.environ

    @property
    def is_shared(self) -> bool:
        """Whether others than the machine's owner use the page: then no path and no Hub id is taken from visitors."""
        return self.mode is not Mode.LOCAL

    @cached_property
    def runs(self) -> Path:
        """Run folders."""
        return self.home / "runs"

    @cached_property
    def incoming(self) -> Path:
        """Where Gradio puts what a browser uploads, until a handler takes it."""
        return self.home / "incoming"

    @cached_property
    def uploads(self) -> Path:
        """Data files that visitors brought, under the hash of their bytes."""
        return self.home / "uploads"

    @cached_property
    def templates(self) -> Path:
        """Templates that runs were made with, under the hash of their text."""
        return self.home / "templates"


def read_settings(host: str, mode: str | None = None) -> Settings:
    """The settings of a server that listens on `host`.

    Args:
        host: an address.
        mode: local, classroom or public; else `IFT_MODE` says it. Else a page that other machines can reach is public.

    Raises:
        ConfigError: there is no such mode, or a teacher's key that could be guessed.
    """
    on_space = "SPACE_ID" in os.environ
    home = os.environ.get("IFT_HOME") or (SPACE_DISK if on_space and os.access(SPACE_DISK, os.W_OK) else ".")
    wanted = mode or os.environ.get("IFT_MODE") or ("public" if on_space or host not in LOOPBACK else "local")
    if wanted not in tuple(Mode):
        raise ConfigError(f"There is no mode {wanted!r}", where="--mode or IFT_MODE", fix=f"Use {', '.join(Mode)}.")
    key = os.environ.get("IFT_TEACHER_KEY", "")
    if key and not KEY.fullmatch(key):
        fix = 'Make one: python -c "import secrets; print(secrets.token_urlsafe(16))".'
        raise ConfigError("The teacher's key could be guessed", where="IFT_TEACHER_KEY", fix=fix)
    return Settings(home=Path(home).resolve(), mode=Mode(wanted), teacher_key=key)
