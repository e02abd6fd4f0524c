"""A run's config.json as a recipe: what another machine needs to rebuild the run, and what would make it another one.

On the CPU a run is rebuilt bit for bit where the threads, the processor's instructions and torch agree.
"""

import json
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from ift.data.records import Dataset
from ift.errors import RunError
from ift.runs.run_config import RunConfig

MATTER = ("torch", "tiktoken")
"""Versions that the last bits of a result depend on."""


def read_recipe(path: Path) -> RunConfig:
    """What decides a run's result, from its folder or from its config.json under any name.

    Raises:
        RunError: there is no such file, or it is no run's.
    """
    file = path / "config.json" if path.is_dir() else path
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        fix = "Give a run's folder, or the config.json in it."
        raise RunError("This is no run to rebuild", where=str(file), fix=fix) from error
    return RunConfig.from_dict(value, where=str(file))


def require_same_data(recipe: RunConfig, dataset: Dataset) -> None:
    """Refuse to rebuild a run from other records.

    Raises:
        RunError: the data set is not the one that the run was made with.
    """
    if dataset.sha256 != recipe.data.sha256:
        what = "The data set is not the one that the run was made with"
        fix = f"Get the file with the sha256 {recipe.data.sha256[:12]}…, or train without --from."
        raise RunError(what, where=recipe.options.data, fix=fix)


def other_versions(recipe: RunConfig) -> Iterator[str]:
    """What is installed here in another version than the run was made with: a sentence each."""
    for name in MATTER:
        then, now = recipe.versions.get(name), version(name)
        if then and then != now:
            yield f"The run was made with {name} {then}, here is {now}: its last bits may differ."
