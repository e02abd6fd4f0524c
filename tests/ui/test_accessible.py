"""axe-core finds nothing against WCAG A and AA, on every tab, light and dark."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.ui.conftest import open_tab, step

TABS = ("1 Data", "2 Prompt & batch", "3 Fine-tune", "4 Before & after", "5 Experiments")
RULES = {
    "light": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]},
    "dark": {"type": "rule", "values": ["color-contrast"]},  # nothing else differs
}
MORE_OF_THE_SAME = {"exclude": [[f'#lens [data-key^="{row}/"]'] for row in range(3, 8)] + [["tbody tr:nth-child(n+6)"]]}


def violations(page, scheme):
    options = {"runOnly": RULES[scheme], "resultTypes": ["violations"]}  # of what passes one node a rule is enough
    found = Axe().run(page, MORE_OF_THE_SAME, options).response
    assert len(found["passes"]) > (10 if scheme == "light" else 0)  # it did look
    return [(one["id"], [node["target"] for node in one["nodes"]][:3]) for one in found["violations"]]


CHOSEN = "#mask label.selected, #lens [aria-current=step], #lens .seg [aria-pressed=true]"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_tab_has_a_violation(visit, scheme):
    page = visit(color_scheme=scheme)
    for tab in TABS:
        open_tab(page, tab)
        page.wait_for_timeout(700)  # what fades in has its colors
        assert (tab, violations(page, scheme)) == (tab, [])
    open_tab(page, TABS[1])
    for number in (1, 3):
        step(page, number)
        page.wait_for_timeout(700)
        assert (number, violations(page, scheme)) == (number, [])
    page.emulate_media(forced_colors="active")  # the system takes all colors away that are not kept
    kept = page.locator(CHOSEN).evaluate_all("them => them.map(one => getComputedStyle(one).forcedColorAdjust)")
    assert kept == ["none"] * 3
    box = page.locator("#rail input[type=checkbox]").first
    assert box.evaluate("one => getComputedStyle(one).appearance") == "auto"


SMALL_TEXT = """() => [...document.querySelectorAll('body *')]
    .filter(e => e.checkVisibility() && [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()))
    .filter(e => parseFloat(getComputedStyle(e).fontSize) < 16).map(e => e.textContent.trim().slice(0, 40))"""


def test_a_projector_shows_no_small_text(visit):
    page = visit()
    page.get_by_role("button", name="Projector").click()
    for tab in TABS:
        open_tab(page, tab)
        page.wait_for_timeout(700)
        assert (tab, page.evaluate(SMALL_TEXT)) == (tab, [])
