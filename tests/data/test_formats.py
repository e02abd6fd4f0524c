"""Formats, recognized by what the bytes are, whatever the file is called."""

import gzip
import json

import pytest

from ift.data.formats import MAX_UNPACKED_BYTES
from ift.data.records import parse_dataset
from ift.errors import DataError
from tests.data.files import parquet

RECORDS = [{"instruction": f"Say {n}.", "input": "", "output": f"Ça, {n}"} for n in range(3)]
AS_JSON = json.dumps(RECORDS, ensure_ascii=False)
AS_JSONL = "\n".join(json.dumps(record, ensure_ascii=False) for record in RECORDS)
AS_CSV = "instruction,input,output\n" + "".join(f'{one["instruction"]},,"{one["output"]}"\n' for one in RECORDS)
BOM = "\ufeff"


def outputs(raw, **options):
    raw = raw.encode() if isinstance(raw, str) else raw
    return [example.output for example in parse_dataset(raw, name="x.dat", **options).examples]


def refuse(raw):
    with pytest.raises(DataError) as caught:
        parse_dataset(raw.encode() if isinstance(raw, str) else raw, name="x.json")
    return caught.value


GOOD = {
    "json": AS_JSON,
    "json after spaces and line breaks": f"\r\n \t{AS_JSON}\n",
    "json with a mark": BOM + AS_JSON,
    "json as utf-16": AS_JSON.encode("utf-16"),
    "json as big-endian utf-16": b"\xfe\xff" + AS_JSON.encode("utf-16-be"),
    "json as utf-32": AS_JSON.encode("utf-32"),
    "jsonl": AS_JSONL,
    "jsonl as utf-16": AS_JSONL.encode("utf-16"),
    "jsonl with CRLF and empty lines": AS_JSONL.replace("\n", "\r\n\r\n \r\n") + "\r\n",
    "jsonl with a mark in each line": "\n".join(BOM + line for line in AS_JSONL.split("\n")),
    "jsonl joined without a line break": AS_JSONL.replace("\n", ""),
    "jsonl joined with a mark and no line break": AS_JSONL.replace("\n", BOM),
    "jsonl with a comma after each record": AS_JSONL.replace("\n", ",\n") + ",",
    "objects over several lines": "\n".join(json.dumps(record, indent=2) for record in RECORDS),
    "two lists, one after the other": f"[{AS_JSONL.splitlines()[0]}]\n{BOM}{json.dumps(RECORDS[1:])}",
    "one object around the list": json.dumps({"version": "1.0", "data": RECORDS}),
    "csv": AS_CSV,
    "csv with a mark and CRLF": BOM + AS_CSV.replace("\n", "\r\n"),
    "csv as utf-16": AS_CSV.encode("utf-16"),
    "csv with semicolons": "instruction;output\n" + "".join(f"a;{one['output']}\n" for one in RECORDS),
    "csv with spaces": "instruction, output\n" + "".join(f'a, "{one["output"]}"\n' for one in RECORDS),
    "csv with an empty line": AS_CSV.replace("\n", "\n\n"),
    "tsv": "instruction\toutput\n" + "".join(f"a\t{one['output']}\n" for one in RECORDS),
    "parquet": parquet(RECORDS),
}


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("name", GOOD)
def test_a_format_is_read_whatever_the_file_is_called(name, packed):
    raw = GOOD[name].encode() if isinstance(GOOD[name], str) else GOOD[name]
    assert outputs(gzip.compress(raw) if packed else raw) == [record["output"] for record in RECORDS]


@pytest.mark.parametrize(
    ("name", "shown"), [("json", "json"), ("jsonl", "jsonl"), ("csv", "csv"), ("tsv", "tsv"), ("parquet", "parquet")]
)
def test_the_format_is_shown_with_its_packing(name, shown):
    raw = GOOD[name].encode() if isinstance(GOOD[name], str) else GOOD[name]
    assert parse_dataset(raw, name="x").reading.format == shown
    assert parse_dataset(gzip.compress(raw), name="x").reading.format == f"{shown}.gz"


def test_line_separators_of_unicode_and_marks_within_a_text_are_its_own():
    text = "a\u2028b\u2029c\x85d\ufeffe"
    line = json.dumps({"instruction": "x", "output": text}, ensure_ascii=False)
    assert outputs(f"{line}\n{line}") == [text, text]
    assert outputs(f'instruction,output\nx,"{text}"\n') == [text]


def test_a_csv_cell_keeps_its_quotes_delimiters_and_line_breaks():
    text = 'He said "no",\r\nthen left; or\tso.'
    quoted = text.replace('"', '""')
    assert outputs(f'instruction,output\nx,"{quoted}"\nx," y "\n') == [text, " y "]


@pytest.mark.parametrize("lists", [{"train": [0, 2], "test": [1]}, {"training": [0, 2], "dev": [], "test": [1]}])
def test_lists_that_are_named_by_split_are_the_splits(lists):
    raw = json.dumps({name: [RECORDS[i] for i in rows] for name, rows in lists.items()})
    examples = parse_dataset(raw.encode(), name="x").examples
    assert [example.split for example in examples] == ["train", "train", "test"]


def test_a_single_record_is_a_file_of_one():
    assert outputs(json.dumps(RECORDS[0], indent=1)) == ["Ça, 0"]
    turns = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    assert outputs(json.dumps({"messages": turns})) == ["b"]


REFUSED = {
    "an object of another kind": ('{"a": 1, "b": {"c": 2}}', "one object with the keys a, b"),
    "two lists": ('{"a": [{}], "b": [{}]}', "one object with the keys a, b"),
    "columns": ('{"instruction": ["a"], "output": ["b"]}', "one object of columns (instruction, output)"),
    "what pandas writes": ('{"instruction": {"0": "a"}, "output": {"0": "b"}}', "one object of columns"),
    "an empty list": ("[]", "no records"),
    "an empty list in an object": ('{"data": []}', "no records"),
    "only a csv's first line": ("instruction,output\n", "no records"),
    "a list that breaks off": (AS_JSON[:-20], "not JSON"),
    "a list that breaks off after a record": (AS_JSON[:-1], "not JSON"),
    "single quotes": ("[{'instruction': 'a', 'output': 'b'}]", "not JSON"),
    "a comma before the end": ('[{"instruction": "a", "output": "b",}]', "not JSON"),
    "brackets only": ("[" * 10_000, "nested too deeply"),
    "objects in objects": ('{"a":' * 10_000, "nested too deeply"),
    "10,000 lists, closed": ("[" * 10_000 + "]" * 10_000, "nested too deeply"),
    "a number of 5,000 digits": ("[" + "9" * 5000 + "]", "a number is too long"),
    "a root of one number": ("5", "neither JSON"),
    "a root of one text": ('"text"', "neither JSON"),
    "null": ("null", "neither JSON"),
    "a text": ("Once upon a time\nthere was a fox.\n", "neither JSON"),
    "yaml": ("- instruction: a\n  output: b\n", "neither JSON"),
    "a web page": ("<!doctype html><html></html>", "a web page or XML"),
    "xml": ('<?xml version="1.0"?><a/>', "a web page or XML"),
    "a pointer of Git LFS": ("version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "a Git LFS pointer"),
    "a quote that never ends": ('instruction,output\nx,"y\n', "can't be read: unexpected end of data"),
    "a quote inside a quote": ('instruction,output\nx,"a"b"\n', "The table can't be read"),
    "two columns of one name": ("instruction,output,output\na,b,c\n", "2 columns are named 'output'"),
    "columns that mean nothing": ("a,b\n1,2\n", "layout of the records is not recognized"),
    "nothing": (b"", "no records"),
    "white space": (b" \r\n\t\n", "no records"),
    "a mark alone": (b"\xef\xbb\xbf", "no records"),
    "latin-1": ('[{"instruction": "é"}]'.encode("latin-1"), "not UTF-8 text"),
    "half a surrogate pair": (b'[{"instruction": "\xed\xa0\x80"}]', "not UTF-8 text"),
    "utf-16 that breaks off": (AS_JSON.encode("utf-16")[:-1], "not UTF-16 text"),
    "utf-16 without a mark": (AS_JSON.encode("utf-16-le"), "UTF-16 without a byte order mark"),
    "zeros": (b"\0" * 1000, "no text"),
    "a zip called .json": (b"PK\x03\x04" + b"\0" * 100, "a ZIP archive or an Excel file"),
    "bzip2": (b"BZh91AY&SY", "packed with bzip2"),
    "xz": (b"\xfd7zXZ\0", "packed with xz"),
    "zstandard": (b"\x28\xb5\x2f\xfd\0", "packed with Zstandard"),
    "7-zip": (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    "arrow": (b"ARROW1\0\0", "an Arrow file"),
    "an arrow stream": (b"\xff\xff\xff\xff\x10\0\0\0", "an Arrow stream"),
    "sqlite": (b"SQLite format 3\0", "an SQLite database"),
    "pdf": (b"%PDF-1.7", "a PDF"),
    "a pickle": (b"\x80\x04\x95\0", "a Python pickle"),
    "gzip that breaks off": (gzip.compress(AS_JSON.encode())[:-12], "gzip file is damaged or breaks off"),
    "gzip with a changed byte": (gzip.compress(AS_JSON.encode())[:-8] + b"\0" * 8, "gzip file is damaged"),
    "gzip's first bytes alone": (b"\x1f\x8b", "gzip file is damaged or breaks off"),
    "gzip of nothing": (gzip.compress(b""), "no records"),
    "parquet that breaks off": (parquet(RECORDS)[:-20], "Parquet file can't be read"),
    "parquet's first bytes alone": (b"PAR1", "Parquet file can't be read"),
    "parquet with changed bytes": (
        parquet(RECORDS).replace(b"instruction", b"\xff" * 11),
        "Parquet file can't be read",
    ),
    "parquet without rows": (parquet([], like=RECORDS), "no records"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_can_not_be_read_says_what_it_is(name):
    raw, what = REFUSED[name]
    error = refuse(raw)
    assert what in error.what
    assert "x.json" in error.where
    assert error.fix
    assert str(error).encode()


def test_an_error_of_json_has_its_line_and_column():
    assert refuse('[\n{"instruction": "a"\n"output": "b"}]').where == "x.json, line 3, column 1"


def test_a_quote_that_never_ends_is_found_where_its_row_begins():
    assert refuse('instruction,output\nx,y\nx,"y\nx,y\nx,y\n').where == "x.json, line 3"


@pytest.mark.parametrize("pack", [gzip.compress, lambda raw: parquet([json.loads(raw)] * 300, dictionary=True)])
def test_what_unpacks_to_more_than_the_cap_is_refused_before_it_is_read(pack):
    raw = json.dumps({"instruction": "a", "output": "b" * 100_000}).encode()
    packed = pack(raw * 10 if pack is gzip.compress else raw)
    assert len(packed) < 20_000
    with pytest.raises(DataError, match="unpacks to more than"):
        parse_dataset(packed, name="x", max_unpacked_bytes=900_000)
    assert MAX_UNPACKED_BYTES > 250 * 10**6


def test_parquet_without_a_dictionary_and_with_nested_columns_is_capped_too():
    turns = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b" * 10_000}]
    rows = [{"messages": turns}] * 300
    for dictionary in (True, False):
        packed = parquet(rows, dictionary=dictionary)
        assert len(parse_dataset(packed, name="x")) == 300
        with pytest.raises(DataError, match="unpacks to more than"):
            parse_dataset(packed, name="x", max_unpacked_bytes=2**20)


@pytest.mark.parametrize("name", ["json", "jsonl", "csv", "parquet"])
def test_a_file_of_more_rows_than_is_allowed_is_refused(name):
    with pytest.raises(DataError, match="more than 2 rows"):
        parse_dataset(GOOD[name].encode() if isinstance(GOOD[name], str) else GOOD[name], name="x", max_rows=2)


@pytest.mark.parametrize("text", [b"[" + b"{}," * 1_000 + b"{}]", b"[" + b"[]," * 1_000 + b"[]]"])
def test_values_that_only_take_memory_are_refused_before_they_do(text):
    with pytest.raises(DataError, match="more than 2 rows"):
        parse_dataset(text, name="x", max_rows=2)
