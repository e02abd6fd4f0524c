"""Model folders that nobody should have made: each is refused by file and field, before memory is taken."""

import json
import os
import struct
import time

import psutil
import pytest

from ift.errors import ModelError
from ift.model.hf_model import read_model
from ift.model.names import context_length

GOOD = {"model_type": "gpt2", "n_positions": 64, "n_embd": 16, "n_layer": 2, "n_head": 2, "vocab_size": 50257}
MOST_GROWTH = 200 * 2**20
COUNTS = ("n_layer", "n_head", "n_embd", "n_positions")
CHANGES = [
    *(
        {name: value}
        for name in ("n_layer", "n_head", "n_embd", "n_positions")
        for value in (0, -1, 10**9, 1.5, "x", None)
    ),
    *({"layer_norm_epsilon": value} for value in ("x", -1, 0, None, [], 2, float("nan"), float("inf"))),
    {"vocab_size": 10**9},
    {"vocab_size": 5},
    {"n_embd": 17},
    {"model_type": "llama"},
    {"model_type": ["gpt2"]},
    {"n_inner": 10**9},
    {"tie_word_embeddings": False},
    {"activation_function": {"a": 1}},
]
TEXTS = [
    "",
    "[]",
    "5",
    "null",
    "{",
    "[" * 100_000,
    '{"a":' * 50_000,
    '{"n_positions": ' + "9" * 5_000 + "}",
    "\x00",
    "\ufeff{}",
]


def refuse(folder):
    """What a model's folder is refused with, soon and without memory."""
    began, before = time.monotonic(), psutil.Process().memory_info().rss
    with pytest.raises(ModelError) as caught:
        read_model(folder)
    assert time.monotonic() - began < 10
    assert psutil.Process().memory_info().rss - before < MOST_GROWTH
    return caught.value


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_a_shape_that_can_not_be_true_is_named(tmp_path, change):
    (tmp_path / "config.json").write_text(json.dumps(GOOD | change))
    (tmp_path / "model.safetensors").write_bytes(bytes(100))
    problem = refuse(tmp_path)
    assert "config.json" in problem.where
    assert next(iter(change)) in problem.where


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_a_config_that_is_none_is_refused_by_both_readers(tmp_path, text):
    (tmp_path / "config.json").write_text(text)
    (tmp_path / "model.safetensors").write_bytes(bytes(100))
    assert "config.json" in refuse(tmp_path).where
    with pytest.raises(ModelError, match="can't be read"):
        context_length(str(tmp_path))


HEADERS = {
    "nothing": b"",
    "cut": b"\x05",
    "a header of 2^60 bytes": struct.pack("<Q", 2**60),
    "a header that is no JSON": struct.pack("<Q", 4) + b"abcd",
    "a deep header": struct.pack("<Q", 100_000) + b"[" * 100_000,
    "tensors beyond the file": struct.pack("<Q", 80)
    + b'{"wte.weight":{"dtype":"F32","shape":[50257,16],"data_offsets":[0,3216448]}}'.ljust(80),
    "a tensor of 2^62 cells": struct.pack("<Q", 96)
    + b'{"wte.weight":{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,4]}}'.ljust(96)
    + bytes(4),
    "a pickle": b"\x80\x04\x95" + bytes(100),
}


@pytest.mark.parametrize("header", HEADERS)
def test_weights_that_are_none_are_refused(tmp_path, header):
    (tmp_path / "config.json").write_text(json.dumps(GOOD))
    (tmp_path / "model.safetensors").write_bytes(HEADERS[header])
    assert "model.safetensors" in refuse(tmp_path).where


@pytest.mark.skipif(os.name != "posix", reason="pipes and devices")
@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "model.safetensors.index.json"])
@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
def test_what_is_no_file_is_not_read(tmp_path, name, kind):
    (tmp_path / "config.json").write_text(json.dumps(GOOD))
    path = tmp_path / name
    path.unlink(missing_ok=True)
    make = {"pipe": os.mkfifo, "device": lambda path: os.symlink("/dev/zero", path), "folder": os.mkdir}
    make[kind](path)
    refuse(tmp_path)


INDEXES = [
    "[]",
    "5",
    "{}",
    '{"weight_map": []}',
    '{"weight_map": {"a": 5}}',
    '{"weight_map": {"a": "../x"}}',
    "[" * 100_000,
]


@pytest.mark.parametrize("text", INDEXES, ids=range(len(INDEXES)))
def test_an_index_that_is_none_is_refused(tmp_path, text):
    (tmp_path / "config.json").write_text(json.dumps(GOOD))
    (tmp_path / "model.safetensors.index.json").write_text(text)
    refuse(tmp_path)
