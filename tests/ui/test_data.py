import json

from ift.data.records import split
from ift.data.sources import load_dataset
from tests.helpers import Reply, serving
from tests.ui.conftest import edit, open_tab

HOSTILE = [
    "<script>window.ran = 1</script>",
    "<img src=x onerror='window.ran = 2'>",
    "${window.ran = 3}",
    "{{constructor.constructor('window.ran = 4')()}}",
    "`${window.ran = 5}`",
    "</textarea><svg onload='window.ran = 6'>",
    "{{output}}",
    "<|endoftext|> 😀 \u0000 \u202eabc שלום",
]


def upload(page, path):
    page.get_by_label("A file of your own", exact=True).check()
    page.locator("#upload input[type=file]").set_input_files(path)


def write(tmp_path, rows):
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    return path


def test_the_starter_set_is_there_at_once_with_its_counts_and_can_be_searched(visit):
    page = visit()
    text = page.locator("#data-overview").inner_text()
    examples = load_dataset("starter").examples
    assert f"{len(examples):,}" in text
    assert f"train {len(split(examples).train):,}" in text
    page.locator("#lengths .js-plotly-plot").wait_for()
    page.locator("#query input, #query textarea").fill("Norway")
    page.wait_for_function("document.querySelectorAll('#records tbody tr').length < 25")
    rows = page.locator("#records tbody tr").all_inner_texts()
    assert rows
    assert all("Norway" in row for row in rows)


def test_figures_are_drawn_where_plotly_comes_late(visit):
    page = visit(  # Gradio adds the script to a page that may have loaded already
        before="let kept;"
        "Object.defineProperty(window, 'Plotly', {get: () => window.late && kept, set: it => { kept = it; }})"
    )
    page.wait_for_load_state("load")
    page.locator("#lengths h2").wait_for()
    assert page.locator("#lengths .js-plotly-plot").count() == 0
    page.evaluate("late = true")
    page.locator("#lengths .js-plotly-plot").wait_for()


def test_a_page_at_rest_asks_for_no_frames(visit):
    page = visit(
        before="window.asked = 0; const ask = requestAnimationFrame;"
        "window.requestAnimationFrame = draw => { asked++; return ask(draw); }"
    )
    for _ in range(20):  # until everything is drawn
        before = page.evaluate("asked")
        page.wait_for_timeout(1000)
        if page.evaluate("asked") == before:
            return
    raise AssertionError("Frames are asked for all the time: each costs a training on the same processor.")


def test_own_files_are_used_everywhere_and_nothing_in_a_record_runs_as_script(visit, tmp_path):
    page = visit()
    rows = [{"instruction": text, "input": text, "output": text, "task": text} for text in HOSTILE]
    upload(page, write(tmp_path, rows))
    page.get_by_text("mine.json is in use.").wait_for()
    page.wait_for_function("document.querySelector('#records').innerText.includes('window.ran = 1')")
    open_tab(page, "2 Prompt & batch")
    page.wait_for_function("[...document.querySelectorAll('.lens .c b')].some(c => c.textContent.includes('script'))")
    edit(page, "${window.ran = 7}<img src=x onerror='window.ran = 8'> {{instruction}} {{output}}")
    open_tab(page, "1 Data")
    page.locator("#upload").get_by_label("Clear").click()
    (tmp_path / "new").mkdir()
    rows = [{"instruction": f"Say {n}.", "input": "", "output": f"It is {n}."} for n in range(20)]
    upload(page, write(tmp_path / "new", rows))
    page.wait_for_function("document.querySelector('#data-overview').innerText.includes('20 instruction')")
    open_tab(page, "2 Prompt & batch")
    page.wait_for_function("[...document.querySelectorAll('.lens .c b')].some(c => c.textContent.includes('Say'))")


def test_a_bad_file_lists_its_problems_and_the_old_data_stay_until_they_are_left_out(visit, tmp_path):
    page = visit()
    good, bad = {"instruction": "Say it.", "output": "b"}, {"instruction": "a", "output": None}
    upload(page, write(tmp_path, [good, bad, bad]))
    message = page.locator("#data-message")
    message.get_by_text("2 rows of 3 in mine.json can't be used").wait_for()
    assert message.locator("tbody tr").all_inner_texts()[1].split("\t")[:3] == ["2", "", "output"]
    assert "Still in use: the starter set." in message.inner_text()
    assert f"{len(load_dataset('starter')):,}" in page.locator("#data-overview").inner_text()
    page.get_by_role("button", name="Leave these out", exact=True).click()
    page.get_by_text("mine.json is in use.").wait_for()
    page.wait_for_function("document.querySelector('#data-overview').innerText.includes('2 rows left out')")
    page.get_by_role("button", name="Leave these out", exact=True).wait_for(state="hidden")


def test_fields_of_other_names_are_mapped_on_the_page(visit, tmp_path):
    page = visit()
    path = tmp_path / "mine.csv"
    path.write_text("query,reply\n" + "".join(f"Ask {n}.,It is {n}.\n" for n in range(20)), encoding="utf-8")
    upload(page, path)
    page.get_by_text("The layout of the records is not recognized").wait_for()
    page.get_by_role("button", name="How it is read").click()
    page.get_by_label("Fields, ours = the file's").fill("instruction=query,output=reply")
    page.get_by_role("button", name="Read again", exact=True).click()
    page.get_by_text("mine.csv is in use.").wait_for()
    page.wait_for_function("document.querySelector('#data-overview').innerText.includes('instruction from query')")
    open_tab(page, "3 Fine-tune")
    page.get_by_role("button", name="The same run from a command line").click()
    page.wait_for_function("document.querySelector('#command')?.innerText.includes('instruction=query,output=reply')")


def test_a_file_at_an_address_and_one_with_nothing_to_train_on(visit, tmp_path):
    page = visit()
    rows = [{"question": "Q", "answer": n} for n in range(20)] + [{"question": None, "answer": 1}]
    page.get_by_label("A file of your own", exact=True).check()
    with serving({"/far.jsonl": Reply("\n".join(map(json.dumps, rows)).encode())}) as (address, _):
        page.get_by_label("Or an address, or a data set on the Hugging Face Hub").fill(f"{address}/far.jsonl")
        page.get_by_role("button", name="Load", exact=True).click()
        page.get_by_text("1 row of 21 in far.jsonl can't be used").wait_for()
    page.get_by_role("button", name="Leave these out", exact=True).click()
    page.get_by_text("far.jsonl is in use.").wait_for()
    page.wait_for_function("document.querySelector('#data-overview').innerText.includes('1 row left out')")
    upload(page, write(tmp_path, [{"instruction": "Say it.", "output": "b"}]))
    page.get_by_text("mine.json is in use.").wait_for()
    page.get_by_text("The train split is empty").wait_for()
    open_tab(page, "3 Fine-tune")
    page.get_by_text("The training split is empty").wait_for()
    page.locator("#run-findings [data-code=split-empty]").first.wait_for()
