"""A model is downloaded before a run that needs it begins, and only once; whoever cancels gets no run."""

import pytest

from ift.errors import DownloadError, ModelError
from ift.model.names import is_here
from playground.context import Context
from playground.settings import Settings
from playground.widgets.model_download import ModelDownload
from tests.helpers import serving
from tests.model.test_names import hub

NAME = "owner/tiny"


@pytest.fixture
def hub_of_one(tiny_folder):
    with serving(hub(tiny_folder, NAME)) as served:
        yield served


@pytest.fixture
def download(tmp_path, monkeypatch, hub_of_one):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    return ModelDownload(Context(Settings(home=tmp_path)), endpoint=hub_of_one[0])


def test_a_model_comes_with_notes_and_a_button_and_only_once(download, hub_of_one):
    (note, button, token), *_ = download.fetch(NAME)
    assert f"Downloading {NAME}, once: " in note
    assert button.visible
    assert token
    assert is_here(NAME)
    asked = len(hub_of_one[1])
    assert list(download.fetch(NAME)) == list(download.fetch("starter")) == []
    assert len(hub_of_one[1]) == asked


def test_a_cancelled_download_ends_with_the_reason(download):
    steps = download.fetch(NAME)
    _, _, token = next(steps)
    download.context.downloads.cancel(token)
    with pytest.raises(DownloadError, match="was cancelled"):
        list(steps)
    assert not is_here(NAME)


def test_there_may_be_no_such_model(download):
    with pytest.raises(ModelError):
        next(download.fetch("no such model"))
