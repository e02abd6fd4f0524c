"""The papers name files and commands: each of them is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAPERS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
OURS = r"(?:ift|playground|assets|tests|docs|\.ci)/[\w./-]*\w"
MADE_BY_USERS = {"tests/export/llama_cpp/node_modules"}


@pytest.mark.parametrize("paper", PAPERS, ids=lambda path: path.name)
def test_every_file_that_a_paper_names_is_there(paper):
    text = paper.read_text(encoding="utf-8")
    named = {name for name in re.findall(rf"`({OURS})`", text)} - MADE_BY_USERS
    links = {link for link in re.findall(r"\]\(([^)#:]+)\)", text) if not link.startswith("http")}
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []
    assert [link for link in sorted(links) if not (paper.parent / link).exists()] == []


def test_contributing_says_where_to_open_what():
    rows = re.findall(r"^\| .+ \| .*`.+` *\|?", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(rows) >= 12


def test_functions_that_the_papers_name_are_in_their_files():
    pairs = re.findall(r"`(\w+(?:\.\w+)?)` in `([\w./]+\.py)`", "".join(path.read_text("utf-8") for path in PAPERS))
    assert len(pairs) >= 6
    missing = [(name, file) for name, file in pairs if name.rpartition(".")[2] not in (ROOT / file).read_text("utf-8")]
    assert missing == []
