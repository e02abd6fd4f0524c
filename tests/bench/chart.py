"""What a page that shows a run costs the run, and what its event file does: with and without a page, in turn.

A real run in a process of its own, a real server, a real browser with the live chart on its screen. The page comes and
goes while the run goes on; throughput is that of the run's own events, tokens by their time stamps.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median

import numpy as np
from playwright.sync_api import Page, sync_playwright

from ift.events import Stepped
from ift.runs import Run
from tests.bench.turns import machine
from tests.ui.conftest import ROOT, Server, launch, open_tab

STEPS = 1_000_000
"""More than are ever made: the run is ended when all turns are over."""
SETTLE_S = 4.0
"""After the page has come or gone, before its turn begins."""


@dataclass(frozen=True, slots=True)
class Setup:
    """turns: of each kind. turn_s: how long each is."""

    model: str = "starter"
    turns: int = 8
    turn_s: float = 15.0


def measure(setup: Setup) -> dict:
    """Medians over neighbouring turns, and the share of the run's time that is not spent in its steps."""
    home = Path(tempfile.mkdtemp())
    run = home / "runs" / "bench"
    server = Server(home)
    server.start()
    command = [sys.executable, "-m", "ift", "train", "--model", setup.model, "--out", str(run)]
    options = ["--max_steps", str(STEPS), "--eval_steps", str(STEPS), "--save_steps", str(STEPS)]
    training = subprocess.Popen(
        [*command, *options], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ
    )
    try:
        with sync_playwright() as playwright:
            browser = launch(playwright)
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            while len(_steps(run)) < 5 and training.poll() is None:
                time.sleep(0.5)
            spans = [_turn(page, server.url, setup.turn_s, run, shown=bool(i % 2)) for i in range(2 * setup.turns)]
            browser.close()
    finally:
        training.terminate()
        training.wait(60)
        server.stop(signal.SIGTERM)  # SIGINT is ignored by what a shell has put in the background
    return {"machine": machine("torch", "gradio"), "threads": os.cpu_count(), **_compared(_steps(run), spans)}


def _turn(page: Page, url: str, seconds: float, run: Path, *, shown: bool) -> tuple[int, int]:
    """The steps of a turn, first and last."""
    page.goto(url if shown else "about:blank")
    if shown:
        open_tab(page, "3 Fine-tune")
        page.locator("#chart .js-plotly-plot").wait_for()
    time.sleep(SETTLE_S)
    first = len(_steps(run))
    page.wait_for_timeout(1000 * seconds)
    return first, len(_steps(run)) - 1


def _steps(run: Path) -> list[Stepped]:
    """The steps so far."""
    events, _ = Run(run).training.read() if run.exists() else ([], 0)
    return [event for event in events if isinstance(event, Stepped)]


def _compared(steps: list[Stepped], spans: list[tuple[int, int]]) -> dict:
    def tokens_per_s(first: int, last: int) -> float:
        tokens = sum(step.tokens for step in steps[first + 1 : last + 1])
        return tokens / (steps[last].time_s - steps[first].time_s)

    speeds = [tokens_per_s(*span) for span in spans]
    without, shown = speeds[::2], speeds[1::2]
    # a turn against the mean of those before and after it: what drifts, drifts out of the ratio
    around = [(before + after) / 2 for before, after in pairwise(without)]
    ratios = [with_page / alone for with_page, alone in zip(shown, around, strict=False)]
    inside = sum(step.step_time_s for first, last in spans for step in steps[first + 1 : last + 1])
    whole = sum(steps[last].time_s - steps[first].time_s for first, last in spans)
    return {
        "steps": sum(last - first for first, last in spans),
        "tokens_per_s": {"without": median(without), "shown": median(shown)},
        "ratio_shown": median(ratios),
        "ratio_quartiles": np.percentile(ratios, [25, 75]).tolist(),
        "share_outside_steps": 1 - inside / whole,
    }


def table(result: dict) -> str:
    """The same for people."""
    speeds, quartiles = result["tokens_per_s"], "–".join(f"{value:.3f}" for value in result["ratio_quartiles"])
    return "\n".join(
        [
            f"{result['steps']} steps on {result['threads']} threads. {result['machine']}",
            f"{speeds['without']:,.0f} tokens/s alone, {speeds['shown']:,.0f} with the chart on a screen",
            f"{result['ratio_shown']:.3f} of the throughput with a page (quartiles {quartiles})",
            f"{result['share_outside_steps']:.2%} of the time goes on between the steps: events, heartbeat, the rows",
        ]
    )
