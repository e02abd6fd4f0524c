"""Serve the page: theme, style, scripts and guard are set here, once, for `python app.py` and the tests."""

import signal
from pathlib import Path
from urllib.parse import quote

import gradio as gr
from starlette.middleware import Middleware

from playground.page import PLOTLY, build
from playground.request_guard import Guard
from playground.scripts import Scripts
from playground.settings import WEB, Settings


def launch(settings: Settings, *, host: str, port: int, blocking: bool = True) -> gr.Blocks:
    """Start the server; `blocking` waits until it ends, else the caller closes the page."""
    page = build(settings)
    scripts = Scripts(WEB)
    plotly = f'<script defer src="gradio_api/file={_address(PLOTLY)}"></script>'
    page.launch(
        server_name=host,
        server_port=port,
        prevent_thread_lock=True,
        quiet=not blocking,
        theme=gr.themes.Base(font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"]),
        css_paths=[WEB / "style.css"],
        head=scripts.head() + plotly,
        ssr_mode=False,
        run_history=False,
        enable_monitoring=False,
        footer_links=[],
        show_error=False,
        max_file_size="50mb",
        app_kwargs={"middleware": [Middleware(Guard)], "routes": [scripts.route()]},
    )
    if blocking:
        if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
            signal.signal(signal.SIGINT, signal.default_int_handler)  # from here on Gradio closes the server first
        page.block_thread()
    return page


def _address(path: Path) -> str:
    """A path in an address, whatever characters the folder's name has."""
    return quote(path.as_posix())
