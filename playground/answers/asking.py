"""Answers about a run that a query of the browser names."""

from collections.abc import Callable

from ift.errors import IftError
from ift.runs.folder import Run
from playground.context import Context

GONE = {"gone": True}
"""The run, or its answers, are not there any more: the page asks for the run again."""
Answer = Callable[[Run, dict], dict]


def about_run(context: Context, query: object, answer: Answer) -> dict:
    """An answer about the run that the query names, or what is wrong."""
    asked = query if isinstance(query, dict) else {}
    run = context.jobs.run(asked.get("run"))
    if run is None:
        return GONE
    try:
        return answer(run, asked)
    except IftError as problem:
        return {"error": {"what": problem.what, "where": problem.where, "fix": problem.fix}}
    except LookupError:
        return GONE
