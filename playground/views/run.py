"""The Fine-tune tab: what is new in a run's event file, as a payload for the chart, and what will be run."""

import math
import shlex
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from urllib.parse import quote

from ift.config import TrainConfig
from ift.events import (
    Evaluated,
    Failed,
    Prepared,
    Preparing,
    Resumed,
    Sampled,
    Saved,
    Stepped,
    Stopped,
    TrainEvent,
    Warned,
)
from ift.plurals import plural
from ift.runs.state import State
from playground.views.html import block, card, esc


def news(
    run_id: str,
    events: Sequence[TrainEvent],
    offset: int,
    state: State,
    *,
    last: TrainEvent | None = None,
    said: str = "",
) -> dict:
    """What the browser appends to what it has.

    Args:
        run_id: the run's name.
        events: those since the browser's cursor.
        offset: the cursor from now on.
        state: of the run now.
        last: the run's last event where the browser has it already: how a run ended is told each time.
        said: the last line that the run's process printed.
    """
    events, resumed = _valid(events)
    last = events[-1] if events else last
    error = {"what": last.what, "where": last.where, "fix": last.fix} if isinstance(last, Failed) else None
    if state is State.FAILED and error is None:  # it ended before its first event, or the events can't be read
        error = {"what": said or "The run can't be read", "where": f"run {run_id}", "fix": "See run.log in its folder."}
    end = f"Stopped at step {last.step}: {last.reason}." if isinstance(last, Stopped) else ""
    if state is State.STOPPED and not end:
        end = "The process ended without a word: it was killed. What it had saved is kept."
    return {
        "run": run_id,
        "offset": offset,
        "state": state.value,
        "over": state.is_over,
        "resumed": resumed,
        "machine": next((_machine(event) for event in events if isinstance(event, Prepared)), ""),
        "steps": [asdict(event) for event in events if isinstance(event, Stepped)],
        "evaluations": [asdict(event) for event in events if isinstance(event, Evaluated)],
        "samples": [asdict(event) for event in events if isinstance(event, Sampled)],
        "warnings": [event.message for event in events if isinstance(event, Warned)],
        "saved": next((event.path for event in reversed(events) if isinstance(event, Saved)), ""),
        "end": end,
        "error": error,
        "said": _preparing(last) if isinstance(last, Preparing) else said,
    }


def _preparing(event: Preparing) -> str:
    return f"Rows made so far: {event.done:,} of {event.total:,}."


def _valid(events: Sequence[TrainEvent]) -> tuple[list[TrainEvent], int | None]:
    """The events without those that a run which went on has done again, and the step beyond which all are void."""
    kept: list[TrainEvent] = []
    resumed = None
    for event in events:
        if isinstance(event, Resumed):
            resumed = event.step if resumed is None else min(resumed, event.step)
            kept = [one for one in kept if one.step <= event.step]
        kept.append(event)
    return kept, resumed


def _machine(event: Prepared) -> str:
    threads = f" with {event.threads} threads" if event.device == "cpu" else ""
    return f"On {event.device}{threads}, in {'bf16' if event.bf16 else 'fp32'}."


def ready(config: TrainConfig, *, template: str, records: int, rows: int, tokens_per_row: float) -> str:
    """What a press on Start will do."""
    steps = config.total_steps(rows)
    tokens = steps * min(config.rows_per_step, rows) * tokens_per_row
    facts = {
        "Data": f"{config.data}: {rows:,} training records of {records:,}",
        "Template": template,
        "Model": f"{config.model}, {f'LoRA of rank {config.r}' if config.r else 'all weights'}",
        "Loss on": config.train_on,
        "Work": f"{steps:,} steps, about {tokens / 1000:,.0f} thousand tokens",
    }
    items = "".join(f"<dt>{esc(name)}</dt><dd>{esc(text)}</dd>" for name, text in facts.items())
    return block(card("Ready", f"<dl>{items}</dl>"))


def waiting(place: int, wait_s: float) -> str:
    """How long a run waits for its turn; `place`: how many are before it."""
    ahead = f"{plural(place, 'training')} before this one" if place else "It is next"
    within = f": it begins within {max(1, math.ceil(wait_s / 60))} min" if math.isfinite(wait_s) else ""
    return f"{ahead}{within}. The page may be closed meanwhile."


def leaving(at: float) -> str:
    """When a run is removed from a public page; `at`: seconds since 1970."""
    when = datetime.fromtimestamp(at, UTC).strftime("%H:%M UTC")
    return f"This page removes the run at {when}. Take it with you now: “Take the model with you” is below."


def command_line(options: Sequence[str]) -> str:
    """The same run from a shell."""
    return "python -m ift train " + " ".join(shlex.quote(option) for option in options)


def buttons_note(
    run_id: str | None,
    busy_id: str | None,
    *,
    can_resume: bool = False,
    is_strangers: bool = False,
    has_saved: bool = True,
    has_queue: bool = False,
) -> str:
    """Why buttons can't be used now, and what the others do; `has_queue`: on a shared page a training waits in line.

    The class `waits`: Start can't be used, which is said even where no run is shown.
    """
    if busy_id is None:
        text = "Stop can be used while a run is running."
        if can_resume:
            text = f"Resume continues {run_id} from its last checkpoint, as it was set."
        elif not has_saved:
            text = f"{run_id} ended before its first save: there is nothing that Resume could continue from."
        if is_strangers:
            text += " Only the browser that started a run can resume, discard or score it."
    elif busy_id == run_id:
        text = "Start waits until this run has ended. You can close the page: the run continues, and is found again."
        if is_strangers:
            text = "Start waits until this run has ended. Only the browser that started it can stop it."
    elif has_queue:
        text = f"{busy_id[:1].upper()}{busy_id[1:]} is running: what you start waits for its turn."
    else:
        text = f"Start waits: {busy_id} is running. Choose it below to stop it, or let it end."
    waits = " waits" if busy_id and not has_queue else ""
    return f'<div class="ift"><p class="muted{waits}">{esc(text)}</p></div>'


def share_link(run_id: str, key: str) -> str:
    """A link by which others may look at a run."""
    text = "Whoever opens this link can look at the run and ask its model, and change nothing:"
    link = f'<a href="?shared={esc(quote(key))}">{esc(run_id)}</a>'
    return f'<div class="ift"><div class="msg ok"><p>{text} {link}</p></div></div>'


def discard_question(run_id: str) -> str:
    """What is asked before a run is removed."""
    text = f"Discard {run_id}? Its checkpoints, its curve and its answers are deleted. This can't be undone."
    return f'<div class="ift"><div class="msg warn" role="alert"><p>{esc(text)}</p></div></div>'
