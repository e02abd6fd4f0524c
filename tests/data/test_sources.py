"""Data sets by name, path and URL; the downloads against a real server on 127.0.0.1."""

import hashlib
import json

import pytest

from ift.data.sources import PUBLIC, Source, fetch, load_dataset
from ift.errors import DataError, DownloadError
from ift.paths import cache_dir
from tests.helpers import Reply, closed_port, serving

BODY = b'[{"instruction": "a", "input": "", "output": "b"}]'
SHA256 = hashlib.sha256(BODY).hexdigest()


def source(url, sha256=SHA256):
    return Source("A set", 1, "MIT", url, sha256)


def refuse(reply, path, **options):
    """The error of a download that must fail, after a look that it left nothing behind."""
    with serving({"/x.json": reply}) as (address, _), pytest.raises(DownloadError) as caught:
        fetch(source(f"{address}/x.json", **options), path)
    assert [entry.name for entry in path.parent.iterdir()] == [".x.json.lock"]
    assert "/x.json" in caught.value.where
    return caught.value


def test_a_file_is_downloaded_whole_and_leaves_no_part(tmp_path):
    with serving({"/x.json": Reply(BODY)}) as (address, _):
        path = fetch(source(f"{address}/x.json"), tmp_path / "cache" / "x.json")
    assert path.read_bytes() == BODY
    assert sorted(entry.name for entry in path.parent.iterdir()) == [".x.json.lock", "x.json"]


def test_the_second_time_the_file_comes_from_the_cache(tmp_path):
    with serving({"/x.json": Reply(BODY)}) as (address, seen):
        for _ in range(2):
            fetch(source(f"{address}/x.json"), tmp_path / "x.json")
    assert len(seen) == 1


def test_a_cache_that_can_only_be_read_is_enough(tmp_path):
    (tmp_path / "x.json").write_bytes(BODY)
    (tmp_path / ".x.json.lock").mkdir()  # where no lock can be taken, to root either
    assert fetch(source(f"{closed_port()}/x.json"), tmp_path / "x.json").read_bytes() == BODY


def test_a_cached_file_that_was_changed_is_fetched_again(tmp_path):
    (tmp_path / "x.json").write_bytes(BODY[:10])
    with serving({"/x.json": Reply(BODY)}) as (address, _):
        assert fetch(source(f"{address}/x.json"), tmp_path / "x.json").read_bytes() == BODY


def test_a_file_whose_owner_may_change_it_is_taken_as_it_comes(tmp_path):
    with serving({"/x.json": Reply(b"[]")}) as (address, _):
        assert fetch(source(f"{address}/x.json", None), tmp_path / "x.json").read_bytes() == b"[]"


def test_progress_counts_the_bytes(tmp_path):
    told = []
    with serving({"/x.json": Reply(BODY)}) as (address, _):
        fetch(source(f"{address}/x.json"), tmp_path / "x.json", progress=lambda *counts: told.append(counts))
    assert told[-1] == (len(BODY), len(BODY))


@pytest.mark.parametrize("page", [b"<!DOCTYPE html><html>log in</html>", b"\xef\xbb\xbf \n<html>"])
def test_a_web_page_instead_of_json_is_recognised(tmp_path, page):
    assert refuse(Reply(page), tmp_path / "x.json", sha256=None).what == "A web page came instead of a data file"


@pytest.mark.parametrize("status", [404, 503])
def test_an_http_error_is_told_by_its_number(tmp_path, status):
    assert refuse(Reply(b"no", status=status), tmp_path / "x.json").what == f"The server answered {status}"


def test_a_download_that_breaks_off_says_so(tmp_path):
    path = tmp_path / "x.json"
    with (
        serving({"/x.json": Reply(BODY, length=1000)}) as (address, _),
        pytest.raises(DownloadError, match="broke off"),
    ):
        fetch(source(f"{address}/x.json"), path)
    assert not path.exists()


def test_other_bytes_than_expected_are_refused(tmp_path):
    assert "sha256 differs" in refuse(Reply(b"[]"), tmp_path / "x.json").what


def test_a_failed_download_leaves_the_cached_file_as_it_was(tmp_path):
    (tmp_path / "x.json").write_bytes(b"old")
    with serving({"/x.json": Reply(BODY, length=1000)}) as (address, _), pytest.raises(DownloadError):
        fetch(source(f"{address}/x.json"), tmp_path / "x.json")
    assert (tmp_path / "x.json").read_bytes() == b"old"


def test_no_network_is_told_with_the_ways_that_need_none(tmp_path):
    with pytest.raises(DownloadError, match="can't be reached") as caught:
        fetch(source(f"{closed_port()}/x.json"), tmp_path / "x.json")
    assert "starter" in caught.value.fix


def test_a_cache_that_can_not_be_written_says_so(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with serving({"/x.json": Reply(BODY)}) as (address, _), pytest.raises(DownloadError, match="can't be saved"):
        fetch(source(f"{address}/x.json"), tmp_path / "file" / "x.json")


def test_a_public_set_by_name_lies_in_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("IFT_CACHE", str(tmp_path))
    (tmp_path / "alpaca.json").write_bytes(BODY)
    dataset = load_dataset("alpaca")
    assert (dataset.name, len(dataset)) == ("alpaca", 1)


def test_the_books_hash_is_the_known_one():
    assert PUBLIC["book"].sha256 == "7e09a9af353722ca15c18bc580f093f9c39d3178335a75177319cb1e1d163944"


def test_the_cache_is_the_users_own_unless_told_otherwise(tmp_path, monkeypatch):
    monkeypatch.delenv("IFT_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_dir() == tmp_path / "ift"


def test_the_starter_set_needs_no_network_and_brings_its_split():
    dataset = load_dataset("starter")
    assert len(dataset) >= 1000
    assert len({example.task for example in dataset.examples}) >= 15
    assert {example.split for example in dataset.examples} == {"train", "test", "validation"}


def test_a_path_is_a_file_of_ones_own(tmp_path):
    path = tmp_path / "mine.jsonl"
    path.write_text(json.dumps({"instruction": "a", "output": "b"}), encoding="utf-8")
    assert load_dataset(str(path)).name == "mine.jsonl"


@pytest.mark.parametrize("name", ["", "absent.json", "x" * 5000, "null\0byte"])
def test_a_name_that_is_nothing_is_told_with_the_names_there_are(name):
    with pytest.raises(DataError, match="There is no data set") as caught:
        load_dataset(name)
    assert "starter, book, alpaca" in caught.value.fix
