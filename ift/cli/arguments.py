"""A parser whose arguments come from `Option`s, and whose errors name what was meant."""

import argparse
from typing import Any, NoReturn

from ift.errors import ConfigError
from ift.options import LONGEST_QUOTE, Option, nearest, quote

METAVARS = {int: "N", float: "X", bool: "{true,false}", str: "NAME"}
HELP_WIDTH = 100
HELP_COLUMN = 34


class Formatter(argparse.RawDescriptionHelpFormatter):
    """Keeps the lines of examples, and gives long names a column of their own."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=HELP_COLUMN, width=HELP_WIDTH)


class Parser(argparse.ArgumentParser):
    """Reads one command; a mistake is a `ConfigError`, as all input errors are."""

    def __init__(self, prog: str, *, usage: str, description: str, epilog: str = "") -> None:
        super().__init__(prog, usage, description, epilog, formatter_class=Formatter, allow_abbrev=False)
        self.aliases: dict[str, str] = {}
        self.set_defaults(parser=self)  # of a command's command, the innermost one's

    def option(
        self,
        option: Option,
        *,
        to: argparse._ActionsContainer | None = None,
        is_required: bool = False,
        default_text: str | None = None,
        metavar: str = "",
    ) -> None:
        """Add an argument for an option.

        Args:
            option: its default is the argument's, too.
            to: the group to add it to; none: the parser itself.
            is_required: whether it has to be given.
            default_text: what the help shows as the default, unless the option's own.
            metavar: what the help shows as the value, unless the kind's or the choices.
        """
        choices = f"{{{','.join(option.choices)}}}" if option.choices else ""
        flag: dict[str, Any] = {"nargs": "?", "const": True} if option.kind is bool else {}
        (to or self).add_argument(
            f"--{option.name}",
            type=option.parse,
            default=option.default,
            required=is_required,
            metavar=metavar or choices or METAVARS[option.kind],
            help=option.describe(default=default_text, lists_values=False).replace("%", "%%"),
            **flag,
        )
        self.aliases |= dict.fromkeys(option.aliases, option.name)

    def error(self, message: str) -> NoReturn:
        """Called by argparse for what it can't read.

        Raises:
            ConfigError: always.
        """
        what = " ".join(message.split()).removeprefix("argument ")
        raise ConfigError(f"{what[0].upper()}{what[1:]}", fix=f"Try {self.prog} --help.")

    def refuse(self, words: list[str]) -> NoReturn:
        """Refuse the words that no argument takes; an option that is near to one is suggested.

        Raises:
            ConfigError: always.
        """
        option = next((word for word in words if word.startswith("--")), "")
        if not option:
            raise ConfigError(f"{quote(words[0])} is one word too many", fix=f"Try {self.prog} --help.")
        name = option.partition("=")[0][2:]
        known = [text[2:] for action in self._actions for text in action.option_strings if text.startswith("--")]
        near = nearest(name, known, aliases=self.aliases)
        meant = f"Did you mean --{near}? " if near else ""
        raise ConfigError(
            f"{self.prog.split()[-1]} has no option --{name[:LONGEST_QUOTE]}",
            fix=f"{meant}`{self.prog} --help` lists all.",
        )

    def _check_value(self, action: argparse.Action, value: object) -> None:
        """Argparse's own check of choices, such as a command's name; it does not suggest any."""
        if action.choices is None or value in action.choices:
            return
        known = [str(choice) for choice in action.choices]
        near = nearest(str(value), known)
        fix = f"Did you mean {near}?" if near else f"Use one of {', '.join(known)}."
        what = "command" if isinstance(action, argparse._SubParsersAction) else "value"
        raise ConfigError(f"There is no {what} {quote(value)}", fix=fix)
