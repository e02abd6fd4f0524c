"""Serve the page: theme, style, scripts and guard are set here, once, for `python app.py` and the tests."""

import gradio as gr
from starlette.middleware import Middleware

from playground.guard import Guard
from playground.page import PLOTLY, build
from playground.settings import WEB, Settings


def launch(settings: Settings, *, host: str, port: int, blocking: bool = True) -> gr.Blocks:
    """Start the server; `blocking` waits until it ends, else the caller closes the page."""
    page = build(settings)
    scripts = (
        f'<script src="gradio_api/file={WEB / "ift.js"}"></script>'
        f'<script defer src="gradio_api/file={PLOTLY}"></script>'
    )
    page.launch(
        server_name=host,
        server_port=port,
        prevent_thread_lock=not blocking,
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
    return page
