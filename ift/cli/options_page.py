"""docs/options.md, made from the options themselves: `python -m ift.cli.options_page` writes it."""

import argparse
from collections.abc import Mapping
from pathlib import Path

from ift.cli.parser import TRAIN_OPTIONS, build_parser, preset_defaults
from ift.config import PRESETS
from ift.options import Group, Option, show

PAGE = Path(__file__).resolve().parents[2] / "docs" / "options.md"
HEAD = """# Options

Made by `python -m ift.cli.options_page` from `TrainConfig` (ift/config.py) and the commands (ift/cli/parser.py): change
an option there. Names are Hugging Face's; a hyphen and an underscore are the same: `--train-on` is `--train_on`.

## Options of a run

`train` and `estimate` take all of these, and the form on tab 3 shows them in the same groups. In Python they are the
fields of `TrainConfig`. `--preset` chooses the defaults: `quick` for the starter model, `book` for every other one.
"""


def options_page() -> str:
    """The whole page, in Markdown."""
    groups = [line for group in Group for line in _group(group)]
    presets = [line for name, preset in PRESETS.items() for line in _preset(name, preset)]
    commands = [line for command in _commands(build_parser()) for line in _command(command)]
    return "\n".join([HEAD, *groups, "## Presets", "", *presets, "", "## Commands", "", *commands]).rstrip() + "\n"


def _group(group: Group) -> list[str]:
    options = [option for option in TRAIN_OPTIONS.values() if option.group is group]
    head = [f"### {group.value}", "", "| option | values | default | what it does |", "|---|---|---|---|"]
    return [*head, *map(_row, options), ""]


def _row(option: Option) -> str:
    kinds = {int: "whole number", float: "number", bool: "", str: "" if option.choices else "text"}
    values = " ".join(part for part in (kinds[option.kind], option.limits) if part)
    values += f" ({option.meanings})" if option.special else ""
    needs = f"; needs `{option.needs}`" if option.needs else ""
    return f"| `{option.name}` | {values} | {preset_defaults(option)} | {option.help}{needs} |"


def _preset(name: str, preset: Mapping[str, object]) -> list[str]:
    values = ", ".join(f"`{option}` {show(value)}" for option, value in preset.items())
    return [f"- `{name}`: {values or 'the defaults above'}"]


def _commands(parser: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    """All commands that run something, in order; of a command with commands, these."""
    inner = [action.choices for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not inner:
        return [parser]
    return [one for choices in inner for command in choices.values() for one in _commands(command)]


def _command(parser: argparse.ArgumentParser) -> list[str]:
    actions = [action for action in parser._actions if not isinstance(action, argparse._HelpAction)]
    if {action.dest for action in actions} >= {name for name, option in TRAIN_OPTIONS.items() if option.group}:
        actions = [action for action in actions if action.dest not in TRAIN_OPTIONS]  # the tables have them
    about = (parser.description or "").replace("\n", " ")
    return [f"### {parser.prog}", "", about, "", *map(_argument, actions), "", *_examples(parser), ""]


def _argument(action: argparse.Action) -> str:
    name = (action.option_strings or [str(action.metavar)])[0]
    values = "" if action.metavar else "|".join(map(str, action.choices or ()))
    values = values or (action.metavar if isinstance(action.metavar, str) else "")
    shown = f"{name} {values}" if "," in values or "|" in values else name
    return f"- `{shown}`: {(action.help or '').replace('%%', '%')}"


def _examples(parser: argparse.ArgumentParser) -> list[str]:
    lines = (parser.epilog or "").splitlines()[1:]
    return ["```", *(line.strip() for line in lines), "```"]


def main() -> None:
    """Write the page."""
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(options_page(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
