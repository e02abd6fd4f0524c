"""Supervised instruction fine-tuning of GPT-2, from the prompt template to the held-out score.

    >>> import ift
    >>> dataset, template = ift.load_dataset("starter"), ift.load_template("alpaca")
    >>> ift.batch_for(dataset.examples[:8], template).inputs.shape
    (8, 57)

Each name loads its module at its first use: `import ift` alone loads neither torch nor numpy.
"""

import importlib
from typing import TYPE_CHECKING

__version__ = "0.1.0"
__all__ = [
    "Batch",
    "Completion",
    "Dataset",
    "Encoded",
    "Evaluated",
    "EvaluationOptions",
    "Example",
    "IftError",
    "Role",
    "Run",
    "Stepped",
    "Template",
    "TrainConfig",
    "TrainEvent",
    "batch_for",
    "collate",
    "encode_all",
    "evaluate",
    "generate",
    "load_dataset",
    "load_model",
    "load_template",
    "make_config",
    "open_run",
    "parse_trained",
    "split",
    "train",
]

if TYPE_CHECKING:
    from ift.config import TrainConfig, make_config
    from ift.data.batching import Batch, collate
    from ift.data.bulk_encoding import encode_all
    from ift.data.records import Dataset, split
    from ift.data.sources import load_dataset
    from ift.data.templates import Template, load_template
    from ift.errors import IftError
    from ift.evaluation.evaluation_options import EvaluationOptions
    from ift.events import Evaluated, Stepped, TrainEvent
    from ift.masks import parse_trained
    from ift.model.load_by_name import load_model
    from ift.notebook import batch_for, evaluate, generate, train
    from ift.roles import Role
    from ift.runs.folder import Run, open_run
    from ift.types import Completion, Encoded, Example

_MODULES = {
    "ift.config": ("TrainConfig", "make_config"),
    "ift.data.batching": ("Batch", "collate"),
    "ift.data.bulk_encoding": ("encode_all",),
    "ift.data.records": ("Dataset", "split"),
    "ift.data.sources": ("load_dataset",),
    "ift.data.templates": ("Template", "load_template"),
    "ift.errors": ("IftError",),
    "ift.evaluation.evaluation_options": ("EvaluationOptions",),
    "ift.events": ("Evaluated", "Stepped", "TrainEvent"),
    "ift.model.load_by_name": ("load_model",),
    "ift.notebook": ("batch_for", "evaluate", "generate", "train"),
    "ift.masks": ("parse_trained",),
    "ift.roles": ("Role",),
    "ift.runs.folder": ("Run", "open_run"),
    "ift.types": ("Completion", "Encoded", "Example"),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'ift' has no attribute {name!r}")
    value: object = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value  # the next use finds it without this function
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
