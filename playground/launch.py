"""Serve the page: theme, style, scripts and guard are set here, once, for `python app.py` and the tests."""

import signal
from pathlib import Path
from urllib.parse import quote

import gradio as gr
from starlette.middleware import Middleware

from playground.page import PLOTLY, build
from playground.request_guard import Guard
from playground.settings import WEB, Settings

SCRIPTS = ("rest.js", "ift.js", "link.js", "xray.js", "lint.js", "keys.js", "lens.js", "editor.js")
"""The page's own; later ones use earlier ones."""


def launch(settings: Settings, *, host: str, port: int, blocking: bool = True) -> gr.Blocks:
    """Start the server; `blocking` waits until it ends, else the caller closes the page."""
    page = build(settings)
    own = "\n".join((WEB / name).read_text(encoding="utf-8") for name in SCRIPTS)
    # in the page itself, in this order: fetched one by one, Gradio may run them in any
    scripts = f'<script>{own}</script><script defer src="gradio_api/file={_address(PLOTLY)}"></script>'
    page.launch(
        server_name=host,
        server_port=port,
        prevent_thread_lock=True,
        quiet=not blocking,
        theme=gr.themes.Base(font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"]),
        css_paths=[WEB / "style.css"],
        head=scripts,
        ssr_mode=False,
        run_history=False,
        enable_monitoring=False,
        footer_links=[],
        show_error=False,
        max_file_size="50mb",
        app_kwargs={"middleware": [Middleware(Guard)]},
    )
    if blocking:
        if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
            signal.signal(signal.SIGINT, signal.default_int_handler)  # from here on Gradio closes the server first
        page.block_thread()
    return page


def _address(path: Path) -> str:
    """A path in an address, whatever characters the folder's name has."""
    return quote(path.as_posix())
