"""Data files: validated record by record at the door, and split."""

import json
from pathlib import Path

import pytest

from ift.data.bulk_encoding import encode_all
from ift.data.records import parse_dataset, read_dataset, split, to_example
from ift.data.templates import load_template
from ift.data.tokenizer import encoding
from ift.errors import DataError
from ift.types import Check, Example

GOOD = {"instruction": "Add.", "input": "1 and 1", "output": "2"}


def parse(*records):
    return parse_dataset(json.dumps(records).encode(), name="x.json").examples


def refuse(raw):
    with pytest.raises(DataError) as caught:
        parse_dataset(raw, name="x.json")
    return caught.value


def refuse_record(**changed):
    return refuse(json.dumps([GOOD, {**GOOD, **changed}]).encode())


def test_a_json_array_is_read_in_file_order():
    assert parse(GOOD, {"instruction": "a", "input": "", "output": "b"}) == (
        Example("Add.", "1 and 1", "2"),
        Example("a", "", "b"),
    )


def test_a_record_without_an_input_field_has_an_empty_input():
    assert parse({"instruction": "a", "output": "b"}) == (Example("a", "", "b"),)


def test_jsonl_is_one_record_a_line_and_empty_lines_do_not_count():
    raw = b'\n{"instruction": "a", "output": "b"}\r\n\n{"instruction": "c", "output": "d"}\n'
    assert [example.instruction for example in parse_dataset(raw, name="x").examples] == ["a", "c"]


def test_a_byte_order_mark_is_no_part_of_the_data():
    assert parse_dataset(b"\xef\xbb\xbf" + json.dumps([GOOD]).encode(), name="x").examples[0].output == "2"


def test_unknown_fields_are_ignored_but_the_task_is_kept():
    (example,) = parse({**GOOD, "task": "sums", "id": 7})
    assert example.task == "sums"


def test_text_is_kept_to_the_letter():
    strange = " <|endoftext|>\t{{output}}\r\n\u2028😀\0 "
    (example,) = parse({"instruction": strange, "input": strange, "output": strange})
    assert (example.instruction, example.input, example.output) == (strange,) * 3


@pytest.mark.parametrize(
    ("value", "kind"),
    [(float("nan"), "NaN"), (float("-inf"), "infinite"), (["x"], "a list"), ({}, "an object")],
)
@pytest.mark.parametrize("field", ["instruction", "input", "output"])
def test_a_field_that_is_not_text_is_named_with_its_row(field, value, kind):
    if (field, kind) == ("input", "NaN"):
        pytest.skip("pandas writes it where there is no input")
    error = refuse_record(**{field: value})
    assert error.what == f"{field!r} is {kind}, not text"
    assert error.where == f"x.json, row 1, field {field}"


@pytest.mark.parametrize("field", ["instruction", "output"])
def test_a_text_that_is_null_is_named_but_an_input_is_empty(field):
    assert refuse_record(**{field: None}).what == f"{field!r} is null, not text"
    for none in (None, float("nan")):
        dataset = parse_dataset(json.dumps([{**GOOD, "input": none}]).encode(), name="x.json")
        assert (dataset.examples[0].input, dataset.reading.empty_inputs) == ("", 1)


@pytest.mark.parametrize(
    ("value", "text"),
    [("7", "7"), ("-0", "0"), ("0.10", "0.10"), ("1e5", "1e5"), ("true", "true"), ("9" * 40, "9" * 40)],
)
@pytest.mark.parametrize("field", ["instruction", "input", "output"])
def test_numbers_and_truth_values_become_the_text_that_the_file_has_and_are_counted(field, value, text):
    record = {**GOOD, field: "here"}
    dataset = parse_dataset(json.dumps([record]).replace('"here"', value).encode(), name="x.json")
    assert getattr(dataset.examples[0], field) == text
    assert dataset.reading.converted == {field: 1}


@pytest.mark.parametrize("field", ["instruction", "output"])
def test_a_missing_field_is_named_with_its_row_and_the_fields_there_are(field):
    record = {name: value for name, value in GOOD.items() if name != field}
    error = refuse(json.dumps([GOOD, record]).encode())
    assert error.what == f"A record has no {field!r}"
    assert error.where == f"x.json, row 1, field {field}"
    assert "input" in error.fix


@pytest.mark.parametrize(("record", "kind"), [(None, "null"), ("text", "text"), (5, "a number"), ([], "a list")])
def test_a_record_that_is_no_object_is_named_by_its_row(record, kind):
    error = refuse(json.dumps([GOOD, record]).encode())
    assert error.what == f"A record is {kind}, not an object"
    assert error.where == "x.json, row 1"


@pytest.mark.parametrize("field", ["instruction", "input", "output", "task"])
def test_half_a_character_is_named_with_its_row(field):
    error = refuse_record(**{field: "a\ud800"})
    assert "lone surrogate" in error.what
    assert error.where == f"x.json, row 1, field {field}"


def test_an_error_can_always_be_written_as_utf8_whatever_the_record_held():
    error = refuse(b'[{"\\ud800": 1}]')
    assert str(error).encode()


@pytest.mark.parametrize("value", ["dev", "", 3, ["train"]])
def test_a_split_of_another_name_is_an_error_with_row_and_field(value):
    error = refuse_record(split=value)
    assert "is not a part of the data" in error.what
    assert error.where == "x.json, row 1, field split"


def test_json_that_breaks_off_is_told_with_line_and_column():
    error = refuse(b'[\n{"instruction": "a",\n')
    assert error.what.startswith("The file is not JSON")
    assert "x.json, line 3, column 1" in error.where


def test_a_broken_jsonl_line_is_told_by_its_line_in_the_file():
    error = refuse(b'{"instruction": "a", "output": "b"}\n\n{"instruction": \n')
    assert "line 3" in error.where


def test_a_bad_record_of_a_jsonl_file_is_told_by_row_and_line():
    error = refuse(b'{"instruction": "a", "output": "b"}\n\n{"instruction": "a", "output": null}\n')
    assert error.where == "x.json, row 1, line 3, field output"


def test_json_nested_too_deeply_says_so():
    assert refuse(b"[" * 100_000).what == "The file is not JSON: nested too deeply"


def test_a_number_too_long_to_read_is_not_called_nesting():
    assert "nested" not in refuse(b'[{"instruction": ' + b"9" * 5000 + b"}]").what


def test_bytes_that_are_not_utf8_are_told_by_their_place():
    error = refuse(b'[{"instruction": "caf\xe9"}]')
    assert error.what == "The file is not UTF-8 text"
    assert error.where == "x.json, byte 21"


@pytest.mark.parametrize("raw", [b"", b"\n\n", b"[]"])
def test_a_file_without_records_says_so(raw):
    assert refuse(raw).what == "The file has no records"


def test_a_file_that_is_not_there_says_so(tmp_path):
    with pytest.raises(DataError, match="can't be read"):
        read_dataset(tmp_path / "absent.json")


def test_the_hash_is_that_of_the_files_bytes(tmp_path):
    path = tmp_path / "a.json"
    path.write_bytes(b'[{"instruction":"a","output":"b"}]')
    one = read_dataset(path)
    path.write_bytes(b'[{"instruction":"a", "output":"b"}]')
    assert read_dataset(path).sha256 != one.sha256
    assert (one.name, len(one)) == ("a.json", 1)


def examples(n, splits=()):
    names = [*splits, *[None] * (n - len(splits))]
    return [Example("a", "", "b", split=name) for name in names]


@pytest.mark.parametrize(("n", "train", "test", "validation"), [(1100, 935, 110, 55), (20, 17, 2, 1), (1, 0, 0, 1)])
def test_the_split_is_85_10_5_in_file_order(n, train, test, validation):
    parts = split(examples(n))
    assert (len(parts.train), len(parts.test), len(parts.validation)) == (train, test, validation)
    assert (*parts.train, *parts.test, *parts.validation) == tuple(range(n))


def test_the_records_own_split_is_used_where_all_have_one():
    parts = split(examples(4, ["test", "train", "validation", "test"]))
    assert (parts.train, parts.test, parts.validation, parts.from_file) == ((1,), (0, 3), (2,), True)


def test_where_one_record_has_no_split_the_file_order_decides():
    parts = split(examples(20, ["test"] * 19))
    assert (len(parts.train), parts.from_file) == (17, False)


def test_val_is_validation():
    assert split(parse({**GOOD, "split": "val"})).validation == (0,)


def test_a_record_knows_its_part():
    parts = split(examples(20))
    assert [parts.part_of(i) for i in (0, 17, 19)] == ["train", "test", "validation"]


# The book's own file, which does not ship with the project.

BOOK = Path(__file__).parents[3] / "shared" / "data" / "book-instruction-data.json"


@pytest.fixture(scope="module")
def book():
    if not BOOK.is_file():
        pytest.skip("the book's data set is not beside the repository (shared/data/book-instruction-data.json)")
    return read_dataset(BOOK)


def test_the_books_set_is_split_935_110_55(book):
    parts = split(book.examples)
    assert (len(parts.train), len(parts.test), len(parts.validation)) == (935, 110, 55)


def test_775_of_the_books_records_have_no_input(book):
    assert sum(not example.has_input for example in book.examples) == 775


def test_the_books_rows_are_as_long_as_tiktokens_whole_text_encoding(book):
    template = load_template("alpaca")
    whole = [len(encoding().encode_ordinary(template.render(example).text)) for example in book.examples]
    assert [len(row) - 1 for row in encode_all(book.examples, template)] == whole


# Open-ended records and what is held out.


def test_a_record_may_bring_its_own_check_and_what_is_held_out(tmp_path):
    row = {"instruction": "Name two fruits.", "output": "Fig and plum.", "held_out": ["fact"]}
    row |= {"check": {"any_of": ["fig", "plum"], "at_least": 2}}
    example = to_example(row, where="record 1")
    assert example.check == Check(("fig", "plum"), at_least=2, sentences=1)
    assert example.held_out == ("fact",)


@pytest.mark.parametrize(
    ("check", "what"),
    [
        ({}, "no list of words"),
        ({"any_of": []}, "no list of words"),
        ({"any_of": [1]}, "no list of words"),
        ({"any_of": "fig"}, "no list of words"),
        ("fig", "no list of words"),
        ({"any_of": ["fig"], "at_least": 2}, "can't be met"),
        ({"any_of": ["fig"], "sentences": -1}, "can't be met"),
        ({"any_of": ["fig"], "at_least": True}, "can't be met"),
    ],
)
def test_a_check_that_is_none_is_told_with_its_field(check, what):
    with pytest.raises(DataError, match=what) as caught:
        to_example({"instruction": "a", "output": "b", "check": check}, where="record 3")
    assert caught.value.where == "record 3, field check"
