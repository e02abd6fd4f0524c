"""Rows of another trainer that visitors brought, each with the tokenizer that made them: looked at, never trained."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ift.audit.other_tokenizer import OtherTokenizer, load_tokenizer
from ift.audit.tokenized_audit import TokenizedReport, audit
from ift.data.formats import read_content
from ift.data.tokenized_rows import RowProblem, TokenizedRow, read_rows
from ift.errors import DataError
from playground.settings import Limits
from playground.uploads import LOCAL, UNPACKED, read_upload

_MARK = "tokenized-upload.json"
_TOKENIZER = "tokenizer.json"
_GPT2 = "gpt2"


@dataclass(frozen=True, slots=True, eq=False)
class TokenizedUpload:
    """rows: those that can be read, by `records`, their positions in the file. report: the audit of all."""

    rows: Sequence[TokenizedRow]
    records: Sequence[int]
    tokenizer: OtherTokenizer
    report: TokenizedReport
    is_gpt2: bool


def keep_rows(folder: Path, path: Path, tokenizer: Path | None, *, limits: Limits = LOCAL) -> Path:
    """Check a file of rows and keep it, with its tokenizer, under the hash of both.

    tokenizer: a tokenizer.json; None: the rows are GPT-2's.

    Raises:
        DataError: no row can be read.
        ConfigError: too large, or the tokenizer can't be read.
    """
    raw = read_upload(path, limits)
    own = read_upload(tokenizer, limits) if tokenizer else b""
    kept = folder / hashlib.sha256(b"rows\0" + own + b"\0" + raw).hexdigest()[:12] / path.name
    kept.parent.mkdir(parents=True, exist_ok=True)
    if tokenizer:
        (kept.parent / _TOKENIZER).write_bytes(own)
    kept.write_bytes(raw)
    (kept.parent / _MARK).write_text(json.dumps({"tokenizer": _TOKENIZER if tokenizer else _GPT2}), encoding="utf-8")
    load_rows(str(kept))
    return kept


def is_rows(name: str) -> bool:
    """Whether a data set's name is a file of another trainer's rows."""
    path = Path(name)  # of a set that has a name alone, the folder would be the one that the server was started in
    return path.is_absolute() and (path.parent / _MARK).is_file()


@lru_cache(maxsize=2)
def load_rows(name: str) -> TokenizedUpload:
    """A file of rows that was kept, with its audit.

    Raises:
        DataError: no row can be read.
        ConfigError: the tokenizer can't be read.
    """
    path = Path(name)
    own = path.parent / _TOKENIZER
    tokenizer = load_tokenizer(str(own) if own.is_file() else _GPT2)
    content = read_content(path.read_bytes(), name=path.name, max_unpacked_bytes=int(UNPACKED * LOCAL.upload_bytes))
    values = (row.value if isinstance(row.value, dict) else {} for row in content.rows)
    found = list(read_rows(values, pad_id=tokenizer.special.pad, eos_ids=tokenizer.special.eos))
    good = [(i, row) for i, row in enumerate(found) if not isinstance(row, RowProblem)]
    if not good:
        first = next((row for row in found if isinstance(row, RowProblem)), None)
        what = f"{first.field} {first.problem}" if first else "it is empty"
        fix = 'Use rows such as {"input_ids": [1, 2], "labels": [-100, 2]}; docs/inspect.md shows how to get them.'
        raise DataError(f"No row of the file can be read: {what}", where=path.name, fix=fix)
    records, rows = zip(*good, strict=True)
    return TokenizedUpload(rows, records, tokenizer, audit(found, tokenizer.special), not own.is_file())
