"""From key to redrawn grid, in a real browser on a real `python app.py`.

The time ends with the frame that shows the redraw: `shown` for all that is on the screen, `drawn` for the columns and
rows beyond it, too, which the page draws after that frame. Beside it stands the same way without any work of ours: a
request to the same server that it answers at once, and a frame.
"""

import json
import signal
import statistics
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.ui.conftest import Server, launch, open_tab, unfold_group

PAUSE_MS = 300
"""Between two keys: a quick typist's rhythm, so that every key is measured alone."""
SIZES = {"8 rows of about 150 tokens": (8, 150), "32 rows of 1,024 tokens": (32, 1_030)}
PATIENCE_MS, SETTLE_MS = 30_000, 3_000
STARTER_CONTEXT = 256

TYPE_ONE = """async key => {
  const lens = document.querySelector('.lens'), box = document.querySelector('#template textarea');
  const before = lens.dataset.drawn, passed = [];
  const frame = name => new Promise(done => new MutationObserver((_, seen) => {
    if (lens.dataset[name] === before) return;
    seen.disconnect();
    requestAnimationFrame(() => { // the first task after that frame
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => { passed.push(performance.now() - began); done(); };
      port2.postMessage(0);
    });
  }).observe(lens, { attributes: true, attributeFilter: [`data-${name}`] }));
  const redrawn = Promise.all([frame('shown'), frame('drawn')]);
  const began = performance.now();
  box.setRangeText(key, box.selectionStart, box.selectionEnd, 'end');
  box.dispatchEvent(new InputEvent('input', { bubbles: true, data: key, inputType: 'insertText' }));
  await redrawn;
  return passed;
}"""
ROUND_TRIP = """async () => {
  const began = performance.now();
  await (await fetch('gradio_api/startup-events')).text();
  await new Promise(done => requestAnimationFrame(() => setTimeout(done)));
  return performance.now() - began;
}"""


def _times(page: Page, keys: int) -> dict[str, list[float]]:
    """Milliseconds of each key until shown and drawn, and of each bare round trip, taken in turn."""
    page.locator("#template textarea").evaluate("box => { box.focus(); box.setSelectionRange(0, 0); }")
    times: dict[str, list[float]] = {"shown": [], "drawn": [], "bare_round_trip": []}
    for i in range(keys):
        shown, drawn = page.evaluate(TYPE_ONE, "Some words, typed one by one. "[i % 30])
        page.wait_for_timeout(PAUSE_MS)
        for name, time in zip(times, (shown, drawn, page.evaluate(ROUND_TRIP)), strict=True):
            times[name].append(time)
    return {name: values[5:] for name, values in times.items()}  # the first ones warm up


def data_file(folder: Path, rows: int, tokens: int) -> Path:
    """Records whose rows have about so many tokens under the Alpaca template."""
    words = ("name", "the", "capital", "of", "a", "country", "and", "tell", "what", "people", "there", "speak")
    filler = " ".join(words[i % len(words)] for i in range((tokens - 45) // 2))
    records = [{"instruction": f"{filler} {i}", "input": "", "output": filler} for i in range(rows)]
    path = folder / f"rows-{rows}-{tokens}.json"
    path.write_text(json.dumps(records), encoding="utf-8")
    return path


def summary(values: list[float]) -> dict[str, float]:
    """p50 and p95 in milliseconds."""
    return {"p50_ms": round(statistics.median(values), 1), "p95_ms": round(statistics.quantiles(values, n=20)[-1], 1)}


def visit(browser: Browser, url: str, path: Path, *, rows: int, tokens: int) -> Page:
    """The page with these records in the grid."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.set_default_timeout(PATIENCE_MS)
    page.goto(url)
    page.get_by_label("A file of your own").check()
    page.locator("#upload input[type=file]").set_input_files(path)
    page.locator("#data-message", has_text="is in use").wait_for()
    if tokens > STARTER_CONTEXT:
        open_tab(page, "3 Fine-tune")
        page.locator("#model input").fill("gpt2")
        page.keyboard.press("Enter")
    open_tab(page, "2 Prompt & batch")
    page.locator(".lens .c").first.wait_for()
    unfold_group(page, "Rows")
    page.locator("#size input[type=number]").fill(str(rows))
    page.wait_for_timeout(SETTLE_MS)
    return page


def measure(keys: int) -> dict[str, dict]:
    """Every size, one after the other, in one browser and on one server."""
    home, found = Path(tempfile.mkdtemp()), {}
    server = Server(home)
    server.start()
    try:
        with sync_playwright() as playwright:
            browser = launch(playwright)
            for name, (rows, tokens) in SIZES.items():
                page = visit(browser, server.url, data_file(home, rows, tokens), rows=rows, tokens=tokens)
                shape = page.locator(".lens .fact b").first.inner_text()
                times = _times(page, keys)
                found[name] = {"shape": shape, **{what: summary(values) for what, values in times.items()}}
                page.close()
            browser.close()
    finally:
        server.stop(signal.SIGTERM)  # SIGINT is ignored by what a shell has put in the background
    return found


def table(result: dict[str, dict]) -> str:
    """The same for people."""
    return "\n".join(f"{name}: {values}" for name, values in result.items())
