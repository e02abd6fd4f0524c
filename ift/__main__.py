"""`python -m ift`, and the console script `ift`."""

import sys

STOPPED = 3  # ift.cli.progress_bars's, which may not be imported yet


def main() -> int:
    """Run one command of the command line; returns its exit code.

    Ctrl-C while the imports still run ends quietly, too.
    """
    try:
        from ift.cli import main as command_line

        return command_line()
    except KeyboardInterrupt:  # before or beside what saves: nothing is lost
        sys.stderr.write("Stopped.\n")
        return STOPPED


if __name__ == "__main__":
    sys.exit(main())
