import json

import pytest

from ift.cli import main
from tests.ui.conftest import drawn, edit, open_tab, wait_for_redraw

PHI3_LIKE = "<|user|>\n{{instruction}}\n{{#input}}\n{{input}}\n{{/input}}\n<|assistant|>\n{{output}}<|end|>"


def lens_page(visit):
    page = visit()
    open_tab(page, "2 Prompt & batch")
    page.locator(".lens .c").first.wait_for()
    return page


def unfold(page):
    page.get_by_role("button", name="Fold the shared opening").click()


def cells(page, kind):
    """Every cell's own number, row by row, as the page holds it."""
    return page.evaluate(
        """kind => [...document.querySelectorAll(`.lens .line.${kind}`)].map(
            line => [...line.querySelectorAll('[data-key]')].map(cell => +cell.dataset.id))""",
        kind,
    )


@pytest.mark.parametrize("mask", ["all", "response-and-header", "response"])
@pytest.mark.parametrize("source", ["alpaca", PHI3_LIKE])
def test_the_grid_shows_the_tensors_that_the_batch_command_prints(visit, capsys, tmp_path, source, mask):
    page = lens_page(visit)
    template = "alpaca"
    if source != "alpaca":
        edit(page, source)
        template = tmp_path / "own.txt"
        template.write_text(source + "\n", encoding="utf-8")
    before = drawn(page)
    if mask != "response":
        page.locator("#mask").get_by_label(mask.replace("-", " "), exact=True).check()
        wait_for_redraw(page, before)
    unfold(page)
    rows = "0,1,2,3,4,5,6,7"
    assert main(["batch", "--template", str(template), "--rows", rows, "--train-on", mask, "--json"]) == 0
    expected = json.loads(capsys.readouterr().out)
    assert expected["width"] <= 64
    assert cells(page, "input") == expected["inputs"]
    assert cells(page, "target") == expected["targets"]


def test_every_keystroke_redraws_and_keeps_the_caret(visit):
    page = lens_page(visit)
    box = page.locator("#template textarea")
    box.focus()
    page.keyboard.press("Control+Home")
    for letter in "Xyz":
        before = drawn(page)
        page.keyboard.type(letter)
        wait_for_redraw(page, before)
    assert box.input_value().startswith("XyzBelow is")
    assert box.evaluate("box => [document.activeElement === box, box.selectionStart]") == [True, 3]


def test_a_template_error_names_line_and_column_and_greys_the_last_good_view(visit):
    page = lens_page(visit)
    shown = cells(page, "input")
    page.locator("#template textarea").fill("Q: {{instruction}}\nA: {{outptu}}")
    page.locator(".lens.stale").wait_for()
    assert cells(page, "input") == shown
    message = page.locator("#template-message").inner_text()
    assert "{{outptu}} is not a field" in message
    assert "line 2, column 4" in message
    edit(page, "Q: {{instruction}}\nA: {{output}}")
    assert page.locator(".lens.stale").count() == 0
    assert page.locator("#template-message").inner_text().strip() == ""


def test_a_preset_fills_the_editor_and_editing_makes_it_your_own(visit):
    page = lens_page(visit)
    before = drawn(page)
    page.locator("#preset input").click()
    page.get_by_role("option", name="Phi-3 style").click()
    wait_for_redraw(page, before)
    assert page.locator("#template textarea").input_value().startswith("<|user|>\n")
    edit(page, "{{instruction}} -> {{output}}")
    page.wait_for_function("document.querySelector('#preset input').value === 'Your own'")


def test_the_keyboard_walks_the_grid_and_the_sentence_says_what_it_means(visit):
    page = lens_page(visit)
    sentence = page.locator(".lens .detail")
    assert "must predict" in sentence.inner_text()
    page.locator('.lens .c[tabindex="0"]').focus()
    said = sentence.inner_text()
    page.keyboard.press("ArrowRight")
    assert sentence.inner_text() != said
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')").startswith("row 0, position 50, target")
    page.keyboard.press("Home")
    assert "adds nothing to the loss" in sentence.inner_text()


def test_training_padding_shows_padding_as_targets(visit):
    page = lens_page(visit)
    assert -100 in cells(page, "target")[4]
    before = drawn(page)
    page.locator("#mask").get_by_label("all", exact=True).check()
    wait_for_redraw(page, before)
    before = drawn(page)
    page.locator("#pad input").check()
    wait_for_redraw(page, before)
    assert all(-100 not in row for row in cells(page, "target"))
