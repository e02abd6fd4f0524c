"""The runs of this server in a list: how each ended, its name, and what decides it."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ift.config import PRESETS, TrainConfig, preset_for
from ift.errors import RunError
from ift.events import Evaluated
from ift.options import show
from ift.runs.folder import Run
from ift.runs.run_config import RunConfig
from ift.runs.run_note import read_note
from ift.runs.state import State
from playground.views.html import esc

LISTED = 60
"""The newest; the others are found by name on tab 4."""
_SIGNS = {
    State.STARTING: ("acc", "▶", "starting"),
    State.RUNNING: ("acc", "▶", "running"),
    State.FINISHED: ("good", "✓", "finished"),
    State.STOPPED: ("bad", "✗", "stopped"),
    State.FAILED: ("bad", "✗", "failed"),
}
_ROSE = ("warn", "!", "the loss rose")


@dataclass(frozen=True, slots=True)
class Losses:
    """Validation losses of a run, in nats: the first and the last one; None where there is none yet."""

    first: float | None = None
    last: float | None = None

    @property
    def rose(self) -> bool:
        """Whether training made it worse; no number is worse than any."""
        return self.first is not None and self.last is not None and not self.last <= self.first


def about(run: Run) -> dict:
    """What the page says of a run beside its events; empty where its config can't be read."""
    try:
        config = run.config
    except RunError:
        return {}
    note, options = read_note(run), config.options
    preset = TrainConfig(**PRESETS[preset_for(options.model)])
    return {
        "title": note.title,
        "note": note.note,
        "summary": summary(config),
        "learning_rate": options.learning_rate,
        "preset_rate": preset.learning_rate,
    }


def summary(config: RunConfig) -> list[str]:
    """What decides a run, in the fewest words."""
    options = config.options
    length = f"{options.max_steps:,} steps" if options.max_steps > 0 else f"{show(options.num_train_epochs)} epochs"
    lora = [f"LoRA r {options.r}"] if options.r else []
    return [
        config.data.name,
        Path(options.template).stem,
        options.train_on.replace("-", " "),
        *lora,
        length,
        f"lr {show(options.learning_rate)}",
        f"batch {options.per_device_train_batch_size}",
    ]


def run_list(runs: Iterable[tuple[Run, State]], chosen: str | None) -> str:
    """A button a run, newest first, with its state; `chosen` is the one that is shown."""
    entries = [_entry(run, state, is_chosen=run.id == chosen) for run, state in list(runs)[:LISTED]]
    nothing = '<p class="muted">None yet.</p>'
    return f'<div class="ift"><ol class="run-list">{"".join(entries)}</ol>{"" if entries else nothing}</div>'


def _entry(run: Run, state: State, *, is_chosen: bool) -> str:
    note, found = read_note(run), losses(run)
    kind, sign, word = _ROSE if state is State.FINISHED and found.rose else _SIGNS.get(state, ("", "·", "not begun"))
    value = f"val {found.last:.2g}" if found.last is not None else ""
    try:
        options = run.config.options
        facts = [options.train_on.replace("-", " "), f"lr {show(options.learning_rate)}", value]
    except RunError:
        facts = ["can't be read"]
    current = ' aria-current="true"' if is_chosen else ""
    title = esc("\n".join(filter(None, [run.id, note.note])))
    return (
        f'<li><button type="button" data-run="{esc(run.id)}" title="{title}"{current}>'
        f'<span class="st {kind}" role="img" aria-label="{word}">{sign}</span>'
        f"<b>{esc(note.title or run.id)}</b><small>{esc(' · '.join(filter(None, facts)))}</small></button></li>"
    )


def losses(run: Run) -> Losses:
    """Of a run's log; the log is read again only when it has grown."""
    path = run.training.path
    return _losses(path, path.stat().st_size) if path.is_file() else Losses()


@lru_cache(maxsize=256)
def _losses(path: Path, size_bytes: int) -> Losses:
    try:
        found = [event.loss for event in Run(path.parent).training.read()[0] if isinstance(event, Evaluated)]
    except RunError:
        return Losses()
    return Losses(found[0], found[-1]) if found else Losses()
