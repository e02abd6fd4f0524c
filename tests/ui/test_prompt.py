import json
import re

import pytest
from playwright.sync_api import expect

from ift.cli import main
from ift.data.sources import load_dataset
from ift.data.templates import Template, load_template
from ift.data.tokenizer import encode, piece
from playground.lens.code import lens_code
from playground.lens.recent import KEPT
from tests.ui.conftest import cells, drawn, edit, lens_page, open_tab, step, unfold, unfold_group, wait_for_redraw

PHI3_LIKE = "<|user|>\n{{instruction}}\n{{#input}}\n{{input}}\n{{/input}}\n<|assistant|>\n{{output}}<|end|>"


def first_row():
    return encode(load_template("alpaca").render(load_dataset("starter").examples[0]))


@pytest.mark.parametrize("source", ["alpaca", PHI3_LIKE])
def test_the_grid_shows_the_tensors_that_the_batch_command_prints(visit, capsys, tmp_path, source):
    page = lens_page(visit)
    template = "alpaca"
    if source != "alpaca":
        edit(page, source)
        template = tmp_path / "own.txt"
        template.write_text(source + "\n", encoding="utf-8")
    unfold(page)
    for mask in ("response", "all", "response-and-header"):
        before = drawn(page)
        if mask != "response":
            page.locator("#mask").get_by_label(mask.replace("-", " "), exact=True).check()
            wait_for_redraw(page, before)
        rows = "0,1,2,3,4,5,6,7"
        assert main(["batch", "--template", str(template), "--rows", rows, "--train-on", mask, "--json"]) == 0
        expected = json.loads(capsys.readouterr().out)
        assert expected["width"] <= 64
        assert cells(page, "input") == expected["inputs"]
        assert cells(page, "target") == expected["targets"]
    trained_padding_is_shown_as_targets(page)


def trained_padding_is_shown_as_targets(page):
    assert -100 in cells(page, "target")[4]
    before = drawn(page)
    page.locator("#mask").get_by_label("all", exact=True).check()
    wait_for_redraw(page, before)
    before = drawn(page)
    page.locator("#pad input").check()
    wait_for_redraw(page, before)
    assert all(-100 not in row for row in cells(page, "target"))


def test_the_editor(visit):
    page = lens_page(visit)
    the_placeholders_are_colored_like_their_roles(page)
    every_keystroke_redraws_and_keeps_the_caret(page)
    digits_are_text_and_no_step(page)
    tokens_new_to_the_model_are_marked(page)
    an_error_names_line_and_column_and_greys_the_last_good_view(page)
    a_preset_fills_the_editor_and_editing_makes_it_your_own(page)


def the_placeholders_are_colored_like_their_roles(page):
    marks = page.locator("#template .behind mark")
    page.wait_for_function("document.querySelectorAll('#template .behind mark').length === 5")
    assert marks.all_inner_texts() == ["{{instruction}}", "{{#input}}", "{{input}}", "{{/input}}", "{{output}}"]
    fonts = "['.behind', 'textarea'].map(s => getComputedStyle(document.querySelector(`#template ${s}`)).font)"
    behind, box = page.evaluate(fonts)
    assert behind == box
    page.get_by_role("button", name="Projector").click()
    behind, larger = page.evaluate(fonts)
    assert behind == larger != box
    page.get_by_role("button", name="Projector").click()


def every_keystroke_redraws_and_keeps_the_caret(page):
    box = page.locator("#template textarea")
    box.focus()
    page.keyboard.press("Control+Home")
    for letter in "Xyz":
        before = drawn(page)
        page.keyboard.type(letter)
        wait_for_redraw(page, before)
    assert box.input_value().startswith("XyzBelow is")
    assert box.evaluate("box => [document.activeElement === box, box.selectionStart]") == [True, 3]


def digits_are_text_and_no_step(page):
    page.locator("#template textarea").focus()
    before = drawn(page)
    page.keyboard.type("1")
    wait_for_redraw(page, before)
    assert page.locator(".lens").get_attribute("data-step") == "5"


def tokens_new_to_the_model_are_marked(page):
    assert page.locator(".lens .c.u").count() == 0
    edit(page, "\u03a9: {{instruction}} {{output}}")
    assert page.locator(".lens .c.u").count() > 0
    assert "new to the model" in page.locator(".lens .c.u").first.get_attribute("aria-label")
    assert "new to the starter" in page.locator("#template-message").inner_text()


def an_error_names_line_and_column_and_greys_the_last_good_view(page):
    shown = cells(page, "input")
    page.locator("#template textarea").fill("Q: {{instruction}}\nA: {{outptu}}")
    page.locator(".lens.stale").wait_for()
    assert cells(page, "input") == shown
    message = page.locator("#template-message").inner_text()
    assert "{{outptu}} is not a field" in message
    assert "line 2, column 4" in message
    edit(page, "Q: {{instruction}}\nA: {{output}}")
    assert page.locator(".lens.stale").count() == 0
    assert page.locator("#template-message .said").inner_text().strip() == ""


def a_preset_fills_the_editor_and_editing_makes_it_your_own(page):
    before = drawn(page)
    page.locator("#preset input").click()
    page.get_by_role("option", name="Phi-3 style").click()
    wait_for_redraw(page, before)
    expect(page.locator("#template textarea")).to_have_value(re.compile(r"^<\|user\|>\n"))  # may follow the grid
    edit(page, "{{instruction}} -> {{output}}")
    page.wait_for_function("document.querySelector('#preset input').value === 'Your own'")


def test_keys_and_marks_in_the_grid(visit):
    page = lens_page(visit)
    two_arrows_show_what_is_predicted_and_where_it_comes_from(page)
    the_keyboard_walks_the_grid_and_the_sentence_says_what_it_means(page)
    a_question_mark_lists_the_keys(page)
    the_keyboard_alone_walks_the_steps_and_jumps(page)
    a_click_on_the_overview_jumps_there(page)


def two_arrows_show_what_is_predicted_and_where_it_comes_from(page):
    ends = page.evaluate(
        """() => ['predicts', 'same'].map(name => {
            const path = document.querySelector(`.lens .arrows .${name}:not(.tip)`).getAttribute('d');
            const [x, y, X, Y] = path.match(/[\\d.]+/g).map(Number);
            return [X - x, Y - y];
        })"""
    )
    (straight, down), (left, also_down) = ends
    assert straight == 0
    assert left < 0 < down == also_down
    page.locator('.lens .c[tabindex="0"]').focus()
    page.keyboard.press("e")
    assert page.locator(".lens .arrows .same").count() == 0
    page.keyboard.press("r")


def the_keyboard_walks_the_grid_and_the_sentence_says_what_it_means(page):
    sentence = page.locator(".lens .detail")
    assert "must predict" in sentence.inner_text()
    page.locator('.lens .c[tabindex="0"]').focus()
    said = sentence.inner_text()
    page.keyboard.press("ArrowRight")
    assert sentence.inner_text() != said
    page.keyboard.press("ArrowDown")
    said = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert said.startswith(f"row 0, position {first_row().prompt_length}, target")
    page.keyboard.press("Home")
    assert "adds nothing to the loss" in sentence.inner_text()


def a_question_mark_lists_the_keys(page):
    page.locator('.lens .c[tabindex="0"]').focus()
    page.keyboard.press("?")
    page.locator("dialog.keys").get_by_text("fold the shared prefix").wait_for()
    page.keyboard.press("Escape")
    page.locator("dialog.keys").wait_for(state="hidden")


def the_keyboard_alone_walks_the_steps_and_jumps(page):
    page.locator('.lens .c[tabindex="0"]').focus()
    for number in (4, 3, 2, 1, 5):
        page.keyboard.press(str(number))
        assert page.locator(".lens").get_attribute("data-step") == str(number)
    focused = "document.activeElement.getAttribute('aria-label')"
    page.keyboard.press("e")
    assert "end of text" in page.evaluate(focused) or "minus 100" not in page.evaluate(focused)
    page.keyboard.press("r")
    page.keyboard.press("ArrowDown")
    answer = int(first_row().ids[first_row().prompt_length])
    assert f", target {piece(answer)}, id {answer}, response" in page.evaluate(focused)
    for mask in ("all", "response and header", "response"):
        before = drawn(page)
        page.keyboard.press("m")
        wait_for_redraw(page, before)
        assert page.locator("#mask").get_by_label(mask, exact=True).is_checked()
    page.keyboard.press("f")
    assert page.get_by_role("button", name="Fold the shared prefix").get_attribute("aria-pressed") == "false"


def a_click_on_the_overview_jumps_there(page):
    strip = page.locator(".lens .overview > div").nth(3)
    box = strip.bounding_box()
    strip.click(position={"x": box["width"] * 0.55, "y": 2})
    label = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert label.startswith("row 3, position ")


def test_the_five_steps_lead_from_the_text_to_the_masked_targets(visit, capsys):
    page = lens_page(visit)
    unfold(page)
    assert main(["batch", "--rows", "0,1,2,3,4,5,6,7", "--json"]) == 0
    batch = json.loads(capsys.readouterr().out)
    lengths = [sum(id != 50256 for id in row) for row in batch["inputs"]]
    step(page, 1)
    assert (
        page.locator(".lens .text pre").first.inner_text()
        == load_template("alpaca").render(load_dataset("starter").examples[0]).text
    )
    step(page, 2)
    rows = cells(page, "ids")
    assert [row[:-1] for row in rows] == [row[:n] for row, n in zip(batch["inputs"], lengths, strict=True)]
    assert {row[-1] for row in rows} == {50256}
    step(page, 3)
    assert [len(row) for row in cells(page, "ids")] == [batch["width"] + 1] * 8
    step(page, 4)
    assert cells(page, "input") == batch["inputs"]
    assert [row[1:] for row in cells(page, "input")] == [row[:-1] for row in cells(page, "target")]
    step(page, 5)
    assert cells(page, "target") == batch["targets"]
    each_step_shows_the_lines_of_the_library_that_do_it(page)


def each_step_shows_the_lines_of_the_library_that_do_it(page):
    for number, found in enumerate(lens_code(), start=1):
        step(page, number)
        assert page.locator(".lens pre.code").inner_text().splitlines() == found["lines"]


@pytest.mark.parametrize("late", ["/gradio_api/run/", "/gradio_api/component_server"], ids=["switch", "key"])
def test_a_key_and_a_switch_count_together_whichever_answer_is_late(visit, late):
    page = lens_page(visit)
    step(page, 1)
    held, released = [], []
    page.route(re.compile(late), lambda route: route.continue_() if released else held.append(route))
    flip = page.locator("#mask").get_by_label("all", exact=True).check
    acts = [flip, lambda: page.locator("#template textarea").press_sequentially("1 ")]
    for act in acts if "run" in late else reversed(acts):
        act()
        page.wait_for_timeout(500)
    assert held
    released.append(True)
    for route in held:
        route.continue_()
    page.wait_for_timeout(1_000)  # whatever comes late has come
    assert "1 " in page.locator(".lens .text pre").first.inner_text()
    assert 90 <= float(page.locator(".lens .numbers .fact b").nth(2).inner_text().removesuffix(" %")) <= 100


def test_switches_turned_while_the_template_is_broken_count_once_it_is_mended(visit):
    page = lens_page(visit)
    page.locator("#template textarea").fill("{{outptu}}")
    page.locator(".lens.stale").wait_for()
    page.locator("#mask").get_by_label("all", exact=True).check()
    page.wait_for_timeout(500)
    edit(page, "{{instruction}}\n{{output}}")
    template = Template.parse("{{instruction}}\n{{output}}")
    ids = encode(template.render(load_dataset("starter").examples[0])).ids.tolist()
    targets = cells(page, "target")[0]
    assert targets[: len(ids) - 1] == ids[1:]


def test_an_answer_that_was_overtaken_is_left_out(visit):
    page = lens_page(visit)
    unfold_group(page, "Rows")
    page.locator("#size input[type=number]").wait_for()
    late = []

    def hold_first(route):
        if late:
            route.continue_()
        else:
            late.append(route)
            late.append(route.fetch())  # the server has drawn it; the answer is still under way

    page.route(re.compile("/gradio_api/run/"), hold_first)
    page.locator("#mask").get_by_label("all", exact=True).check()
    page.locator("#size input[type=number]").fill("3")
    page.wait_for_function("document.querySelectorAll('.lens .line.input').length === 3")
    route, response = late
    route.fulfill(response=response)
    page.wait_for_timeout(1_000)
    assert len(cells(page, "input")) == 3


def forget(visit):
    """Redraw in another tab of the same browser until the server has no room for this one's batch."""
    other = visit()
    open_tab(other, "2 Prompt & batch")
    other.locator(".lens .c").first.wait_for()
    other.locator("#template textarea").focus()
    for i in range(KEPT + 2):
        before = drawn(other)
        other.keyboard.type("ab"[i % 2])
        wait_for_redraw(other, before)
    other.close()


def test_a_number_of_rows_above_the_limit_says_what_is_allowed(visit):
    page = lens_page(visit)
    unfold_group(page, "Rows")
    field, message = page.locator("#size input[type=number]"), page.locator("#template-message")
    field.fill("100")
    expect(message).to_contain_text("100 rows can't be shown together")
    expect(message).to_contain_text("Use 1 to 32")
    field.fill("3")
    expect(message).not_to_contain_text("can't be shown")
    assert len(cells(page, "input")) == 3


def test_keys_and_losses_come_even_where_the_server_has_forgotten_the_batch(visit):
    page, other = lens_page(visit), lens_page(visit)
    forget(visit)
    edit(page, "{{instruction}} => {{output}}")
    page.wait_for_function("document.querySelector('#preset input').value === 'Your own'")
    step(page, 1)
    assert " => " in page.locator(".lens .text pre").first.inner_text()
    other.get_by_role("button", name="Loss before").click()
    expect(other.locator(".lens .legend [role=status]")).to_contain_text("nats, of starter", timeout=60_000)
