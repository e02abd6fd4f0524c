import json

import pytest

from ift.batching import epochs
from ift.cli import main
from ift.prepare import encode_all, prepare
from ift.sources import load_dataset
from ift.templates import load_template
from ift.tokenizer import encode, piece
from ift.types import TRAIN_ON
from playground.views.steps import lens_code
from tests.ui.conftest import drawn, edit, open_tab, wait_for_redraw

PHI3_LIKE = "<|user|>\n{{instruction}}\n{{#input}}\n{{input}}\n{{/input}}\n<|assistant|>\n{{output}}<|end|>"


def lens_page(visit):
    page = visit()
    open_tab(page, "2 Prompt & batch")
    page.locator(".lens .c").first.wait_for()
    return page


def first_row():
    return encode(load_template("alpaca").render(load_dataset("starter").examples[0]))


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
    said = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert said.startswith(f"row 0, position {first_row().prompt_length}, target")
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


def step(page, number):
    page.locator(".lens .steps button").nth(number - 1).click()
    page.wait_for_function("number => document.querySelector('.lens').dataset.step === number", arg=str(number))


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


def test_each_step_shows_the_lines_of_the_library_that_do_it(visit):
    page = lens_page(visit)
    for number, found in enumerate(lens_code(), start=1):
        step(page, number)
        assert page.locator(".lens pre.code").inner_text().splitlines() == found["lines"]


def test_the_keyboard_alone_walks_the_steps_and_jumps(visit):
    page = lens_page(visit)
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
    before = drawn(page)
    page.keyboard.press("m")
    wait_for_redraw(page, before)
    assert page.locator("#mask").get_by_label("all", exact=True).is_checked()
    page.keyboard.press("f")
    assert page.get_by_role("button", name="Fold the shared opening").get_attribute("aria-pressed") == "false"


def test_digits_in_the_editor_are_text_and_no_step(visit):
    page = lens_page(visit)
    page.locator("#template textarea").focus()
    before = drawn(page)
    page.keyboard.type("1")
    wait_for_redraw(page, before)
    assert page.locator(".lens").get_attribute("data-step") == "5"


def test_two_arrows_show_what_is_predicted_and_where_it_comes_from(visit):
    page = lens_page(visit)
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


def test_a_click_on_the_overview_jumps_there(visit):
    page = lens_page(visit)
    strip = page.locator(".lens .overview div").nth(3)
    box = strip.bounding_box()
    strip.click(position={"x": box["width"] * 0.55, "y": 4})
    label = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert label.startswith("row 3, position ")


def test_a_model_that_lists_what_it_knows_has_new_tokens_marked(visit):
    page = lens_page(visit)
    assert page.locator(".lens .c.u").count() == 0
    edit(page, "\u03a9: {{instruction}} {{output}}")
    assert page.locator(".lens .c.u").count() > 0
    assert "new to the model" in page.locator(".lens .c.u").first.get_attribute("aria-label")
    assert "new to the starter" in page.locator("#template-message").inner_text()


def choose(page, box, option):
    before = drawn(page)
    page.locator(f"{box} input").click()
    page.get_by_role("option", name=option, exact=True).click()
    wait_for_redraw(page, before)


def test_a_second_mask_stands_below_the_first(visit, capsys):
    page = lens_page(visit)
    choose(page, "#other", "all")
    unfold(page)
    for mask, kind in (("response", "target"), ("all", "other")):
        assert main(["batch", "--rows", "0,1,2,3,4,5,6,7", "--train-on", mask, "--json"]) == 0
        assert cells(page, kind) == json.loads(capsys.readouterr().out)["targets"]


def test_the_rows_that_contain_a_text_make_the_batch(visit):
    page = lens_page(visit)
    before = drawn(page)
    page.locator("#find textarea").fill("opposite")
    wait_for_redraw(page, before)
    step(page, 1)
    texts = page.locator(".lens .text pre").all_inner_texts()
    assert len(texts) == 8
    assert all("opposite" in text.lower() for text in texts)
    page.locator("#find textarea").fill("no such row anywhere")
    page.locator("#template-message", has_text="No row contains").wait_for()


def test_a_large_batch_is_paged_by_eight_rows(visit):
    page = lens_page(visit)
    before = drawn(page)
    page.locator("#size input[type=number]").fill("20")
    wait_for_redraw(page, before)
    assert page.locator(".lens .line.target").count() == 8
    page.get_by_role("button", name="↓ rows").click()
    assert page.locator(".lens .lab b").nth(0).inner_text() == "row 8"
    page.locator('.lens .c[tabindex="0"]').focus()
    page.keyboard.press("PageDown")
    assert page.locator(".lens .line.target").count() == 4
    assert page.evaluate("document.activeElement.getAttribute('aria-label')").startswith("row 16,")


def test_the_what_if_switches_change_width_and_order(visit, capsys):
    page = lens_page(visit)
    page.locator("#what-if button.label-wrap").click()
    before = drawn(page)
    page.get_by_label("longest of the data set").check()
    wait_for_redraw(page, before)
    wide = int(page.locator(".lens .tile b").first.inner_text().split(" × ")[1])
    rows = encode_all(load_dataset("starter").examples, load_template("alpaca"))
    assert wide == max(map(len, rows)) - 1
    before = drawn(page)
    page.get_by_label("as training draws them").check()
    wait_for_redraw(page, before)
    unfold(page)
    prepared = prepare(
        load_dataset("starter").examples, load_template("alpaca"), trained=TRAIN_ON["response"], n_positions=256
    )
    drawn_first = next(epochs(len(prepared.train), 8, seed=123))
    shown = [row[: len(prepared.train[i]) - 1] for row, i in zip(cells(page, "input"), drawn_first, strict=True)]
    assert shown == [prepared.train[i].ids[:-1][: len(row)].tolist() for row, i in zip(shown, drawn_first, strict=True)]
    page.locator("#fixed-width input").fill("3")
    page.get_by_label("a fixed number").check()
    page.locator("#template-message", has_text="A width of 3 is below the longest row").wait_for()


def test_targets_are_coloured_by_the_models_loss_and_its_five_likeliest_are_listed(visit):
    page = lens_page(visit)
    page.get_by_role("button", name="loss before").click()
    page.locator(".lens .c.loss").first.wait_for(timeout=120_000)
    label = page.locator(".lens .line.target .c.loss").first.get_attribute("aria-label")
    assert "nats" in label
    page.locator(".lens .tops li").nth(4).wait_for(timeout=120_000)
    assert "Loss here:" in page.locator(".lens .detail").inner_text()
    assert page.get_by_role("button", name="loss after").is_disabled()
    page.get_by_role("button", name="role", exact=True).click()
    assert page.locator(".lens .c.loss").count() == 0


def test_a_link_restores_template_switches_step_and_pinned_cell_and_hides_what_it_says(visit, browser):
    page = lens_page(visit)
    edit(page, PHI3_LIKE)
    choose(page, "#other", "all")
    page.locator('.lens .c[tabindex="0"]').focus()
    for key in ("4", "End", "ArrowLeft"):
        page.keyboard.press(key)
    position = page.evaluate("document.activeElement.getAttribute('aria-label')")
    page.get_by_text("Share a link").click()
    page.get_by_label("without the switches").check()
    page.get_by_role("button", name="Copy the link").click()
    address = page.get_by_label("The link").input_value()
    other = visit()
    other.goto("about:blank")
    other.goto(address)
    other.locator("#template textarea").wait_for()
    other.wait_for_function("text => document.querySelector('#template textarea').value === text", arg=PHI3_LIKE)
    other.wait_for_function(
        "label => document.querySelector('.lens .c[tabindex=\"0\"]')?.getAttribute('aria-label') === label",
        arg=position,
    )
    assert other.locator(".lens").get_attribute("data-step") == "4"
    assert other.locator("#other input").input_value() == "all"
    assert not other.locator("#mask").is_visible()


def test_a_damaged_link_says_so_and_leaves_the_page_as_it_is(visit, server):
    page = visit()
    page.goto("about:blank")
    page.goto(f"{server.url}#view=AAAA")
    page.get_by_text("The link can't be read").first.wait_for()
    assert page.locator("#template textarea").input_value().startswith("Below is")


def test_a_template_goes_out_as_a_file_and_comes_back(visit, tmp_path):
    page = lens_page(visit)
    edit(page, "Größe: {{instruction}}\n{{output}}")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Save as a file").click()
    path = tmp_path / "mine.txt"
    waiting.value.save_as(path)
    edit(page, "{{instruction}} {{output}}")
    before = drawn(page)
    page.locator("#load-template").locator("xpath=..").locator("input[type=file]").first.set_input_files(path)
    wait_for_redraw(page, before)
    assert page.locator("#template textarea").input_value() == "Größe: {{instruction}}\n{{output}}"


def test_the_placeholders_are_coloured_like_their_roles(visit):
    page = lens_page(visit)
    marks = page.locator("#template .behind mark")
    page.wait_for_function("document.querySelectorAll('#template .behind mark').length === 5")
    assert marks.all_inner_texts() == ["{{instruction}}", "{{#input}}", "{{input}}", "{{/input}}", "{{output}}"]
    boxes = page.evaluate(
        "['.behind', 'textarea'].map(s => getComputedStyle(document.querySelector(`#template ${s}`)).font)"
    )
    assert boxes[0] == boxes[1]


def test_a_question_mark_in_the_grid_lists_the_keys(visit):
    page = lens_page(visit)
    page.locator('.lens .c[tabindex="0"]').focus()
    page.keyboard.press("?")
    page.locator("dialog.keys").get_by_text("fold the shared opening").wait_for()
    page.keyboard.press("Escape")
    page.locator("dialog.keys").wait_for(state="hidden")


def test_the_linter_looks_at_all_rows_on_a_pause_and_its_rows_are_links_into_the_grid(visit):
    page = lens_page(visit)
    edit(page, "<|user|> {{instruction}}\nA: {{output}}")
    page.locator(".lint[data-complete=true] [data-code=unstable-border]").wait_for()
    found = page.locator(".lint [data-code=field-left-out]")
    left_out = [i for i, example in enumerate(load_dataset("starter").examples) if example.has_input]
    assert f"{len(left_out):,} rows" in found.inner_text()
    page.locator(".lint [data-code=marker-in-template]", has_text="<|user|> is 5 tokens").wait_for()
    link = found.locator("[data-row]").nth(1)
    row = link.get_attribute("data-row")
    assert int(row) in left_out
    link.click()
    page.wait_for_function("row => document.querySelector('.lens .lab b').textContent === `row ${row}`", arg=row)
    edit(page, "{{instruction}}\n{{input}}\nA:\n{{output}}")
    page.locator(".lint[data-complete=true]", has_text="All 2,").wait_for()
    page.locator(".lint [data-code=unstable-border]").wait_for(state="detached")


def test_the_numbers_over_the_whole_data_set_come_as_figure_and_table(visit):
    page = lens_page(visit)
    page.locator("#numbers button.label-wrap").click()
    page.locator("#padding .js-plotly-plot").wait_for()
    text = page.locator("#count-result").inner_text()
    assert f"All {len(load_dataset('starter')):,} records" in text
    assert "packed end to end" in text
    assert "No rows that lose their end" in text
