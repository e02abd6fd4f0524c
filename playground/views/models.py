"""The models to fine-tune, before a download: sizes, memory, time, and what this machine can do with each."""

from collections.abc import Mapping, Sequence

from ift.training.estimate import duration
from ift.training.model_table import Fit, ModelChoice
from playground.views.html import block, chip, esc, table

_CHIPS = {Fit.FULL: ("good", "✓ fits"), Fit.LORA: ("warn", "! LoRA only"), Fit.NOTHING: ("bad", "✗ too large")}
_HEAD = (
    ("Model", "nw"),
    ("Parameters", "n"),
    ("Context", "n"),
    ("Download", "n"),
    ("Memory, all weights", "n"),
    ("Memory, LoRA", "n"),
    ("Time of the run", "nw"),
    ("Here", "nw"),
    ("Advice", ""),
)


def models_table(choices: Sequence[ModelChoice], *, free_bytes: int, times: Mapping[str, float]) -> str:
    """times: by model, the seconds of the run that was last estimated."""
    rows = [_row(choice, times.get(choice.name)) for choice in choices]
    note = (
        f"{_gb(free_bytes)} of memory are free. Memory is without the activations of a batch; “Estimate memory and "
        "time” measures the rest, and the time, for the run that is set."
    )
    return block(table("Models to fine-tune", _HEAD, rows), f'<p class="muted">{esc(note)}</p>')


def _row(choice: ModelChoice, time_s: float | None) -> tuple[str, ...]:
    return (
        esc(choice.name),
        f"{choice.parameters / 1e6:,.1f} M",
        f"{choice.context:,}",
        "none: it is here" if choice.is_here else f"{choice.download_bytes / 1e6:,.0f} MB",
        _gb(choice.full_bytes),
        _gb(choice.lora_bytes),
        esc(f"about {duration(time_s)}") if time_s is not None else '<span class="muted">not measured</span>',
        chip(*_CHIPS[choice.fit]),
        esc(choice.advice),
    )


def _gb(size_bytes: int) -> str:
    return f"{size_bytes / 1e9:.1f} GB"
