"""Tables → rows: CSV with any of the usual delimiters, and Parquet in batches."""

import csv
import itertools
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ift.data.file_rows import Row
from ift.errors import DataError

if TYPE_CHECKING:
    import _csv

    import pyarrow as pa

DELIMITERS = {",": "csv", "\t": "tsv", ";": "csv", "|": "csv"}
_MAX_CELL = 2**31 - 1
_PARQUET_ROWS = 1024
"""Rows that are Python's values at a time."""


def csv_rows(text: str, *, name: str) -> tuple[str, list[Row]] | None:
    """(csv or tsv, rows) of a table whose first line names the columns; None where no line has two of them.

    Raises:
        DataError: a quote that is never closed, or a column named twice.
    """
    text = text.removeprefix("\ufeff").replace("\n\ufeff", "\n")
    head = text.lstrip("\r\n").partition("\n")[0].rstrip("\r")
    delimiter = max(DELIMITERS, key=head.count)
    if delimiter not in head or "\0" in head:
        return None
    is_spaced = head.count(f"{delimiter} ") == head.count(delimiter)  # "a, b": the space is no part of the cell
    csv.field_size_limit(_MAX_CELL)
    cells = csv.reader(_lines(text), delimiter=delimiter, strict=True, skipinitialspace=is_spaced)
    return DELIMITERS[delimiter], list(_table_rows(cells, name))


def _lines(text: str) -> Iterator[str]:
    """Lines with their breaks, one at a time: `io.StringIO` would hold four bytes per character beside the text."""
    start = 0
    while start < len(text):
        end = text.find("\n", start) + 1 or len(text)
        yield text[start:end]
        start = end


def _table_rows(cells: "_csv.Reader", name: str) -> Iterator[Row]:
    columns: list[str] = []
    for line, row in _records(cells, name):
        if not columns:
            columns = [column.strip() for column in row]
            _require_single(columns, name)
        elif len(row) != len(columns):
            yield Row(None, line=line, problem=f"The row has {len(row)} cells, the first line {len(columns)}")
        else:
            yield Row(dict(zip(columns, row, strict=True)), line=line)


def _records(cells: "_csv.Reader", name: str) -> Iterator[tuple[int, list[str]]]:
    """The rows that have cells, each with the line that it begins at."""
    while True:
        line = cells.line_num + 1
        try:
            row = next(cells, None)
        except csv.Error as error:
            fix = 'Put cells with a quote, a delimiter or a line break in quotes, and double the quotes inside: "".'
            raise DataError(f"The table can't be read: {error}", where=f"{name}, line {line}", fix=fix) from error
        if row is None:
            return
        if row:
            yield line, row


def _require_single(columns: list[str], name: str) -> None:
    column, count = Counter(columns).most_common(1)[0]
    if count > 1:
        fix = "Give each column a name of its own."
        raise DataError(f"{count} columns are named {column!r}", where=name, fix=fix)


def parquet_rows(raw: bytes, *, name: str, max_bytes: int) -> list[Row]:
    """All rows of a Parquet file.

    Raises:
        DataError: a damaged file, or one that unpacks to more than `max_bytes`.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        schema = pq.read_metadata(pa.BufferReader(raw)).schema
        texts = [schema.column(i).path for i in range(len(schema)) if schema.column(i).physical_type == "BYTE_ARRAY"]
        file = pq.ParquetFile(pa.BufferReader(raw), read_dictionary=texts)
        _require_single(file.schema_arrow.names, name)
        groups = range(file.metadata.num_row_groups)
        if sum(file.metadata.row_group(i).total_byte_size for i in groups) > max_bytes:
            raise too_large(name, max_bytes)
        return list(itertools.chain.from_iterable(_batches(file, name, max_bytes)))
    except (pa.ArrowException, OSError, ValueError) as error:
        fix = "Write it again: dataframe.to_parquet(path), or use JSON Lines."
        reason = " ".join(str(error).split())[:160]
        raise DataError(f"The Parquet file can't be read: {reason}", where=name, fix=fix) from error


def _batches(file: "pa.parquet.ParquetFile", name: str, max_bytes: int) -> Iterator[list[Row]]:
    """Rows, some at a time; of a group of rows, Arrow holds each text once, however often it is used."""
    size = 0
    for group in range(file.metadata.num_row_groups):
        for batch in file.read_row_group(group).to_batches(_PARQUET_ROWS):
            size += sum(map(_unpacked_bytes, batch.columns))
            if size > max_bytes:
                raise too_large(name, max_bytes)
            columns = map(_values, batch.columns)
            yield [Row(dict(zip(batch.schema.names, cells, strict=True))) for cells in zip(*columns, strict=True)]


def _values(array: "pa.Array") -> list[object]:
    """An array's values; those of a dictionary are looked up by Arrow, faster than one by one."""
    values: list[object] = (array.dictionary_decode() if hasattr(array, "dictionary") else array).to_pylist()
    return values


def _unpacked_bytes(array: "pa.Array") -> int:
    """What an array takes as Python's values, before it does: a dictionary's text counts wherever it is used."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(array.type):
        lengths = pc.binary_length(array.dictionary)
        return int(pc.sum(pc.take(lengths, array.indices)).as_py() or 0)
    if pa.types.is_struct(array.type):
        return sum(map(_unpacked_bytes, array.flatten()))
    if pa.types.is_list(array.type) or pa.types.is_large_list(array.type):
        return _unpacked_bytes(array.flatten())
    return int(array.nbytes)


def too_large(name: str, limit: int) -> DataError:
    """The refusal of what unpacks to more than `limit` bytes."""
    fix = "Use a part of it, such as the first 500,000 records."
    return DataError(f"The file unpacks to more than {limit // 2**20} MB", where=name, fix=fix)
