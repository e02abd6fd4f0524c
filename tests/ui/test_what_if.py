"""Switches that show the same rows otherwise, and what is counted over all rows."""

import json

from ift.cli import main
from ift.data.bulk_encoding import encode_all
from ift.data.order import epoch_batches
from ift.data.prepare import prepare
from ift.data.sources import load_dataset
from ift.data.templates import Template, load_template
from ift.data.tokenizer import encode, encode_text
from ift.masks import TRAIN_ON
from tests.ui.conftest import cells, choose, drawn, edit, lens_page, step, unfold, unfold_group, wait_for_redraw


def test_a_second_mask_stands_below_the_first(visit, capsys):
    page = lens_page(visit)
    unfold_group(page, "Second mask")
    choose(page, "#other", "all")
    unfold(page)
    for mask, kind in (("response", "target"), ("all", "other")):
        assert main(["batch", "--rows", "0,1,2,3,4,5,6,7", "--train-on", mask, "--json"]) == 0
        assert cells(page, kind) == json.loads(capsys.readouterr().out)["targets"]


def test_the_rows_that_contain_a_text_make_the_batch(visit):
    page = lens_page(visit)
    unfold_group(page, "Rows")
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
    unfold_group(page, "Rows")
    before = drawn(page)
    page.locator("#size input[type=number]").fill("20")
    wait_for_redraw(page, before)
    assert page.locator(".lens .line.target").count() == 8
    page.get_by_role("button", name="↓ rows").click()
    assert page.locator(".lens .lab b").nth(0).inner_text() == "8"
    page.locator('.lens .c[tabindex="0"]').focus()
    page.keyboard.press("PageDown")
    assert page.locator(".lens .line.target").count() == 4
    assert page.evaluate("document.activeElement.getAttribute('aria-label')").startswith("row 16,")


def test_the_what_if_switches_change_width_and_order(visit, capsys):
    page = lens_page(visit)
    unfold_group(page, "Width and cut")
    before = drawn(page)
    page.get_by_label("longest of the data set").check()
    wait_for_redraw(page, before)
    wide = int(page.locator(".lens .fact b").first.inner_text().split(" × ")[1])
    rows = encode_all(load_dataset("starter").examples, load_template("alpaca"))
    assert wide == max(map(len, rows)) - 1
    unfold_group(page, "Row order")
    before = drawn(page)
    page.get_by_label("as training draws them").check()
    wait_for_redraw(page, before)
    unfold(page)
    prepared = prepare(
        load_dataset("starter").examples, load_template("alpaca"), trained=TRAIN_ON["response"], n_positions=256
    )
    drawn_first = next(epoch_batches(len(prepared.train), 8, seed=123))
    shown = [row[: len(prepared.train[i]) - 1] for row, i in zip(cells(page, "input"), drawn_first, strict=True)]
    assert shown == [prepared.train[i].ids[:-1][: len(row)].tolist() for row, i in zip(shown, drawn_first, strict=True)]
    page.locator("#fixed-width input").fill("3")
    page.get_by_label("a fixed number").check()
    page.locator("#template-message", has_text="A width of 3 is below the longest row").wait_for()


def test_targets_are_colored_by_the_models_loss_and_its_five_likeliest_are_listed(visit):
    page = lens_page(visit)
    page.get_by_role("button", name="Loss before").click()
    page.locator(".lens .c.loss").first.wait_for(timeout=120_000)
    label = page.locator(".lens .line.target .c.loss").first.get_attribute("aria-label")
    assert "nats" in label
    page.locator(".lens .tops li").nth(4).wait_for(timeout=120_000)
    assert "Loss here:" in page.locator(".lens .detail").inner_text()
    assert page.get_by_role("button", name="Loss after").is_disabled()
    page.get_by_role("button", name="Role", exact=True).click()
    assert page.locator(".lens .c.loss").count() == 0


def test_the_linter_looks_at_all_rows_on_a_pause_and_its_rows_are_links_into_the_grid(visit):
    page = lens_page(visit)
    edit(page, "<|user|> {{instruction}}\nA: {{output}}")
    page.locator(".lint [data-complete=true] [data-code=unstable-boundary]").wait_for(state="attached")
    page.locator(".lint summary").click()
    found = page.locator(".lint [data-code=field-left-out]")
    left_out = [i for i, example in enumerate(load_dataset("starter").examples) if example.has_input]
    assert f"{len(left_out):,} rows" in found.inner_text()
    page.locator(".lint [data-code=marker-in-template]", has_text="<|user|> is 5 tokens").wait_for()
    link = found.locator("[data-row]").nth(1)
    row = link.get_attribute("data-row")
    assert int(row) in left_out
    link.click()
    page.wait_for_function("row => document.querySelector('.lens .lab b').textContent === row", arg=row)
    edit(page, "{{instruction}}\n{{input}}\nA:\n{{output}}")
    page.locator(".lint [data-complete=true]", has_text="All 2,").wait_for()
    page.locator(".lint [data-code=unstable-boundary]").wait_for(state="detached")


def test_the_numbers_over_the_whole_data_set_come_as_figure_and_table(visit):
    page = lens_page(visit)
    unfold_group(page, "Whole data set")
    page.locator("#padding .js-plotly-plot").wait_for()
    text = page.locator("#count-result").inner_text()
    assert f"All {len(load_dataset('starter')):,} records" in text
    assert "packed end to end" in text
    assert "No row loses the end" in text


def test_cells_move_with_what_is_typed_before_them_and_the_pinned_one_stays_on_its_token(visit):
    page = lens_page(visit)
    source = page.locator("#template textarea").input_value()
    step(page, 2)  # here a row's cells end where its text does
    page.locator('.lens .c[tabindex="0"]').focus()
    page.keyboard.press("r")
    before = page.evaluate("(({ id, key }) => [id, +key.split('/')[2]])(document.activeElement.dataset)")
    longer = f"Please read on. {source}"
    edit(page, longer)
    after = page.evaluate("(({ id, key }) => [id, +key.split('/')[2]])(document.querySelector('.lens .c.on').dataset)")
    assert after == [before[0], before[1] + len(encode_text("Please read on."))]
    longer = longer.replace("### Response:", "### Response, as a whole sentence:")
    edit(page, longer)
    template = Template.parse(longer)
    whole = [encode(template.render(example)).ids.tolist() for example in load_dataset("starter").examples[:8]]
    shown = cells(page, "ids")
    folded = len(whole[0]) - len(shown[0])
    assert folded > 20
    assert shown == [ids[folded:] for ids in whole]
