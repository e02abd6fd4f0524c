"""Uploads: kept under their bytes and how they are read, which every later look and every run finds again."""

import gzip
import json

import pytest

from ift.config import TrainConfig
from ift.data.records import RecordsError
from ift.data_options import DataOptions
from ift.errors import DataError, InputError
from playground import caches
from playground.runs.jobs import train_options
from playground.settings import Limits, Mode, Settings
from playground.uploads import data_options, keep_upload, kept_name, own_data

ROWS = [{"q": "Q", "a": "A"}, {"q": "Q", "a": None}]
OWN = DataOptions(fields="instruction=q,output=a", on_error="drop")


@pytest.fixture
def uploaded(tmp_path):
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(ROWS), encoding="utf-8")
    return path


def test_a_file_is_read_as_it_was_uploaded_whenever_it_is_asked_for(tmp_path, uploaded):
    kept = keep_upload(tmp_path / "uploads", uploaded, OWN)
    assert data_options(str(kept)) == OWN
    assert [example.output for example in caches.dataset(str(kept)).examples] == ["A"]


def test_another_way_to_read_a_file_is_another_data_set(tmp_path, uploaded):
    one = keep_upload(tmp_path / "uploads", uploaded, OWN)
    two = keep_upload(tmp_path / "uploads", uploaded, DataOptions(fields="instruction=a,output=q", on_error="drop"))
    assert one != two
    assert (one.name, two.name) == ("mine.json", "mine.json")
    assert [caches.dataset(str(kept)).examples[0].instruction for kept in (one, two)] == ["Q", "A"]


def test_a_file_with_problems_is_not_kept(tmp_path, uploaded):
    with pytest.raises(RecordsError):
        keep_upload(tmp_path / "uploads", uploaded, DataOptions(fields="instruction=q,output=a"))
    assert not (tmp_path / "uploads").exists()


def test_a_run_of_an_upload_gets_its_options_and_no_empty_ones():
    words = train_options(TrainConfig(fields="instruction=q,output=a", on_error="drop"), "alpaca")
    assert words[words.index("--fields") + 1] == "instruction=q,output=a"
    assert words[words.index("--on_error") + 1] == "drop"
    assert "--fields" not in train_options(TrainConfig(), "alpaca")


def test_what_is_no_upload_is_read_as_everything_is(tmp_path):
    assert data_options("starter") == data_options(str(tmp_path / "x.json")) == DataOptions()


@pytest.mark.parametrize(
    ("limits", "match"),
    [
        (Limits(upload_bytes=10), "an uploaded file"),
        (Limits(upload_bytes=1_000, rows=0), "more than 0 rows"),
        (Limits(upload_bytes=1_000, field_characters=0), "characters of a field"),
    ],
)
def test_an_upload_over_a_limit_of_the_page_is_refused(tmp_path, uploaded, limits, match):
    keep_upload(tmp_path / "uploads", uploaded, OWN)
    with pytest.raises(InputError, match=match):
        keep_upload(tmp_path / "uploads", uploaded, OWN, limits=limits)


def test_a_packed_upload_may_not_unpack_to_much_more_than_the_limit(tmp_path):
    packed = tmp_path / "x.json.gz"
    packed.write_bytes(gzip.compress(json.dumps([{"instruction": "x" * 10**6, "output": "y"}]).encode()))
    with pytest.raises(DataError, match="unpacks to more"):
        keep_upload(tmp_path / "uploads", packed, limits=Limits(upload_bytes=10_000))


def test_what_a_browser_keeps_of_an_upload_leads_back_to_it_and_to_nothing_else(tmp_path, uploaded):
    settings = Settings(home=tmp_path)
    kept = keep_upload(settings.uploads, uploaded, OWN)
    name = kept_name(str(kept), settings)
    assert own_data(name, settings) == str(kept)
    key = kept.parent.name
    for other in (f"{key}/options.json", f"{key}/..", f"{key}/../{name}", str(kept), f"{'0' * 12}/a.json", "", None, 7):
        assert own_data(other, settings) is None
    assert kept_name("starter", settings) == kept_name(str(tmp_path / "data.json"), settings) == ""


def test_a_set_on_the_hub_is_kept_by_its_name_on_ones_own_machine_only(tmp_path):
    own, public = (Settings(home=tmp_path, mode=mode) for mode in (Mode.LOCAL, Mode.PUBLIC))
    assert own_data(kept_name("owner/name", own), own) == "owner/name"
    assert own_data("owner/name", public) is None
