"""What decides a run: presets, and each option checked once."""

import dataclasses
import json
import math

import pytest

from ift.config import TrainConfig, make_config, preset_for, to_dict
from ift.errors import ConfigError
from ift.masks import TRAIN_ON


def test_the_book_preset_is_chapter_7s():
    config = make_config({"model": "gpt2-medium"})
    assert config.trained == TRAIN_ON["all"]
    assert (config.learning_rate, config.weight_decay) == (5e-5, 0.1)
    assert (config.num_train_epochs, config.per_device_train_batch_size, config.eval_steps) == (2, 8, 5)
    assert (config.lr_scheduler_type, config.warmup_steps, config.max_grad_norm) == ("constant", 0, 0)


def test_the_quick_preset_is_the_starters():
    config = make_config({})
    assert (config.model, config.data, config.template) == ("starter", "starter", "alpaca")
    assert config.trained == TRAIN_ON["response"]
    assert (config.learning_rate, config.num_train_epochs, config.per_device_train_batch_size) == (3e-4, 2, 16)


@pytest.mark.parametrize(
    ("model", "preset"), [("starter", "quick"), ("gpt2", "book"), ("./my/model", "book"), ("owner/name", "book")]
)
def test_each_model_has_its_preset(model, preset):
    assert preset_for(model) == preset


def test_given_options_stand_above_the_preset_and_a_named_preset_above_the_models():
    assert make_config({"model": "gpt2", "learning_rate": 1e-3}).learning_rate == 1e-3
    assert make_config({"model": "gpt2"}, preset="quick").learning_rate == 3e-4


def test_an_unknown_preset_is_told_with_those_there_are():
    with pytest.raises(ConfigError, match="preset: 'slow' is unknown") as caught:
        make_config({}, preset="slow")
    assert "quick, book" in caught.value.fix


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("train_on", "answers"),
        ("num_train_epochs", 0),
        ("num_train_epochs", math.nan),
        ("num_train_epochs", math.inf),
        ("max_steps", 0),
        ("max_steps", -2),
        ("per_device_train_batch_size", 0),
        ("gradient_accumulation_steps", 0),
        ("learning_rate", 0.0),
        ("learning_rate", -1e-4),
        ("learning_rate", 1.5),
        ("learning_rate", math.nan),
        ("weight_decay", -0.1),
        ("weight_decay", 1.1),
        ("lr_scheduler_type", "polynomial"),
        ("warmup_steps", -1),
        ("max_grad_norm", -1.0),
        ("max_grad_norm", math.inf),
        ("max_length", 0),
        ("max_length_policy", "cut"),
        ("early_stopping_patience", -1),
        ("eval_steps", 0),
        ("save_steps", 0),
        ("resid_pdrop", -0.1),
        ("embd_pdrop", 1.0),
        ("attn_pdrop", math.nan),
        ("lora_dropout", 1.0),
        ("lora_dropout", 0.1),  # r is 0
        ("r", -1),
        ("lora_alpha", 0.0),
        ("target_modules", "q_proj"),
        ("target_modules", ""),
        ("seed", -1),
        ("seed", 2**32),
    ],
)
def test_a_value_that_makes_no_sense_is_told_with_its_name(name, value):
    with pytest.raises(ConfigError) as caught:
        TrainConfig(**{name: value})
    assert caught.value.what.startswith(f"{name}: ")
    assert caught.value.fix


def test_an_epochs_last_batch_may_be_smaller():
    assert TrainConfig(per_device_train_batch_size=8).steps_per_epoch(17) == 3


@pytest.mark.parametrize(
    ("options", "steps"),
    [
        ({"num_train_epochs": 2}, 6),
        ({"num_train_epochs": 0.5}, 2),
        ({"num_train_epochs": 0.01}, 1),
        ({"num_train_epochs": 2, "max_steps": 4}, 4),
        ({"num_train_epochs": 1, "max_steps": 9}, 9),
        ({"num_train_epochs": 1, "gradient_accumulation_steps": 2}, 2),
        ({"num_train_epochs": 2, "gradient_accumulation_steps": 3}, 2),
    ],
)
def test_total_steps_are_the_epochs_batches_unless_max_steps_says_so(options, steps):
    assert TrainConfig(per_device_train_batch_size=8, **options).total_steps(17) == steps


@pytest.mark.parametrize(
    ("names", "layers"),
    [("c_attn", {"qkv"}), ("c_proj", {"proj", "out"}), ("c_attn, mlp.c_proj", {"qkv", "out"}), ("c_fc,c_fc", {"fc"})],
)
def test_lora_stands_beside_layers_under_hugging_faces_names(names, layers):
    assert TrainConfig(r=8, target_modules=names).adapted == layers


def test_a_config_survives_json():
    config = TrainConfig(learning_rate=1e-4, max_length=128, train_on="response,eos")
    assert TrainConfig(**json.loads(json.dumps(to_dict(config)))) == config


def test_every_option_of_a_run_is_in_its_json():
    assert set(to_dict(TrainConfig())) == {field.name for field in dataclasses.fields(TrainConfig)}


@pytest.mark.parametrize("option", [{"lora_alpha": 4.0}, {"lora_dropout": 0.1}, {"target_modules": "c_fc"}])
def test_what_only_lora_has_needs_its_rank(option):
    with pytest.raises(ConfigError, match="does nothing without r"):
        TrainConfig(**option)
    TrainConfig(**option, r=8)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"prompt_loss_weight": 0.5}, "does nothing"),
        ({"train_on": "header", "prompt_loss_weight": 0.0}, "no token"),
        ({"train_on": "eos", "shift_targets": False}, "no token"),
    ],
)
def test_options_that_leave_no_token_to_train_or_do_nothing_are_refused(options, problem):
    with pytest.raises(ConfigError, match=problem):
        TrainConfig(**options)
    assert TrainConfig(train_on="all", prompt_loss_weight=0.0).trained == TRAIN_ON["response"]
