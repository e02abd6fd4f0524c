"""Prompt templates: what a person types, what the model sees, and what every character is there for."""

import pytest

from ift.data.templates import PRESETS, Template, load_template
from ift.errors import TemplateError
from ift.roles import Role
from ift.types import Example

PLAIN = Example("Add 1 and 1.", "", "2")
WITH_INPUT = Example("Add.", "1 and 1", "2")


def text(source, example=PLAIN):
    return Template.parse(source).render(example).text


def roles(source, example=PLAIN):
    return [(segment.text, segment.role.label) for segment in Template.parse(source).render(example).segments]


def test_fields_are_replaced_by_the_records_text():
    assert text("{{instruction}} [{{input}}] = {{output}}", WITH_INPUT) == "Add. [1 and 1] = 2"


def test_blanks_inside_a_tag_do_not_matter():
    assert text("{{ instruction }}: {{\toutput }}") == "Add 1 and 1.: 2"


@pytest.mark.parametrize(
    ("example", "expected"),
    [(PLAIN, "no input -> 2"), (WITH_INPUT, "<1 and 1> -> 2"), (Example("", " ", "2"), "< > -> 2")],
)
def test_sections_choose_by_whether_the_record_has_an_input(example, expected):
    assert text("{{#input}}<{{input}}>{{/input}}{{^input}}no input{{/input}} -> {{output}}", example) == expected


def test_a_section_tag_alone_on_its_line_takes_the_line_with_it():
    source = "{{instruction}}\n  {{#input}}  \n{{input}}\n{{/input}}\n{{output}}"
    assert text(source, WITH_INPUT) == "Add.\n1 and 1\n2"
    assert text(source, PLAIN) == "Add 1 and 1.\n2"


def test_a_section_tag_beside_text_leaves_its_line_alone():
    assert text("{{instruction}}{{#input}}\n{{input}}{{/input}}\n{{output}}", WITH_INPUT) == "Add.\n1 and 1\n2"


def test_a_section_tag_alone_on_the_last_line_needs_no_line_break():
    assert text("{{instruction}} {{output}}\n{{#input}}\nend\n{{/input}}", WITH_INPUT) == "Add. 2\nend\n"


def test_windows_line_breaks_become_plain_ones():
    assert text("{{instruction}}\r\n{{#input}}\r\n{{input}}\r\n{{/input}}\r\n= {{output}}") == "Add 1 and 1.\n= 2"


def test_braces_that_are_no_tag_are_ordinary_text():
    assert text('{"q": "{{instruction}}", "a": {{output}}}') == '{"q": "Add 1 and 1.", "a": 2}'


@pytest.mark.parametrize("hostile", ["{{output}}", "{{#input}}", "{{/input}}", "{{", "{0}", "%s", "$x", "\\1"])
def test_what_a_record_contains_is_never_scanned_again(hostile):
    record = Example(hostile, hostile, hostile)
    assert text("{{instruction}}|{{input}}|{{output}}", record) == f"{hostile}|{hostile}|{hostile}"


def test_roles_tell_what_every_stretch_is_there_for():
    assert roles("Do: {{instruction}}\n{{input}}\nAnswer: {{output}}.", WITH_INPUT) == [
        ("Do: ", "template"),
        ("Add.", "instruction"),
        ("\n", "template"),
        ("1 and 1", "input"),
        ("\nAnswer: ", "header"),
        ("2", "response"),
        (".", "response"),
    ]


def test_without_an_input_the_header_begins_after_the_instruction():
    assert roles("{{instruction}}{{#input}}\n{{input}}{{/input}}\nA:{{output}}") == [
        ("Add 1 and 1.", "instruction"),
        ("\nA:", "header"),
        ("2", "response"),
    ]


def test_with_no_field_before_the_output_all_prompt_text_is_header():
    assert roles("Say: {{output}}") == [("Say: ", "header"), ("2", "response")]


def test_an_empty_field_leaves_no_segment():
    assert roles("Q {{instruction}}{{input}}= {{output}}", Example("", "", "")) == [
        ("Q ", "template"),
        ("= ", "header"),
    ]


def test_prompt_and_response_together_are_the_text():
    rendered = Template.parse("Q {{instruction}} A {{output}} END").render(PLAIN)
    assert (rendered.prompt, rendered.response) == ("Q Add 1 and 1. A ", "2 END")
    assert rendered.prompt + rendered.response == rendered.text


@pytest.mark.parametrize(
    ("ending", "output", "inside"),
    [
        ("</s>", "a</s>b", True),
        ("</s>", "a b", False),
        ("</s>", "a</s>", True),  # the ending comes twice
        ("--", "a-", True),  # a--- is cut one dash too early
        ("\n", "a\nb", False),  # white space stops no answer
        (" ", "a b", False),
        ("", "a b", False),
    ],
)
def test_an_ending_that_an_output_contains_would_stop_its_answer(ending, output, inside):
    template = Template.parse(f"{{{{instruction}}}}:{{{{output}}}}{ending}")
    assert bool(template.stopping_inside([Example("x", "", output)])) is inside


def test_text_after_the_output_is_the_ending_whatever_the_output_is():
    template = Template.parse("{{instruction}} {{output}}</s>{{#input}}!{{/input}}")
    assert template.ending(PLAIN) == "</s>"
    assert template.ending(WITH_INPUT) == "</s>!"


@pytest.mark.parametrize(
    ("source", "line", "column", "what"),
    [
        ("", 1, 1, "{{output}} is missing"),
        ("{{instruction}}", 1, 16, "{{output}} is missing"),
        ("one\ntwo\n", 3, 1, "{{output}} is missing"),
        ("Q: {{instrucion}} {{output}}", 1, 4, "{{instrucion}} is not a field"),
        ("Q\r\n\r\n {{question}}{{output}}", 3, 2, "{{question}} is not a field"),
        ("Q\n {{#input}} {{input}}", 2, 2, "{{#input}} is never closed"),
        ("Q {{^input}}", 1, 3, "{{^input}} is never closed"),
        ("Q {{/input}} {{output}}", 1, 3, "closes a section that is not open"),
        ("Q {{#input}}{{^input}}x{{/input}}", 1, 13, "stands inside another section"),
        ("Q {{#output}}", 1, 3, "{{#output}} is not a section"),
        ("Q {{/instruction}}", 1, 3, "{{/instruction}} is not a section"),
        ("Q {{#input}}{{output}}{{/input}}", 1, 13, "{{output}} stands inside a section"),
        ("Q {{output}} {{output}}", 1, 14, "{{output}} stands here again"),
        ("Q {{output}} {{input}}", 1, 14, "{{input}} stands after {{output}}"),
        ("Q {{output}}{{#input}}{{instruction}}{{/input}}", 1, 23, "{{instruction}} stands after {{output}}"),
        ("{{instruction}} {{output", 1, 17, "not a tag"),
        ("Q {{ }} {{output}}", 1, 3, "not a tag"),
        ("Q {{out put}} {{output}}", 1, 3, "not a tag"),
        ("Q {{{input}}} {{output}}", 1, 3, "{{{ is not a tag"),
        ("{{output}}", 1, 1, "Nothing stands before {{output}}"),
        ("Q\n{{input}}\ud800{{output}}", 2, 10, "lone surrogate"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_column(source, line, column, what):
    with pytest.raises(TemplateError) as caught:
        Template.parse(source)
    assert what in caught.value.what
    assert (caught.value.line, caught.value.column) == (line, column)
    assert f"line {line}, column {column}" in str(caught.value)


def test_a_long_hostile_source_is_refused_quickly():
    with pytest.raises(TemplateError):
        Template.parse("{{" + " " * 100_000 + "{{#" * 30_000)


# The presets, against what they stand for.


def format_input(entry):
    """Chapter 7's own function, from the book."""
    instruction_text = (
        f"Below is an instruction that describes a task. "
        f"Write a response that appropriately completes the request."
        f"\n\n### Instruction:\n{entry['instruction']}"
    )
    input_text = f"\n\n### Input:\n{entry['input']}" if entry["input"] else ""
    return instruction_text + input_text


@pytest.mark.parametrize("example", [PLAIN, WITH_INPUT, Example("Two\nlines\n", " ", "\n")])
def test_alpaca_is_the_books_own_text(example):
    entry = {"instruction": example.instruction, "input": example.input}
    rendered = load_template("alpaca").render(example)
    assert rendered.text == format_input(entry) + f"\n\n### Response:\n{example.output}"
    assert rendered.prompt == format_input(entry) + "\n\n### Response:\n"


def test_stanfords_alpaca_is_what_stanford_published():
    template = load_template("alpaca-stanford")
    assert template.render(WITH_INPUT).prompt == (
        "Below is an instruction that describes a task, paired with an input that provides further context. "
        "Write a response that appropriately completes the request.\n\n"
        "### Instruction:\nAdd.\n\n### Input:\n1 and 1\n\n### Response:"
    )
    assert template.render(PLAIN).prompt == (
        "Below is an instruction that describes a task. "
        "Write a response that appropriately completes the request.\n\n"
        "### Instruction:\nAdd 1 and 1.\n\n### Response:"
    )


def test_phi3_puts_each_part_on_its_own_line():
    assert load_template("phi3").render(WITH_INPUT).text == "<|user|>\nAdd.\n1 and 1\n<|assistant|>\n2"
    assert load_template("phi3").render(PLAIN).text == "<|user|>\nAdd 1 and 1.\n<|assistant|>\n2"


def test_chatml_ends_the_answer_with_its_own_marker():
    template = load_template("chatml")
    assert template.render(PLAIN).text == (
        "<|im_start|>user\nAdd 1 and 1.<|im_end|>\n<|im_start|>assistant\n2<|im_end|>"
    )
    assert template.ending(PLAIN) == "<|im_end|>"


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("example", [PLAIN, WITH_INPUT])
def test_every_preset_asks_the_instruction_and_answers_the_output(name, example):
    rendered = load_template(name).render(example)
    assert {Role.INSTRUCTION, Role.HEADER, Role.RESPONSE} <= {segment.role for segment in rendered.segments}
    assert example.instruction in rendered.prompt
    assert example.input in rendered.prompt
    assert rendered.response.startswith(example.output)


def test_the_line_break_that_ends_a_template_file_is_not_template(tmp_path):
    path = tmp_path / "mine.txt"
    path.write_bytes("\ufeff{{instruction}}\r\n→ {{output}}\r\n\r\n".encode())
    assert load_template(str(path)).source == "{{instruction}}\n→ {{output}}\n"


def test_a_template_that_is_not_there_says_so(tmp_path):
    with pytest.raises(TemplateError, match=r"can't be read: No such file or directory\. Give a preset"):
        load_template(str(tmp_path / "absent.txt"))


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_template_that_is_not_text_says_where(tmp_path, mark):
    (tmp_path / "latin.txt").write_bytes(mark + "{{instruction}}\r\né ".encode() + b"\xe9 {{output}}")
    with pytest.raises(TemplateError, match="can't be read: it is not UTF-8") as caught:
        load_template(str(tmp_path / "latin.txt"))
    assert (caught.value.line, caught.value.column) == (2, 3)
