"""Which addresses there are: those that the page itself asks. Gradio has many more, for other programs."""

import re

from playground.guard.refusals import NOT_THERE, Refused
from playground.runs.exports import PREFIX as TAKEN
from playground.scripts import PREFIX

API = "/gradio_api"
QUESTION = f"{API}/component_server"
"""Where the page's scripts ask a component's functions."""
JSON = {QUESTION, *(f"{API}/{name}" for name in ("queue/join", "run/predict", "cancel", "reset"))}
"""Where the page sends what it tells and asks."""
UPLOAD = f"{API}/upload"
FILE = re.compile(rf"(?:{API})?/file[=/](.*)", re.DOTALL)
"""A file of a visitor's own upload, which Gradio's file widget offers to save."""
HEARTBEAT = re.compile(rf"{API}/heartbeat/([^/]*)")
STREAM = f"{API}/queue/data"
HEALTH = "/health"
_ALWAYS = {"/", "/theme.css", "/favicon.ico", "/manifest.json", "/pwa_icon", "/robots.txt", HEALTH}
_API_GET = {STREAM, f"{API}/upload_progress", f"{API}/startup-events", f"{API}/theme.css"}
_FOLDERS = ("/assets/", "/static/", f"/{PREFIX}/", f"/{TAKEN}/", "/pwa_icon/", f"{API}/heartbeat/")
FREE = (
    "/assets/",
    "/static/",
    f"/{PREFIX}/",
    "/theme.css",
    f"{API}/theme.css",
    f"{API}/startup-events",
    "/favicon.ico",
    "/robots.txt",
    "/manifest.json",
    "/pwa_icon",
    HEALTH,
)
"""The same for everybody: nobody needs a key for them."""
ONES_OWN = {"/config", f"{API}/info", f"{API}/openapi.json"}
"""Gradio's own description of the page, for programs of the machine's owner."""


def normal(path: str) -> str:
    """An address without the slash that Gradio allows at its end."""
    return path.rstrip("/") or "/"


def require_known(method: str, path: str, *, is_shared: bool) -> None:
    """Let through what the page asks for, and nothing else.

    Raises:
        Refused: there is no such address, or not for this method.
    """
    if method in ("GET", "HEAD"):
        is_known = path in _ALWAYS or path in _API_GET or path.startswith(_FOLDERS) or bool(FILE.fullmatch(path))
        is_known = is_known or (path in ONES_OWN and not is_shared)
    else:
        is_known = method == "POST" and (path in JSON or path == UPLOAD)
    if not is_known:
        raise Refused(404, NOT_THERE)
