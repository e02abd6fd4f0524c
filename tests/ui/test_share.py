"""A view as a link, a template as a file."""

from tests.ui.conftest import choose, drawn, edit, lens_page, unfold_group, wait_for_redraw

PHI3_LIKE = "<|user|>\n{{instruction}}\n{{#input}}\n{{input}}\n{{/input}}\n<|assistant|>\n{{output}}<|end|>"


def test_a_link_restores_template_switches_step_and_pinned_cell_and_hides_what_it_says(visit, server):
    page = lens_page(visit)
    edit(page, PHI3_LIKE)
    unfold_group(page, "Second mask")
    choose(page, "#other", "all")
    page.locator('.lens .c[tabindex="0"]').focus()
    for key in ("4", "End", "ArrowLeft"):
        page.keyboard.press(key)
    position = page.evaluate("document.activeElement.getAttribute('aria-label')")
    page.get_by_role("button", name="Share", exact=True).click()
    page.get_by_label("without the switches").check()
    address = page.get_by_label("The link").input_value()
    other = visit(at=address.removeprefix(server.url))
    other.locator("#template textarea").wait_for()
    other.wait_for_function("text => document.querySelector('#template textarea').value === text", arg=PHI3_LIKE)
    other.wait_for_function(
        "label => document.querySelector('.lens .c[tabindex=\"0\"]')?.getAttribute('aria-label') === label",
        arg=position,
    )
    assert other.locator(".lens").get_attribute("data-step") == "4"
    assert other.locator("#second-mask > button").get_attribute("data-now") == "all"
    assert not other.locator("#mask").is_visible()


def test_a_damaged_link_says_so_and_leaves_the_page_as_it_is(visit):
    page = visit(at="#view=AAAA")
    page.get_by_text("The link can't be read").first.wait_for()
    assert page.locator("#template textarea").input_value().startswith("Below is")


def test_a_template_goes_out_as_a_file_and_comes_back(visit, tmp_path):
    page = lens_page(visit)
    edit(page, "Größe: {{instruction}}\n{{output}}")
    with page.expect_download() as waiting:
        page.locator("#rail .menu summary").click()
        page.get_by_role("button", name="Save as a file").click()
    path = tmp_path / "mine.txt"
    waiting.value.save_as(path)
    edit(page, "{{instruction}} {{output}}")
    before = drawn(page)
    page.locator("#load-template").locator("xpath=..").locator("input[type=file]").first.set_input_files(path)
    wait_for_redraw(page, before)
    assert page.locator("#template textarea").input_value() == "Größe: {{instruction}}\n{{output}}"
