"""Findings lead to their rows, and a record of one's own goes from the grid to a question on tab 4."""

from tests.ui.conftest import open_tab
from tests.ui.test_data import upload, write


def test_findings_lead_to_their_rows_on_both_tabs_and_a_record_of_ones_own_to_a_question(visit, tmp_path):
    page = visit()
    records = [{"instruction": f"Name animal {n}.", "input": "", "output": f"It is {n}."} for n in range(40)]
    records[30]["input"] = records[35]["input"] = "<noinput>"
    upload(page, write(tmp_path, records))
    page.locator("#data-overview [data-finding=placeholder]", has_text="Show these 2 rows").click()
    page.locator("#records caption", has_text="2 of 40 records").wait_for()
    assert page.locator("#records tbody td:first-child").all_inner_texts() == ["30", "35"]
    page.get_by_role("button", name="Show all records", exact=True).click()
    page.locator("#records caption", has_text="40 of 40 records").wait_for()

    open_tab(page, "2 Prompt & batch")
    chip = page.locator("#template-message [data-code=placeholder]")
    chip.locator("summary", has_text="placeholders: 2 of 40 rows").click()
    chip.locator("[data-row='35']").click()
    page.wait_for_function("document.querySelector('.lens .line .lab b')?.textContent === '35'")

    page.locator("#own-record > button").click()
    page.locator("#own-instruction textarea").fill("What is the capital of Peru?")
    page.wait_for_function("document.querySelector('.lens').innerText.includes('yours')")
    page.locator("#own-ask").click()
    page.wait_for_function("document.querySelector('#ask-instruction')?.value === 'What is the capital of Peru?'")
    assert page.locator("#ask-instruction").is_visible()
