"""Models by name, and from a Hub: a small one on 127.0.0.1 that speaks its resolve protocol."""

import hashlib
import json
import os
import shutil
import subprocess
import sys

import pytest
import torch

from ift.errors import DownloadError, ModelError
from ift.model.hub import fetch_model
from ift.model.load_by_name import load_model
from ift.model.names import GPT2_SIZES, context_length, find_model
from ift.paths import ASSETS
from tests.helpers import Reply, closed_port, serving, tiny_model

COMMIT = "c" * 40


def hub_file(body, **options):
    headers = {"ETag": f'"{hashlib.sha256(body).hexdigest()}"', "X-Repo-Commit": COMMIT}
    return Reply(body, headers=headers, **options)


def refusal(code, status=404):
    return Reply(status=status, headers={"X-Error-Code": code, "X-Repo-Commit": COMMIT})


def hub(folder, repo="owner/tiny"):
    """What a Hub answers that has this folder as a repository."""
    return {f"/{repo}/resolve/main/{path.name}": hub_file(path.read_bytes()) for path in folder.iterdir()}


def refuse(replies, tmp_path, repo="owner/tiny"):
    with serving(replies) as (address, _), pytest.raises(DownloadError) as caught:
        fetch_model(repo, endpoint=address, cache_dir=tmp_path)
    assert caught.value.where.endswith(repo)
    return caught.value


def test_a_model_from_the_hub_has_the_hubs_weights(tiny_folder, tmp_path):
    with serving(hub(tiny_folder)) as (address, _):
        folder = fetch_model("owner/tiny", endpoint=address, cache_dir=tmp_path)
    ids = torch.tensor([[1, 2, 3]])
    assert torch.equal(load_model(str(folder), device=torch.device("cpu"))(ids), tiny_model()(ids))


def test_only_the_config_and_the_safetensors_are_fetched(tiny_folder, tmp_path):
    with serving(hub(tiny_folder)) as (address, seen):
        fetch_model("owner/tiny", endpoint=address, cache_dir=tmp_path)
    assert {path.rpartition("/")[2] for method, path in seen if method == "GET"} == {"config.json", "model.safetensors"}


def test_a_model_is_downloaded_once_and_then_needs_no_network(tiny_folder, tmp_path):
    with serving(hub(tiny_folder)) as (address, seen):
        first = fetch_model("owner/tiny", endpoint=address, cache_dir=tmp_path)
    assert fetch_model("owner/tiny", endpoint=address, cache_dir=tmp_path) == first
    assert [method for method, _ in seen].count("GET") == 2


def test_a_download_tells_how_far_it_is_and_ends_where_that_is_refused(tiny_folder, tmp_path):
    size, told = (tiny_folder / "model.safetensors").stat().st_size, []

    def refuse_more(done, total):
        raise DownloadError("The download was cancelled")

    with serving(hub(tiny_folder)) as (address, _):
        with pytest.raises(DownloadError, match="was cancelled"):
            fetch_model("owner/tiny", endpoint=address, cache_dir=tmp_path, progress=refuse_more)
        assert not list(tmp_path.rglob("snapshots/*/model.safetensors"))
        fetch_model("owner/tiny", endpoint=address, cache_dir=tmp_path, progress=lambda *counts: told.append(counts))
    assert told[-1] == (size, size)


def test_a_model_that_the_hub_does_not_know_is_told(tmp_path):
    error = refuse({"/owner/tiny/resolve/main/config.json": refusal("RepoNotFound", 401)}, tmp_path)
    assert error.what.startswith("The model can't be downloaded")
    assert "Check the name" in error.fix


def test_a_model_without_safetensors_is_told(tiny_folder, tmp_path):
    replies = hub(tiny_folder) | {"/owner/tiny/resolve/main/model.safetensors": refusal("EntryNotFound")}
    assert refuse(replies, tmp_path).what == "The model has no such file, only other formats"


def test_a_hub_in_trouble_is_told(tmp_path):
    error = refuse({"/owner/tiny/resolve/main/config.json": Reply(status=503)}, tmp_path)
    assert error.what.startswith("The model can't be downloaded")
    assert "503" in error.what


def test_a_page_that_is_no_hub_is_told(tmp_path):
    assert "does not answer" in refuse({"/owner/tiny/resolve/main/config.json": Reply(b"<html>")}, tmp_path).what


def test_no_network_is_told_at_once(tmp_path):
    with pytest.raises(DownloadError, match="the Hub does not answer") as caught:
        fetch_model("owner/tiny", endpoint=closed_port(), cache_dir=tmp_path)
    assert "starter" in caught.value.fix


@pytest.mark.parametrize("repo", ["a--b/c", "a/b.git", "a/b..c"])
def test_an_id_that_no_hub_allows_is_told(repo, tmp_path):
    assert refuse({}, tmp_path, repo).what.startswith("The model can't be downloaded")


# Names.


def test_names_mean_the_embedded_starter_and_openais_sizes():
    assert find_model("starter") == ASSETS / "starter"
    assert {find_model(name) for name in GPT2_SIZES} == {f"openai-community/{name}" for name in GPT2_SIZES}


def test_a_folder_is_a_model_and_owner_slash_name_a_hub_id(tiny_folder):
    assert find_model(str(tiny_folder)) == tiny_folder
    assert find_model("owner/name") == "owner/name"


@pytest.mark.parametrize("name", ["gpt3", "./absent/model", "../absent", "a/b/c", "x" * 5000, "null\0byte"])
def test_a_name_that_is_nothing_is_told_with_the_names_there_are(name):
    with pytest.raises(ModelError, match="There is no model") as caught:
        find_model(name)
    assert "starter, gpt2, gpt2-medium" in caught.value.fix


def test_the_starter_loads_without_a_network():
    model = load_model("starter")
    assert (model.config.vocab_size, model.training) == (50257, False)


def test_the_context_is_known_without_a_download(tiny_folder):
    assert context_length(str(tiny_folder)) == 64
    assert context_length("gpt2-xl") == 1024
    assert context_length("starter") == load_model("starter").config.n_positions


def test_a_folder_without_a_context_says_so(tmp_path):
    with pytest.raises(ModelError, match=r"config\.json can't be read"):
        context_length(str(tmp_path))


def test_a_folder_without_a_model_says_so(tmp_path):
    with pytest.raises(ModelError, match=r"config\.json can't be read"):
        load_model(str(tmp_path))


def test_a_checkpoint_is_checked_before_it_is_loaded(tiny_folder, tmp_path):
    folder = shutil.copytree(tiny_folder, tmp_path / "step-000001")
    (folder / "manifest.json").write_text('{"config.json": "0000"}', encoding="utf-8")
    with pytest.raises(ModelError, match="broken"):
        load_model(str(folder))


# As a user's own process has it: this one has imported half of the Hub's client for other tests already.


def answered(endpoint, home):
    env = {**os.environ, "HF_ENDPOINT": endpoint, "HF_HOME": str(home), "HF_HUB_DISABLE_TELEMETRY": "1"}
    command = [sys.executable, "-m", "ift", "generate", "--model", "owner/tiny", "--instruction", "Hi", "--json"]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


def test_a_fresh_process_downloads_a_model_and_asks_it(tiny_folder, tmp_path):
    with serving(hub(tiny_folder)) as (address, _):
        done = answered(address, tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["finish"] in ("eos", "length")


def test_a_fresh_process_without_a_network_says_so_in_one_line(tmp_path):
    done = answered(closed_port(), tmp_path)
    assert done.returncode == 2
    assert "the Hub does not answer" in done.stderr
    assert "Traceback" not in done.stderr
