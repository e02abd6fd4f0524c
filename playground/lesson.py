"""The lesson: six steps and exercises, read from a Markdown file that a teacher can edit."""

import os
import re
from dataclasses import asdict, dataclass
from pathlib import Path

from ift.errors import ConfigError
from ift.experiments.twins import twin
from ift.paths import ASSETS

FILE = ASSETS / "lessons" / "six-steps.md"
TABS = range(1, 6)
FIX = "See the comment at the top of assets/lessons/six-steps.md."


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
    for block in filter(None, map(str.strip, re.split(r"\n\s*\n", body))):
        label = re.match(r"(Tab|Predict|Reveal|Look|Twin): *", block)
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
    )


def _line(text: str) -> str:
    return " ".join(text.split())
