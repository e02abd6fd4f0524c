"""Nothing that is typed or that a record holds runs as script or reaches another host; the grid shows it as text."""

import json

from ift.cli import main
from tests.ui.conftest import cells, drawn, edit, lens_page, open_tab, unfold_group, wait_for_redraw

STRINGS = (
    "<script>window.hit = 1</script>",
    "<img src=x onerror='window.hit = 1'>",
    "<svg onload=window.hit=1>",
    "<iframe src='javascript:parent.hit = 1'></iframe>",
    "<link rel=stylesheet href=//example.org/x.css>",
    "<img src=//example.org/x.png>",
    "${window.hit = 1}",
    "${6*7} #{6*7} {% 6*7 %} <%= 6*7 %>",
    "`${window.hit = 1}`",
    "javascript:window.hit=1",
    "]]><!--<script>window.hit = 1</script>-->",
    "\\u003cscript>window.hit = 1\\u003c/script>",
    "&lt;script&gt;window.hit = 1&lt;/script&gt;",
    "<|endoftext|> <|im_start|>",
    "__proto__ constructor",
    "\u202eright to left\u202c \u0627\u0644\u0639\u0631\u0628\u064a\u0629",
    "nul \x00 bell \x07 escape \x1b[31m",
    "\U0001f9dc\u200d\u2640\ufe0f \U0001f468\u200d\U0001f469\u200d\U0001f467",
)


def test_a_template_is_only_text(visit):
    page = lens_page(visit)
    for text in STRINGS[:-3]:
        edit(page, f"{text} {{{{instruction}}}} {{{{output}}}}")
        page.keyboard.press("Escape")
        assert (text, page.evaluate("window.hit")) == (text, None)
        assert page.locator("#lens script, #lens img, #lens iframe, #lens link").count() == 0


def test_records_are_only_text_and_the_grid_shows_their_tensors(visit, tmp_path, capsys):
    path = tmp_path / "hostile.json"
    rows = [{"instruction": text, "input": "{{output}}", "output": f"{text} ."} for text in STRINGS]
    path.write_text(json.dumps(rows), encoding="utf-8")
    page = visit()
    page.get_by_label("A file of your own").check()
    page.locator("#upload input[type=file]").set_input_files(path)
    page.locator("#data-message", has_text="is in use").wait_for()
    open_tab(page, "2 Prompt & batch")
    page.locator(".lens .c").first.wait_for()
    before = drawn(page)
    edit(page, "{{instruction}}|{{input}}|{{output}}")
    for first in (0, 8, 10):
        before = drawn(page)
        if first == 8:
            unfold_group(page, "Rows")
        if first:
            page.locator("#first input").fill(str(first))
            wait_for_redraw(page, before)
        template = tmp_path / "own.txt"
        template.write_text("{{instruction}}|{{input}}|{{output}}\n", encoding="utf-8")
        numbers = ",".join(str(first + i) for i in range(8))
        assert main(["batch", "--data", str(path), "--template", str(template), "--rows", numbers, "--json"]) == 0
        expected = json.loads(capsys.readouterr().out)
        assert expected["width"] <= 64
        assert cells(page, "target") == expected["targets"]
    for number in range(1, 6):
        page.locator(".lens .steps button").nth(number - 1).click()
    assert page.evaluate("window.hit") is None
    assert page.locator("#lens script, #lens img, #lens iframe, #lens link").count() == 0
