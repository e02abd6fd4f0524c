"""Tab 4 in a real browser: the table, one record, the chat and the files, over a run that is prepared on disk."""

import json
import shutil

import pytest

from ift.config import TrainConfig
from ift.data.sources import load_dataset
from ift.data.templates import load_template
from ift.evaluation.evaluate import _plan
from ift.evaluation.evaluation_options import EvaluationOptions
from ift.events import Finished
from ift.model.names import find_model
from ift.runs.folder import create_run
from ift.runs.ratings import Ratings
from ift.runs.run_config import describe
from ift.runs.scores import AnsweredRecord, Outcome, Summary
from ift.types import Finish, Score, Side
from tests.evaluation.test_judge import judging_server, ollama, say
from tests.ui.conftest import open_tab

OWN_SERVER = True
EVIL = "<script>window.hit = 1</script><img src=x onerror=window.hit=1> **bold** ${window.hit = 1}"
HUGE = "word " * 2_000
RECORDS = 40
"""Held-out ones."""
BAR = 48
"""Pixels of the page's own line above every tab."""
TASKS = ("color", "animal")


def record(i):
    question = {0: EVIL, 1: "Which color is grass?"}.get(i, f"Name color {i}.")
    return {"instruction": question, "input": EVIL if i == 0 else "", "output": "The color is green.", "split": "test"}


def answered(i, text, *, right, likeness, finish=Finish.EOS):
    scores = (Score("exact_match", right), Score("token_f1", likeness))
    fields = {name: value for name, value in record(i).items() if name != "split"}
    return AnsweredRecord(i, model_response=text, finish=finish, scores=scores, task=TASKS[i % 2], **fields)


def after(i):
    """Record 0 is hostile, 1 is worse than before, 2 is huge and never stops, the others are right."""
    if i == 0:
        return answered(i, EVIL, right=0.0, likeness=0.1)
    if i == 1:
        return answered(i, "The color is red.", right=0.0, likeness=0.75)
    if i == 2:
        return answered(i, HUGE, right=0.0, likeness=0.1, finish=Finish.LENGTH)
    return answered(i, "The color is green.", right=1.0, likeness=1.0)


def prepare(home):
    """A finished and scored run: `before` has random weights, `after` is the starter as it is."""
    data = home / "colors.json"
    rows = [record(i) for i in range(RECORDS)]
    rows += [{"instruction": f"Say {i}.", "input": "", "output": f"{i}", "split": "train"} for i in range(9)]
    data.write_text(json.dumps(rows), encoding="utf-8")
    config = TrainConfig(model="starter-untrained", data=str(data))
    run = create_run(home / "runs" / "colors-01", describe(config, load_dataset(str(data)), load_template("alpaca")))
    run.training.append(Finished(step=1))
    shutil.copytree(find_model("starter"), run.path / "checkpoints" / "step-000001")
    before = [answered(i, "The color is blue.", right=0.0, likeness=0.8 if i == 1 else 0.0) for i in range(RECORDS)]
    run.answer_files.write(Side.BEFORE, before)
    run.answer_files.write(Side.AFTER, map(after, range(RECORDS)))
    means = {"exact_match": 0.0, "token_f1": 0.1}, {"exact_match": 0.925, "token_f1": 0.95}
    summary = Summary(
        n=RECORDS,
        before=means[0],
        after=means[1],
        gain_interval_95={"exact_match": (0.8, 1.0), "token_f1": (0.7, 0.9)},
        outcomes={"exact_match": Outcome(37, 3, 0, 1e-9)},
        max_new_tokens=64,
    )
    run.write_json("scores.json", summary.to_dict())
    return run


@pytest.fixture(scope="module")
def run(server):
    return prepare(server.home)


def answers_page(visit):
    page = visit()
    open_tab(page, "4 Before & after")
    page.set_viewport_size({"width": 1280, "height": 800})
    page.locator(".records tbody tr").first.wait_for()
    return page


def shown(page):
    return page.evaluate("[...document.querySelectorAll('.records tbody tr')].map(row => +row.dataset.record)")


def wait_for_rows(page, records):
    page.wait_for_function(
        "rows => JSON.stringify([...document.querySelectorAll('.records tbody tr')].map(row => +row.dataset.record))"
        " === JSON.stringify(rows)",
        arg=records,
    )


def box(page, selector):
    return page.locator(selector).bounding_box()


def test_the_evidence_answer_by_answer(visit, run):
    page = answers_page(visit)
    ten_records_and_the_chosen_one_are_on_one_screen(page)
    a_score_says_what_it_can_not_see(page)
    page.locator(".filters .chip", has_text="Worse").click()
    wait_for_rows(page, [1])
    a_record_shows_where_its_answer_goes_wrong(page)
    records_are_found_sorted_and_walked_by_keys(page)


def ten_records_and_the_chosen_one_are_on_one_screen(page):
    assert "Exact match rose from 0.0 % to 92.5 %" in page.locator("#verdict").inner_text()
    bottom = box(page, ".records")["y"] + box(page, ".records")["height"]
    assert sum(row["bottom"] <= bottom for row in rows_of(page)) >= 10
    tab, chosen, chat = (box(page, selector) for selector in ("#answers-tab", ".detail", "#chat"))
    assert tab["height"] <= 800 - BAR
    assert chosen["y"] + chosen["height"] <= chat["y"] < tab["y"] + tab["height"]


def a_score_says_what_it_can_not_see(page):
    page.locator(".score summary", has_text="Exact match").click()
    panel = page.locator(".score[open] .panel").inner_text()
    assert "A right answer in other words counts as wrong." in panel
    assert "37 better, 3 the same, 0 worse" in panel
    page.keyboard.press("Escape")


def a_record_shows_where_its_answer_goes_wrong(page):
    assert page.locator(".filters .chip", has_text="Leaked a header").is_disabled()
    page.locator(".detail h2", has_text="Record 1 ·").wait_for()
    page.locator(".detail del").wait_for()
    assert page.locator(".detail del").all_inner_texts() == ["green"]
    assert page.locator(".detail ins").all_inner_texts() == ["red"]
    page.locator(".strip tbody tr").nth(2).wait_for()
    pieces, *losses = [page.locator(".strip tr").nth(i).locator("td").all_inner_texts() for i in range(3)]
    assert pieces == ["The", "·color", "·is", "·green", ".", "EOS"]
    assert sum(map(float, losses[0])) / 6 == pytest.approx(10.8, abs=0.5)  # random weights: ln 50257
    assert len(losses[1]) == 6
    assert "Where they part, token 4" in page.locator(".parting").inner_text()
    assert [page.locator(f".parting .{side} li").count() for side in ("before", "after")] == [5, 5]
    assert "P(EOS) at the true end:" in page.locator(".losses").inner_text()
    page.locator(".strip [data-token='1']").first.click()
    page.locator(".parting", has_text="Token 2").wait_for()
    page.get_by_text("The exact prompt").click()
    assert "### Instruction:\nWhich color is grass?\n" in page.locator(".detail pre.code").inner_text()


def records_are_found_sorted_and_walked_by_keys(page):
    page.locator(".filters .chip", has_text="All").click()
    page.wait_for_function("document.activeElement.textContent.startsWith('All')")  # also when it was drawn again
    page.locator("#find-records").press_sequentially("color 17", delay=250)  # rows come between the keys
    wait_for_rows(page, [17])
    page.locator("#find-records").fill("")
    page.get_by_role("button", name="Row").click()
    wait_for_rows(page, list(range(RECORDS)))
    page.locator(".records tbody tr").first.click()
    page.keyboard.press("ArrowDown")
    page.locator(".detail h2", has_text="Record 1 ·").wait_for()
    page.locator(".filters .task", has_text="animal").click()
    wait_for_rows(page, list(range(1, RECORDS, 2)))


def rows_of(page):
    """Where the first rows are."""
    return page.evaluate(
        "[...document.querySelectorAll('.records tbody tr')].map(row => row.getBoundingClientRect().toJSON())"
    )


def test_what_models_and_records_say_is_text_however_long(visit, run):
    page = answers_page(visit)
    page.get_by_role("button", name="Row").click()
    wait_for_rows(page, list(range(RECORDS)))
    for number in (0, 2):
        page.locator(f".records [data-record='{number}']").click()
        page.locator(".detail h2", has_text=f"Record {number} ·").wait_for()
        page.locator(".strip, .losses .muted").first.wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= 1280
        assert box(page, ".detail")["width"] < 560
        assert max(row["height"] for row in rows_of(page)[:5]) < 48
    assert len(page.locator(".detail .answer").inner_text()) == len(HUGE.strip())
    page.locator(".records [data-record='0']").click()
    page.locator(".detail .answer", has_text=EVIL).wait_for()
    ask(page, EVIL)
    assert page.evaluate("window.hit") is None
    assert page.locator("#answers-tab :is(script, img)").count() == 0


def ask(page, question):
    page.locator("#ask-instruction").fill(question)
    page.locator("#ask:not([disabled])").click()
    page.wait_for_function(
        "question => document.querySelector('.asked-before [aria-pressed=true]')?.title === question"
        " && document.querySelectorAll('.talk .side .chip:is(.good, .warn, .bad)').length === 2",
        arg=question,
        timeout=60_000,
    )


def test_both_models_answer_token_by_token_and_go_on_from_another_one(visit, run):
    page = answers_page(visit)
    ask(page, "What is the capital of France?")
    for side in (0, 1):
        assert page.locator(".talk .side").nth(side).locator(".tk").count() > 1
    stream = page.locator(".talk .side").nth(1).locator(".tk")
    words = stream.all_inner_texts()
    stream.nth(1).click()
    page.locator(".aside li button").nth(9).wait_for()
    page.locator(".aside li button").nth(4).click()
    page.wait_for_function("document.querySelectorAll('.talk .side .chip:is(.good, .warn)').length === 2")
    changed = stream.all_inner_texts()
    assert changed[0] == words[0]
    assert changed[1] != words[1]
    page.locator(".aside").get_by_role("button", name="Prompt").click()
    page.locator(".talk .prompt", has_text="### Instruction:").wait_for()

    # a second question waits for the first, and both stay, also over a reload
    page.locator("#ask-instruction").fill("First?")
    page.keyboard.press("Enter")
    ask(page, "Second?")
    page.reload()
    open_tab(page, "4 Before & after")
    titles = page.locator(".asked-before button")
    titles.nth(2).wait_for(state="attached")
    assert [one.get_attribute("title") for one in titles.all()] == [
        "What is the capital of France?",
        "First?",
        "Second?",
    ]


def test_the_answers_can_be_taken_away(visit, run):
    page = answers_page(visit)
    page.locator(".downloads summary").click()
    with page.expect_download() as saved:
        page.locator("[data-kind=json]").click()
    entries = json.loads(saved.value.path().read_text(encoding="utf-8"))
    assert [entry["model_response"] for entry in entries][:2] == [EVIL, "The color is red."]
    with page.expect_download() as saved:
        page.locator("[data-kind=csv]").click()
    assert saved.value.suggested_filename == "colors-01-answers.csv"
    page.locator(".downloads", has_text="Saved colors-01-answers.csv").wait_for()


def test_answers_are_rated_by_hand_without_knowing_whose_they_are(visit, run):
    page = answers_page(visit)
    page.locator("#rate").click()
    dialog = page.locator("dialog.rate")
    dialog.get_by_text("Rate by hand: 0 of 20").wait_for()
    assert "before" not in dialog.inner_text().lower()
    dialog.get_by_role("button", name="75", exact=True).click()
    dialog.get_by_text("Rate by hand: 1 of 20").wait_for()
    page.keyboard.press("1")
    dialog.get_by_text("Rate by hand: 2 of 20").wait_for()
    dialog.get_by_role("button", name="Close").click()
    assert sorted(rating.value for rating in Ratings(run.path).read()) == [0, 75]


def judge(handler, prompt):
    """Grades what is green; refuses one record, and says too much about another."""
    if "color 5." in prompt:
        return say(handler, b"no memory", status=400)
    reply = "Score: 85" if "color 7." in prompt else "100" if "response `The color is green.`" in prompt else "5"
    return say(handler, ollama(reply))


def test_a_judge_is_chosen_on_the_page_and_each_row_has_its_grade_or_the_reason(visit, run):
    plan = _plan(run.models, range(RECORDS), EvaluationOptions())
    (run.path / "evaluation.json").write_text(json.dumps(plan.to_dict()), encoding="utf-8")  # all is answered already
    page = answers_page(visit)
    with judging_server(judge) as (url, asked):
        page.locator("#answer-options-menu").click()
        page.locator("#answer-judge").fill("llama3")
        page.locator("#answer-judge_url").fill(url)
        page.locator("#answer-with-options").click()
        page.locator(".score", has_text="Judge llama3").wait_for()
    page.locator(".filters .chip", has_text="No verdict").click()
    wait_for_rows(page, [5, 7])
    signs = page.locator(".records .c-judge [role=img]")
    assert [sign.get_attribute("title") for sign in signs.all()] == [
        "status 400: 'no memory'",
        "no whole number from 0 to 100: 'Score: 85'",
    ]
    page.locator(".filters .chip", has_text="All").click()
    page.locator(".records [data-record='4'] .c-judge", has_text="100").wait_for()
    assert {body["model"] for body in asked} == {"llama3"}
    page.locator("#answer-options-menu").click()
    assert page.locator("#answer-judge_url").input_value() == url  # to be asked again


def test_nothing_is_cut_on_a_phone_or_a_projector(visit, run):
    page = answers_page(visit)
    for width, modes in ((1280, ()), (1280, ("projector", "dark")), (400, ("projector",))):
        page.set_viewport_size({"width": width, "height": 800})
        for mode in modes:  # each click turns it on, or off again
            page.evaluate("mode => document.querySelector(`[data-mode=${mode}]`).click()", mode)
        page.wait_for_timeout(300)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert box(page, ".records")["height"] > 200
        assert page.locator("#chat form").is_visible()
