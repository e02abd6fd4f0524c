"""Take the README's screenshots from the running page: `python -m tests.screenshots` (needs a Chromium or Chrome)."""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.ui.conftest import ROOT, Server, launch, open_tab

MODES = {
    "light-1920": {"viewport": {"width": 1920, "height": 1080}, "color_scheme": "light"},
    "dark-1280": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "projector-1920": {"viewport": {"width": 1920, "height": 1080}, "color_scheme": "light"},
    "phone-400": {"viewport": {"width": 400, "height": 850}, "color_scheme": "light"},
}
TABS = {
    "data": "1 Data",
    "prompt": "2 Prompt & batch",
    "train": "3 Fine-tune",
    "compare": "4 Before & after",
    "experiments": "5 Experiments",
}


def train_and_answer(page: Page) -> None:
    """One default run, answered and asked, so that every tab has something to show."""
    open_tab(page, TABS["train"])
    page.locator("#start:not([disabled])").click()
    page.locator("#chart .chip", has_text="finished").first.wait_for(timeout=300_000)
    open_tab(page, TABS["compare"])
    page.locator("#answer:not([disabled])").click()
    page.locator("#verdict .chip.fill:not(.acc)").wait_for(timeout=300_000)


def shoot(page: Page, folder: Path, mode: str, *, tabs: Sequence[str]) -> None:
    """These tabs, in one mode."""
    if mode.startswith("projector"):
        page.get_by_role("button", name="Projector").click()
    for name in tabs:
        if name != "data":  # which is open, and no menu holds it
            open_tab(page, TABS[name])
        page.wait_for_timeout(1500)  # Plotly draws
        page.screenshot(path=folder / f"{name}-{mode}.png")


def main() -> None:
    """What the README shows into assets/screenshots, or everything into --out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "assets" / "screenshots")
    parser.add_argument(
        "--all", action="store_true", help="every tab in every mode, and not only what the README shows"
    )
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    server = Server(Path(tempfile.mkdtemp()))
    server.start()
    try:
        with sync_playwright() as playwright:
            browser = launch(playwright)
            page = browser.new_page(viewport={"width": 1440, "height": 900}, color_scheme="light")
            page.goto(server.url)
            page.locator("#records table").wait_for()
            train_and_answer(page)
            for name in ("train", "compare"):
                open_tab(page, TABS[name])
                page.wait_for_timeout(1500)
                page.screenshot(path=args.out / f"{name}.png")
            for mode, options in MODES.items():
                page = browser.new_page(**options)
                page.goto(server.url)
                page.locator("#records table").wait_for()
                shoot(page, args.out, mode, tabs=tuple(TABS) if args.all else ("prompt",))
            browser.close()
    finally:
        server.stop()


if __name__ == "__main__":
    main()
