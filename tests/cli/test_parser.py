"""Help that can be read, and mistakes that are told with what was meant."""

import argparse
import dataclasses

import pytest

from ift import __version__
from ift.cli import main
from ift.cli.options_page import PAGE, options_page
from ift.cli.parser import COMMANDS, PROGRAM, STARTER_COMMANDS, build_parser
from ift.config import TrainConfig
from ift.options import options_of


def parsers(parser):
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from parsers(command)


def of(command):
    return next(parser for parser in parsers(build_parser()) if parser.prog == f"{PROGRAM} {command}")


def test_every_argument_of_every_command_has_help():
    silent = [
        (parser.prog, action.dest)
        for parser in parsers(build_parser())
        for action in parser._actions
        if not action.help and not isinstance(action, argparse._SubParsersAction)
    ]
    assert silent == []


def test_every_command_shows_what_it_does_and_an_example(capsys):
    for command in COMMANDS:
        with pytest.raises(SystemExit) as caught:
            main([command.name, "--help"])
        assert caught.value.code == 0
        out = capsys.readouterr().out
        assert command.description in out
        assert f"examples:\n  {PROGRAM} {command.name}" in out


@pytest.mark.parametrize("command", ["train", "estimate"])
def test_the_command_line_has_every_option_of_a_run(command):
    arguments = {action.dest: action for action in of(command)._actions}
    for name, option in options_of(TrainConfig).items():
        assert (name in arguments) == (option.group is not None)
        assert name not in arguments or arguments[name].help.startswith(option.help[:1].upper() + option.help[1:])


def test_the_examples_can_be_parsed():
    import shlex

    examples = [example for command in (*COMMANDS, *STARTER_COMMANDS) for example in command.examples]
    for example in examples:
        args, unknown = build_parser().parse_known_args(shlex.split(example))
        assert unknown == []
        assert args.run


def test_the_docs_are_what_the_options_are():
    assert PAGE.read_text(encoding="utf-8") == options_page(), "run python -m ift.cli.options_page"


def test_the_version_is_shown(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"ift {__version__}\n"


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ("train --out R --warmup_ratio 0.1", "train has no option --warmup_ratio. Did you mean --warmup_steps?"),
        ("train --out R --lora_r=8", "train has no option --lora_r. Did you mean --r?"),
        ("train --out R --max-seq-length 64", "train has no option --max_seq_length. Did you mean --max_length?"),
        ("train --out R --lerning_rate 1", "train has no option --lerning_rate. Did you mean --learning_rate?"),
        ("evaluate R --verbose", "evaluate has no option --verbose. `python -m ift evaluate --help` lists all."),
        ("starter build --out D --sed 1", "build has no option --sed. Did you mean --seed?"),
        ("batch more", "'more' is one word too many. Try python -m ift batch --help."),
        ("trian", "There is no command 'trian'. Did you mean train?"),
        ("fly", "There is no command 'fly'. Use one of train, estimate,"),
        ("starter biuld", "There is no command 'biuld'. Did you mean build?"),
        ("batch --max_length many", "max_length: 'many' is not a whole number. Use a whole number, at least 1"),
        ("train --out R --lr_scheduler_type cosin", "lr_scheduler_type: 'cosin' is unknown. Did you mean cosine?"),
        ("train --out R --bf16 yes", "bf16: 'yes' is neither true nor false. Use true or false"),
        ("generate", "The following arguments are required: --instruction. Try python -m ift generate --help."),
    ],
)
def test_a_mistake_is_told_in_one_line_with_what_was_meant(words, error, capsys):
    assert main(words.split()) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"Error: {error}")
    assert err.count("\n") == 1


def test_a_switch_without_a_value_is_true():
    args = build_parser().parse_args(["train", "--out", "R", "--bf16", "--gradient_checkpointing", "--fsdp", "false"])
    assert (args.bf16, args.gradient_checkpointing, args.fsdp, args.group_by_length) == (True, True, False, None)


def test_what_is_not_given_is_left_to_the_preset():
    args = vars(build_parser().parse_args(["train", "--out", "R"]))
    assert {args[field.name] for field in dataclasses.fields(TrainConfig) if field.name in args} == {None}
