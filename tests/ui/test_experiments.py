"""Tab 5 and the lesson, as a teacher uses them: a twin's verdict, a replay, and a whole lesson by keyboard."""

from types import SimpleNamespace

import pytest

from ift.experiments.twins import SEED, twin
from playground.lesson import read_lesson
from tests.experiments.test_compare_runs import right, wrong
from tests.playground.test_experiments import scored_run
from tests.ui.conftest import open_tab
from tests.ui.test_accessible import violations

OWN_SERVER = True


@pytest.fixture(scope="module")
def pair(server):
    """The end-of-text twin, run before, and a run whose folder is damaged."""
    home = SimpleNamespace(settings=SimpleNamespace(runs=server.home / "runs"))
    kept, masked = twin("end-of-text").configs(SEED)
    scored_run(home, "kept", kept, right(range(30)))
    scored_run(home, "masked", masked, wrong(range(30)))
    broken = scored_run(home, "broken", masked, right(range(30)))
    (broken.path / "config.json").write_text("{", encoding="utf-8")


def test_a_twins_verdict_a_damaged_run_and_a_replay(visit, pair):
    page = visit()
    open_tab(page, "5 Experiments")
    page.get_by_role("button", name="Compare: End-of-text: kept or masked", exact=True).click()
    verdict = page.locator(".comparison .verdict")
    verdict.wait_for()
    assert "Stopped by itself is 100.0 points lower for “masked like padding”" in verdict.inner_text()
    assert "✓ decided for this seed" in page.locator('[data-twin="end-of-text"]').inner_text()
    options = page.get_by_label("Run A", exact=True).locator("option")
    assert any("broken" in text and "damaged" in text for text in options.all_inner_texts())
    assert page.locator(".comparison svg circle").count() >= 6
    assert violations(page, "light") == []
    page.get_by_role("button", name="Play the recording of the starter, fine-tuned", exact=True).click()
    page.locator(".replay").get_by_role("button", name="To the end", exact=True).click()
    assert "Step 296 of 296" in page.locator(".replay .status").inner_text()
    assert "99.3 %" in page.locator(".replay .means").inner_text()


def test_a_whole_lesson_by_keyboard(visit):
    page = visit()
    lesson = read_lesson()
    page.locator("#lesson-button").focus()
    page.keyboard.press("Enter")
    panel = page.get_by_role("region", name=lesson.title, exact=True)
    for step in lesson.steps:
        panel.get_by_role("heading", name=step.title, exact=True).wait_for()
        selected = page.locator("[role=tab][aria-selected=true]").first
        assert selected.inner_text().strip().startswith(str(step.tab))
        if step.choices:
            assert step.reveal not in panel.inner_text()
            panel.get_by_role("radio").nth(step.right).focus()
            page.keyboard.press("Enter")
            assert "✓ as you guessed" in panel.inner_text()
            assert step.reveal in panel.inner_text()
        else:
            panel.locator(".next").focus()
        page.keyboard.press("Enter")  # the next step; the last one's closes the lesson
    panel.wait_for(state="hidden")
    assert page.evaluate("document.activeElement.id") == "lesson-button"
