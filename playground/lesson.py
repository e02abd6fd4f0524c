"""The lesson: six steps and exercises, read from a Markdown file that a teacher can edit."""

import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from ift.config import TrainConfig, make_config
from ift.data.sources import NAMES
from ift.data.templates import PRESETS
from ift.errors import ConfigError, IftError
from ift.experiments.twins import twin
from ift.masks import TRAIN_ON
from ift.options import options_of
from ift.paths import ASSETS

FILE = ASSETS / "lessons" / "six-steps.md"
TABS = range(1, 6)
NAMED = {"data": NAMES, "template": tuple(PRESETS), "train_on": tuple(TRAIN_ON)}
"""What an exercise may choose by name: whatever the page offers to everybody."""
SETTABLE = {*NAMED, *(name for name, one in options_of(TrainConfig).items() if one.group and one.kind in (int, float))}
FIX = "See the comment at the top of assets/lessons/six-steps.md."


@dataclass(frozen=True, slots=True)
class Setup:
    """Controls that an exercise sets. options: of a run, by name; data, template and mask by their names."""

    label: str
    options: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Step:
    """A step or an exercise. right: the number of the right choice, or None where nothing is asked."""

    title: str
    tab: int
    text: str
    question: str = ""
    choices: tuple[str, ...] = ()
    right: int | None = None
    reveal: str = ""
    look: str = ""
    twin: str = ""
    setups: tuple[Setup, ...] = ()


@dataclass(frozen=True, slots=True)
class Lesson:
    """A title and its steps, in order."""

    title: str
    steps: tuple[Step, ...]

    def to_dict(self) -> dict[str, object]:
        """For the page."""
        return asdict(self)


def read_lesson(path: Path | None = None) -> Lesson:
    """The lesson in a file; by default in the one that `IFT_LESSON` names, else in the one that ships.

    Raises:
        ConfigError: it can't be read, or a step lacks something; the error names the step.
    """
    path = path or Path(os.environ.get("IFT_LESSON") or FILE)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError("The lesson can't be read", where=path.name, fix="Give a UTF-8 text file.") from error
    text = re.sub(r"<!--.*?-->", "", text, flags=re.S)
    head, *parts = re.split(r"^## +", text, flags=re.M)
    if not parts:
        raise ConfigError("The lesson has no step", where=path.name, fix=FIX)
    return Lesson(head.strip().removeprefix("# ").strip(), tuple(_step(part, path.name) for part in parts))


def _step(part: str, name: str) -> Step:
    title, _, body = part.partition("\n")
    where = f"{name}, step {title.strip()!r}"
    named: dict[str, str] = {}
    texts, choices, right = [], [], None
    setups = [_setup(_line(block[1]), where) for block in re.finditer(r"^Set: *((?:.+\n?)+)", body, flags=re.M)]
    for block in filter(None, map(str.strip, re.split(r"\n\s*\n", body))):
        label = re.match(r"(Tab|Predict|Reveal|Look|Twin|Set): *", block)
        if label:
            named[label[1]] = _line(block[label.end() :])
        elif block.startswith("- "):
            items = [_line(item) for item in re.split(r"^- ", block, flags=re.M) if item.strip()]
            marked = [number for number, item in enumerate(items) if item.startswith("(x)")]
            if len(marked) != 1:
                raise ConfigError("One answer has to be the right one", where=where, fix='Put "(x)" before it.')
            right, choices = marked[0], [item.removeprefix("(x)").strip() for item in items]
        else:
            texts.append(_line(block))
    tab = named.get("Tab", "")
    if not tab.isdecimal() or int(tab) not in TABS:
        raise ConfigError("The step names no tab", where=where, fix='Give a line such as "Tab: 2".')
    if bool(choices) != ("Predict" in named) or (choices and "Reveal" not in named):
        raise ConfigError("A question needs its answers and a reveal", where=where, fix=FIX)
    if named.get("Twin") and twin(named["Twin"]) is None:
        raise ConfigError(f"There is no experiment {named['Twin']!r}", where=where, fix=FIX)
    return Step(
        title=title.strip(),
        tab=int(tab),
        text="\n".join(texts),
        question=named.get("Predict", ""),
        choices=tuple(choices),
        right=right,
        reveal=named.get("Reveal", ""),
        look=named.get("Look", ""),
        twin=named.get("Twin", ""),
        setups=tuple(setups),
    )


def _setup(text: str, where: str) -> Setup:
    """`r = 16, learning_rate = 1e-3` as options, checked as those of a run are."""
    known, options = options_of(TrainConfig), {}
    for part in text.split(","):
        name, _, value = map(str.strip, part.partition("="))
        if name not in SETTABLE or not value:
            raise ConfigError(f"Set: {part.strip()!r} sets nothing", where=where, fix=FIX)
        try:
            options[name] = known[name].kind(value)
        except ValueError as error:
            raise ConfigError(f"Set: {name} can't be {value!r}", where=where, fix=FIX) from error
        if name in NAMED and value not in NAMED[name]:
            raise ConfigError(f"Set: there is no {name} {value!r}", where=where, fix=f"Use {', '.join(NAMED[name])}.")
    try:
        make_config(options)
    except IftError as error:
        raise ConfigError(f"Set: {error.what}", where=where, fix=error.fix) from error
    return Setup(text, options)


def _line(text: str) -> str:
    return " ".join(text.split())
