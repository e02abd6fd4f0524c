"""What a run folder's config.json holds: everything that decides the result."""

import platform
from importlib.metadata import version

from ift import __version__
from ift.config import TrainConfig, to_dict
from ift.data.records import Dataset, split
from ift.data.templates import Template


def describe(config: TrainConfig, dataset: Dataset, template: Template) -> dict:
    """What config.json holds: everything that decides the result."""
    parts = split(dataset.examples)
    counts = {"train": len(parts.train), "validation": len(parts.validation), "test": len(parts.test)}
    return {
        "config": to_dict(config),
        "template_source": template.source,
        "data": {
            "name": dataset.name,
            "sha256": dataset.sha256,
            "records": len(dataset),
            "format": dataset.reading.format,
            "layout": dataset.reading.layout,
            "dropped": dataset.reading.dropped,
            "split": {**counts, "from_file": parts.from_file},
        },
        "versions": {
            "ift": __version__,
            "torch": version("torch"),
            "tiktoken": version("tiktoken"),
            "python": platform.python_version(),
        },
    }
