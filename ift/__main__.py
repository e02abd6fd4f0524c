"""`python -m ift`."""

import sys

STOPPED = 3  # ift.cli.progress_bars's, which may not be imported yet

try:
    from ift.cli import main

    code = main()
except KeyboardInterrupt:  # before or beside what saves: nothing is lost
    sys.stderr.write("Stopped.\n")
    code = STOPPED
sys.exit(code)
