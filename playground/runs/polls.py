"""What the browser asks again and again: everything a view needs to resume from where it is.

Each is a plain function made for one server, as Gradio marks what it exposes with an attribute. Queries come from the
browser, so they may be anything.
"""

from collections.abc import Callable

from ift.errors import RunError
from ift.events import TrainEvent
from ift.runs.folder import Run
from ift.runs.log import EventLog
from ift.runs.state import State
from playground.answers.answered import stamp_of
from playground.context import Context
from playground.views import compare, run
from playground.views.run_list import about

MAX_OFFSET = 1 << 40
"""Of a cursor: file systems refuse to look beyond what a file can be."""


def training(context: Context) -> Callable[[object], dict]:
    """For the loss chart: a run's events since the browser's cursor."""

    def poll_training(query: object) -> dict:
        run_id, offset = _read(query)
        is_new = offset == 0
        found, busy = context.jobs.run(run_id), context.jobs.name(context.jobs.busy())
        if found is None:
            return _unknown(busy)
        state = context.jobs.state(found, found.training)  # before the events: what ends a run is then never missed
        try:
            events, offset = found.training.read(offset)
            last = _ending(found.training, state) if not events else None
        except RunError:  # damaged, or a cursor from inside a line or a character
            events, last, state = [], None, State.FAILED
        said = context.jobs.log_tail(found) if state in (State.STARTING, State.RUNNING, State.FAILED) else ""
        news = run.news(found.id, events, offset, state, last=last, said=said)
        more = {"about": about(found) if is_new else None, "busy": busy}
        return {**news, **_tenure(context, found, state), **more}

    return poll_training


def evaluation(context: Context) -> Callable[[object], dict]:
    """For the progress of the held-out records; `stamp` differs whenever there are other answers."""

    def poll_evaluation(query: object) -> dict:
        run_id, _ = _read(query)
        found, busy = context.jobs.run(run_id), context.jobs.name(context.jobs.busy())
        if found is None:
            return _unknown(busy)
        state = context.jobs.state(found, found.evaluation)
        try:
            events, offset = found.evaluation.read()
        except RunError:
            events, offset, state = [], 0, State.FAILED
        said = context.jobs.log_tail(found) if state is State.FAILED else ""
        return {**compare.progress(events, offset, state, said=said), "stamp": stamp_of(found), "busy": busy}

    return poll_evaluation


def _tenure(context: Context, found: Run, state: State) -> dict:
    """Which place a waiting run has, and when one that is over is removed from a public page."""
    place = context.queue.place(found.id) if state is State.ABSENT else None
    if place is not None:
        return {"state": "waiting", "over": False, "note": run.waiting(place, context.tenure.begins_within(place))}
    leaves_at = context.tenure.leaves_at(found) if state.is_over else None
    return {"note": run.leaving(leaves_at)} if leaves_at else {}


def _read(query: object) -> tuple[object, int]:
    """The run's name, whatever it is, and a cursor that is a number of bytes."""
    fields = query if isinstance(query, dict) else {}
    offset = fields.get("offset")
    return fields.get("run"), offset if isinstance(offset, int) and 0 <= offset < MAX_OFFSET else 0


def _ending(log: EventLog, state: State) -> TrainEvent | None:
    """The event that ended a run which did not finish, also where the browser has read it before."""
    if state not in (State.STOPPED, State.FAILED):
        return None
    return next(reversed(log.read()[0]), None)


def _unknown(busy: str | None) -> dict:
    return {"state": "unknown", "offset": 0, "over": True, "busy": busy}
