import numpy as np
import pytest
import torch
import torch.nn.functional as F

from ift.data.batching import collate
from ift.masks import TRAIN_ON
from ift.model.gpt2 import random_model
from ift.model.gpt2_config import GPT2Config
from ift.model.loss import losses
from ift.model.token_losses import token_losses, top_tokens
from ift.roles import Role
from ift.types import Encoded


@pytest.fixture(scope="module")
def model():
    return random_model(GPT2Config(vocab_size=50257, n_positions=8, n_embd=8, n_layer=2, n_head=2), seed=1).eval()


def row(*ids):
    roles = np.full(len(ids), Role.RESPONSE, dtype=np.uint8)
    return Encoded(np.array(ids, dtype=np.uint16), roles, 0)


def batch_of(*rows):
    return collate(rows, trained=TRAIN_ON["all"])


def test_the_losses_are_the_trainers_own_and_nothing_stands_in_padding(model):
    batch = batch_of(row(5, 6, 7, 8), row(9, 10))
    found = token_losses(model, batch)
    expected, _ = losses(model, batch)
    assert found[~np.isnan(found)] == pytest.approx(expected.detach().numpy(), abs=1e-5)
    assert np.isnan(found).tolist() == [[False, False, False], [False, True, True]]


def test_a_masked_target_has_a_loss_too(model):
    batch = collate([row(5, 6, 7)], trained=frozenset({Role.INPUT}))
    assert not np.isnan(token_losses(model, batch)).any()


def test_what_lies_beyond_the_models_context_has_no_loss(model):
    found = token_losses(model, batch_of(row(*range(20))))
    assert np.isnan(found[0]).tolist() == [False] * 8 + [True] * 11


def test_the_likeliest_tokens_are_those_of_the_softmax_in_order(model):
    found = top_tokens(model, [5, 6, 7], k=3)
    logits = model(torch.tensor([[5, 6, 7]]))[0, -1]
    shares = F.softmax(logits, dim=-1)
    assert [share for _, share in found] == sorted((share for _, share in found), reverse=True)
    assert all(shares[token].item() == pytest.approx(share, rel=1e-4) for token, share in found)
    assert found[0][0] == int(logits.argmax())


def test_of_a_context_that_is_too_long_the_end_is_read(model):
    assert top_tokens(model, list(range(20)))[0] == top_tokens(model, list(range(12, 20)))[0]
