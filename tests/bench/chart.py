"""What a page that shows a run costs the run, and what its event file does: with and without a page, in turn.

A real run in a process of its own, a real server, a real browser. The page comes and goes while the run goes on, one
time at its first tab, which shows nothing of the run, the next with the live chart on the screen; throughput is that
of the run's own events, tokens by their time stamps.
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
from ift.runs.folder import Run
from tests.bench.turns import machine
from tests.ui.conftest import ROOT, Server, launch, open_tab

STEPS = 1_000_000
"""More than are ever made: the run is ended when all turns are over."""
CHART = "3 Fine-tune"
SETTLE_S = 10.0
"""After the page has come or gone, before its turn begins."""


@dataclass(frozen=True, slots=True)
class Setup:
    """turns: with the page, of each kind. turn_s: how long each is."""

    model: str = "starter"
    turns: int = 4
    turn_s: float = 20.0


def measure(setup: Setup) -> dict:
    """Medians over neighbouring turns, and the share of the run's time that is not spent in its steps."""
    home = Path(tempfile.mkdtemp())
    run = home / "runs" / "bench"
    server = Server(home)
    server.start()
    command = [sys.executable, "-m", "ift", "train", "--model", setup.model, "--out", str(run)]
    options = ["--max_steps", str(STEPS), "--eval_steps", str(STEPS), "--save_steps", str(STEPS)]
    training = subprocess.Popen([*command, *options], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with sync_playwright() as playwright:
            browser = launch(playwright)
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            while len(_steps(run)) < 5 and training.poll() is None:
                time.sleep(0.5)
            order = [None, "1 Data", None, CHART] * setup.turns + [None]
            spans = [_turn(page, server.url, setup.turn_s, run, tab) for tab in order]
            browser.close()
    finally:
        training.terminate()
        training.wait(60)
        server.stop(signal.SIGTERM)  # SIGINT is ignored by what a shell has put in the background
    return {"machine": machine("torch", "gradio"), "threads": os.cpu_count(), **_compared(_steps(run), spans)}


def _turn(page: Page, url: str, seconds: float, run: Path, tab: str | None) -> tuple[int, int]:
    """The steps of a turn, first and last."""
    page.goto(url if tab else "about:blank")
    if tab:
        open_tab(page, tab)
    if tab == CHART:
        page.locator("#chart .js-plotly-plot").wait_for()
    time.sleep(SETTLE_S)
    first = len(_steps(run))
    page.wait_for_timeout(1000 * seconds)
    return first, len(_steps(run)) - 1


def _steps(run: Path) -> list[Stepped]:
    """The steps so far."""
    events, _ = Run(run).training.read()
    return [event for event in events if isinstance(event, Stepped)]


def _compared(steps: list[Stepped], spans: list[tuple[int, int]]) -> dict:
    def tokens_per_s(first: int, last: int) -> float:
        tokens = sum(step.tokens for step in steps[first + 1 : last + 1])
        return tokens / (steps[last].time_s - steps[first].time_s)

    speeds = [tokens_per_s(*span) for span in spans]
    without = speeds[::2]
    # a turn against the mean of those before and after it: what drifts, drifts out of the ratio
    around = [(before + after) / 2 for before, after in pairwise(without)]
    ratios = [shown / alone for shown, alone in zip(speeds[1::2], around, strict=True)]
    page, chart = ratios[::2], ratios[1::2]
    inside = sum(step.step_time_s for first, last in spans for step in steps[first + 1 : last + 1])
    whole = sum(steps[last].time_s - steps[first].time_s for first, last in spans)
    return {
        "steps": sum(last - first for first, last in spans),
        "tokens_per_s": median(without),
        "ratio_page": median(page),
        "ratio_chart": median(chart),
        "ratio_quartiles": {
            name: np.percentile(of, [25, 75]).tolist() for name, of in (("page", page), ("chart", chart))
        },
        "share_outside_steps": 1 - inside / whole,
    }


def table(result: dict) -> str:
    """The same for people."""
    quartiles = {name: "–".join(f"{value:.3f}" for value in pair) for name, pair in result["ratio_quartiles"].items()}
    return "\n".join(
        [
            f"{result['steps']} steps on {result['threads']} threads. {result['machine']}",
            f"{result['tokens_per_s']:,.0f} tokens/s alone",
            f"{result['ratio_page']:.3f} of it with a page that shows another tab (quartiles {quartiles['page']})",
            f"{result['ratio_chart']:.3f} of it with the chart on the screen (quartiles {quartiles['chart']})",
            f"{result['share_outside_steps']:.2%} of the time goes on between the steps: events, heartbeat, the rows",
        ]
    )
