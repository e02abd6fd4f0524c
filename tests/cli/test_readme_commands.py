"""Every command that the README shows runs to success as it is written, but for options that make it small."""

import re
import shlex
from pathlib import Path

import pytest

from ift.cli import main
from ift.runs.folder import open_run
from ift.runs.state import State

README = Path(__file__).parents[2] / "README.md"
ON_A_TINY_MODEL = "--model tiny --template short.txt"
SMALLER = {
    "data": "",
    "lint": "",
    "batch": "",
    "estimate": f"{ON_A_TINY_MODEL} --data records.json --max_steps 2",
    "train": f"{ON_A_TINY_MODEL} --data records.json --max_steps 2 --eval_steps 2",
    "evaluate": "--sample 1 --max_new_tokens 2",
    "generate": "--max_new_tokens 2",
    "export": "",
    "inspect": "",
    "starter build": "--steps 1",
}
"""What is added to a command of the README, so that it takes seconds."""
ELSEWHERE = {
    "train --resume": "tests/cli/test_commands.py",  # a finished run can't be resumed
    "starter measure": "tests/starter/test_starter_measure.py",  # minutes
}
"""Commands whose success another file tests."""


def commands():
    """The README's command lines, with the comments left out, in its order."""
    text = README.read_text(encoding="utf-8")
    found = re.findall(r"^\s*python -m ift (.+)$|`python -m ift ([^`]+ [^`]+)`", text, re.MULTILINE)
    return [shlex.split(line or inline, comments=True) for line, inline in found]


def kind(words):
    """`train`, `train --resume`, `starter build`."""
    return " ".join(words[:2]) if words[0] == "starter" or "--resume" in words else words[0]


@pytest.fixture
def place(tmp_path, monkeypatch, tiny_folder, data_file, template_file):
    """A working folder with small things under short names."""
    (tmp_path / "rows.jsonl").write_text('{"input_ids": [1, 50256], "labels": [-100, 50256]}\n')
    (tmp_path / "tiny").symlink_to(tiny_folder)
    monkeypatch.setenv("PYTHONPATH", str(README.parent))  # for the child processes, where nothing is installed
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_command_of_the_readme_has_a_test():
    shown = {kind(words) for words in commands()}
    assert shown == set(SMALLER) | set(ELSEWHERE)


def test_every_command_of_the_readme_succeeds(place, capsys):
    for words in commands():
        if kind(words) in SMALLER:
            assert main([*words, *SMALLER[kind(words)].split()]) == 0, (words, capsys.readouterr().err)
            assert capsys.readouterr().out
    assert open_run(place / "runs" / "first").state() is State.FINISHED
    assert main(["generate", "--model", "build/starter", "--instruction", "Name a color.", "--max_new_tokens=2"]) == 0
