"""What the tabs share: the server's jobs and models, and how Gradio's values become ours."""

import math
import os
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import gradio as gr

from ift.errors import ConfigError
from ift.masks import TRAIN_ON, name_trained
from ift.model.names import NAMES as MODELS
from ift.model.names import context_length
from ift.roles import Role
from playground.caches import Linters, Models
from playground.lens.recent import Recent
from playground.ownership import Ownership
from playground.runs.jobs import Jobs
from playground.settings import Settings

QUIET = {"show_progress": "hidden", "show_progress_on": [], "api_visibility": "private"}
"""How the page's events are wired: without a sign of work, and Gradio need not look for where to show one."""
LIVE = {**QUIET, "queue": False, "trigger_mode": "always_last"}
"""How an event that redraws at every keystroke is wired: the last value always wins, nothing flickers."""


def busy(where: gr.components.Component, how: str = "minimal") -> dict:
    """How an event is wired that takes a while: `where` shows that.

    Only a component with little in it should: once it has shown progress, Gradio's page copies all that it holds at
    every later event, each keystroke included.
    """
    return {**QUIET, "show_progress": how, "show_progress_on": [where]}


def when_loaded(call: str) -> str:
    """JavaScript for a component's mount: a call of the page's own scripts, which the browser loads beside the page."""
    return f"(async () => {{ while (!window.ift) await new Promise(done => setTimeout(done, 20)); {call} }})()"


@dataclass
class Context:
    """One a server."""

    settings: Settings
    jobs: Jobs = field(init=False)
    models: Models = field(default_factory=Models)
    stamps: count = field(default_factory=lambda: count(1))
    recent: Recent = field(default_factory=Recent)
    linters: Linters = field(default_factory=Linters)
    ownership: Ownership = field(init=False)

    def __post_init__(self) -> None:
        self.jobs = Jobs(self.settings)
        self.ownership = Ownership(public=self.settings.public)

    def limit(self, model: str | None, max_length: float | None) -> int:
        """Tokens a row at most: the visitor's number, but never beyond the model's context."""
        context = context_length(self.model(model))
        wanted = whole("max_length", max_length)
        if wanted < 0:
            raise ConfigError(
                "max_length is below 0", where="max_length", fix="Give 0 for the model's context, or more."
            )
        return min(wanted or context, context)

    def model(self, name: str | None) -> str:
        """A model's name as the visitor gave it, checked: strangers get the known ones and the server's runs only.

        Raises:
            ConfigError: a stranger named a path or a Hub id.
        """
        name = (name or "starter").strip()
        run = self.jobs.run(name) if name not in MODELS else None
        if run:
            return str(run.path)
        if self.settings.public and name not in MODELS:
            fix = f"Choose {', '.join(MODELS)} or a run of this server."
            raise ConfigError(f"{name!r} is not offered on this public page", where="model", fix=fix)
        return str(Path(name).resolve()) if os.path.isdir(name) else name  # also for names that are no path at all


def whole(name: str, value: float | None) -> int:
    """A number field's value as a whole number.

    Raises:
        ConfigError: it is empty or has a fraction.
    """
    if value is None or not math.isfinite(value) or value != int(value):
        raise ConfigError(f"{name} is {'empty' if value is None else value}", where=name, fix="Use a whole number.")
    return int(value)


def train_on(mask: str, keep_eos: bool, train_padding: bool) -> str:
    """The switches on the page as the option of the command line."""
    roles = TRAIN_ON[mask] if keep_eos else TRAIN_ON[mask] - {Role.EOS}
    return name_trained(roles | {Role.PAD} if train_padding else roles)
