"""An answer token by token: the same one as in one go, resumed anywhere, with the model's own probabilities."""

import pytest
import torch

from ift.errors import InputError
from ift.model.answer import token_stream
from ift.model.generate import Prompt, Sampling, generate
from ift.types import EOS_ID, Finish
from tests.helpers import WORD, parrot, tiny_model

PROMPT = Prompt(0, [11, 22, 33])
GREEDY = Sampling(max_new_tokens=12)
WARM = Sampling(max_new_tokens=12, temperature=1.0, seed=5)


def stream(sampling=GREEDY, *, model=None, prompt=PROMPT, written=()):
    return list(token_stream(model or tiny_model(), prompt, sampling, written=written))


def test_the_greedy_tokens_are_those_of_generate():
    (completion,) = generate(tiny_model(), [PROMPT], GREEDY)
    tokens = stream()
    assert tuple(token.id for token in tokens) == completion.ids
    assert [token.finish for token in tokens] == [None] * 11 + [Finish.LENGTH]


def test_probabilities_are_the_models_own_whatever_picked_the_token():
    model = tiny_model()
    for sampling in (GREEDY, Sampling(max_new_tokens=6, temperature=3.0, top_k=4)):
        ids = list(PROMPT.ids)
        for token in stream(sampling, model=model):
            expected = model(torch.tensor([ids]))[0, -1].detach().softmax(dim=-1)[token.id]
            assert token.probability == pytest.approx(float(expected), rel=1e-4)
            ids.append(token.id)


@pytest.mark.parametrize("sampling", [GREEDY, WARM], ids=["greedy", "drawn"])
@pytest.mark.parametrize("at", [1, 5, 11])
def test_a_stream_resumes_with_the_same_tokens(sampling, at):
    whole = stream(sampling)
    resumed = stream(sampling, written=[token.id for token in whole[:at]])
    assert [token.id for token in resumed] == [token.id for token in whole[at:]]
    assert resumed[-1].finish == whole[-1].finish


def test_another_seed_draws_other_tokens():
    other = Sampling(max_new_tokens=12, temperature=1.0, seed=6)
    assert [token.id for token in stream(WARM)] != [token.id for token in stream(other)]


def test_it_goes_on_from_a_token_that_the_model_would_not_have_picked():
    model = tiny_model()
    first, *_ = stream(model=model)
    other = (first.id + 1) % EOS_ID
    tokens = stream(model=model, written=[other])
    assert tokens[0].id == int(model(torch.tensor([[*PROMPT.ids, other]]))[0, -1].argmax())
    assert len(tokens) == 11


def test_the_end_of_text_is_a_token_and_the_last_one():
    (token,) = stream(model=parrot(EOS_ID))
    assert (token.id, token.finish) == (EOS_ID, Finish.EOS)
    assert token.probability > 0.9


def test_the_templates_ending_stops_it():
    tokens = stream(model=parrot(WORD), prompt=Prompt(0, [11], ending=" word word"))
    assert [token.finish for token in tokens] == [None, Finish.STOP]


@pytest.mark.parametrize(
    ("prompt", "written"), [(Prompt(0, []), ()), (Prompt(0, [1] * 64), ()), (PROMPT, [5] * 12), (PROMPT, [EOS_ID])]
)
def test_there_is_nothing_to_stream_where_an_answer_has_no_room_or_has_ended(prompt, written):
    with pytest.raises(InputError):
        stream(prompt=prompt, written=written)
