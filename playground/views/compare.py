"""The Before & after tab's state: how far the answering is, and why it can't begin."""

from collections.abc import Sequence
from pathlib import Path

from ift.events import Answered, Failed, Judged, TrainEvent
from ift.runs.folder import Run
from ift.runs.state import State
from playground.views.html import esc


def model_names(run: Run) -> dict[str, str]:
    """What the two models of a run are called; a path by its last part."""
    return {side.value: run.id if side == "after" else Path(name).name for side, name in run.models.items()}


def answer_title(run: Run | None) -> str:
    """What the button that begins is called."""
    state = State.ABSENT if run is None else run.evaluation.state()
    if state is State.STOPPED:
        return "Go on answering"
    if run is not None and run.scores is not None:
        return "Answer again"
    return "Go on answering" if state is State.FAILED else "Answer the held-out records"


def progress(events: Sequence[TrainEvent], offset: int, state: State, *, said: str = "") -> dict:
    """How far the answering is, for the progress bar."""
    last = next((event for event in reversed(events) if isinstance(event, Answered | Judged)), None)
    failed = next((event for event in events if isinstance(event, Failed)), None)
    error = {"what": failed.what, "where": failed.where, "fix": failed.fix} if failed else None
    if state is State.FAILED and not failed:
        error = {"what": said or "The answers can't be read", "where": "", "fix": "See run.log in the run's folder."}
    return {
        "state": state.value,
        "offset": offset,
        "over": state.is_over,
        "error": error,
        "side": "judge" if isinstance(last, Judged) else last.side if last else "",
        "judged": (last.side or "pairs") if isinstance(last, Judged) else "",
        "done": last.done if last else 0,
        "total": last.total if last else 0,
    }


def buttons_note(*, has_run: bool, saved: bool, has_test: bool, busy_id: str | None, is_strangers: bool = False) -> str:
    """Why the held-out records can't be answered now; empty where they can."""
    if not has_run:
        text = "There is no run yet: start one on the tab Fine-tune."
    elif busy_id:
        text = f"{busy_id} is running: wait until it has ended, or stop it."
    elif is_strangers:
        text = "Only the browser that started a run can score it on this public page."
    elif not saved:
        text = "The run has saved nothing: train again."
    else:
        text = "" if has_test else "The data set of this run has no test record: give at least 10 records."
    return f'<div class="ift"><p class="muted">{esc(text)}</p></div>' if text else ""
