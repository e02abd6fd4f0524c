"""From a data set, a template and a mask to the rows that a run trains and validates on. No torch."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from ift.batching import is_cut, name_trained, sort_out
from ift.data import Split, split
from ift.errors import DataError
from ift.templates import Template
from ift.tokenizer import encode
from ift.types import Encoded, Example, Role

T = TypeVar("T")
VALIDATION_ROWS = 256
"""Validation rows at most, spread evenly: beyond that an evaluation every few steps would cost more than training."""
SAMPLES = 4
"""Validation prompts that are answered at each evaluation."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Encoded rows of a run, those that train nothing left out. `warnings`: what the user should know of them."""

    train: tuple[Encoded, ...]
    validation: tuple[Encoded, ...]
    samples: tuple[int, ...]
    """Records, as positions in the file."""
    max_length: int
    split: Split
    warnings: tuple[str, ...]


def encode_all(examples: Sequence[Example], template: Template) -> list[Encoded]:
    """One row an example, in order."""
    return [encode(template.render(example)) for example in examples]


def prepare(
    examples: Sequence[Example],
    template: Template,
    *,
    trained: frozenset[Role],
    n_positions: int,
    max_length: int | None = None,
    max_length_policy: str = "truncate",
) -> Rows:
    """Split, encode, cut at the model's context or at `max_length`, leave out what trains nothing.

    `max_length_policy`: see `TrainConfig`.

    Raises:
        DataError: nothing is left to train on, or a row is too long and the policy is `raise`.
    """
    parts = split(examples)
    limit = min(n_positions, max_length or n_positions)
    warnings = _mask_warnings(trained)
    if max_length and max_length > n_positions:
        warnings.append(f"max_length {max_length} is beyond the model's context: rows are cut at {n_positions} tokens.")
    kept = {}
    for name, records in (("training", parts.train), ("validation", parts.validation)):
        rows = encode_all([examples[i] for i in records], template)
        rows = _fitting(rows, records, name, limit, max_length_policy, warnings)
        kept[name] = _usable(rows, name, trained, limit, warnings)
    if not parts.train:
        fix = 'Give at least 2 records, or mark some with "split": "train".'
        raise DataError("The training part is empty", where=f"{len(examples):,} records", fix=fix)
    if not kept["training"]:
        fix = f"Train other roles than {name_trained(trained)}, raise max_length, or give more records."
        raise DataError("No training row has a target", where=f"{len(parts.train):,} training records", fix=fix)
    if not kept["validation"]:
        warnings.append("No validation row is left: there will be no validation loss.")
    if len(kept["validation"]) > VALIDATION_ROWS:
        warnings.append(f"Validation loss is measured on {VALIDATION_ROWS} of {len(kept['validation']):,} rows.")
        kept["validation"] = _spread(kept["validation"], VALIDATION_ROWS)
    samples = _spread(parts.validation, SAMPLES)
    return Rows(kept["training"], kept["validation"], samples, limit, parts, tuple(warnings))


def _fitting(
    rows: Sequence[Encoded], records: Sequence[int], name: str, limit: int, policy: str, warnings: list[str]
) -> Sequence[Encoded]:
    """The rows that the policy lets through; what it leaves out is added to `warnings`."""
    fitting = [row for row in rows if not is_cut(row, limit)]
    count = len(rows) - len(fitting)
    if policy == "truncate" or not count:
        return rows
    what = f"{count:,} {name} rows are longer than {limit} tokens"
    if policy == "raise":
        first = next(record for record, row in zip(records, rows, strict=True) if is_cut(row, limit))
        fix = "Raise max_length if the model's context allows it, or choose the max_length_policy truncate or drop."
        raise DataError(what, where=f"the first is row {first}", fix=fix)
    warnings.append(f"{what} and are left out.")
    return fitting


def _usable(
    rows: Sequence[Encoded], name: str, trained: frozenset[Role], limit: int, warnings: list[str]
) -> tuple[Encoded, ...]:
    """The rows that train something; what happens to the others is added to `warnings`."""
    ready = sort_out(rows, trained=trained, max_length=limit)
    if ready.cut:
        warnings.append(f"{len(ready.cut):,} {name} rows are cut at {limit} tokens and lose their end-of-text.")
    if ready.left_out:
        warnings.append(f"{len(ready.left_out):,} {name} rows have no trained target and are left out.")
    return tuple(rows[i] for i in ready.kept)


def _mask_warnings(trained: frozenset[Role]) -> list[str]:
    warnings = []
    if Role.EOS not in trained:
        warnings.append("End-of-text is not trained: the model will not learn to stop.")
    if Role.PAD in trained:
        warnings.append("Padding is trained: part of the work goes into predicting filling.")
    return warnings


def _spread(values: Sequence[T], count: int) -> tuple[T, ...]:
    """So many of the values, evenly from first to last."""
    step = max(1, len(values) // count)
    return tuple(values[::step][:count])
