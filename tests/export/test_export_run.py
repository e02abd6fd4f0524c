"""`export`: what the command makes, and what it refuses."""

import json
import zipfile

import pytest

from ift.cli import main
from ift.config import TrainConfig
from ift.data.sources import load_dataset
from ift.data.templates import load_template
from ift.model.lora import add_lora
from ift.runs.folder import create_run
from ift.runs.run_config import describe
from ift.training.checkpoint import save_checkpoint
from tests.conftest import WORD
from tests.helpers import parrot


def export(run, out, *options):
    return main(["export", str(run.path), "--out", str(out), *options])


def test_hf_is_a_folder_with_a_card_or_one_file(run, tmp_path, capsys):
    assert export(run, tmp_path / "model", "--to", "hf", "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["path"] == str(tmp_path / "model")
    assert shown["next"].startswith("hf upload")
    names = {path.name for path in (tmp_path / "model").iterdir()}
    assert {"README.md", "model.safetensors", "tokenizer.json", "chat_template.jinja", "config.json"} <= names
    assert not {"state.json", "manifest.json"} & names
    card = (tmp_path / "model" / "README.md").read_text(encoding="utf-8")
    assert run.config.data.sha256 in card
    assert "Q: {{instruction}}" in card
    assert str(tmp_path) not in card  # a path of this machine means nothing elsewhere
    assert export(run, tmp_path / "packed", "--to", "hf", "--zip") == 0
    assert names == set(zipfile.ZipFile(tmp_path / "packed.zip").namelist())
    assert not (tmp_path / "packed").exists()


def test_gguf_has_a_modelfile_that_names_it(run, tmp_path):
    assert export(run, tmp_path / "small", "--to", "gguf") == 0
    assert (tmp_path / "small" / "small.gguf").read_bytes()[:4] == b"GGUF"
    modelfile = (tmp_path / "small" / "Modelfile").read_text(encoding="utf-8")
    assert modelfile.startswith("FROM ./small.gguf\n")
    assert "Q: {{ if .System }}" in modelfile


def test_an_adapter_is_there_after_lora_only(run, names, tmp_path, capsys):
    assert export(run, tmp_path / "none", "--to", "adapter") == 2
    assert "there is no adapter" in capsys.readouterr().err
    config = TrainConfig(**names, r=2)
    with_lora = create_run(tmp_path / "lora", describe(config, load_dataset(config.data), load_template("alpaca")))
    model = parrot(WORD)
    add_lora(model, r=2, lora_alpha=4, layers=("qkv",), seed=1)
    save_checkpoint(with_lora.path / "checkpoints", model, step=1, base_model="gpt2")
    assert export(with_lora, tmp_path / "adapter", "--to", "adapter") == 0
    written = json.loads((tmp_path / "adapter" / "adapter_config.json").read_text())
    assert (written["r"], written["lora_alpha"], written["target_modules"]) == (2, 4, ["attn.c_attn"])
    assert written["base_model_name_or_path"] == "openai-community/gpt2"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--to", "hf", "--outtype", "f16"), "only for GGUF"),
        (("--to", "gguf", "--outtype", "q8_0"), "blocks of 32"),
    ],
)
def test_what_can_not_be_is_refused_and_leaves_nothing(run, tmp_path, capsys, options, said):
    assert export(run, tmp_path / "model", *options) == 2
    assert said in capsys.readouterr().err
    assert not [path for path in tmp_path.iterdir() if "model" in path.name and path.suffix != ".json"]


def test_a_taken_place_and_a_damaged_checkpoint_are_refused(run, tmp_path, capsys):
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "mine.txt").write_text("kept")
    assert export(run, tmp_path / "taken", "--to", "hf") == 2
    assert (tmp_path / "taken" / "mine.txt").read_text() == "kept"
    weights = run.last_checkpoint() / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"?")
    assert export(run, tmp_path / "model", "--to", "hf") == 2
    assert "differs from its manifest" in capsys.readouterr().err


def test_a_run_that_outlives_its_base_models_folder_is_saved_and_exported(names, tmp_path):
    config = TrainConfig(**names | {"model": str(tmp_path / "gone")}, r=2)
    run = create_run(tmp_path / "lora", describe(config, load_dataset(config.data), load_template("alpaca")))
    model = parrot(WORD)
    add_lora(model, r=2, lora_alpha=4, layers=("qkv",), seed=1)
    save_checkpoint(run.path / "checkpoints", model, step=1, base_model=config.model)
    assert export(run, tmp_path / "model", "--to", "hf") == 0
    card = (tmp_path / "model" / "README.md").read_text(encoding="utf-8")
    assert "fine-tuning of `gone`" in card
