"""How a data file is read: the options that go with every `--data`, as one checked value."""

from collections.abc import Mapping
from dataclasses import dataclass

from ift.errors import ConfigError
from ift.options import Group, Option, check_options, declare, document

LAYOUTS = ("auto", "alpaca", "prompt-completion", "messages", "sharegpt", "question-answer", "dolly")
TURNS = ("last", "first", "each")
ON_ERROR = ("raise", "drop")
TARGETS = ("instruction", "input", "output", "system", "history", "messages")
"""What a field of the file can become: text of a record, what comes before its instruction, or a conversation."""


LAYOUT = Option(
    "What the fields of the records are called; auto takes the layout that most records have",
    choices=LAYOUTS,
    group=Group.DATA,
)
FIELDS = Option(
    f"Names of fields, ours=the file's, with commas: instruction=question,output=answer; ours: {', '.join(TARGETS)}",
    group=Group.DATA,
    aliases=("columns", "field_names", "column_mapping"),
)
TURNS_OPTION = Option("Answers of a conversation that are learned", choices=TURNS, group=Group.DATA)
ON_ERROR_OPTION = Option(
    "Records that can't be used: raise refuses the file, drop leaves them out and reports them",
    choices=ON_ERROR,
    group=Group.DATA,
)


@document
@dataclass(frozen=True, slots=True, kw_only=True)
class DataOptions:
    """How the records of a file become instruction, input and output.

    Raises:
        ConfigError: an unknown name, or pairs that can't be read.
    """

    layout: str = declare("auto", LAYOUT)
    fields: str = declare("", FIELDS)
    turns: str = declare("last", TURNS_OPTION)
    on_error: str = declare("raise", ON_ERROR_OPTION)

    def __post_init__(self) -> None:
        check_options(self)
        _ = self.mapping

    @property
    def mapping(self) -> Mapping[str, str]:
        """What `fields` maps: the name of a part of a record → the file's name of it."""
        pairs = [pair.partition("=") for pair in self.fields.split(",") if pair.strip()]
        mapping = {ours.strip(): theirs for ours, _, theirs in pairs}
        if set(mapping) <= set(TARGETS) and len(mapping) == len(pairs) and all(mapping.values()):
            return mapping
        fix = f"Use pairs such as instruction=question,output=answer; before the = one of {', '.join(TARGETS)}, once."
        raise ConfigError(f"fields: {self.fields[:80]!r} can't be read", fix=fix)
