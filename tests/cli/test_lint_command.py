"""`python -m ift lint`: the page's linter on the command line."""

import json

import pytest

from ift.cli import main

RECORDS = [{"instruction": f"Say {i}", "input": "", "output": f"{i}"} for i in range(3)]


@pytest.fixture
def files(tmp_path):
    def files(template):
        data, source = tmp_path / "records.json", tmp_path / "template.txt"
        data.write_text(json.dumps(RECORDS), encoding="utf-8")
        source.write_text(template, encoding="utf-8")
        return "--data", str(data), "--template", str(source)

    return files


def test_lint_names_each_finding_with_its_rows_and_what_to_do(capsys, files):
    assert main(["lint", *files("Q: {{instruction}} A: {{output}}")]) == 0
    text = capsys.readouterr().out
    assert text.startswith("3 rows; template tokens: ")
    assert "3 rows (0, 1, 2)." in text
    assert "warning, ends-with-space: " in text


def test_lint_prints_the_same_for_programs(capsys, files):
    assert main(["lint", *files("Q: {{instruction}} A: {{output}}"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["rows"] == 3
    codes = {finding["code"]: finding for finding in found["findings"]}
    assert codes["unstable-boundary"]["severity"] == "warning"
    assert codes["unstable-boundary"]["examples"] == [0, 1, 2]


def test_lint_says_so_where_nothing_is_to_change(capsys, files):
    assert main(["lint", *files("{{instruction}}\n{{#input}}{{input}}\n{{/input}}{{output}}")]) == 0
    assert "warning, " not in capsys.readouterr().out.replace("warning, split-empty", "")


def test_a_template_mistake_is_told_in_one_line(capsys, files):
    assert main(["lint", *files("{{nothing}}")]) == 2
    assert capsys.readouterr().err.startswith("Error: ")
