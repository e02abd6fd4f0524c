"""A GGUF file, read by gguf's own reader and by llama.cpp itself."""

import json
import shutil
import subprocess
from pathlib import Path

import gguf
import numpy as np
import pytest

from ift.config import TrainConfig
from ift.data.records import split
from ift.data.sources import load_dataset
from ift.data.templates import load_template
from ift.data.tokenizer import encode_text
from ift.errors import ConfigError
from ift.export.gguf_file import OUT_TYPES, write_gguf
from ift.model.generate import Sampling, generate, prompt_of
from ift.model.gpt2 import random_model
from ift.model.gpt2_config import GPT2Config
from ift.model.load_by_name import load_model
from ift.model.lora import merged_weight
from ift.runs.folder import create_run
from ift.runs.run_config import describe
from tests.helpers import events_of, tiny_model

LLAMA = Path(__file__).parent / "llama_cpp"
HAS_LLAMA = (LLAMA / "node_modules" / "node-llama-cpp").is_dir() and shutil.which("node")
MAX_NEW_TOKENS, ANSWERS = 32, 50
TEXTS = ["Hello  world\n\n é 你好", "don't\t1234567", "<|endoftext|>", "🙂 ﷽"]


def test_it_holds_every_tensor_and_the_tokenizer(tmp_path):
    model = tiny_model()
    write_gguf(model, tmp_path / "m.gguf", load_template("alpaca"), name="m", outtype="f32")
    read = gguf.GGUFReader(tmp_path / "m.gguf")
    tensors = {tensor.name: tensor.data for tensor in read.tensors}
    assert len(tensors) == len(model.state_dict())
    np.testing.assert_array_equal(tensors["blk.1.ffn_up.weight"], merged_weight(model, "h.1.fc.weight").detach())
    np.testing.assert_array_equal(tensors["position_embd.weight"], model.wpe.weight.detach().numpy())
    assert read.get_field("gpt2.context_length").contents() == model.config.n_positions
    assert len(read.get_field("tokenizer.ggml.tokens").contents()) == 50257
    assert "generation" not in read.get_field("tokenizer.chat_template").contents()  # llama.cpp has no such tag


def test_a_width_that_blocks_do_not_fit_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="blocks of 32"):
        write_gguf(tiny_model(), tmp_path / "m.gguf", load_template("alpaca"), name="m", outtype="q8_0")


def test_eight_bits_are_near_the_weights(tmp_path):
    model = random_model(GPT2Config(n_positions=8, n_embd=64, n_layer=1, n_head=2), seed=1)
    write_gguf(model, tmp_path / "m.gguf", load_template("alpaca"), name="m", outtype="q8_0")
    tensor = next(t for t in gguf.GGUFReader(tmp_path / "m.gguf").tensors if t.name == "blk.0.attn_qkv.weight")
    weight = merged_weight(model, "h.0.qkv.weight").detach().numpy()
    stored = gguf.quants.dequantize(tensor.data, tensor.tensor_type).reshape(weight.shape)
    assert np.abs(stored - weight).max() <= np.abs(weight).max() / 127


@pytest.fixture(scope="module")
def tuned(tmp_path_factory):
    """The starter after enough steps to answer."""
    quick = {"per_device_train_batch_size": 8, "learning_rate": 1e-3, "warmup_steps": 4, "eval_steps": 1000}
    config = TrainConfig(model="starter", max_steps=30, **quick)
    dataset, template = load_dataset(config.data), load_template(config.template)
    run = create_run(tmp_path_factory.mktemp("tuned") / "run", describe(config, dataset, template))
    for _ in events_of(run):
        pass
    return load_model(str(run.path))


@pytest.mark.skipif(not HAS_LLAMA, reason="needs node, and `npm install` in tests/export/llama_cpp")
def test_llama_cpp_gives_our_greedy_answers(tuned, tmp_path):
    template, examples = load_template("alpaca"), load_dataset("starter").examples
    prompts = [prompt_of(i, examples[record], template) for i, record in enumerate(split(examples).test[:ANSWERS])]
    ours = {made.record: list(made.ids) for made in generate(tuned, prompts, Sampling(max_new_tokens=MAX_NEW_TOKENS))}
    cases = {"prompts": [list(map(int, prompt.ids)) for prompt in prompts], "texts": TEXTS}
    limits = {"maxNewTokens": MAX_NEW_TOKENS, "contextSize": tuned.config.n_positions}
    (tmp_path / "cases.json").write_text(json.dumps(cases | limits))
    files = [tmp_path / f"{outtype}.gguf" for outtype in OUT_TYPES]
    for outtype, path in zip(OUT_TYPES, files, strict=True):
        write_gguf(tuned, path, template, name="m", outtype=outtype)
    command = ["node", str(LLAMA / "answers.js"), str(tmp_path / "cases.json"), *map(str, files)]
    printed = subprocess.run(command, capture_output=True, check=True, text=True, timeout=300).stdout
    for outtype, theirs in zip(OUT_TYPES, json.loads(printed.splitlines()[-1]), strict=True):
        same = sum(answer == ours[i] for i, answer in enumerate(theirs["answers"]))
        assert same >= (ANSWERS - 2 if outtype == "q8_0" else ANSWERS), outtype
        assert theirs["ids"] == [encode_text(text) for text in TEXTS]
        assert "### Instruction" in theirs["chat"]
