"""The data set a run was made with, and which records it never trained on.

No torch: the page asks before it starts anything.
"""

from collections.abc import Callable

from ift.data.records import Dataset, split
from ift.data.sources import load_dataset
from ift.errors import DataError, RunError
from ift.plurals import plural
from ift.runs.folder import Run


def load_run_data(run: Run, *, progress: Callable[[int, int], None] | None = None) -> Dataset:
    """The data set a run was made with; `progress`: see `load_dataset`.

    Raises:
        RunError: the file has changed since.
        DataError: it is gone.
    """
    config = run.config
    dataset = load_dataset(config.options.data, options=config.options.data_options, progress=progress)
    if dataset.sha256 != config.data.sha256:
        fix = "Put the old file back, or train again: the split may be another one now."
        raise RunError("The data file has changed since this run was made", where=config.options.data, fix=fix)
    return dataset


def load_held_out(run: Run) -> tuple[Dataset, tuple[int, ...]]:
    """The data set a run was made with, and the records it never trained on.

    Raises:
        RunError: the file has changed since.
        DataError: it is gone, or holds no test record.
    """
    dataset = load_run_data(run)
    records = split(dataset.examples).test
    if not records:
        fix = 'Give at least 10 records, or mark some with "split": "test".'
        raise DataError("There is no held-out record to answer", where=plural(len(dataset), "record"), fix=fix)
    return dataset, records
