"""The benchmarks compare like with like."""

import torch

from ift.data.tokenizer import encode_text
from ift.model.generate import Prompt, Sampling, generate
from tests.bench.data import fast_tokenizer
from tests.bench.generate import their_answers
from tests.bench.records import examples_of, records
from tests.helpers import tiny_model


def test_the_fast_tokenizer_from_our_vocabulary_gives_our_ids():
    tokenizer = fast_tokenizer()
    for text in ("Grüße, don't  stop 😀\n\n<|endoftext|>\t\0 ", "### Instruction:\nName 42 or ٣ antelopes' ", ""):
        assert tokenizer(text)["input_ids"] == encode_text(text)


def test_no_two_made_records_are_the_same_and_all_are_to_train_on():
    made = examples_of(records("starter", 3000))
    assert len({(example.instruction, example.input, example.output) for example in made}) == 3000
    assert {example.split for example in made} == {"train"}


def test_both_sides_end_a_row_at_its_own_length(tiny_folder):
    from transformers import GPT2LMHeadModel

    theirs = GPT2LMHeadModel.from_pretrained(tiny_folder).eval()
    prompts = [([11, 22, 33], 5), ([44], 2), ([5, 6, 7, 8], 3)]
    with torch.inference_mode():
        found = their_answers(theirs, prompts)
    asked = [Prompt(i, ids, max_new_tokens=limit) for i, (ids, limit) in enumerate(prompts)]
    ours = {done.record: list(done.ids) for done in generate(tiny_model(), asked, Sampling(max_new_tokens=9))}
    assert found == [ours[i] for i in range(3)]
    assert [len(answer) for answer in found] == [5, 2, 3]
