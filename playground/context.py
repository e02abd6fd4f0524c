"""What the tabs share: the server's jobs and models, and how Gradio's values become ours."""

import math
import os
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import gradio as gr

from ift.config import TrainConfig
from ift.data.sources import PUBLIC
from ift.errors import ConfigError
from ift.masks import TRAIN_ON, name_trained
from ift.model.names import GPT2_SIZES, context_length
from ift.model.names import NAMES as MODELS
from ift.roles import Role
from playground.caches import Linters, Models
from playground.downloads import Downloads
from playground.lens.recent import Recent
from playground.ownership import Ownership
from playground.runs.exports import Exports
from playground.runs.jobs import Jobs
from playground.runs.queue import Queue
from playground.runs.tenure import Tenure
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
    """One a server. times: by model, the seconds of the run that was last estimated on this machine."""

    settings: Settings
    jobs: Jobs = field(init=False)
    exports: Exports = field(init=False)
    queue: Queue = field(init=False)
    models: Models = field(default_factory=Models)
    stamps: count = field(default_factory=lambda: count(1))
    recent: Recent = field(default_factory=Recent)
    linters: Linters = field(default_factory=Linters)
    downloads: Downloads = field(default_factory=Downloads)
    times: dict[str, float] = field(default_factory=dict)
    ownership: Ownership = field(init=False)
    tenure: Tenure = field(init=False)

    def __post_init__(self) -> None:
        self.ownership = Ownership(self.settings)
        self.jobs = Jobs(self.settings, self.ownership)
        self.exports = Exports(self.settings)
        self.queue = Queue(self.jobs)
        self.tenure = Tenure(self.jobs, self.queue)

    def limit(self, model: str | None, max_length: float | None) -> int:
        """Tokens per row at most: the visitor's number, but never beyond the model's context or the page's limit."""
        context = context_length(self.model(model))
        wanted = whole("max_length", max_length)
        if wanted < 0:
            raise ConfigError(
                "max_length is below 0", where="max_length", fix="Give 0 for the model's context, or more."
            )
        self.settings.limits.require("row_tokens", wanted, where="max_length")
        return int(min(wanted or context, context, self.settings.limits.row_tokens))

    def model(self, name: str | None) -> str:
        """A model's name as the visitor gave it, checked: on a shared page, the known ones and one's own runs only.

        Raises:
            ConfigError: a visitor of a shared page named a path, a Hub id or another's run.
        """
        name = (name or "starter").strip()
        if name in MODELS:  # at each key: nothing is looked up on the disk
            self.settings.limits.require("parameters", GPT2_SIZES.get(name, 0), where="model")
            return name
        run = self.jobs.run(name)
        if run and self.ownership.may_change(run):  # a run that another one began from can't be changed any more
            return str(run.path)
        if self.settings.is_shared:
            fix = f"Choose {', '.join(MODELS)} or a run of yours."
            raise ConfigError(f"{name[:80]!r} is not offered on this page", where="model", fix=fix)
        return str(Path(name).resolve()) if os.path.isdir(name) else name  # also for names that are no path at all

    def require_data(self, name: str) -> None:
        """Refuse a public data set that has more rows than the page takes; an upload was checked when it came.

        Raises:
            ConfigError: it has.
        """
        if name in PUBLIC:
            self.settings.limits.require("rows", PUBLIC[name].records, where=name)

    def require_training(self, config: TrainConfig, *, rows: int, tokens_per_row: float) -> None:
        """Refuse a training that is more work than the page does for one visitor.

        Args:
            config: its options.
            rows: of the training split.
            tokens_per_row: on average.

        Raises:
            ConfigError: it is; the error names the limit.
        """
        limits, steps = self.settings.limits, config.total_steps(rows)
        limits.require("disk_bytes", self.jobs.disk_bytes, where="runs")
        limits.require("steps", steps, where="num_train_epochs or max_steps")
        tokens = steps * min(config.rows_per_step, rows) * tokens_per_row
        limits.require("run_tokens", tokens, where="num_train_epochs or max_steps")


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
