"""What the base model said in a run beside this one: twins begin from one model, and ask it the same."""

from contextlib import suppress

from ift.errors import InputError
from ift.model.names import NAMES
from ift.runs.evaluation_plan import EvaluationPlan
from ift.runs.folder import Run, list_runs
from ift.runs.scores import AnsweredRecord
from ift.types import Side

LOOKED_AT = 50
"""Runs, the newest first."""


def base_answers(run: Run, plan: EvaluationPlan) -> tuple[AnsweredRecord, ...]:
    """The base model's rows of a run in the same folder that was asked exactly this plan; empty where there is none.

    The same model, data, template, records, decoding and versions of the programs. A model in a folder without a
    manifest may have changed meanwhile: it is asked again.
    """
    side = plan.sides[Side.BEFORE]
    if not side.sha256 and side.model not in NAMES:
        return ()
    for other in list_runs(run.path.parent)[:LOOKED_AT]:
        with suppress(InputError):  # a damaged run has nothing to give
            if other.id != run.id and _asked_the_same(run, other, plan):
                rows = other.answers(Side.BEFORE)
                if tuple(row.record for row in rows) == plan.records:
                    return rows
    return ()


def _asked_the_same(run: Run, other: Run, plan: EvaluationPlan) -> bool:
    found = other.answer_files.plan
    if found is None or not plan.keeps(Side.BEFORE, found) or found.records != plan.records:
        return False
    one, two = run.config, other.config
    return (one.data.sha256, one.template_source, one.options.data_options, one.versions) == (
        two.data.sha256,
        two.template_source,
        two.options.data_options,
        two.versions,
    )
