"""The model and the figures in the box."""

import json

import pytest
import torch
from transformers import GPT2LMHeadModel

from ift.data.sources import load_dataset
from ift.data.templates import PRESETS, preset_source
from ift.data.tokenizer import decode, encode_text
from ift.model.known_tokens import known_ids
from ift.model.load_by_name import load_model
from ift.paths import ASSETS
from ift.starter.card import write_card
from ift.starter.measure import median

FOLDER = ASSETS / "starter"
MEASURES = json.loads((FOLDER / "measures.json").read_text(encoding="utf-8"))


def test_the_card_is_written_from_the_measures_and_from_nothing_else():
    assert (FOLDER / "README.md").read_text(encoding="utf-8") == write_card(MEASURES)


def test_every_answer_in_the_card_fits_its_table():
    rows = write_card(MEASURES).partition("## Ten answers")[2].partition("## Recipe")[0].strip().splitlines()[4:]
    assert len(rows) == 10
    assert {row.replace(r"\|", "").count("|") for row in rows} == {5}


def test_a_median_follows_a_path_of_keys():
    assert median([{"a": {"b": 1.0}}, {"a": {"b": 9.0}}, {"a": {"b": 2.0}}], "a", "b") == 2.0


def test_the_weights_are_small_and_give_transformers_logits():
    assert (FOLDER / "model.safetensors").stat().st_size <= 25_000_000
    theirs = GPT2LMHeadModel.from_pretrained(FOLDER, dtype=torch.float32).eval()
    ids = torch.tensor([encode_text("The capital of Peru is Lima. One day, Tom went to the market.")])
    with torch.inference_mode():
        torch.testing.assert_close(load_model("starter").cpu()(ids), theirs(ids).logits, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", PRESETS)
def test_the_templates_hold_no_word_that_is_new_to_the_starter(name):
    text = preset_source(name).replace("{{", "").replace("}}", "")
    new = {token for token in encode_text(text) if token not in known_ids("starter")}
    assert {decode([token]) for token in new} <= {"/", "#"}  # of the tags


def test_the_data_set_holds_next_to_nothing_that_is_new_to_the_starter():
    known = known_ids("starter")
    texts = [text for e in load_dataset("starter").examples for text in (e.instruction, e.input, e.output)]
    ids = [token for text in texts for token in encode_text(text)]
    assert sum(token not in known for token in ids) / len(ids) < 0.001


def test_the_starter_knows_facts_that_its_data_set_holds_out():
    from ift.model.generate import Prompt, Sampling, generate
    from ift.types import EOS_ID

    prompts = [Prompt(0, [EOS_ID, *encode_text("The capital of France is")])]
    (said,) = generate(load_model("starter"), prompts, Sampling(max_new_tokens=3))
    assert said.text.startswith(" Paris")
