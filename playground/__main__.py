"""The playground in a browser: `python app.py`, `python -m playground` or the console script `ift-playground`."""

import argparse
import os
import signal
import socket

# Ctrl-C while the page starts ends the process and no more: Python's own way is a traceback out of half an import.
if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
# Before gradio is imported: no calls home (they can hang Ctrl-C), few events kept, loopback never through a proxy.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("GRADIO_ANALYTICS_CACHE_FREQUENCY", "500")
os.environ.setdefault("GRADIO_ANALYTICS_MAX_EVENTS", "500")
os.environ["NO_PROXY"] = ",".join(filter(None, [os.environ.get("NO_PROXY"), "localhost", "127.0.0.1"]))

from ift.errors import IftError
from playground.launch import launch
from playground.settings import Mode, read_settings

DEFAULT_PORT = 7860
PORTS_TRIED = 100


def main() -> None:
    """Read the flags, find a port, serve until Ctrl-C."""
    parser = argparse.ArgumentParser(description="The instruction fine-tuning playground.")
    wanted = os.environ.get("GRADIO_SERVER_PORT") or None
    parser.add_argument(
        "--port", type=int, default=wanted, help="the port ($GRADIO_SERVER_PORT, else the first free one from 7860)"
    )
    parser.add_argument("--host", help="the address to listen on ($GRADIO_SERVER_NAME, else 127.0.0.1)")
    parser.add_argument(
        "--mode",
        choices=tuple(Mode),
        help="who uses it, which decides its limits ($IFT_MODE, else public where others can reach it, else local)",
    )
    args = parser.parse_args()
    on_space = "SPACE_ID" in os.environ
    host = args.host or os.environ.get("GRADIO_SERVER_NAME") or ("0.0.0.0" if on_space else "127.0.0.1")
    port = args.port or _free_port(host)
    try:
        settings = read_settings(host, args.mode)
    except IftError as problem:
        raise SystemExit(f"Error: {problem}") from None
    print(settings.describe(), flush=True)
    launch(settings, host=host, port=port)


def _free_port(host: str) -> int:
    for port in range(DEFAULT_PORT, DEFAULT_PORT + PORTS_TRIED):
        with socket.socket() as probe:
            if probe.connect_ex((host, port)) != 0:
                return port
    raise SystemExit(f"No free port from {DEFAULT_PORT} on: give one with --port.")


if __name__ == "__main__":
    main()
