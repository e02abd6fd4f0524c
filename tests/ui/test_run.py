import os
import re
import shutil
import signal
import time

from tests.ui.conftest import open_tab
from tests.ui.test_one_screen import SCROLLS, SEEN, resize

OWN_SERVER = True
POINTS = "document.querySelector('#chart .plot')?.data?.[0].x.length ?? 0"
AXIS = "document.querySelector('#chart .plot').layout.xaxis.range"


def settings(page):
    """Tab 3 before a start, also where a run takes its screen."""
    open_tab(page, "3 Fine-tune")
    page.locator("#start").wait_for(state="attached")
    page.wait_for_timeout(300)  # a run that goes on would show by then
    if page.locator("body.train-live").count():
        page.locator("#change").click()
    page.locator("#max_steps input").wait_for()


def start(page, **hyper):
    settings(page)
    for name, value in hyper.items():
        box = page.locator(f"#{name} input")
        box.fill(str(value))
        box.blur()
    page.locator("#start:not([disabled])").click()


def start_run(page, server, **hyper):
    """Start a run and wait until the chart shows it, not one from before; its name."""
    before = server.runs()
    start(page, **hyper)
    page.wait_for_function("() => !document.querySelector('#start') || document.querySelector('#start').disabled")
    (name,) = server.runs() - before
    page.wait_for_function("name => document.querySelector('#chart .mono')?.textContent === name", arg=name)
    return name


def wait_for_points(page, count):
    page.wait_for_function(f"({POINTS}) >= {count}", timeout=90_000)
    return page.evaluate(POINTS)


def wait_for_state(page, text):
    page.locator("#chart .chip", has_text=text).first.wait_for(timeout=120_000)


def shown_run(page):
    return page.locator("#chart .mono").first.inner_text()


def child_of(server, run):
    return [event["pid"] for event in server.events(run) if event["event"] == "started"][-1]


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_the_lesson_from_start_to_the_verdict_and_back_to_the_grid(visit, server):
    page = visit()
    quick = {"per_device_train_batch_size": 4, "learning_rate": 0.001, "warmup_steps": 4, "eval_steps": 1000}
    run = start_run(page, server, max_steps=40, **quick)
    wait_for_state(page, "finished")
    assert wait_for_points(page, 40) == 40
    assert "Step 40 of 40" in page.locator("#chart").inner_text()
    page.locator("#start:not([disabled])").wait_for(state="attached")
    scores_tell_what_changed(page)
    the_grid_shows_the_loss_after_it_and_the_difference(page, run)
    a_run_without_a_step_shows_none_of_its_numbers(page, server, run)


def scores_tell_what_changed(page):
    open_tab(page, "4 Before & after")
    page.locator("#answer:not([disabled])").wait_for()
    page.locator("#answer-options-menu").click()
    page.locator("#answer-sample").fill("24")
    page.locator("#answer-with-options").click()
    page.locator("#verdict .chip", has_text="✓ Better").wait_for(timeout=120_000)
    assert "Exact match rose from 0.0 %" in page.locator("#verdict").inner_text()


def the_grid_shows_the_loss_after_it_and_the_difference(page, run):
    open_tab(page, "2 Prompt & batch")
    page.get_by_role("button", name="Change", exact=True).click()
    page.locator(".lens .c.loss").first.wait_for(timeout=120_000)
    assert run in page.locator(".lens .legend").inner_text()
    spoken = page.locator(".lens .line.target .c.loss.role-response").first.get_attribute("aria-label")
    assert re.search(r"loss [+\u2212]\d+\.\d\d nats", spoken)
    assert (
        page.locator(".lens .c.loss.role-response[class*=better]").count()
        > page.locator(".lens .c.loss.role-response[class*=worse]").count()
    )
    page.locator(".lens .tops ol").nth(1).wait_for()
    assert page.locator(".lens .tops h3").all_inner_texts() == ["Before would write", "After would write"]


def a_run_without_a_step_shows_none_of_its_numbers(page, server, run):
    folder, other = server.home / "runs" / run, server.home / "runs" / "no-steps"
    other.mkdir()
    shutil.copy(folder / "config.json", other)
    (other / "events.jsonl").write_bytes((folder / "events.jsonl").read_bytes().splitlines(keepends=True)[0])
    page.reload()
    open_tab(page, "3 Fine-tune")
    page.locator(f"[data-run={run}]").click()
    page.locator("#chart .small figure").nth(2).wait_for()
    page.locator("[data-run=no-steps]").click()
    page.locator("#chart", has_text="No step yet").wait_for()
    assert not page.locator("#chart .small").is_visible()
    assert not page.locator("#chart .plot").is_visible()
    page.locator("#why", has_text="no-steps ended before its first save").wait_for()


def test_a_run_fills_the_screen_survives_a_reload_and_a_second_tab_and_is_stopped_and_resumed(visit, server):
    page = visit()
    resize(page, 1280, 800)
    run = start_run(page, server, max_steps=2000, save_steps=5)
    assert page.locator("#start").is_disabled()
    assert "Start waits" in page.locator("#why").inner_text()
    page.locator("#chart .said li .ans").first.wait_for(timeout=120_000)
    state_curve_and_answers_are_on_one_screen(page)
    zoom_survives_new_points_and_no_mode_bar_offers_the_chart_to_a_cloud(page)
    page.reload()
    seen = wait_for_points(page, 4)
    state_curve_and_answers_are_on_one_screen(page)
    second = visit()
    open_tab(second, "3 Fine-tune")
    assert wait_for_points(second, seen + 2) >= seen + 2
    assert shown_run(second) == shown_run(page)
    a_stop_keeps_what_was_reached(page, server, run)
    wait_for_state(second, "stopped")
    the_curve_goes_on_on_every_page((page, second))
    page.locator("#stop:not([disabled])").click()
    wait_for_state(page, "stopped")
    assert [event["event"] for event in server.events(run)].count("resumed") == 1


def state_curve_and_answers_are_on_one_screen(page):
    page.locator("#chart .plot .main-svg").first.wait_for()
    for selector in ("#chart .status", "#chart .chart", "#chart .said", "#stop", "#chart .plot"):
        assert page.evaluate(SEEN, selector), selector
    assert not page.evaluate(SCROLLS)


def zoom_survives_new_points_and_no_mode_bar_offers_the_chart_to_a_cloud(page):
    seen = wait_for_points(page, 3)
    assert page.locator(".modebar").count() == 0
    plot = page.locator("#chart .plot .nsewdrag").bounding_box()
    page.mouse.move(plot["x"] + 20, plot["y"] + 20)
    page.mouse.down()
    page.mouse.move(plot["x"] + plot["width"] / 2, plot["y"] + plot["height"] / 2, steps=8)
    page.mouse.up()
    zoomed = page.evaluate(AXIS)
    assert zoomed[1] < 1500
    wait_for_points(page, seen + 3)
    assert page.evaluate(AXIS) == zoomed


def a_stop_keeps_what_was_reached(page, server, run):
    page.locator("#stop:not([disabled])").click()
    wait_for_state(page, "stopped")
    events = server.events(run)
    assert [event["event"] for event in events[-2:]] == ["saved", "stopped"]
    assert (server.home / "runs" / run / events[-2]["path"] / "model.safetensors").is_file()
    page.locator("#start:not([disabled])").wait_for(state="attached")


def the_curve_goes_on_on_every_page(pages):
    reached = pages[0].evaluate(POINTS)
    pages[0].locator("#resume:not([disabled])").click()
    for page in pages:
        wait_for_state(page, "running")
        wait_for_points(page, reached + 3)
        steps = page.evaluate("[...document.querySelector('#chart .plot').data[0].x]")
        assert steps == list(range(1, len(steps) + 1))
        assert "Stopped at step" not in page.locator("#chart").inner_text()


def test_a_killed_run_is_shown_with_what_it_had_saved_goes_on_and_is_discarded_only_after_a_question(visit, server):
    page = visit()
    run = start_run(page, server, max_steps=2000, save_steps=2)
    wait_for_points(page, 4)
    os.kill(child_of(server, run), signal.SIGKILL)
    wait_for_state(page, "stopped")
    assert "it was killed" in page.locator("#chart").inner_text()
    page.locator("#start:not([disabled])").wait_for(state="attached")
    page.locator("#resume:not([disabled])").click()
    wait_for_state(page, "running")
    wait_for_points(page, 2)
    pid = child_of(server, run)
    page.locator("#discard:not([disabled])").click()
    question = page.locator("#discard-question")
    question.get_by_text(f"Discard {run}?").wait_for()
    page.locator("#discard-no").click()
    question.wait_for(state="hidden")
    assert alive(pid)
    page.locator("#discard").click()
    page.locator("#discard-yes").click()
    page.wait_for_function("name => document.querySelector('#chart .mono')?.textContent !== name", arg=run)
    assert run not in server.runs()
    assert not alive(pid)
    page.locator("#start:not([disabled])").wait_for(state="attached")


def test_what_a_run_needs_is_told_and_forgotten_when_a_setting_or_the_template_changes(visit, server):
    page = visit()
    before = server.runs()
    settings(page)
    page.locator("#estimate").click()
    page.locator("#needs .chip", has_text="fits").wait_for(timeout=120_000)
    text = page.locator("#needs").inner_text()
    assert "AdamW's moments (computed)" in text
    assert "measured on real steps" in text
    page.locator("#per_device_train_batch_size input").fill("4")
    page.locator("#per_device_train_batch_size input").blur()
    page.locator("#needs .chip").wait_for(state="detached")
    page.locator("#estimate").click()
    page.locator("#needs .chip").wait_for(timeout=120_000)
    open_tab(page, "2 Prompt & batch")
    page.locator("#template textarea").fill("{{instruction}} {{output}}")
    open_tab(page, "3 Fine-tune")
    page.locator("#needs .chip").wait_for(state="detached")
    assert server.runs() == before


def test_a_bad_hyper_parameter_is_told_before_anything_starts(visit, server):
    page = visit()
    before = server.runs()
    start(page, learning_rate=-1)
    told = page.locator("#run-message", has_text="learning_rate: -1 is not above 0")
    told.wait_for()
    assert server.runs() == before
    page.locator("#learning_rate input").fill("0.0003")
    told.wait_for(state="detached")


def test_a_server_that_is_out_of_reach_or_killed_is_told_and_so_is_its_return(context, visit, server):
    page = context.new_page()  # `visit` would take the failed questions for faults
    page.goto(server.url)
    page.locator("#records table").wait_for()
    run = start_run(page, server, max_steps=2000)
    wait_for_points(page, 3)
    gone = page.get_by_text("The server does not answer").first
    assert not gone.is_visible()
    context.set_offline(True)
    gone.wait_for()
    context.set_offline(False)
    gone.wait_for(state="hidden")
    page.close()
    the_child_saves_and_ends_with_its_server(server, run)
    server.start()
    page = visit()
    open_tab(page, "3 Fine-tune")
    wait_for_state(page, "stopped")
    assert "the server ended" in page.locator("#chart").inner_text()


def the_child_saves_and_ends_with_its_server(server, run):
    pid = child_of(server, run)
    server.stop(signal.SIGKILL)
    until = time.monotonic() + 20
    while alive(pid) and time.monotonic() < until:
        time.sleep(0.1)
    assert not alive(pid)
    assert [event["event"] for event in server.events(run)[-2:]] == ["saved", "stopped"]
