"""`evaluate`: answer and score the held-out records, before and after."""

import json
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

from ift.cli.arguments import Parser
from ift.cli.progress_bars import show_evaluation
from ift.evaluation.evaluation_options import EvaluationOptions
from ift.evaluation.measures import Measure, measure_of
from ift.evaluation.verdict import verdict
from ift.events import TrainEvent
from ift.options import options_of
from ift.plurals import plural
from ift.runs.folder import open_run
from ift.runs.lifecycle import logged
from ift.runs.processes import keep_memory
from ift.runs.scores import GroupSummary, JudgeSummary, Summary
from ift.runs.stop import Stop


def add(command: Parser) -> None:
    """The options."""
    command.add_argument("run_folder", metavar="RUN", help="Folder of a run that has saved a checkpoint.")
    for option in options_of(EvaluationOptions).values():
        command.option(option)
    command.add_argument("--attached", action="store_true", help="Stop when standard input ends.")


def run(args: Namespace) -> int:
    """Write answers and scores into the run folder, and print what they come to."""
    options = EvaluationOptions(**{one.name: getattr(args, one.name) for one in fields(EvaluationOptions)})
    run = open_run(Path(args.run_folder))
    keep_memory()
    with run.writing():
        if not args.attached:
            run.clear_stop()  # an old one; the page clears it itself, and may have asked anew since
        stop = Stop(run)
        stop.listen(attached=args.attached)
        run.evaluation.path.unlink(missing_ok=True)
        try:
            code = show_evaluation(logged(run.evaluation, _events(run, stop, options)))
        finally:
            run.clear_stop()
    if code == 0 and (scores := run.scores):
        print(json.dumps(scores.to_dict()) if args.json else _table(scores))
    return code


def _events(*args: Any) -> Iterator[TrainEvent]:
    from ift.evaluation.evaluate import evaluate_events

    yield from evaluate_events(*args)


def _table(scores: Summary) -> str:
    found = verdict(scores)
    head = f"{'':26} {'before':>12} {'after':>12}  {'95 % of the difference':26} {'better':>6} {'same':>6} {'worse':>6}"
    rows = [_row(scores, measure_of(name)) for name in scores.after]
    groups = [_group(name, group) for name, group in scores.held_out.items()]
    sentences = [f"{found.title}: {found.sentence}", found.basis, *found.cautions]
    judges = [line for judge in scores.judges.values() for line in _judged(judge)]
    return "\n".join([*filter(None, sentences), "", head, *rows, *groups, *judges])


def _row(scores: Summary, measure: Measure) -> str:
    found = scores.metric(measure.name)
    means = f"{measure.show(found.before):>12} {measure.show(found.after):>12}"
    interval = measure.show_interval(found.interval)
    counts = (found.outcome.wins, found.outcome.ties, found.outcome.losses) if found.outcome else ("", "", "")
    return f"{measure.title:26} {means}  {interval:26} {counts[0]:>6} {counts[1]:>6} {counts[2]:>6}"


def _group(name: str, group: GroupSummary) -> str:
    found, measure = group.metric("exact_match"), measure_of("exact_match")
    means = f"{measure.show(found.before)} → {measure.show(found.after)}"
    return f"exact match of the {plural(group.n, 'record')} with a held-out {name}: {means}"


def _judged(judge: JudgeSummary) -> list[str]:
    """What could not be read, and the blind pairs."""
    lines = [f"{judge.model}: {plural(judge.scored, 'answer')} graded, {judge.unread:,} could not be read"]
    if judge.pairs:
        won = f"{judge.pairs.wins:,} better, {judge.pairs.ties:,} the same, {judge.pairs.losses:,} worse"
        chance = f"p = {judge.pairs.p_value:.2g}, {judge.unread_pairs:,} without a verdict"
        lines.append(f"{judge.model}, blind pairs in both orders, after against before: {won} ({chance})")
    return lines
