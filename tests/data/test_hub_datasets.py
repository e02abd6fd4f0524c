"""Data sets from the Hub, against a small one on 127.0.0.1."""

import hashlib
import json

import pytest
from huggingface_hub import constants

from ift.data.sources import hub_datasets, load_dataset
from ift.data.sources.hub_datasets import fetch_hub_dataset
from ift.errors import DataError, DownloadError
from tests.data.files import parquet
from tests.helpers import Reply, closed_port, serving

ROWS = {
    "default/train/0000.parquet": [{"prompt": f"q{n}", "completion": "a"} for n in range(4)],
    "default/test/0000.parquet": [{"prompt": "t", "completion": "a"}],
}
COMMIT = "c" * 40


@pytest.fixture(autouse=True)
def caches(tmp_path, monkeypatch):
    monkeypatch.setenv("IFT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))


def info(files, **more):
    siblings = [{"rfilename": name, "size": len(body)} for name, body in files.items()]
    return Reply(
        json.dumps({"id": "owner/set", "sha": COMMIT, "siblings": siblings, **more}).encode(),
        headers={"Content-Type": "application/json"},
    )


def refusal(code):
    return Reply(b"{}", status=404, headers={"X-Error-Code": code})


def file(body):
    tag = hashlib.sha256(body).hexdigest()
    return Reply(body, headers={"ETag": f'"{tag}"', "X-Repo-Commit": COMMIT})


def hub(rows, *, converted=True, card=None):
    """What the Hub answers for owner/set: its card, its Parquet branch and the files."""
    files = {name: parquet(some) if name.endswith(".parquet") else some for name, some in rows.items()}
    api = "/api/datasets/owner/set"
    branch = info(files) if converted else refusal("RevisionNotFound")
    return {
        f"{api}?blobs=true": info({} if converted else files, cardData=card or {}),
        f"{api}/revision/refs%2Fconvert%2Fparquet?blobs=true": branch,
    } | {f"/datasets/owner/set/resolve/{COMMIT}/{name}": file(body) for name, body in files.items()}


def test_a_data_set_is_its_parquet_files_by_split_with_its_owners_license():
    with serving(hub(ROWS, card={"license": "cc-by-4.0"})) as (address, _):
        found, paths = fetch_hub_dataset("owner/set", endpoint=address)
        dataset = load_dataset("owner/set")  # from the cache
    assert (found.commit, len(paths)) == (COMMIT, 2)
    assert [example.split for example in dataset.examples] == ["test", *["train"] * 4]
    assert dataset.reading.license == "cc-by-4.0"
    assert "Its owner's license: cc-by-4.0." in dataset.reading.notes()


def test_the_second_time_nothing_is_asked_for():
    with serving(hub(ROWS)) as (address, seen):
        shown = []
        fetch_hub_dataset("owner/set", endpoint=address, progress=lambda *counts: shown.append(counts))
        asked = len(seen)
        fetch_hub_dataset("owner/set", endpoint=address)
        assert [path for _, path in seen[asked:] if "api" in path] == []
    assert shown[-1][0] == shown[-1][1] > 0
    assert len(load_dataset("owner/set")) == 5


def test_where_the_hub_has_no_parquet_the_repositorys_own_files_are_taken():
    rows = {"train.csv": b"instruction,output\na,b\n", "README.md": b"# About"}
    with serving(hub(rows, converted=False)) as (address, _):
        found, _ = fetch_hub_dataset("owner/set", endpoint=address)
    assert found.files == ("train.csv",)


def test_of_several_configurations_one_has_to_be_named():
    rows = {f"{name}/train/0000.parquet": [{"prompt": name, "completion": "a"}] for name in ("de", "en")}
    with serving(hub(rows)) as (address, _):
        with pytest.raises(DataError, match="has the configurations de, en"):
            fetch_hub_dataset("owner/set", endpoint=address)
        found, _ = fetch_hub_dataset("owner/set/en", endpoint=address)
    assert found.files == ("en/train/0000.parquet",)


def test_a_data_set_that_is_too_large_is_not_downloaded(monkeypatch):
    monkeypatch.setattr(hub_datasets, "MAX_BYTES", 100)
    with serving(hub(ROWS)) as (address, seen), pytest.raises(DownloadError, match="The data set has"):
        fetch_hub_dataset("owner/set", endpoint=address)
    assert not [path for _, path in seen if "resolve" in path]


def test_what_the_hub_does_not_know_or_can_not_give_is_reported(tmp_path):
    with serving({}) as (address, _), pytest.raises(DownloadError, match="can't be downloaded"):
        fetch_hub_dataset("owner/set", endpoint=address)
    with pytest.raises(DownloadError, match="the Hub does not answer"):
        fetch_hub_dataset("owner/set", endpoint=closed_port())
    assert not (tmp_path / "cache").exists()
