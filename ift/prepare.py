"""From a data set, a template and a mask to the rows that a run trains and validates on. No torch."""

from collections.abc import Sequence
from dataclasses import dataclass

from ift.batching import name_trained, sort_out
from ift.data import Split, split
from ift.errors import DataError
from ift.templates import Template
from ift.tokenizer import encode
from ift.types import Encoded, Example, Role

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
) -> Rows:
    """Split, encode, cut at the model's context or at `max_length`, leave out what trains nothing.

    Raises:
        DataError: nothing is left to train on.
    """
    parts = split(examples)
    limit = min(n_positions, max_length or n_positions)
    warnings = _mask_warnings(trained)
    if max_length and max_length > n_positions:
        warnings.append(f"max_length {max_length} is beyond the model's context: rows are cut at {n_positions} tokens.")
    kept: dict[str, tuple[Encoded, ...]] = {}
    for name, records in (("training", parts.train), ("validation", parts.validation)):
        rows = encode_all([examples[i] for i in records], template)
        ready = sort_out(rows, trained=trained, max_length=limit)
        kept[name] = tuple(rows[i] for i in ready.kept)
        if ready.cut:
            warnings.append(f"{len(ready.cut):,} {name} rows are cut at {limit} tokens and lose their end-of-text.")
        if ready.left_out:
            warnings.append(f"{len(ready.left_out):,} {name} rows have no trained target and are left out.")
    if not kept["training"]:
        fix = f"Train other roles than {name_trained(trained)}, raise max_length, or give more records."
        raise DataError("No training row has a target", where=f"{len(parts.train):,} training records", fix=fix)
    if not kept["validation"]:
        warnings.append("No validation row is left: there will be no validation loss.")
    samples = _spread(parts.validation)
    return Rows(kept["training"], kept["validation"], samples, limit, parts, tuple(warnings))


def _mask_warnings(trained: frozenset[Role]) -> list[str]:
    warnings = []
    if Role.EOS not in trained:
        warnings.append("End-of-text is not trained: the model will not learn to stop.")
    if Role.PAD in trained:
        warnings.append("Padding is trained: part of the work goes into predicting filling.")
    return warnings


def _spread(records: Sequence[int]) -> tuple[int, ...]:
    """A few records, evenly from first to last."""
    step = max(1, len(records) // SAMPLES)
    return tuple(records[::step][:SAMPLES])
