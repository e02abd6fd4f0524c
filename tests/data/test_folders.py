"""A folder of files as one data set, by the splits in their names."""

import gzip
import json

import pytest

from ift.data.records import RecordsError
from ift.data.sources import PUBLIC, Source, load_dataset
from ift.errors import DataError
from tests.data.files import parquet


def records(count, start=0):
    return [{"instruction": f"q{n}", "output": "a"} for n in range(start, start + count)]


def test_files_that_are_named_by_split_are_the_splits(tmp_path):
    (tmp_path / "train-00000-of-00002.parquet").write_bytes(parquet(records(2)))
    (tmp_path / "train-00001-of-00002.parquet").write_bytes(parquet(records(2, 2)))
    (tmp_path / "test.jsonl.gz").write_bytes(gzip.compress(json.dumps(records(1, 4)[0]).encode()))
    (tmp_path / "valid").mkdir()
    (tmp_path / "valid" / "0.csv").write_text("instruction,output\nq5,a\n", encoding="utf-8")
    (tmp_path / "README.md").write_text("# About", encoding="utf-8")
    (tmp_path / "dataset_info.json").write_text("{}", encoding="utf-8")
    dataset = load_dataset(str(tmp_path))
    places = {example.instruction: example.split for example in dataset.examples}
    assert places == {"q0": "train", "q1": "train", "q2": "train", "q3": "train", "q4": "test", "q5": "validation"}
    assert dataset.name == tmp_path.name
    assert set(dataset.reading.format.split("+")) == {"jsonl.gz", "parquet", "csv"}


def test_files_without_split_names_are_read_one_after_the_other(tmp_path):
    for name, start in (("a.json", 0), ("b.json", 3)):
        (tmp_path / name).write_text(json.dumps(records(3, start)), encoding="utf-8")
    dataset = load_dataset(str(tmp_path))
    assert [example.instruction for example in dataset.examples] == [f"q{n}" for n in range(6)]
    assert {example.split for example in dataset.examples} == {None}


def test_a_problem_has_its_file(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps(records(2)), encoding="utf-8")
    (tmp_path / "b.json").write_text(json.dumps([{"instruction": "q", "output": None}]), encoding="utf-8")
    with pytest.raises(RecordsError) as caught:
        load_dataset(str(tmp_path))
    assert "b.json, row 2, field output" in caught.value.where
    assert caught.value.dataset.reading.problems[0].to_dict()["file"] == "b.json"


def test_the_hash_is_that_of_all_names_and_bytes(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps(records(2)), encoding="utf-8")
    one = load_dataset(str(tmp_path)).sha256
    (tmp_path / "a.json").rename(tmp_path / "train.json")
    assert load_dataset(str(tmp_path)).sha256 != one


@pytest.mark.parametrize(
    ("names", "what"),
    [
        ([], "There is no data file"),
        (["notes.txt"], "There is no data file"),
        (["train.json", "more.json"], "Some files are named by split, but more.json is not"),
    ],
)
def test_a_folder_that_is_no_data_set_says_why(tmp_path, names, what):
    for name in names:
        (tmp_path / name).write_text(json.dumps(records(1)), encoding="utf-8")
    with pytest.raises(DataError, match=what):
        load_dataset(str(tmp_path))


def test_a_public_set_is_recognized_by_its_bytes_whatever_its_name(tmp_path, monkeypatch):
    path = tmp_path / "downloaded (1).json"
    path.write_text(json.dumps(records(1)), encoding="utf-8")
    dataset = load_dataset(str(path))
    assert dataset.reading.known == ""
    monkeypatch.setitem(PUBLIC, "book", Source("The book's set", 1, "MIT", "http://x", dataset.sha256))
    assert load_dataset(str(path)).reading.notes() == ["Recognized by its bytes: The book's set."]
