"""docs/data.md: its commands run as they are written, and its tables name all there is."""

import json
import re
import shlex
from pathlib import Path

import pytest

from ift.audit.findings import LABELS
from ift.audit.tokenized_audit import CODES
from ift.cli import main
from ift.data.layouts import _FIELDS
from ift.data.sources import NAMES
from ift.data_options import LAYOUTS

TEXT = (Path(__file__).parents[2] / "docs" / "data.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^python -m ift (.+)$", TEXT, re.MULTILINE)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_runs_as_it_is_written(command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    turns = [{"role": role, "content": "a"} for role in ("user", "assistant") * 2]
    Path("mine.jsonl").write_text('{"question": "a", "answer": "b"}\n', encoding="utf-8")
    Path("mine.csv").write_text("query,reply\na,b\n", encoding="utf-8")
    Path("chats.json").write_text(json.dumps([{"messages": turns}] * 2), encoding="utf-8")
    assert main(shlex.split(command)) == 0
    assert "1" in capsys.readouterr().out
    if "--write" in command:
        assert len(Path("clean.jsonl").read_text(encoding="utf-8").splitlines()) == 4


def section(title):
    return TEXT.partition(f"## {title}\n")[2].partition("\n## ")[0]


def test_the_findings_are_all_explained():
    first_cells = "\n".join(re.findall(r"^\|([^|]+)\|", section("What is found"), re.MULTILINE))
    explained = set(re.findall(r"`([a-z-]+)`", first_cells))
    assert explained == set(LABELS) - (set(CODES) - {"eos-masked", "padding-trained", "row-cut", "nothing-trained"})


def test_the_tables_have_every_layout_and_every_name():
    rows = re.findall(r"^\| `([a-z][a-z-]*)` \| (.+) \|$", section("Layouts"), re.MULTILINE)
    assert {name for name, _ in rows} == set(LAYOUTS) - {"auto"}
    for name, fields in rows:
        assert {theirs[0] for theirs in _FIELDS[name].values()} <= set(re.findall(r"`(\w+)`", fields))
    assert f"| {', '.join(f'`{name}`' for name in NAMES)} |" in TEXT
