"""A public page whose process writes down what it should not do: ask another host, or open a file outside.

`python -m tests.hostile.watched_server HOME PORT MODE`; the findings are lines in HOME/watched.log. On SIGUSR1 it
sweeps and writes what it still holds into HOME/swept.json: see `sweeps`.
"""

import os
import signal
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

from ift.paths import ROOT

OWN_HOSTS = ("127.0.0.1", "localhost", "::1", "0.0.0.0", None, "", b"127.0.0.1", b"localhost")
READABLE = (ROOT, Path(sys.prefix), Path(sys.base_prefix), Path(sysconfig.get_paths()["stdlib"]))
SYSTEM = ("/proc/", "/sys/", "/dev/", "/usr/", "/lib", "/etc/mime.types", "/etc/localtime", "/etc/ssl/", "/etc/hosts")
READ_ONLY = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0)


class Watch:
    """An audit hook: Python calls it before it connects, looks up a name or opens a file."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.log = (home / "watched.log").open("a", encoding="utf-8", errors="replace", buffering=1)
        self.own = tuple(f"{path}{os.sep}" for path in READABLE)
        self.places = (f"{home}{os.sep}", f"{Path(tempfile.gettempdir())}{os.sep}")

    def __call__(self, event: str, args: tuple) -> None:
        if event == "socket.connect" and isinstance(args[1], tuple) and args[1][0] not in OWN_HOSTS:
            self.log.write(f"connect {args[1]!r}\n")
        elif event == "socket.getaddrinfo" and args[0] not in OWN_HOSTS:
            self.log.write(f"look up {args[0]!r}\n")
        elif event == "open" and isinstance(args[0], str | bytes):
            self.opened(os.path.abspath(os.fsdecode(args[0])), args[2] or 0)

    def opened(self, path: str, flags: int) -> None:
        if path.startswith(self.places) or path == os.devnull:
            return
        if (
            flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            and not path.endswith((".pyc", ".lock"))
            and "/__pycache__/" not in path
        ):
            self.log.write(f"write {path!r}\n")
        elif not path.startswith((*self.own, *SYSTEM)):
            self.log.write(f"read {path!r}\n")


def main() -> None:
    """Serve until killed."""
    home, port, mode = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    os.environ["IFT_HOME"] = str(home)
    from playground.launch import launch
    from playground.settings import read_settings
    from tests.hostile.sweeps import report

    sys.argv = ["app.py"]
    server = launch(read_settings("127.0.0.1", mode), host="127.0.0.1", port=port, blocking=False)
    asked: list[int] = []
    if hasattr(signal, "SIGUSR1"):
        signal.signal(signal.SIGUSR1, lambda number, _: asked.append(number))
    (home / "ready").touch()
    sys.addaudithook(Watch(home))
    while True:
        time.sleep(0.1)
        if asked:
            asked.clear()
            report(server, home / "swept.json")


if __name__ == "__main__":
    main()
