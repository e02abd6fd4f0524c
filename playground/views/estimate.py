"""The Fine-tune tab: what a run will need, as `python -m ift estimate --json` told it."""

from ift.training.estimate import Estimate, Setting, duration
from playground.views.html import block, card, chip, esc

TIGHT = 0.85
"""Of the free memory: beyond that another program's needs may be too much."""
CHIPS = {"fits": ("good", "✓ fits"), "tight": ("warn", "! fits, tight"), "not": ("bad", "✗ does not fit")}


def estimate(made: Estimate) -> str:
    """Memory, time and what they are made of; where it does not fit, the nearest settings that do."""
    need, free = made.needed_bytes, made.probe.available_bytes
    verdict = "not" if not made.fits else "tight" if need > TIGHT * free else "fits"
    memory = f"{esc(f'{_gb(need)} of {_gb(free)} free')} {chip(*CHIPS[verdict])}"
    time = esc(f"about {duration(made.probe.time_s)}, without saving")
    facts = f"<dl><dt>Memory</dt><dd>{memory}</dd><dt>Time</dt><dd>{time}</dd></dl>"
    ways = "".join(f"<li>{esc(_way(setting))}</li>" for setting in made.nearest)
    advice = "" if made.fits else "<p>Nothing smaller fits: choose a smaller model.</p>"
    if ways:
        advice = f"<p>What fits, nearest first:</p><ul>{ways}</ul>"
    parts = f'<p class="muted">{esc(_parts(made))}</p>'
    return block(card("Needs", f'<div class="col">{facts}{advice}{parts}</div>'))


def _parts(made: Estimate) -> str:
    """What was measured, and what was computed."""
    probe = made.probe
    batch = "measured" if made.is_measured else "scaled from a smaller one"
    timed = "real steps" if probe.has_stepped else "the largest batch alone"
    return (
        f"Memory: {_gb(made.loaded_bytes)} program, weights and data (measured), {_gb(made.batch_bytes)} "
        f"gradients and activations of the largest batch ({batch}), {_gb(made.moment_bytes)} AdamW's moments "
        f"(computed). Time: {probe.steps:,} steps of {probe.step_s:.2f} s, {probe.evaluations:,} evaluations "
        f"of {probe.evaluation_s:.1f} s; measured on {timed}, on {probe.device}."
    )


def _way(setting: Setting) -> str:
    return f"{setting.text}: {_gb(setting.needed_bytes)}, {setting.note}"


def _gb(size_bytes: int) -> str:
    return f"{size_bytes / 1e9:.1f} GB"
