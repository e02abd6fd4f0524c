"""Checkpoints that are whole or not there."""

import json

import pytest
import torch

from ift.checkpoint import save_checkpoint, verify_checkpoint
from ift.errors import ModelError
from ift.weights import read_model
from tests.helpers import tiny_model


@pytest.fixture
def folder(tmp_path):
    return save_checkpoint(tmp_path, tiny_model(), step=7)


def refuse(folder):
    with pytest.raises(ModelError, match="checkpoint is broken") as caught:
        verify_checkpoint(folder)
    return caught.value


def test_a_checkpoint_holds_the_models_weights_and_its_step(folder):
    ids = torch.tensor([[1, 2, 3]])
    verify_checkpoint(folder)
    assert folder.name == "step-000007"
    assert torch.equal(read_model(folder)(ids), tiny_model()(ids))
    assert json.loads((folder / "state.json").read_text(encoding="utf-8")) == {"step": 7}


def test_a_checkpoint_loads_in_transformers(folder):
    from transformers import GPT2LMHeadModel

    ids = torch.tensor([[1, 2, 3]])
    with torch.inference_mode():
        theirs = GPT2LMHeadModel.from_pretrained(folder).eval()(ids).logits
        assert (theirs - tiny_model()(ids)).abs().max() < 1e-4


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "state.json"])
def test_one_flipped_bit_is_found_and_its_file_named(folder, name):
    raw = bytearray((folder / name).read_bytes())
    raw[-2] ^= 1
    (folder / name).write_bytes(raw)
    assert refuse(folder).where == str(folder / name)


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "manifest.json"])
def test_a_missing_file_is_found(folder, name):
    (folder / name).unlink()
    assert "missing" in refuse(folder).what


def test_a_damaged_manifest_is_a_broken_checkpoint(folder):
    (folder / "manifest.json").write_text("[", encoding="utf-8")
    refuse(folder)


def test_the_last_two_are_kept_and_no_part_is_left(tmp_path):
    for step in (1, 2, 10):
        save_checkpoint(tmp_path, tiny_model(), step=step)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-000002", "step-000010"]


def test_what_an_interrupted_save_left_is_swept_away(tmp_path):
    part = tmp_path / ".step-000007.part"
    part.mkdir()
    (part / "model.safetensors").write_bytes(b"half")
    verify_checkpoint(save_checkpoint(tmp_path, tiny_model(), step=7))
    assert [path.name for path in tmp_path.iterdir()] == ["step-000007"]


def test_saving_a_step_again_replaces_it(tmp_path):
    save_checkpoint(tmp_path, tiny_model(seed=1), step=7)
    folder = save_checkpoint(tmp_path, tiny_model(seed=2), step=7)
    verify_checkpoint(folder)
    assert torch.equal(read_model(folder).wpe.weight, tiny_model(seed=2).wpe.weight)
