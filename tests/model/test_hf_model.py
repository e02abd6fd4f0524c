"""Model folders in Hugging Face's format, in both directions, and what is wrong with a bad one."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import GPT2Config as TheirConfig
from transformers import GPT2LMHeadModel

from ift.errors import ModelError
from ift.model.hf_model import read_config, read_model
from tests.helpers import tiny_model

IDS = torch.tensor([[11, 22, 33, 44]])


@pytest.fixture(scope="module")
def theirs():
    torch.manual_seed(2)
    model = GPT2LMHeadModel(TheirConfig(n_positions=32, n_embd=8, n_layer=2, n_head=2)).eval()
    for parameter in model.parameters():
        parameter.data += 0.2 * torch.randn(parameter.shape)
    return model


@pytest.fixture
def folder(tiny_folder, tmp_path):
    """A copy of the tiny model's folder, to be spoilt."""
    return shutil.copytree(tiny_folder, tmp_path / "model")


def change_tensors(folder, change):
    """Rewrite the weights as `change` gives them for {name: tensor}."""
    path = folder / "model.safetensors"
    save_file(change(load_file(path)), path)


def change_config(folder, **values):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | values), encoding="utf-8")


def same_logits(ours, theirs):
    with torch.inference_mode():
        return (ours(IDS) - theirs(IDS).logits).abs().max() < 1e-4


def same_weights(one, other):
    ours, theirs = one.state_dict(), other.state_dict()
    return ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_what_we_write_transformers_reads_with_nothing_missing_or_left_over(tiny_folder):
    theirs, told = GPT2LMHeadModel.from_pretrained(tiny_folder, output_loading_info=True)
    assert not [names for names in told.values() if names]
    assert same_logits(tiny_model(), theirs.eval())
    assert theirs.generation_config.eos_token_id == 50256


def test_what_we_write_we_read_back_bit_by_bit(tiny_folder):
    assert same_weights(tiny_model(), read_model(tiny_folder))


def test_what_transformers_writes_with_its_prefix_we_read(theirs, tmp_path):
    theirs.save_pretrained(tmp_path)
    assert "transformer.wte.weight" in load_file(tmp_path / "model.safetensors")
    assert same_logits(read_model(tmp_path), theirs)


def test_openais_own_layout_without_prefix_and_with_mask_buffers_we_read(theirs, tmp_path):
    theirs.save_pretrained(tmp_path)

    def as_on_the_hub(tensors):
        bare = {name.removeprefix("transformer."): tensor for name, tensor in tensors.items()}
        return bare | {f"h.{i}.attn.bias": torch.ones(1, 1, 32, 32) for i in range(2)}

    change_tensors(tmp_path, as_on_the_hub)
    assert same_logits(read_model(tmp_path), theirs)


def test_a_model_in_several_files_is_put_together(theirs, tmp_path):
    theirs.save_pretrained(tmp_path, max_shard_size="5KB")
    assert len(list(tmp_path.glob("*.safetensors"))) > 1
    assert same_logits(read_model(tmp_path), theirs)


def test_half_precision_files_are_read_as_fp32(folder):
    change_tensors(folder, lambda tensors: {name: tensor.bfloat16() for name, tensor in tensors.items()})
    assert {parameter.dtype for parameter in read_model(folder).parameters()} == {torch.float32}


def test_a_model_that_was_read_can_be_trained(tiny_folder):
    assert all(parameter.requires_grad for parameter in read_model(tiny_folder).parameters())


def test_a_model_that_was_read_does_not_hang_on_its_file(folder):
    model = read_model(folder)
    path = folder / "model.safetensors"
    with path.open("r+b") as file:
        file.write(bytes(path.stat().st_size))
    assert same_weights(model, tiny_model())


PEAK = """
import re, sys
from pathlib import Path
from ift.model.lora import add_lora
from ift.model.gpt2 import random_model
from ift.model.gpt2_config import GPT2Config
from ift.model.hf_model import read_model, write_model

def peak_bytes():
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) << 10

def rise(work):
    Path("/proc/self/clear_refs").write_text("5")  # the peak is counted anew
    before = peak_bytes()
    model = work()
    return (peak_bytes() - before) / sum(p.numel() * 4 for p in model.parameters())

def write(model, folder):
    folder.mkdir()
    write_model(model, folder)
    return model

shape = {"n_embd": 128, "n_head": 2}
read_model(Path(sys.argv[1]))  # what the first time takes is no copy
model = random_model(GPT2Config(n_layer=90, **shape), seed=1)
add_lora(model, r=1, lora_alpha=1, layers=("qkv", "proj", "fc", "out"), seed=1)
folder = Path(sys.argv[2])
print(rise(lambda: write(model, folder)), rise(lambda: read_model(folder)))
"""
"""How far the peak of memory rises, in sizes of the model, most of which stands in turned and merged weights."""


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="the peak of memory is read from Linux's /proc")
def test_writing_and_reading_take_no_second_copy_of_the_weights(tiny_folder, tmp_path):
    command = [sys.executable, "-c", PEAK, str(tiny_folder), str(tmp_path / "deep")]
    written, read = map(float, subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())
    assert written < 0.4
    assert read < 1.4


# What is wrong with a bad one.


def refuse(folder):
    with pytest.raises(ModelError) as caught:
        read_model(folder)
    return caught.value


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_refused_by_name(folder, value):
    change_tensors(folder, lambda tensors: tensors | {"h.1.ln_2.bias": torch.full((16,), value)})
    error = refuse(folder)
    assert error.what == "The weights hold NaN or infinity"
    assert "h.1.ln_2.bias" in error.where


def test_missing_tensors_are_counted_and_the_first_is_named(folder):
    gone = ("h.1.mlp.c_fc.bias", "h.1.mlp.c_fc.weight")
    change_tensors(folder, lambda tensors: {name: tensor for name, tensor in tensors.items() if name not in gone})
    error = refuse(folder)
    assert error.what == "Tensors are missing"
    assert "h.1.mlp.c_fc.weight and 1 more" in error.where


@pytest.mark.parametrize("shape", [(16, 64, 1), (64, 16), (16,), (50000, 16)])
def test_a_tensor_of_another_shape_is_named(folder, shape):
    change_tensors(folder, lambda tensors: tensors | {"h.0.mlp.c_fc.weight": torch.zeros(shape)})
    error = refuse(folder)
    assert error.what.startswith("A tensor has the shape")
    assert "h.0.mlp.c_fc.weight" in error.where


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("model_type", "llama"),
        ("activation_function", "relu"),
        ("tie_word_embeddings", False),
        ("scale_attn_by_inverse_layer_idx", True),
        ("n_inner", 100),
        ("vocab_size", 50256),
        ("vocab_size", 128_256),
        ("vocab_size", "50257"),
    ],
)
def test_another_architecture_is_refused_with_what_differs(folder, name, value):
    change_config(folder, **{name: value})
    error = refuse(folder)
    assert error.what == "This is another architecture than GPT-2's"
    assert f"{name} = {value!r}" in error.where


@pytest.mark.parametrize(
    ("name", "value"),
    [("n_embd", "16"), ("n_layer", None), ("n_head", 0), ("n_head", 3), ("n_positions", 1.5), ("n_layer", 10**9)]
    + [("layer_norm_epsilon", value) for value in ("x", -1, 0, 2.0, None)],
)
def test_a_shape_that_can_not_be_is_refused_with_what_is_wrong(folder, name, value):
    change_config(folder, **{name: value})
    error = refuse(folder)
    assert "config.json" in error.where
    assert f"{name} = {value!r}" in error.where


@pytest.mark.parametrize("content", [None, "", "[]", "{", "\xff"])
def test_a_config_that_is_missing_or_damaged_is_told(folder, content):
    (folder / "config.json").unlink()
    if content is not None:
        (folder / "config.json").write_bytes(content.encode("latin-1"))
    with pytest.raises(ModelError, match=r"config\.json can't be read"):
        read_config(folder)


@pytest.mark.parametrize("added", [1, 47])
def test_tokens_added_to_gpt2s_are_left_out(folder, added):
    model = read_model(folder)
    change_config(folder, vocab_size=50257 + added)
    rows = torch.full((added, model.config.n_embd), 9.0)
    change_tensors(folder, lambda tensors: tensors | {"wte.weight": torch.cat([tensors["wte.weight"], rows])})
    assert same_weights(read_model(folder), model)


@pytest.mark.parametrize("prefix", ["", "transformer."])
def test_a_head_of_its_own_is_refused_and_a_copy_of_the_embedding_is_not(folder, prefix):
    model = read_model(folder)
    change_tensors(folder, lambda tensors: tensors | {f"{prefix}lm_head.weight": tensors["wte.weight"].clone()})
    assert same_weights(read_model(folder), model)
    head = model.wte.weight.detach().clone()
    head[50_000, 3] += 1e-3
    change_tensors(folder, lambda tensors: tensors | {f"{prefix}lm_head.weight": head})
    error = refuse(folder)
    assert error.what == "The model has a head of its own, apart from its embedding"
    assert "lm_head.weight" in error.where


def test_a_pickle_and_an_adapter_are_named_as_what_they_are(folder):
    (folder / "pytorch_model.bin").write_bytes(b"")
    read_model(folder)  # beside safetensors it is only not looked at
    (folder / "model.safetensors").unlink()
    error = refuse(folder)
    assert "pickle" in error.what
    assert "save_pretrained" in error.fix
    (folder / "config.json").rename(folder / "adapter_config.json")
    error = refuse(folder)
    assert error.what == "This is a PEFT adapter, not a model"
    assert "merge_and_unload" in error.fix


def test_a_config_nested_without_end_is_told(folder):
    (folder / "config.json").write_text("[" * 100_000)
    with pytest.raises(ModelError, match=r"config\.json can't be read"):
        read_config(folder)


def test_a_cut_file_is_told(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])
    assert refuse(folder).what == "The weights can't be read"


def test_a_missing_file_is_told(folder):
    (folder / "model.safetensors").unlink()
    assert "model.safetensors" in refuse(folder).where


def test_a_damaged_index_and_a_missing_part_are_told(folder):
    index = folder / "model.safetensors.index.json"
    index.write_text("{}", encoding="utf-8")
    assert refuse(folder).what == "The index of the weights can't be read"
    index.write_text('{"weight_map": {"wte.weight": "model-00001-of-00002.safetensors"}}', encoding="utf-8")
    assert refuse(folder).what == "The weights can't be read"


@pytest.mark.parametrize("text", ["[]", '{"weight_map": {"a": 5}}', '{"weight_map": []}', "[" * 100_000])
def test_an_index_of_another_kind_is_told(folder, text):
    (folder / "model.safetensors.index.json").write_text(text, encoding="utf-8")
    assert refuse(folder).what == "The index of the weights can't be read"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no such files")
@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_pipe_is_told_and_not_waited_for(folder, name):
    (folder / name).unlink()
    os.mkfifo(folder / name)
    assert "can't be read" in refuse(folder).what


def test_an_index_can_not_point_out_of_its_folder(folder, tmp_path):
    shutil.copy(folder / "model.safetensors", tmp_path / "model.safetensors")
    (folder / "model.safetensors").unlink()
    names = load_file(tmp_path / "model.safetensors")
    index = {"weight_map": dict.fromkeys(names, "../model.safetensors")}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
    assert refuse(folder).where == str(folder / "model.safetensors")


def test_weights_of_more_layers_than_the_config_names_are_refused(folder):
    change_config(folder, n_layer=1)
    with pytest.raises(ModelError, match="The weights have more layers"):
        read_model(folder)


def test_loading_a_model_does_not_load_torchs_compiler(tiny_folder):
    program = "import sys; from ift.model.load_by_name import load_model; load_model(sys.argv[1]); print(*sys.modules)"
    done = subprocess.run((sys.executable, "-c", program, str(tiny_folder)), capture_output=True, text=True, check=True)
    assert {"torch._dynamo", "torch.distributed.fsdp"}.isdisjoint(done.stdout.split())
