"""Which ids a model knows, and how text says so."""

import json

import pytest

from ift.data.tokenizer import encode_text
from ift.errors import ModelError
from ift.model.known_tokens import known_ids, stretches, write_vocabulary
from ift.training.checkpoint import save_checkpoint
from tests.helpers import tiny_model

KNOWN = frozenset(encode_text("The capital of Peru is"))


def test_the_starter_lists_what_it_knows():
    assert len(known_ids("starter")) >= 12_000


@pytest.mark.parametrize("model", ["gpt2", "starter-untrained", "owner/name"])
def test_others_list_nothing(model):
    assert known_ids(model) is None


def test_a_list_stands_beside_the_weights(tiny_folder, tmp_path):
    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).write_bytes((tiny_folder / name).read_bytes())
    assert known_ids(str(tmp_path)) is None
    write_vocabulary(tmp_path, [3, 5])
    assert known_ids(str(tmp_path)) == {3, 5}


def test_a_checkpoint_knows_what_its_base_model_knew(tmp_path):
    folder = save_checkpoint(tmp_path, tiny_model(), step=1, known={5, 3})
    assert known_ids(str(folder)) == {3, 5}
    assert "vocabulary.json" in json.loads((folder / "manifest.json").read_text(encoding="utf-8"))


def test_a_damaged_list_is_a_model_error(tmp_path):
    (tmp_path / "vocabulary.json").write_text("[1]", encoding="utf-8")
    with pytest.raises(ModelError, match="known ids"):
        known_ids(str(tmp_path))


def test_text_falls_into_known_and_new_stretches():
    assert stretches("The capital of Zorgon is", KNOWN) == [("The capital of", True), (" Zorgon", False), (" is", True)]
    assert stretches("", KNOWN) == []


def test_no_character_is_lost_even_where_ids_are_parts_of_one():
    text = "The 🦊 is ß \u202e\x00"
    assert "".join(part for part, _ in stretches(text, KNOWN)) == text
