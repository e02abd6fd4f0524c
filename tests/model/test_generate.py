"""Answers: batched as alone as transformers', and how each of them ends."""

import pytest
import torch

from ift.data.templates import Template
from ift.data.tokenizer import decode, encode, encode_text
from ift.errors import ConfigError
from ift.model.generate import (
    BATCH_ROWS,
    Prompt,
    Sampling,
    default_max_new_tokens,
    generate,
    prompt_of,
    rows_that_fit,
    why_no_answer,
)
from ift.model.gpt2_config import GPT2Config
from ift.types import EOS_ID, Example
from tests.helpers import WORD, parrot, tiny_model

PROMPTS = [Prompt(0, [11, 22, 33]), Prompt(1, [44]), Prompt(2, [5, 6, 7, 8, 9, 10, 12]), Prompt(3, [13, 50256, 14])]
GREEDY = Sampling(max_new_tokens=12)


def answers(prompts, sampling=GREEDY, model=None):
    """Completions by record."""
    return {completion.record: completion for completion in generate(model or tiny_model(), prompts, sampling)}


def one_by_one(prompts, sampling=GREEDY):
    return {prompt.record: answers([prompt], sampling)[prompt.record] for prompt in prompts}


def test_a_batch_says_what_each_row_says_alone():
    assert answers(PROMPTS) == one_by_one(PROMPTS)


def test_a_batch_says_what_a_model_without_a_cache_says():
    model = tiny_model()
    for prompt in PROMPTS:
        ids = list(prompt.ids)
        for _ in range(GREEDY.max_new_tokens):
            ids.append(int(model(torch.tensor([ids]))[0, -1].argmax()))
        assert answers(PROMPTS)[prompt.record].ids == tuple(ids[len(prompt.ids) :])


def test_prompts_that_are_the_same_share_all_but_their_answers():
    prompts = [Prompt(0, [11, 22]), Prompt(1, [11, 22]), Prompt(2, [11, 22, 33])]
    assert answers(prompts) == one_by_one(prompts)


def test_rows_that_end_early_do_not_disturb_the_others():
    prompts = [Prompt(prompt.record, prompt.ids, ending="e") for prompt in PROMPTS]
    together = answers(prompts)
    assert len({len(completion.ids) for completion in together.values()}) > 1
    assert together == one_by_one(prompts)


def test_greedy_answers_are_transformers_own(tiny_folder):
    from transformers import GPT2LMHeadModel

    theirs = GPT2LMHeadModel.from_pretrained(tiny_folder).eval()
    for prompt in PROMPTS:
        ids = torch.tensor([prompt.ids])
        mask = torch.ones_like(ids)
        out = theirs.generate(ids, attention_mask=mask, max_new_tokens=12, do_sample=False, pad_token_id=EOS_ID)
        assert answers([prompt])[prompt.record].ids == tuple(out[0, len(prompt.ids) :].tolist())


def test_more_prompts_than_fit_a_batch_are_all_answered():
    prompts = [Prompt(record, [1 + record % 7]) for record in range(BATCH_ROWS + 3)]
    assert sorted(answers(prompts, Sampling(max_new_tokens=1))) == list(range(BATCH_ROWS + 3))


@pytest.mark.parametrize(
    ("config", "rows", "count"),
    [
        (GPT2Config(), 55, 55),
        (GPT2Config(), 500, 81),  # 356 tokens of 72 KiB each in 2 GiB
        (GPT2Config(n_embd=1600, n_layer=48, n_head=25), 55, 9),
        (GPT2Config(n_embd=16, n_layer=2, n_head=2), 500, BATCH_ROWS),
        (GPT2Config(n_embd=10**6), 2, 1),
    ],
)
def test_as_many_rows_are_answered_together_as_memory_allows(config, rows, count):
    assert rows_that_fit(config, [100] * rows, [256] * rows) == count


def test_no_prompts_no_answers():
    assert answers([]) == {}


# How an answer ends.


def test_end_of_text_ends_an_answer_and_is_no_part_of_it():
    completion = answers([Prompt(0, [11])], model=parrot(EOS_ID))[0]
    assert (completion.finish, completion.ids, completion.text) == ("eos", (), "")


def test_an_end_of_text_inside_the_prompt_ends_nothing():
    assert answers([Prompt(0, [EOS_ID, 11, EOS_ID])])[0].ids


def test_an_answer_that_does_not_end_is_cut_at_its_length():
    completion = answers([Prompt(0, [11])], Sampling(max_new_tokens=3), parrot(WORD))[0]
    assert (completion.finish, completion.ids, completion.text) == ("length", (WORD,) * 3, " word word word")


def test_a_prompt_may_have_a_limit_of_its_own():
    prompts = [Prompt(0, [11], max_new_tokens=2), Prompt(1, [11], max_new_tokens=9), Prompt(2, [11])]
    found = answers(prompts, Sampling(max_new_tokens=4), parrot(WORD))
    assert [(len(found[record].ids), found[record].finish) for record in range(3)] == [
        (2, "length"),
        (4, "length"),
        (4, "length"),
    ]


def test_the_contexts_end_cuts_too():
    completion = answers([Prompt(0, [11] * 62)], model=parrot(WORD))[0]
    assert (completion.finish, completion.ids) == ("length", (WORD, WORD))


def test_the_templates_ending_stops_an_answer_and_is_cut_from_its_text():
    completion = answers([Prompt(0, [11], ending="d w")], model=parrot(WORD))[0]
    assert (completion.finish, completion.text) == ("stop", " wor")
    assert completion.ids == (WORD, WORD)


def test_half_characters_at_the_end_do_not_break_an_answer():
    half = encode_text("😀")[0]
    assert answers([Prompt(0, [11])], Sampling(max_new_tokens=1), parrot(half))[0].text == "\ufffd"


@pytest.mark.parametrize(
    ("length", "reason"),
    [(0, "the prompt is empty"), (63, None), (64, "the prompt of 64 tokens fills the model's context of 64")],
)
def test_a_prompt_needs_a_token_and_room_for_one_more(length, reason):
    assert why_no_answer(Prompt(0, [1] * length), 64) == reason


def test_a_prompt_that_can_not_be_answered_is_still_a_row():
    prompts = [Prompt(7, [1] * 64), Prompt(8, []), Prompt(9, [11])]
    found = answers(prompts)
    assert [(found[record].text, found[record].ids, found[record].finish) for record in (7, 8)] == [
        ("", (), "length")
    ] * 2
    assert found[9] == answers([prompts[2]])[9]


def test_white_space_after_the_output_stops_no_answer():
    asked = [Prompt(0, [11], ending="\n"), Prompt(1, [11], ending=" "), Prompt(2, [11], ending="")]
    (newline,) = encode_text("\n")
    for record, completion in answers(asked, model=parrot(newline)).items():
        assert completion.finish == "length", record
        assert set(completion.text) == {"\n"}


@pytest.mark.parametrize("ending", ["\n", "</s>"])
def test_the_templates_ending_is_no_part_of_an_answer_that_ends_by_itself(ending, monkeypatch):
    said = iter([*encode_text(f"saw\nnail{ending}"), EOS_ID])
    monkeypatch.setattr("ift.model.generate.GreedyHead", lambda weight: lambda last: torch.tensor([next(said)]))
    assert answers([Prompt(0, [11], ending=ending)], Sampling(max_new_tokens=20))[0].text == "saw\nnail"


def test_what_the_model_is_asked_is_the_beginning_of_its_training_row():
    template, example = Template.parse("Q: {{instruction}}\nA: {{output}}</s>"), Example("1+1?", "", "2")
    prompt, row = prompt_of(5, example, template), encode(template.render(example))
    assert prompt.ids == row.ids[: len(prompt.ids)].tolist()
    assert decode(prompt.ids) == "Q: 1+1?\nA: "
    assert (prompt.record, prompt.ending) == (5, "</s>")


# Sampling.


def drawn(seed=1, prompts=PROMPTS, **options):
    return answers(prompts, Sampling(max_new_tokens=12, temperature=1.0, seed=seed, **options))


def test_the_seed_decides_what_is_drawn():
    assert drawn(seed=1) == drawn(seed=1)
    assert drawn(seed=1) != drawn(seed=2)


def test_what_a_row_draws_does_not_depend_on_its_neighbours():
    alone = {prompt.record: drawn(prompts=[prompt])[prompt.record] for prompt in PROMPTS}
    assert drawn() == alone


def test_two_rows_with_the_same_prompt_draw_for_themselves():
    found = drawn(prompts=[Prompt(0, [11]), Prompt(1, [11])])
    assert found[0].ids != found[1].ids


def test_the_best_of_one_is_greedy():
    assert drawn(top_k=1) == answers(PROMPTS)


def test_only_the_top_k_are_drawn():
    likeliest = tiny_model()(torch.tensor([[11]]))[0, -1].topk(2).indices.tolist()
    prompts = [Prompt(record, [11]) for record in range(40)]
    found = answers(prompts, Sampling(max_new_tokens=1, temperature=5.0, top_k=2))
    assert {completion.ids[0] for completion in found.values()} == set(likeliest)


@pytest.mark.parametrize("temperature", [1e-3, 1e-40, 1e-300])
def test_a_temperature_near_zero_is_greedy(temperature):
    assert answers(PROMPTS, Sampling(max_new_tokens=5, temperature=temperature)) == answers(
        PROMPTS, Sampling(max_new_tokens=5)
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_new_tokens", 0),
        ("temperature", -0.1),
        ("temperature", 101.0),
        ("temperature", float("nan")),
        ("top_k", 0),
        ("seed", -1),
        ("seed", 2**70),
    ],
)
def test_a_value_that_makes_no_sense_is_told_with_its_name(name, value):
    with pytest.raises(ConfigError) as caught:
        Sampling(**{"max_new_tokens": 1, name: value})
    assert caught.value.where == name


def test_an_answer_may_fill_a_quarter_of_the_context():
    assert (default_max_new_tokens(1024), default_max_new_tokens(256)) == (256, 64)
