"""What a run folder's config.json holds: everything that decides the result."""

import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import version

from ift import __version__
from ift.config import TrainConfig, to_dict
from ift.data.records import Dataset, split
from ift.data.templates import Template
from ift.errors import ConfigError, RunError
from ift.json_fields import from_fields

_FIX = "The file was changed by hand or is damaged: put back what was there, or train again."


@dataclass(frozen=True, slots=True)
class SplitCounts:
    """Records of each split; `from_file`: whether the records name their split themselves."""

    train: int
    validation: int
    test: int
    from_file: bool


@dataclass(frozen=True, slots=True)
class RunData:
    """The data set of a run as it was when the run was made.

    sha256: of the file's bytes. format, layout, dropped: as in `Reading`; empty in a run of an earlier version.
    """

    name: str
    sha256: str
    records: int
    split: SplitCounts
    format: str = ""
    layout: str = ""
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class RunConfig:
    """Everything that decides a run's result.

    options: those of the command line; in the file they are called `config`. template_source: the template's text,
    since the file that `options.template` names may change. versions: of the program and of what it computes with.
    """

    options: TrainConfig = field(metadata={"json": "config"})
    template_source: str
    data: RunData
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def template(self) -> Template:
        """The template that the run was made with.

        Raises:
            TemplateError: its text was changed by hand.
        """
        return Template.parse(self.template_source)

    def to_dict(self) -> dict[str, object]:
        """For config.json."""
        return {
            "config": to_dict(self.options),
            "template_source": self.template_source,
            "data": asdict(self.data),
            "versions": dict(self.versions),
        }

    @classmethod
    def from_dict(cls, value: object, *, where: str) -> "RunConfig":
        """What `to_dict` gave, also of an earlier version: options that it did not have take their defaults.

        Args:
            value: config.json's, parsed.
            where: its path, for errors.

        Raises:
            RunError: it is no run's, or one of its fields is missing or can't be used.
        """
        for name in ("config", "data", "template_source"):
            if not isinstance(value, dict) or name not in value:  # a model's folder has a config.json, too
                fix = "Give a folder that `python -m ift train --out` made."
                raise RunError("This is not a run folder", where=f"{where}: no {name!r}", fix=fix)
        try:
            return from_fields(cls, value, where=where, fix=_FIX)
        except ConfigError as error:
            what = f"The run's options can't be used: {error.what}"
            raise RunError(what, where=f"{where}, field config", fix=_FIX) from error


def describe(config: TrainConfig, dataset: Dataset, template: Template) -> RunConfig:
    """What a new run with these options, data and template is made of."""
    parts = split(dataset.examples)
    counts = SplitCounts(len(parts.train), len(parts.validation), len(parts.test), parts.from_file)
    return RunConfig(
        options=config,
        template_source=template.source,
        data=RunData(
            name=dataset.name,
            sha256=dataset.sha256,
            records=len(dataset),
            split=counts,
            format=dataset.reading.format,
            layout=dataset.reading.layout,
            dropped=dataset.reading.dropped,
        ),
        versions={
            "ift": __version__,
            "torch": version("torch"),
            "tiktoken": version("tiktoken"),
            "python": platform.python_version(),
        },
    )
