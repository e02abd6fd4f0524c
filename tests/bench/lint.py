"""How soon the linter of a template has something to say on a large data set, and when it has seen every row."""

import time
from dataclasses import asdict, dataclass
from statistics import median

from ift.audit.linter import lint
from ift.data.templates import load_template
from tests.bench.records import examples_of, records
from tests.bench.turns import machine


@dataclass(frozen=True, slots=True)
class Setup:
    """What is measured."""

    data: str
    records: int
    rounds: int


def measure(setup: Setup) -> dict:
    """Medians of the seconds until the first report and until the last; the vocabulary is loaded before."""
    examples, template = examples_of(records(setup.data, setup.records)), load_template("alpaca")
    list(lint(examples[:1], template))
    began, cpu, times = time.perf_counter(), time.process_time(), []
    for _ in range(setup.rounds):
        start, reports = time.perf_counter(), lint(examples, template)
        first = next(reports)
        first_s = time.perf_counter() - start
        *_, last = reports
        times.append((first_s, time.perf_counter() - start))
    wall, used = time.perf_counter() - began, time.process_time() - cpu
    return {
        **asdict(setup),
        "machine": machine("tiktoken"),
        "first_rows": first.rows,
        "first_s": median(time[0] for time in times),
        "total_s": median(time[1] for time in times),
        "tokens": sum(last.tokens),
        "cores_used": used / wall,
    }


def table(result: dict) -> str:
    """The same for people."""
    return (
        f"{result['records']:,} records like {result['data']}, {result['tokens']:,} tokens. {result['machine']}\n"
        f"first report, on {result['first_rows']} rows, after {result['first_s']:.3f} s; all rows after "
        f"{result['total_s']:.2f} s; {result['cores_used']:.2f} cores used"
    )
