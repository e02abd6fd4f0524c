"""The models to fine-tune, before a download: sizes, memory, time, and what this machine can do with each."""

from collections.abc import Mapping, Sequence

from ift.training.estimate import duration
from ift.training.model_table import Fit, ModelChoice
from playground.views.html import block, chip, esc, table

_CHIPS = {Fit.FULL: ("good", "✓ fits"), Fit.LORA: ("warn", "! LoRA only"), Fit.NOTHING: ("bad", "✗ too large")}
_HEAD = (("Model", "nw"), ("Download", "nw"), ("Memory", "nw"), ("On this machine", ""))


def models_table(choices: Sequence[ModelChoice], *, free_bytes: int, times: Mapping[str, float]) -> str:
    """times: by model, the seconds of the run that was last estimated."""
    rows = [_row(choice, times.get(choice.name)) for choice in choices]
    note = (
        f"Parameters in millions, and the tokens that a row may have. {_gb(free_bytes)} of memory are free. Memory is "
        "without the activations of a batch; “Estimate memory and time” measures them, and the time of the run that is "
        "set."
    )
    return block(table("Models to fine-tune", _HEAD, rows), f'<p class="muted">{esc(note)}</p>')


def _row(choice: ModelChoice, time_s: float | None) -> tuple[str, ...]:
    time = "time not measured" if time_s is None else f"about {duration(time_s)}"
    return (
        _two(choice.name, f"{choice.parameters / 1e6:,.0f} M, {choice.context:,} tokens"),
        "none: is here" if choice.is_here else f"{choice.download_bytes / 1e6:,.0f} MB",
        _two(_gb(choice.full_bytes), f"LoRA {_gb(choice.lora_bytes)}"),
        f'{chip(*_CHIPS[choice.fit])} {esc(time)}<br><span class="muted">{esc(choice.advice)}</span>',
    )


def _two(first: str, second: str) -> str:
    return f'{esc(first)}<br><span class="muted">{esc(second)}</span>'


def _gb(size_bytes: int) -> str:
    return f"{size_bytes / 1e9:.1f} GB"
