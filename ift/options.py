"""An option is declared once, as a dataclass field: its help, limits and choices are read from there everywhere.

TrainConfig.learning_rate ─ declare(3e-4, Option(help, above=0, maximum=1, group=…))
        │ options_of
        ▼
     Option ─┬─ check     what `TrainConfig` refuses          ─┬─ describe  the help of the command line
             ├─ parse     what the command line reads          ├─ limits    docs/options.md
             └─ group     where the page's form shows it       └─ help      the page's form, `help(TrainConfig)`
"""

import dataclasses
import inspect
import math
import operator
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import KW_ONLY, dataclass, field
from difflib import get_close_matches
from enum import StrEnum
from types import MappingProxyType, NoneType
from typing import TypeVar, get_args, get_type_hints

from ift.errors import ConfigError

NO_ALIASES: Mapping[str, str] = MappingProxyType({})
LONGEST_QUOTE = 40
"""Characters of a wrong value that an error repeats."""


class Group(StrEnum):
    """What belongs together on the page, in the help and in the docs; in this order."""

    DATA = "Model and data"
    LENGTH = "Length of training"
    OPTIMIZER = "Optimizer"
    BATCH = "Batch and memory"
    LORA = "LoRA"
    DROPOUT = "Dropout"
    REPORTS = "Evaluation and saving"
    PROCESSES = "Several processes"


_NOT = {int: "not a whole number", float: "not a number", bool: "neither true nor false", str: "not a text"}


@dataclass(frozen=True, slots=True)
class Option:
    """One option: what it does and what it may be.

    Attributes:
        help: One sentence without its period.
        name: As in the dataclass, on the command line and in files.
        kind: `int`, `float`, `bool` or `str`.
        optional: Whether None is a value.
        default: Its value unless given.
        group: Where it is shown; None: it is set by the program and shown nowhere.
        minimum, maximum: The lowest and the highest value.
        above, below: Limits that are no values themselves.
        choices: All values there are.
        special: Values with a meaning of their own, inside or outside the limits: {-1: "the epochs decide"}.
        unset: What None means.
        example: A sensible value, as one writes it.
        aliases: Names that other tools have for it; an error about one of them suggests this option.
        needs: An option that has to be above 0 for this one to matter.
    """

    help: str
    _: KW_ONLY
    name: str = ""
    kind: type = str
    optional: bool = False
    default: object = None
    group: Group | None = None
    minimum: float | None = None
    maximum: float | None = None
    above: float | None = None
    below: float | None = None
    choices: tuple[str, ...] = ()
    special: Mapping[float, str] = field(default_factory=dict)
    unset: str = ""
    example: str = ""
    aliases: tuple[str, ...] = ()
    needs: str = ""

    @property
    def limits(self) -> str:
        """`above 0 and at most 1`, `one of linear, cosine`, `true or false`; empty where any text is a value."""
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        if self.kind is bool:
            return "true or false"
        if self.minimum is not None and self.maximum is not None:
            return f"from {_plain(self.minimum)} to {_plain(self.maximum)}"
        ends = (("above", self.above), ("at least", self.minimum), ("below", self.below), ("at most", self.maximum))
        return " and ".join(f"{word} {_plain(end)}" for word, end in ends if end is not None)

    @property
    def meanings(self) -> str:
        """What its special values mean: `0: no clipping`; empty where there are none."""
        return "; ".join(f"{_plain(value)}: {meaning}" for value, meaning in self.special.items())

    @property
    def default_text(self) -> str:
        """The default, as one writes it, or what no value means."""
        return self.unset if self.default is None else show(self.default)

    def describe(self, *, default: str | None = None, lists_values: bool = True) -> str:
        """Help, limits, special values and default in short sentences.

        Args:
            default: Instead of the default's own text; empty: none is shown.
            lists_values: Whether choices, true and false are listed; not where they can be seen beside it.
        """
        default = self.default_text if default is None else default
        needs = f"needs {self.needs}" if self.needs else ""
        limits = self.limits if lists_values or not (self.choices or self.kind is bool) else ""
        parts = (self.help, limits, self.meanings, needs, f"default: {default}" if default else "")
        return " ".join(f"{part[0].upper()}{part[1:]}." for part in parts if part)

    def parse(self, text: str) -> object:
        """A value from the command line, checked.

        Raises:
            ConfigError: the text is of another type, or its value is outside the limits.
        """
        value: object = text
        if self.kind is bool:
            value = {"true": True, "false": False}.get(text.lower(), text)
        elif self.kind in (int, float):
            with suppress(ValueError):  # it stays a text, which `check` refuses
                value = self.kind(text)
        self.check(value)
        return value

    def check(self, value: object) -> None:
        """Refuse what this option can't be.

        Raises:
            ConfigError: with the value, the limit and what to use instead.
        """
        if value is None and self.optional:
            return
        if wrong := self._wrong_type(value) or self._wrong_choice(value) or self._outside(value):
            raise ConfigError(f"{self.name}: {quote(value)} {wrong}", fix=self._fix(value))

    def _wrong_type(self, value: object) -> str:
        accepted = (int, float) if self.kind is float else (self.kind,)
        if not isinstance(value, accepted) or (isinstance(value, bool) and self.kind is not bool):
            return f"is {_NOT[self.kind]}"
        return "is not a finite number" if isinstance(value, float) and not math.isfinite(value) else ""

    def _wrong_choice(self, value: object) -> str:
        return "is unknown" if self.choices and value not in self.choices else ""

    def _outside(self, value: object) -> str:
        if isinstance(value, bool | str) or not isinstance(value, int | float) or value in self.special:
            return ""
        ends = (
            (self.above, operator.gt, "is not above"),
            (self.minimum, operator.ge, "is below"),
            (self.below, operator.lt, "is not below"),
            (self.maximum, operator.le, "is above"),
        )
        broken = (f"{what} {_plain(end)}" for end, good, what in ends if end is not None and not good(value, end))
        return next(broken, "")

    def _fix(self, value: object) -> str:
        if isinstance(value, str) and (near := nearest(value, self.choices)):
            return f"Did you mean {near}?"
        parts = [self._noun(value), self.limits]
        use = (" " if self.limits.startswith(("from", "above")) else ", ").join(part for part in parts if part)
        example = f", such as {self.example}" if self.example else ""
        other = f" ({self.meanings})" if self.special else ""
        unset = f", or leave it out: {self.unset}" if self.unset else ""
        return f"Use {use}{example}{other}{unset}."

    def _noun(self, value: object) -> str:
        if self.kind is int and not isinstance(value, int):
            return "a whole number"
        if self.kind in (int, float) and not self.limits.startswith("at least"):
            return "a number"
        return "" if self.limits else "text"


T = TypeVar("T")


def declare(default: T, option: Option) -> T:
    """A dataclass field with this default that is an option."""
    return field(default=default, metadata={"option": option})


def options_of(declaring: type) -> Mapping[str, Option]:
    """All options of a dataclass by name, with the names, types and defaults of its fields."""
    if declaring not in _declared:
        _declared[declaring] = _read_options(declaring)
    return _declared[declaring]


_declared: dict[type, Mapping[str, Option]] = {}
"""Read once: each run that is read checks its options."""


def _read_options(declaring: type) -> Mapping[str, Option]:
    types = get_type_hints(declaring)
    options = {}
    for one in dataclasses.fields(declaring):
        kinds = get_args(types[one.name]) or (types[one.name],)
        options[one.name] = dataclasses.replace(
            one.metadata["option"],
            name=one.name,
            kind=next(kind for kind in kinds if kind is not NoneType),
            optional=NoneType in kinds,
            default=one.default,
        )
    return MappingProxyType(options)


def check_options(value: object) -> None:
    """Check each option of a dataclass's instance by itself.

    Raises:
        ConfigError: the first that is outside its limits, or that lacks the option it needs.
    """
    options = options_of(type(value))
    for name, option in options.items():
        given = getattr(value, name)
        option.check(given)
        if option.needs and given != option.default and not getattr(value, option.needs) > 0:
            example = options[option.needs].example
            fix = f"Set {option.needs}, too, such as {example}, or leave {name} out."
            raise ConfigError(f"{name}: {quote(given)} does nothing without {option.needs}", fix=fix)


def document(declaring: type[T]) -> type[T]:
    """A class decorator: the docstring gets one line per option."""
    lines = [f"    {name}: {option.describe()}" for name, option in options_of(declaring).items()]
    declaring.__doc__ = "\n".join([inspect.cleandoc(declaring.__doc__ or ""), "", "Attributes:", *lines])
    return declaring


def nearest(word: str, known: Iterable[str], *, aliases: Mapping[str, str] = NO_ALIASES) -> str:
    """The known name that somebody meant, or nothing; `aliases`: what others call it → its name here."""
    if word in aliases:
        return aliases[word]
    close = get_close_matches(word, [*known, *aliases], n=1, cutoff=0.7)
    return aliases.get(close[0], close[0]) if close else ""


def quote(value: object) -> str:
    """A wrong value as an error repeats it."""
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= LONGEST_QUOTE else f"{text[:LONGEST_QUOTE]}…"


def show(value: object) -> str:
    """A value as one writes it: `3e-4`, `true`, `2`."""
    if isinstance(value, bool):
        return str(value).lower()
    return _plain(value) if isinstance(value, int | float) else str(value)


def _plain(number: float) -> str:
    if isinstance(number, int):
        return str(number)
    text = f"{number:.15g}" if number == 0 or abs(number) >= 1e-3 else f"{number:.15e}"
    mantissa, e, exponent = text.partition("e")
    mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    return f"{mantissa}e{int(exponent)}" if e else mantissa
