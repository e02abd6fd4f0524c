"""Checkpoints that are whole or not there."""

import json

import pytest
import torch

from ift.errors import ModelError, TrainingError
from ift.model.hf_model import read_model
from ift.model.manifest import verify_checkpoint
from ift.runs.folder import step_folders
from ift.training.checkpoint import (
    checkpoint_bytes,
    drop_after,
    drop_optimizers,
    lacking_bytes,
    read_state,
    save_checkpoint,
)
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


def saved(parent, step, loss=None):
    return save_checkpoint(
        parent, tiny_model(), step=step, state={"validation_loss": loss}, optimizer={"x": torch.ones(3)}
    )


def test_the_best_is_kept_beside_the_last_two_and_without_its_optimizer(tmp_path):
    for step, loss in ((1, 3.0), (2, 1.0), (3, 1.0), (4, None), (5, 2.0)):
        saved(tmp_path, step, loss)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["step-000002", "step-000004", "step-000005"]
    assert [(tmp_path / name / "optimizer.safetensors").is_file() for name in names] == [False, True, True]
    for name in names:
        verify_checkpoint(tmp_path / name)


def test_a_best_that_is_beaten_goes(tmp_path):
    for step, loss in ((1, 3.0), (2, 4.0), (3, 2.0), (4, 5.0)):
        saved(tmp_path, step, loss)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-000003", "step-000004"]


def test_later_checkpoints_can_be_dropped(tmp_path):
    for step, loss in ((9, 1.0), (10, 2.0), (11, 3.0)):
        saved(tmp_path, step, loss)
    drop_after(tmp_path, step=10)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-000009", "step-000010"]


def test_what_only_training_needs_can_be_dropped_and_the_rest_stays_whole(tmp_path):
    folder = saved(tmp_path, 7)
    drop_optimizers(tmp_path)
    assert not (folder / "optimizer.safetensors").exists()
    verify_checkpoint(folder)
    drop_optimizers(tmp_path)
    verify_checkpoint(folder)


def test_a_damaged_optimizer_matters_only_to_who_trains_on(tmp_path):
    folder = saved(tmp_path, 7)
    (folder / "optimizer.safetensors").write_bytes(b"")
    verify_checkpoint(folder, to_resume=False)
    refuse(folder)


@pytest.fixture
def small_files_only():
    """No file can grow beyond 100 kB, as on a disk that is nearly full."""
    resource = pytest.importorskip("resource", reason="there is no such limit on Windows")
    kept = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, kept[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, kept)


def test_a_checkpoint_that_can_not_be_written_leaves_the_ones_before(tmp_path, small_files_only):
    folder = saved(tmp_path, 7)
    small_files_only()
    with pytest.raises(TrainingError, match="can't be written"):
        saved(tmp_path, 8)
    assert list(tmp_path.iterdir()) == [folder]
    verify_checkpoint(folder)


def test_a_checkpoint_takes_about_what_is_told_before(tmp_path):
    model = tiny_model()
    moments = {f"{i}.{name}": w.detach().clone() for name, w in model.named_parameters() for i in range(2)}
    folder = save_checkpoint(tmp_path, model, step=1, optimizer=moments)
    size = sum(path.stat().st_size for path in folder.iterdir())
    assert size == pytest.approx(checkpoint_bytes(model), rel=0.01)


def test_what_the_disk_lacks_is_told(tmp_path):
    assert lacking_bytes(tmp_path, 1) == 0
    assert lacking_bytes(tmp_path, 2**70) > 2**60


def test_a_state_that_can_not_be_read_is_empty(tmp_path):
    assert read_state(tmp_path) == {}
    (tmp_path / "state.json").write_text("[1]", encoding="utf-8")
    assert read_state(tmp_path) == {}


def test_what_an_interrupted_save_left_is_swept_away(tmp_path):
    for name in (".step-000007.part", ".step-000003.part", ".step-000002.old"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.safetensors").write_bytes(b"half")
    verify_checkpoint(save_checkpoint(tmp_path, tiny_model(), step=7))
    assert [path.name for path in tmp_path.iterdir()] == ["step-000007"]


def test_saving_a_step_again_replaces_it(tmp_path):
    save_checkpoint(tmp_path, tiny_model(seed=1), step=7)
    folder = save_checkpoint(tmp_path, tiny_model(seed=2), step=7)
    verify_checkpoint(folder)
    assert torch.equal(read_model(folder).wpe.weight, tiny_model(seed=2).wpe.weight)


def test_a_best_that_was_evaluated_only_after_it_was_saved_stays(tmp_path):
    saved(tmp_path, 1, 3.0)
    saved(tmp_path, 2)
    for step in (3, 4, 5):
        save_checkpoint(tmp_path, tiny_model(), step=step, best_step=2, state={"validation_loss": 4.0})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-000002", "step-000004", "step-000005"]


def test_steps_count_as_numbers(tmp_path):
    for step in (999_999, 1_000_000, 1_000_001):
        saved(tmp_path, step)
    assert [path.name for path in step_folders(tmp_path)] == ["step-1000000", "step-1000001"]
    drop_after(tmp_path, step=1_000_000)
    assert [path.name for path in step_folders(tmp_path)] == ["step-1000000"]


def test_what_is_no_checkpoint_is_let_alone(tmp_path):
    (tmp_path / "step-000001 (copy)").mkdir()
    for step in (2, 3, 4):
        saved(tmp_path, step)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-000001 (copy)", "step-000003", "step-000004"]
