"""Control and effect on one screen: measured in pixels, at the sizes that the page is made for."""

from tests.ui.conftest import lens_page, open_tab

SEEN = """selector => {
    const node = document.querySelector(selector), box = node?.getBoundingClientRect();
    const isInside = box?.top >= 0 && box.bottom <= innerHeight + 1 && box.right <= innerWidth + 1;
    return isInside && box.width > 0 && box.height > 0 && node.checkVisibility();
}"""
PAIRS = """() => {
    const { top, bottom } = document.querySelector('.lens .wrap').getBoundingClientRect();
    const head = document.querySelector('.lens .head').getBoundingClientRect().bottom;
    const whole = kind => [...document.querySelectorAll(`.lens .line.${kind} .c:not(.fold)`)].filter(cell => {
        const box = cell.getBoundingClientRect();
        return box.top >= head - 1 && box.bottom <= bottom + 1;
    }).map(cell => cell.closest('.line').getAttribute('aria-rowindex'));
    return Math.min(new Set(whole('input')).size, new Set(whole('target')).size);
}"""
TOP = "document.querySelector('.lens .wrap').getBoundingClientRect().top"
SCROLLS = "document.scrollingElement.scrollHeight > innerHeight || document.scrollingElement.scrollWidth > innerWidth"
BROKEN = "Q: {{instruction}}\nA: {{outptu}}"


def resize(page, width, height):
    page.set_viewport_size({"width": width, "height": height})
    page.wait_for_timeout(200)


def test_the_grid_the_mask_the_error_and_the_position_are_on_one_screen(visit):
    page = lens_page(visit)
    resize(page, 1280, 800)
    assert page.evaluate(TOP) <= 190
    assert page.evaluate(PAIRS) >= 4
    for selector in ("#mask", "#eos", ".lens .detail", ".lens .listing", ".lens .map"):
        assert page.evaluate(SEEN, selector), selector
    page.locator("#template textarea").fill(BROKEN)
    page.locator("#template-message .msg").wait_for()
    for selector in ("#template-message .msg", "#mask", ".lens .detail"):
        assert page.evaluate(SEEN, selector), selector
    assert not page.evaluate(SCROLLS)
    page.get_by_role("button", name="Projector").click()
    page.wait_for_timeout(200)
    assert page.evaluate(PAIRS) >= 3
    resize(page, 1920, 1080)
    assert page.evaluate(PAIRS) >= 5


def test_a_phone_has_the_grid_first_and_the_rail_as_a_sheet(visit):
    page = lens_page(visit)
    resize(page, 400, 800)
    assert page.evaluate(PAIRS) >= 2
    assert not page.locator("#mask").is_visible()
    page.get_by_role("button", name="Template and switches").click()
    assert page.locator("#preset").is_visible()
    assert page.evaluate(PAIRS) >= 2
    assert page.evaluate("document.querySelector('#rail').offsetHeight") <= 400
    assert not page.evaluate(SCROLLS)


def test_nothing_is_cut_off_in_a_small_window(visit):
    page = lens_page(visit)
    for size in ((1280, 650), (640, 400)):  # a low window, 200 % zoom of a laptop
        resize(page, *size)
        assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
        strip = page.locator(".lens .strip")
        strip.scroll_into_view_if_needed()
        assert strip.is_visible()
        assert page.evaluate(PAIRS) >= 1


def test_the_tabs_are_in_one_line_with_the_name(visit):
    page = visit()
    resize(page, 1280, 800)
    assert page.evaluate("document.querySelector('#tabs > .tab-wrapper').getBoundingClientRect().bottom") <= 48
    for name in ("2 Prompt & batch", "3 Fine-tune", "4 Before & after"):
        open_tab(page, name)
        assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
