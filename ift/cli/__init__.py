"""The command line: `python -m ift COMMAND`; ift/cli/parser.py has the commands.

Results go to stdout, progress and errors to stderr. Exit codes: 0 done, 1 failed, 2 the input can't be used,
3 stopped on request.
"""

import argparse
import io
import sys
from collections.abc import Sequence

from ift.cli import commands
from ift.cli.parser import build_parser
from ift.cli.progress_bars import STOPPED, close_output
from ift.errors import ConfigError, IftError, InputError
from ift.runs.ranks import place
from ift.runs.stop import StopAsked


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8")  # Windows' own would fail on the first arrow
    rank, processes = place()
    try:
        args = _parse(sys.argv[1:] if argv is None else argv)
        if processes > 1 and args.run is not commands.train:
            if rank > 0:
                return 2  # the first process reports it
            raise ConfigError("Only train works in several processes", where="torchrun", fix="Leave torchrun out.")
        return int(args.run(args))
    except StopAsked:
        return STOPPED
    except IftError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2 if isinstance(error, InputError) else 1
    except BrokenPipeError:
        close_output()
        return 0  # the reader has seen enough, as in `… | head`


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    args, unknown = build_parser().parse_known_args(_with_underscores(argv))
    if unknown:
        args.parser.refuse(unknown)
    return args


def _with_underscores(argv: Sequence[str]) -> list[str]:
    """Hyphen and underscore are the same in every option's name."""
    options = []
    for word in argv:
        name, equals, value = word.partition("=")
        is_option = name.startswith("--") and " " not in name  # argparse takes a word with a space as a value, too
        options.append(name[:2] + name[2:].replace("-", "_") + equals + value if is_option else word)
    return options
