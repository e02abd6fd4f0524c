"""A saved model, read by the programs that it is written for: transformers and PEFT."""

import random

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer, pipeline
from transformers.utils import logging

from ift.data.conversations import read_conversation
from ift.data.sources import load_dataset
from ift.data.templates import PRESETS, Template, load_template
from ift.data.tokenizer import encode, encode_text
from ift.export.hf_folder import ADAPTER, hub_name, write_hf_folder
from ift.model.answer import ask
from ift.model.generate import Sampling
from ift.model.load_by_name import load_model
from ift.model.lora import add_lora
from ift.types import Example
from tests.helpers import tiny_model

logging.set_verbosity_error()
RECORDS = load_dataset("starter").examples
HARD = r"""{{#input}}{{input}}|{{/input}}{{instruction}} {# not a comment #} {% " \ %}
{{output}}{{^input}}!{{/input}} é
"""
"""Jinja's own signs, quotes, a backslash, and an ending that an input changes."""


def folder_of(path, template, model=None):
    path.mkdir()
    write_hf_folder(model or tiny_model(), path, template, base_model="starter")
    return path


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    return AutoTokenizer.from_pretrained(folder_of(tmp_path_factory.mktemp("hf") / "model", load_template("alpaca")))


def random_texts(count):
    """Unicode of all planes, mixed with ASCII so that words and numbers form."""
    rng = random.Random(0)
    ranges = [(32, 127), (9, 14), (0x80, 0x3000), (0x3000, 0xD800), (0xE000, 0x110000)]
    return ["".join(chr(rng.randrange(*rng.choice(ranges))) for _ in range(rng.randrange(1, 60))) for _ in range(count)]


def test_ids_are_tiktokens(tokenizer):
    texts = [part for example in RECORDS for part in (example.instruction, example.input, example.output)]
    different = [text for text in (*texts, *random_texts(1000)) if tokenizer(text)["input_ids"] != encode_text(text)]
    assert different == []
    assert (tokenizer.eos_token_id, tokenizer.pad_token_id, len(tokenizer)) == (50256, 50256, 50257)
    assert tokenizer.decode(encode_text("a b , c")) == "a b , c"  # nothing is cleaned up


@pytest.mark.parametrize("name", [*PRESETS, "own"])
def test_a_conversation_is_the_training_row(tmp_path, name):
    template = Template.parse(HARD) if name == "own" else load_template(name)
    tokenizer = AutoTokenizer.from_pretrained(folder_of(tmp_path / "model", template))
    for example in RECORDS[:200]:
        row = encode(template.render(example))
        asked = [{"role": "user", "content": example.instruction, "input": example.input}]
        prompt = tokenizer.apply_chat_template(asked, add_generation_prompt=True, return_dict=True)
        assert prompt["input_ids"] == list(row.prompt_ids)
        answered = [*asked, {"role": "assistant", "content": example.output}]
        whole = tokenizer.apply_chat_template(answered, return_dict=True, return_assistant_tokens_mask=True)
        assert whole["input_ids"] == row.ids.tolist()
        assert whole["assistant_masks"] == [int(t >= len(row.prompt_ids)) for t in range(len(row.ids))]


@pytest.mark.parametrize("count", [1, 3, 5])
@pytest.mark.parametrize("system", [(), ("Be brief.",), ("Be brief.", "Be kind.")])
def test_several_turns_are_what_the_reader_of_conversations_makes_of_them(tokenizer, count, system):
    texts = ["2+2?", "4", "And 3+3?", "6", "And 4+4?"][:count]
    messages = [{"role": "system", "content": text} for text in system]
    messages += [{"role": ("user", "assistant")[i % 2], "content": text} for i, text in enumerate(texts)]
    answered = [*messages, {"role": "assistant", "content": "8"}]
    (pair,) = read_conversation(answered, "messages").pairs("last")
    row = load_template("alpaca").render(Example(pair.instruction, "", pair.output))
    prompt = tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
    assert prompt == row.prompt
    assert tokenizer.apply_chat_template(answered, tokenize=False) == f"{row.prompt}8<|endoftext|>"


def test_a_pipeline_gives_our_greedy_answers(tmp_path):
    model, template = load_model("starter"), load_template("alpaca")
    answer = pipeline("text-generation", str(folder_of(tmp_path / "model", template, model)))
    for example in RECORDS[:8]:
        messages = [{"role": "user", "content": example.instruction, "input": example.input}]
        theirs = answer(messages, max_new_tokens=24, do_sample=False)[0]["generated_text"][-1]["content"]
        assert theirs == ask(model, template, example, Sampling(max_new_tokens=24)).text


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")  # PEFT's own
def test_an_adapter_loads_in_peft(tmp_path):
    base = folder_of(tmp_path / "base", None)
    model = tiny_model()
    add_lora(model, r=2, lora_alpha=3, layers=("qkv", "proj", "fc", "out"), seed=1, lora_dropout=0.1)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, generator=torch.Generator().manual_seed(len(name)))
    whole = folder_of(tmp_path / "whole", None, model)
    ids = torch.tensor([[1, 2, 3, 4]])
    theirs = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), whole / ADAPTER).eval()
    torch.testing.assert_close(theirs(ids).logits, model.eval()(ids), atol=2e-4, rtol=1e-4)
    merged = AutoModelForCausalLM.from_pretrained(whole)  # the product is not added twice
    torch.testing.assert_close(merged(ids).logits, theirs(ids).logits, atol=2e-4, rtol=1e-4)


def test_a_base_model_has_a_name_that_means_something_elsewhere(tmp_path):
    assert hub_name("gpt2-medium") == "openai-community/gpt2-medium"
    assert hub_name("starter") == "starter"
    assert hub_name(str(tmp_path)) == tmp_path.name
    assert hub_name("owner/model") == "owner/model"
