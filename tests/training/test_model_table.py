"""The table of models: what is known of each before a download."""

import json

import pytest

from ift.cli import main
from ift.model.gpt2 import random_model
from ift.model.gpt2_config import GPT2Config
from ift.model.lora import add_lora
from ift.model.names import GPT2_SIZES, NAMES
from ift.training.estimate import LORA_RANK
from ift.training.model_table import Fit, model_choices


def test_parameters_are_the_models_own():
    choices = {choice.name: choice for choice in model_choices()}
    assert tuple(choices) == NAMES
    assert {name: choices[name].parameters for name in GPT2_SIZES} == GPT2_SIZES
    shape = GPT2Config(n_positions=256, n_embd=192, n_layer=4, n_head=6)
    model = random_model(shape, seed=1)
    assert choices["starter"].parameters == sum(weight.numel() for weight in model.parameters())
    add_lora(model, r=LORA_RANK, lora_alpha=1, layers=("qkv",), seed=1)
    trained = sum(weight.numel() for weight in model.parameters() if weight.requires_grad)
    assert choices["starter"].lora_bytes == 4 * shape.parameters + 16 * trained


def test_what_fits_depends_on_free_memory():
    for free, fits in ((10**13, Fit.FULL), (2 * 10**9, Fit.LORA), (10**8, Fit.NOTHING)):
        assert {choice.name: choice.fit for choice in model_choices(free_bytes=free)}["gpt2-medium"] is fits


def test_the_command_shows_them(capsys):
    assert main(["models"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:-1]] == list(NAMES)
    assert main(["models", "--json"]) == 0
    models = {model["name"]: model for model in json.loads(capsys.readouterr().out)["models"]}
    assert (models["starter"]["is_here"], models["starter"]["download_bytes"]) == (True, 0)
    if not models["gpt2"]["is_here"]:
        assert models["gpt2"]["download_bytes"] == pytest.approx(548e6, rel=0.1)  # the file on the Hub
