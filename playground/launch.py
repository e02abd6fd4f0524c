"""Serve the page: theme, style, scripts and guard are set here, once, for `python app.py` and the tests."""

import os
import signal
from dataclasses import dataclass
from pathlib import Path

import gradio as gr
import plotly
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ift import __version__
from ift.paths import ROOT, cache_dir
from playground.context import Context
from playground.guard.addresses import HEALTH
from playground.guard.answers import Hide, Paths
from playground.guard.asgi import Guard
from playground.guard.files import ALIAS, Uploads
from playground.guard.sessions import Sessions
from playground.housekeeping import Housekeeping
from playground.page import build
from playground.questions import Questions
from playground.scripts import Scripts
from playground.settings import MEBIBYTE, WEB, Settings
from playground.states import use_states
from playground.transfer import Transfer

PLOTLY = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
STATES_KEPT = 2_000
"""Sessions of Gradio's, beyond those that housekeeping gives back."""
THREADS, AT_ONCE = 40, 8
"""Handlers at work together, and of one kind of event."""
EVENTS_LOOK_S, PROGRESS_LOOK_S = 0.01, 0.1
"""How often Gradio's queue looks for events, and for progress bars, of which there is none here."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running page, and what keeps it clean."""

    page: gr.Blocks
    context: Context
    housekeeping: Housekeeping

    def close(self) -> None:
        """End it."""
        self.housekeeping.end()
        self.page.close()


def launch(settings: Settings, *, host: str, port: int, blocking: bool = True) -> Server:
    """Start the server; `blocking` waits until it ends, else the caller closes it."""
    settings.incoming.mkdir(parents=True, exist_ok=True)
    os.environ["GRADIO_TEMP_DIR"] = str(settings.incoming)  # asked for by Gradio at each upload
    context = Context(settings)
    page = build(context).queue(default_concurrency_limit=AT_ONCE)
    let_rest(page)
    uploads, sessions = Uploads(settings.incoming), Sessions(settings.limits)
    housekeeping = Housekeeping(context, page, uploads, sessions)
    scripts = Scripts(WEB, [PLOTLY])
    guard = Middleware(Guard, settings=settings, page=page, uploads=uploads, sessions=sessions)
    page.launch(
        server_name=host,
        server_port=port,
        prevent_thread_lock=True,
        quiet=not blocking,
        theme=gr.themes.Base(font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"]),
        css_paths=[WEB / "style.css", *sorted((WEB / "style").glob("*.css"))],
        head=scripts.head(),
        ssr_mode=False,
        run_history=False,
        enable_monitoring=False,
        footer_links=[],
        show_error=False,
        max_threads=THREADS,
        max_file_size=f"{settings.limits.upload_bytes / MEBIBYTE:.0f}mb",
        state_session_capacity=STATES_KEPT,
        app_kwargs={
            "middleware": [guard, Middleware(Transfer), Middleware(Hide, paths=_hidden_paths(settings))],
            "routes": [Questions(page).route(), scripts.route(), context.exports.route(), _health(context)],
        },
    )
    use_states(page)
    context.queue.start()  # what waited when the server before this one ended
    housekeeping.start()
    server = Server(page, context, housekeeping)
    if blocking:
        if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
            signal.signal(signal.SIGINT, signal.default_int_handler)  # from here on Gradio closes the server first
        page.block_thread()
    return server


def let_rest(page: gr.Blocks) -> None:
    """Gradio looks a thousand times a second, which takes a twelfth of a core from whatever trains beside it."""
    page._queue.sleep_when_free = EVENTS_LOOK_S
    page._queue.progress_update_sleep_when_free = PROGRESS_LOOK_S


def _hidden_paths(settings: Settings) -> Paths:
    """What the browser need not know; on one's own machine only where uploads go, whose paths come back in requests."""
    aliases = [(settings.incoming, ALIAS)]
    if settings.is_shared:
        aliases += [(folder, "") for folder in (settings.home, ROOT, cache_dir(), Path(gr.__file__).parents[1])]
        aliases += [(Path.home(), "~/")]
    return Paths(aliases)


def _health(context: Context) -> Route:
    """For whoever watches the server: whether it answers, and what it is at."""

    async def health(request: Request) -> Response:
        waiting = len(context.queue.tickets())
        return JSONResponse(
            {"status": "ok", "version": __version__, "mode": context.settings.mode.value, "waiting": waiting}
        )

    return Route(HEALTH, health)
