"""The tables that hold what the starter knows: plain text, one row a line, columns between bars."""

import re
import tomllib
from functools import cache
from pathlib import Path

from ift.errors import DataError

FOLDER = Path(__file__).parent
TABLES = FOLDER / "tables"


@cache
def read_table(name: str) -> tuple[dict[str, str], ...]:
    """The rows of `tables/<name>.txt`, by column name; its first line names the columns.

    Raises:
        DataError: a row with another number of cells: file and line.
    """
    path = TABLES / f"{name}.txt"
    header, *lines = path.read_text(encoding="utf-8").splitlines()
    columns = header.split("|")
    rows = []
    for number, line in enumerate(lines, start=2):
        cells = line.split("|")
        if len(cells) != len(columns):
            where = f"{path.name}, line {number}"
            raise DataError(f"{len(cells)} cells, not {len(columns)}", where=where, fix=f"Columns: {header}")
        rows.append(dict(zip(columns, cells, strict=True)))
    return tuple(rows)


@cache
def read_blocks(name: str) -> tuple[tuple[str, ...], ...]:
    """The blocks of `tables/<name>.txt`, each its lines; an empty line stands between two."""
    text = (TABLES / f"{name}.txt").read_text(encoding="utf-8")
    blocks = (block.strip().splitlines() for block in text.split("\n\n"))
    return tuple(tuple(line.strip() for line in block) for block in blocks if block)


@cache
def read_words() -> dict[str, tuple[str, ...]]:
    """The word lists by kind; `name` is every first name."""
    words = {row["kind"]: tuple(row["words"].split(", ")) for row in read_table("words")}
    return {**words, "name": words["girl"] + words["boy"]}


@cache
def read_lexicon() -> tuple[str, ...]:
    """Every word that stands in any table, in alphabetical order; capitals as there."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in sorted(TABLES.glob("*.txt")))
    words = set(re.findall(r"[A-Za-z]{2,}", re.sub(r"[{<][^}>]*[}>]", " ", text)))
    return tuple(sorted(words, key=lambda word: (word.lower(), word)))


@cache
def read_relations() -> dict[str, dict]:
    """`relations.toml` by relation."""
    return tomllib.loads((FOLDER / "relations.toml").read_text(encoding="utf-8"))
