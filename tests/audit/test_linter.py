import pytest

from ift.audit.lint_rules import Severity
from ift.audit.linter import EVERY, SAMPLE, lint
from ift.data.bulk_encoding import encode_all
from ift.data.templates import Template, load_template
from ift.roles import Role
from ift.types import Example
from playground.views.lint import findings as html_of

ALPACA = load_template("alpaca")


def last(examples, source):
    *_, report = lint(examples, Template.parse(source))
    return report


def codes(examples, source):
    return {finding.code: finding for finding in last(examples, source).findings}


def test_a_good_template_on_good_data_has_nothing_to_change():
    assert last([Example("Say hi.", "to all", "Hello there.")], ALPACA.source).warnings == 0


def test_a_blank_before_the_response_is_told_with_the_tokens_that_would_merge():
    found = codes([Example("Capital?", "", "Paris"), Example("Capital?", "", "Rome")], "{{instruction}}\nA: {{output}}")
    assert found["ends-with-space"].rows == 2
    border = found["unstable-boundary"]
    assert (border.rows, border.examples, border.severity) == (2, (0, 1), Severity.WARNING)
    assert any("·Paris" in line for line in border.details)


@pytest.mark.parametrize(
    ("source", "example", "code"),
    [
        ("{{instruction}}\nA:\n{{output}}", Example("x", "y", "z"), "field-left-out"),
        ("{{#input}}{{input}}{{/input}}{{instruction}}\n{{output}}", Example("x", "", "z"), "section-unused"),
        ("{{instruction}}{{output}}", Example("x", "", "z"), "no-separator"),
        ("{{instruction}}\n{{output}}", Example("x", "", " "), "empty-answer"),
        ("{{instruction}}\n{{output}}", Example("Repeat: the quick brown fox jumps", "", "the quick brown fox jumps"),
         "answer-in-prompt"),
        ("<|im_start|>{{instruction}}\n{{output}}", Example("x", "", "z"), "marker-in-template"),
        ("{{instruction}}\n{{output}}", Example("x <|endoftext|>", "", "z"), "end-of-text-in-data"),
        ("{{instruction}}\n{{output}}", Example("x", "", "z</s>"), "marker-in-data"),
        ("{{instruction}}\n{{output}}END", Example("x", "", "WEEKEND"), "ending-in-output"),
        ("{{instruction}}\n{{output}}\n", Example("x", "", "a\nb"), "white-space-ending"),
    ],
)  # fmt: skip
def test_each_thing_is_found_where_it_is_and_not_elsewhere(source, example, code):
    assert code in codes([example], source)
    assert code not in codes([Example("Say hi.", "to all", "Hello there.")], ALPACA.source)


def test_an_ending_inside_outputs_is_shown_with_its_rows():
    examples = [Example("x", "", "one"), Example("x", "", "o|ne"), Example("x", "i", "|")]
    found = codes(examples, "{{instruction}}:\n{{output}}|")["ending-in-output"]
    assert (found.rows, found.examples, found.severity) == (2, (1, 2), Severity.WARNING)
    assert found.details == ("'|': 2 rows",)


def test_the_first_report_comes_after_a_sample_and_the_last_is_on_every_row():
    examples = [Example(f"q{i}", "", "" if i == 4_400 else "a") for i in range(SAMPLE + EVERY + 300)]
    reports = list(lint(examples, ALPACA))
    assert [report.rows for report in reports] == [SAMPLE, SAMPLE + EVERY, len(examples)]
    assert [report.complete for report in reports] == [False, False, True]
    found = {finding.code: finding for finding in reports[-1].findings}
    assert found["empty-answer"].examples == (4_400,)


def test_the_templates_share_is_that_of_the_encoded_rows():
    examples = [Example("Name it.", "a fox", "It is a fox."), Example("Why?", "", "Because 😀.")]
    report = last(examples, ALPACA.source)
    rows = encode_all(examples, ALPACA)
    count = sum(int(role in (Role.TEMPLATE, Role.HEADER)) for row in rows for role in row.roles)
    assert report.template_share == pytest.approx(count / sum(map(len, rows)))


def test_what_records_hold_is_escaped_in_the_report():
    found = last([Example("<script>x</script> </s>", "", "<b>")], "<|a<b|>{{instruction}}: {{output}}")
    assert "<script>" not in html_of(found)
    assert "<b|>" not in html_of(found)
