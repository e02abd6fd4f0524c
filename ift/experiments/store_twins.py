"""What runs say about the twins, into the file that ships: `python -m ift.experiments.store_twins RUNS`.

RUNS is a page's folder of runs: let tab 5 run the twins and "One more seed", then store.
What was measured before stays.
"""

import argparse
from collections.abc import Iterable, Mapping
from pathlib import Path

from ift.experiments.compare_runs import compare_runs
from ift.experiments.twins import (
    MEASURED,
    SEED,
    TWINS,
    Trial,
    Twin,
    TwinResult,
    measured,
    side_result,
    to_json,
    twin_result,
)
from ift.runs.folder import Run, list_runs
from ift.types import Side

SEEDS = range(SEED, SEED + 3)


def with_runs(known: Mapping[str, TwinResult], runs: Iterable[Run]) -> dict[str, TwinResult]:
    """What was measured before, with the seeds of `SEEDS` that these runs add.

    Raises:
        RunError: a run is damaged, or its answers can't be compared.
    """
    trials = {_trial(run): run for run in runs if run.answers(Side.AFTER)}
    found = ((one.name, _with_seeds(one, known.get(one.name), trials)) for one in TWINS)
    return {name: result for name, result in found if result}


def _with_seeds(one: Twin, known: TwinResult | None, trials: Mapping[Trial, Run]) -> TwinResult | None:
    there = known.seeds if known else ()
    new = [seed for seed in SEEDS if seed not in there and all(trial in trials for trial in one.trials(seed))]
    if not new:
        return known
    made = [compare_runs([trials[trial] for trial in one.trials(seed)]) for seed in new]
    added = twin_result(one, new, made)
    if known is None:
        return added
    pairs = zip(known.sides, added.sides, strict=True)
    sides = tuple(side_result(old.first + more.first, old.other + more.other) for old, more in pairs)
    return TwinResult((*there, *new), sides)


def _trial(run: Run) -> Trial:
    scores = run.scores
    return Trial(run.config.options, scores.template if scores else "")


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=Path, metavar="RUNS", help="The folder of the runs.")
    text = to_json(with_runs(measured(), list_runs(parser.parse_args().runs)))
    MEASURED.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
