"""How a data file is read: the options that go with every `--data`, as one checked value."""

from collections.abc import Mapping
from dataclasses import dataclass

from ift.errors import ConfigError

LAYOUTS = ("auto", "alpaca", "prompt-completion", "messages", "sharegpt", "question-answer", "dolly")
TURNS = ("last", "first", "each")
ON_ERROR = ("raise", "drop")
TARGETS = ("instruction", "input", "output", "system", "messages")
"""What a field of the file can become: text of a record, text in front of its instruction, or a conversation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataOptions:
    """How the records of a file become instruction, input and output.

    layout: a name from `LAYOUTS`; `auto` takes the one that most records have. fields: pairs such as
    `instruction=question,output=answer`, ours before the file's; each takes precedence over the layout's. turns: which
    answers of a conversation are learned, the `last`, the `first` or `each`. on_error: whether records that can't be
    used refuse the file (`raise`) or are left out and reported (`drop`).

    Raises:
        ConfigError: an unknown name, or pairs that can't be read.
    """

    layout: str = "auto"
    fields: str = ""
    turns: str = "last"
    on_error: str = "raise"

    def __post_init__(self) -> None:
        for name, known in (("layout", LAYOUTS), ("turns", TURNS), ("on_error", ON_ERROR)):
            value = getattr(self, name)
            if value not in known:
                raise ConfigError(f"{name} can't be {value}", where=name, fix=f"Use one of {', '.join(known)}.")
        _ = self.mapping

    @property
    def mapping(self) -> Mapping[str, str]:
        """What `fields` says: the name of a part of a record → the file's name of it."""
        pairs = [pair.partition("=") for pair in self.fields.split(",") if pair.strip()]
        mapping = {ours.strip(): theirs for ours, _, theirs in pairs}
        if set(mapping) <= set(TARGETS) and len(mapping) == len(pairs) and all(mapping.values()):
            return mapping
        fix = f"Use pairs such as instruction=question,output=answer; before the = one of {', '.join(TARGETS)}, once."
        raise ConfigError(f"fields can't be {self.fields[:80]!r}", where="fields", fix=fix)
