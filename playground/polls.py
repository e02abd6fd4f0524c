"""What the browser asks twice a second: everything a view needs to go on from where it is.

Each is a plain function made for one server, as Gradio marks what it exposes with an attribute.
"""

from collections.abc import Callable

from ift.runs import State
from playground.context import Context
from playground.views import compare, run

UNKNOWN = {"state": "unknown", "offset": 0, "over": True}


def training(context: Context) -> Callable[[dict], dict]:
    """For the loss chart: a run's events since the browser's cursor."""

    def poll_training(query: dict) -> dict:
        found = context.jobs.run(query.get("run"))
        if found is None:
            return UNKNOWN
        state = context.jobs.state(found)  # before the events: what ends a run is then never missed
        events, offset = found.training.read(int(query.get("offset", 0)))
        died = context.jobs.log_tail(found) if state is State.FAILED and offset == 0 else ""
        return run.news(found.id, events, offset, state, died=died)

    return poll_training


def evaluation(context: Context) -> Callable[[dict], dict]:
    """For the progress bar of the held-out records."""

    def poll_evaluation(query: dict) -> dict:
        found = context.jobs.run(query.get("run"))
        if found is None:
            return UNKNOWN
        state = found.evaluation.state()
        events, offset = found.evaluation.read()
        return compare.progress(events, offset, state)

    return poll_evaluation
