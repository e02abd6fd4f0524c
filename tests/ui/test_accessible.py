"""axe-core finds nothing against WCAG A and AA, on every tab, light and dark."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.ui.conftest import open_tab, step

TABS = ("1 Data", "2 Prompt & batch", "3 Fine-tune", "4 Before & after", "5 Experiments")
OPTIONS = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]},
    "resultTypes": ["violations"],  # of what passes one node a rule is enough
}


def violations(page):
    found = Axe().run(page, options=OPTIONS).response
    assert len(found["passes"]) > 10  # it did look
    return [(one["id"], [node["target"] for node in one["nodes"]][:3]) for one in found["violations"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_tab_has_a_violation(visit, scheme):
    page = visit(color_scheme=scheme)
    for tab in TABS:
        open_tab(page, tab)
        page.wait_for_timeout(700)  # what fades in has its colors
        assert (tab, violations(page)) == (tab, [])
    open_tab(page, TABS[1])
    for number in (1, 3):
        step(page, number)
        page.wait_for_timeout(700)
        assert (number, violations(page)) == (number, [])


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
