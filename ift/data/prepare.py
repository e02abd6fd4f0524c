"""From a data set, a template and a mask to the rows that a run trains and validates on. No torch."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from ift.data.batching import cut_rows, select_trainable
from ift.data.bulk_encoding import BLOCK, encode_blocks
from ift.data.records import Split, split
from ift.data.rows import RowStore
from ift.data.templates import Template
from ift.errors import DataError
from ift.events import Preparing
from ift.masks import name_trained
from ift.plurals import agree, plural
from ift.roles import Role
from ift.types import Example

T = TypeVar("T")
VALIDATION_ROWS = 256
"""Validation rows at most, spread evenly: beyond that an evaluation every few steps would cost more than training."""
SAMPLES = 4
"""Validation prompts that are answered at each evaluation."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Encoded rows of a run, those that train nothing left out. `warnings`: what the user should know of them."""

    train: RowStore
    validation: RowStore
    samples: tuple[int, ...]
    """Records, as positions in the file."""
    max_length: int
    split: Split
    warnings: tuple[str, ...]


def preparing(
    examples: Sequence[Example],
    template: Template,
    *,
    trained: frozenset[Role],
    n_positions: int,
    max_length: int | None = None,
    max_length_policy: str = "truncate",
    step: int = 0,
) -> Generator[Preparing, None, Rows]:
    """Split, encode, cut at the model's context or at `max_length`, leave out what trains nothing.

    Yields how far it is, at optimizer step `step`, where that takes long enough to be told; returns the rows.
    `max_length_policy`: see `TrainConfig`.

    Raises:
        DataError: nothing is left to train on, or a row is too long and the policy is `raise`.
    """
    parts = split(examples)
    if not parts.train:
        fix = 'Give at least 2 records, or mark some with "split": "train".'
        raise DataError("The training split is empty", where=plural(len(examples), "record"), fix=fix)
    limit = min(n_positions, max_length or n_positions)
    warnings = [
        *_split_warnings(examples, parts),
        *_mask_warnings(trained),
        *_ending_warnings(examples, template),
    ]
    if max_length and max_length > n_positions:
        warnings.append(f"max_length {max_length} is beyond the model's context: rows are cut at {n_positions} tokens.")
    records = (*parts.train, *parts.validation)
    rows = yield from _encoded([examples[i] for i in records], template, step)
    kept = {}
    for name, chosen in (("training", range(len(parts.train))), ("validation", range(len(parts.train), len(records)))):
        fitting = _fitting(rows, chosen, records, name, limit, max_length_policy, warnings)
        kept[name] = _usable(rows.take(fitting), name, trained, limit, warnings)
    if not kept["training"]:
        fix = f"Train other roles than {name_trained(trained)}, raise max_length, or give more records."
        raise DataError("No training row has a target", where=f"{len(parts.train):,} training records", fix=fix)
    if not kept["validation"]:
        warnings.append("No validation row is left: there will be no validation loss.")
    if len(kept["validation"]) > VALIDATION_ROWS:
        count = len(kept["validation"])
        warnings.append(f"Validation loss is measured on {VALIDATION_ROWS} of {count:,} rows.")
        kept["validation"] = kept["validation"].take(_spread(range(count), VALIDATION_ROWS))
    samples = _spread(parts.validation, SAMPLES)
    return Rows(kept["training"], kept["validation"], samples, limit, parts, tuple(warnings))


def prepare(
    examples: Sequence[Example],
    template: Template,
    *,
    trained: frozenset[Role],
    n_positions: int,
    max_length: int | None = None,
    max_length_policy: str = "truncate",
) -> Rows:
    """`preparing` without its events: split, encode, cut, leave out what trains nothing.

    Raises:
        DataError: nothing is left to train on, or a row is too long and the policy is `raise`.
    """
    work = preparing(
        examples,
        template,
        trained=trained,
        n_positions=n_positions,
        max_length=max_length,
        max_length_policy=max_length_policy,
    )
    while True:
        try:
            next(work)
        except StopIteration as end:
            rows: Rows = end.value
            return rows


def _encoded(examples: Sequence[Example], template: Template, step: int) -> Generator[Preparing, None, RowStore]:
    blocks = []
    for block in encode_blocks(examples, template):
        blocks.append(block)
        if len(examples) > BLOCK:
            yield Preparing(step=step, done=sum(map(len, blocks)), total=len(examples))
    return RowStore.joined(blocks)


def _fitting(
    rows: RowStore,
    chosen: range,
    records: Sequence[int],
    name: str,
    limit: int,
    policy: str,
    warnings: list[str],
) -> Sequence[int]:
    """Those of the chosen rows that the policy lets through; what it leaves out is added to `warnings`."""
    cut = np.intersect1d(cut_rows(rows, limit), chosen)
    if policy == "truncate" or not len(cut):
        return chosen
    count = len(cut)
    what = f"{plural(count, f'{name} row')} {agree(count, 'is|are')} longer than {limit} tokens"
    if policy == "raise":
        fix = "Raise max_length if the model's context allows it, or choose the max_length_policy truncate or drop."
        raise DataError(what, where=f"the first is row {records[cut[0]]}", fix=fix)
    warnings.append(f"{what} and {agree(count, 'is|are')} left out.")
    return [int(row) for row in np.setdiff1d(chosen, cut)]


def _usable(rows: RowStore, name: str, trained: frozenset[Role], limit: int, warnings: list[str]) -> RowStore:
    """The rows that train something; what happens to the others is added to `warnings`."""
    selection = select_trainable(rows, trained=trained, max_length=limit)
    if selection.cut:
        count = len(selection.cut)
        what = agree(count, f"is|are cut at {limit} tokens and loses|lose its|their end-of-text")
        warnings.append(f"{plural(count, f'{name} row')} {what}.")
    if selection.left_out:
        count = len(selection.left_out)
        what = agree(count, "has|have no trained target and is|are left out")
        warnings.append(f"{plural(count, f'{name} row')} {what}.")
    return rows.take(selection.trainable)


def _split_warnings(examples: Sequence[Example], parts: Split) -> list[str]:
    warnings = [] if parts.test else ["No test record: there will be nothing to score the run with."]
    unplaced = sum(not example.split for example in examples)
    if 0 < unplaced < len(examples):
        what = f"{plural(unplaced, 'record')} {agree(unplaced, 'names|name')} no split although others do"
        warnings.append(f"{what}: all are split by file order.")
    return warnings


def _mask_warnings(trained: frozenset[Role]) -> list[str]:
    warnings = []
    if Role.EOS not in trained:
        warnings.append("End-of-text is not trained: the model will not learn to stop.")
    if Role.PAD in trained:
        warnings.append("Padding is trained: part of the work goes into predicting filling.")
    return warnings


def _ending_warnings(examples: Sequence[Example], template: Template) -> list[str]:
    found = template.stopping_inside(examples)
    if not found:
        return []
    ending = template.ending(examples[found[0]])
    outputs = "output contains" if len(found) == 1 else "outputs contain"
    where = f"the first is row {found[0]}"
    return [f"{len(found):,} {outputs} the template's ending {ending!r} ({where}): answers to them will stop there."]


def _spread(values: Sequence[T], count: int) -> tuple[T, ...]:
    """So many of the values, evenly from first to last."""
    step = max(1, len(values) // count)
    return tuple(values[::step][:count])
