"""axe-core finds nothing against WCAG A and AA, on every tab, light and dark."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.ui.conftest import open_tab

TABS = ("1 Data", "2 Prompt & batch", "3 Fine-tune", "4 Before & after")
OPTIONS = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}


def violations(page):
    found = Axe().run(page, options=OPTIONS).response
    assert len(found["passes"]) > 10  # it did look
    return [(one["id"], [node["target"] for node in one["nodes"]][:3]) for one in found["violations"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("tab", TABS)
def test_a_tab_has_no_violation(visit, tab, scheme):
    page = visit(color_scheme=scheme)
    if tab != TABS[0]:
        open_tab(page, tab)
    page.wait_for_timeout(700)  # what fades in has its colors
    assert violations(page) == []


@pytest.mark.parametrize("number", [1, 3])
def test_the_steps_of_the_lens_have_no_violation(visit, number):
    page = visit()
    open_tab(page, "2 Prompt & batch")
    page.locator(".lens .c").first.wait_for()
    page.locator(".lens .steps button").nth(number - 1).click()
    page.wait_for_timeout(700)
    assert violations(page) == []


SMALL_TEXT = """() => [...document.querySelectorAll('body *')]
    .filter(e => e.checkVisibility() && [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()))
    .filter(e => parseFloat(getComputedStyle(e).fontSize) < 16).map(e => e.textContent.trim().slice(0, 40))"""


@pytest.mark.parametrize("tab", TABS)
def test_a_projector_shows_no_small_text(visit, tab):
    page = visit()
    page.get_by_role("button", name="Projector").click()
    if tab != TABS[0]:
        open_tab(page, tab)
    page.wait_for_timeout(700)
    assert page.evaluate(SMALL_TEXT) == []
