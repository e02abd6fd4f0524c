"""A data file's bytes → its rows. What the bytes are decides, never the file's name.

bytes ─ gzip? ─┬─ PAR1 ────────────────────────→ Parquet   (ift.data.columns)
               └─ text: UTF-8, UTF-16 ─┬─ [ { ─→ JSON, JSON Lines
                                       └─ else → CSV, TSV  (ift.data.columns)
"""

import codecs
import gzip
import io
import itertools
import json
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ift.data.columns import csv_rows, parquet_rows, too_large
from ift.data.file_rows import MAX_ROWS, Row, as_number, as_object
from ift.errors import DataError

MAX_UNPACKED_BYTES = 2**28
"""Of what gzip or Parquet unpacks to: over 500,000 records of Alpaca's size, and no bomb."""
VALUES_PER_ROW = 100
"""Objects and lists in a row, on average at most: a conversation has one per turn."""
_GZIP_CHUNK_BYTES = 2**20
_BETWEEN = re.compile(r"[\s,\ufeff]*")
"""What may separate two values: joined files leave commas and byte order marks between their records."""
_TEXTS = (  # UTF-32 first: its mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_UNPACK = "Unpack it and use the file inside."
_NOT_READ = (
    (b"PK\x03\x04", "a ZIP archive or an Excel file", f"{_UNPACK} From Excel, save the sheet as CSV UTF-8."),
    (b"BZh", "packed with bzip2", f"{_UNPACK} gzip is read as it is."),
    (b"\xfd7zXZ", "packed with xz", f"{_UNPACK} gzip is read as it is."),
    (b"\x28\xb5\x2f\xfd", "packed with Zstandard", f"{_UNPACK} gzip is read as it is."),
    (b"7z\xbc\xaf", "a 7-Zip archive", _UNPACK),
    (b"ARROW1", "an Arrow file", "Write it as Parquet or JSON Lines: dataset.to_parquet(path), dataset.to_json(path)."),
    (
        b"\xff\xff\xff\xff",
        "an Arrow stream",
        "Write it as Parquet or JSON Lines: dataset.to_parquet(path), dataset.to_json(path).",
    ),
    (b"SQLite format 3", "an SQLite database", "Export the table as CSV."),
    (b"%PDF", "a PDF", "Use a file of records: JSON, JSON Lines, CSV or Parquet."),
    (b"\x80\x04\x95", "a Python pickle", "It could run code, so it is never read. Write it as JSON Lines."),
    (b"version https://git-lfs", "a Git LFS pointer, not the file itself", "Fetch the file with `git lfs pull`."),
)
_FORMATS = "JSON, JSON Lines, CSV, TSV or Parquet, each also with gzip"


@dataclass(frozen=True, slots=True)
class Content:
    """What a file holds, before anybody asks what its fields mean.

    format: json, jsonl, csv, tsv or parquet, with `.gz` after it where it was packed. rows: of a JSON file whose root
    is one object, that object alone, and `is_object`.
    """

    format: str
    rows: list[Row]
    is_object: bool = False


def read_content(
    raw: bytes, *, name: str, max_unpacked_bytes: int = MAX_UNPACKED_BYTES, max_rows: int = MAX_ROWS
) -> Content:
    """The rows of a file's bytes; `name` is what errors call it.

    Raises:
        DataError: no format that is read here, a damaged one, or one that holds more than is allowed.
    """
    if raw.startswith(b"\x1f\x8b"):
        unpacked = _gunzip(raw, name, max_unpacked_bytes)
        inner = _content(unpacked, name, max_unpacked_bytes, max_rows)
        return Content(f"{inner.format}.gz", inner.rows, inner.is_object)
    return _content(raw, name, max_unpacked_bytes, max_rows)


def _gunzip(raw: bytes, name: str, limit: int) -> bytes:
    parts, size = [], 0
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(raw)) as file:
            while part := file.read(_GZIP_CHUNK_BYTES):
                size += len(part)
                if size > limit:
                    raise too_large(name, limit)
                parts.append(part)
    except (OSError, EOFError, zlib.error) as error:
        fix = "Pack it again, or use it without gzip."
        raise DataError(f"The gzip file is damaged or breaks off: {error}", where=name, fix=fix) from error
    return b"".join(parts)


def _content(raw: bytes, name: str, limit: int, max_rows: int) -> Content:
    if raw.startswith(b"PAR1"):
        return Content("parquet", _limited(parquet_rows(raw, name=name, max_bytes=limit), name, max_rows))
    for start, what, fix in _NOT_READ:
        if raw.startswith(start):
            raise DataError(f"The file is {what}", where=name, fix=fix)
    text = _decode(raw, name)
    at = _skip(text, 0) if text[:1] in " \t\r\n\ufeff" else 0
    first = text[at : at + 1]
    if not first:
        raise DataError("The file has no records", where=name, fix="Add at least one.")
    if first in "[{":
        return _json(text, name, max_rows, is_list=first == "[")
    if first == "<":
        raise DataError("The file is a web page or XML, not records", where=name, fix=f"Use {_FORMATS}.")
    table = csv_rows(text, name=name)
    if table is None:
        what = f"The file is neither {_FORMATS.partition(', each')[0]}: it begins with {text.strip()[:40]!r}"
        raise DataError(what, where=name, fix="Use a list of records, [{…}, {…}], or one record per line.")
    return Content(table[0], _limited(iter(table[1]), name, max_rows))


def _decode(raw: bytes, name: str) -> str:
    if raw[:1] != b"\xff" and raw[:2] != codecs.BOM_UTF16_BE and raw[:64].count(0) > len(raw[:64]) // 4:
        fix = "Save it again with the encoding UTF-8."
        raise DataError("The file is UTF-16 without a byte order mark, or no text", where=name, fix=fix)
    encoding = next((encoding for mark, encoding in _TEXTS if raw.startswith(mark)), "utf-8")
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        kind = encoding.upper().removesuffix("-SIG")
        fix = "Save it again with the encoding UTF-8."
        raise DataError(f"The file is not {kind} text", where=f"{name}, byte {error.start}", fix=fix) from error
    return text


def _json(text: str, name: str, max_rows: int, *, is_list: bool) -> Content:
    if text.count("{") + text.count("[") > VALUES_PER_ROW * max_rows:  # they would all be in memory at once
        raise _too_many(name, max_rows)
    if is_list:
        rows = _limited((row for value in _sequence(text, name) for row in _as_rows(value)), name, max_rows)
        return Content("json", rows)
    if _is_line_by_line(text):
        rows = _limited(_lines(text), name, max_rows)
        return Content("jsonl", rows, is_object=len(rows) == 1 and not rows[0].problem)
    rows = _limited(map(Row, _sequence(text, name)), name, max_rows)
    return Content("json", rows, is_object=len(rows) == 1)


def _limited(rows: Iterable[Row], name: str, max_rows: int) -> list[Row]:
    some = list(itertools.islice(rows, max_rows + 1))
    if len(some) > max_rows:
        raise _too_many(name, max_rows)
    return some


def _too_many(name: str, max_rows: int) -> DataError:
    fix = "Use a part of it; a fine-tuning takes far fewer."
    return DataError(f"The file has more than {max_rows:,} rows", where=name, fix=fix)


def _skip(text: str, at: int) -> int:
    """Where the next value begins."""
    found = _BETWEEN.match(text, at)
    return found.end() if found else at


def _as_rows(value: object) -> Iterator[Row]:
    yield from (Row(one) for one in value) if isinstance(value, list) else (Row(value),)


_DECODER = json.JSONDecoder(object_pairs_hook=as_object, parse_float=as_number)


def _sequence(text: str, name: str) -> Iterator[object]:
    """All values of a text, one after the other, wherever their lines break."""
    at = _skip(text, 0)
    while at < len(text):
        try:
            value, at = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            raise _not_json(error, name) from error
        yield value
        at = _skip(text, at)


_FIRST_LINES = 100


def _is_line_by_line(text: str) -> bool:
    """Whether a line of the first has a whole object; one that spans lines has none that begins at a line's start."""
    start = 0
    for _ in range(_FIRST_LINES):
        end = text.find("\n", start)
        line = text[start : end if end >= 0 else len(text)].strip("\ufeff\r \t")
        if line.startswith("{") and _parses(line):
            return True
        if end < 0:
            return False
        start = end + 1
    return False


def _parses(line: str) -> bool:
    try:
        return isinstance(_DECODER.raw_decode(line)[0], dict)
    except (ValueError, RecursionError):
        return False


def _lines(text: str) -> Iterator[Row]:
    """JSON Lines; a line that can't be read is a row with a problem."""
    start, number = 0, 0
    while start < len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        number += 1
        yield from _line(text[start:end], number)
        start = end + 1


def _line(line: str, number: int) -> Iterator[Row]:
    at = _skip(line, 0)
    while at < len(line):
        try:
            value, at = _DECODER.raw_decode(line, at)
        except (ValueError, RecursionError) as error:
            yield Row(None, line=number, problem=f"The line is not JSON: {_reason(error)}")
            return
        yield Row(value, line=number)
        at = _skip(line, at)


def _reason(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg}, column {error.colno}"
    return "nested too deeply" if isinstance(error, RecursionError) else "a number is too long"


def _not_json(error: Exception, name: str) -> DataError:
    fix = "Use a JSON list of records, [{…}, {…}], or one record per line (JSON Lines)."
    if not isinstance(error, json.JSONDecodeError):
        return DataError(f"The file is not JSON: {_reason(error)}", where=name, fix=fix)
    where = f"{name}, line {error.lineno}, column {error.colno}"
    if error.msg.startswith("Expecting property name"):
        fix = f'Names and texts need double quotes ("), and no comma follows the last one. {fix}'
    return DataError(f"The file is not JSON: {error.msg}", where=where, fix=fix)
