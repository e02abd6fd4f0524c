"""A run's name and note, as people gave them: they decide nothing, so a damaged file is no note."""

import json
from dataclasses import asdict, dataclass

from ift.runs.folder import Run

FILE = "note.json"
LONGEST_TITLE, LONGEST_NOTE = 60, 500
"""Characters."""


@dataclass(frozen=True, slots=True)
class RunNote:
    """title: what a run is called beside its folder's name. note: anything. Both may be empty."""

    title: str = ""
    note: str = ""


def read_note(run: Run) -> RunNote:
    """What somebody wrote about a run; nothing where there is none or it can't be read."""
    try:
        found = json.loads((run.path / FILE).read_text(encoding="utf-8"))
        return clean_note(found.get("title"), found.get("note"))
    except (OSError, ValueError, AttributeError):
        return RunNote()


def write_note(run: Run, note: RunNote) -> None:
    """Keep it in the run's folder."""
    run.write_json(FILE, asdict(note))


def clean_note(title: object, note: object) -> RunNote:
    """A note from what a page sent: texts, on one line and cut, or nothing."""
    return RunNote(_cut(title, LONGEST_TITLE), _cut(note, LONGEST_NOTE))


def _cut(text: object, longest: int) -> str:
    return " ".join(text.encode("utf-8", "replace").decode().split())[:longest] if isinstance(text, str) else ""
