"""`compare`: two to six runs side by side."""

import json
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

from ift.cli.arguments import Parser
from ift.evaluation.measures import measure_of
from ift.experiments.compare_runs import (
    MOST_RUNS,
    ComparedAnswers,
    PairedScore,
    RunsComparison,
    compare_runs,
    verdict_sentence,
)
from ift.options import Option
from ift.plurals import plural
from ift.runs.folder import open_run

LONGEST = 60
"""Characters of a value in the table of settings."""


def add(command: Parser) -> None:
    """The options."""
    help_ = f"The folders of 2 to {MOST_RUNS} runs; each is compared with the first."
    command.add_argument("run_folders", metavar="RUN", nargs="+", help=help_)
    text = "Records shown on which some runs are right and others are not"
    command.option(Option(text, name="records", kind=int, default=3, minimum=0, example="3"), metavar="N")


def run(args: Namespace) -> int:
    """Compare, and print a text or JSON."""
    made = compare_runs([open_run(Path(folder)) for folder in args.run_folders])
    print(json.dumps(made.to_dict(), ensure_ascii=False) if args.json else "\n".join(_text(made, args.records)))
    return 0


def _text(made: RunsComparison, records: int) -> Iterator[str]:
    yield f"Different ({plural(len(made.same), 'setting')} the same):"
    for one in made.differences:
        yield f"  {one.name}: {' | '.join(_short(value) for value in one.values)}"
    role = made.curves[0].role
    yield f"Validation loss{f' on the {role}' if role else ''}, first and last, nats:"
    for name, curve in zip(made.runs, made.curves, strict=True):
        ends = f"{curve.points[0][1]:.4f} → {curve.points[-1][1]:.4f}" if curve.points else "none"
        yield f"  {name}: {ends}"
    if made.missing:
        yield f"Not scored yet: {', '.join(made.missing)}. Run `python -m ift evaluate` on it."
    elif not made.scores:
        yield "No record was answered by all of these runs."
    for number, scores in enumerate(made.scores, start=1):
        yield f"{made.runs[number]} against {made.runs[0]}:"
        yield from (_score(score) for score in scores)
        if headline := made.headline(number):
            title = measure_of(headline.score).title
            sentence = verdict_sentence(headline, first=made.runs[0], other=made.runs[number], title=title)
            yield f"  Verdict: {headline.verdict}. {sentence}"
            yield "  One seed each: another seed may give another result."
    for answer in [answer for answer in made.answers if answer.is_split][:records]:
        yield from _answer(made, answer)


def _score(score: PairedScore) -> str:
    low, high = score.interval or (0.0, 0.0)
    means = f"{score.first:6.3f} {score.other:6.3f}  {score.difference:+.3f} [{low:+.3f}, {high:+.3f}]"
    counts = f"better on {score.better}, worse on {score.worse}"
    return f"  {measure_of(score.score).title:18} {means}  {counts}: {score.verdict}"


def _answer(made: RunsComparison, answer: ComparedAnswers) -> Iterator[str]:
    yield f"Record {answer.record}: {_short(f'{answer.instruction} {answer.input}')}"
    yield f"  expected: {_short(answer.output)}"
    for name, text in zip(made.runs, answer.answers, strict=True):
        yield f"  {name}: {_short(text)}"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"
