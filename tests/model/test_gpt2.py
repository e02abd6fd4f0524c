"""Our GPT-2 against transformers' own."""

import pytest
import torch

from ift.model.gpt2 import GPT2, gelu, random_model
from ift.model.gpt2_config import GPT2Config
from ift.model.linear import GreedyHead, distinct_rows
from tests.helpers import save_model, tiny_model

IDS = torch.tensor([[11, 22, 33, 44, 55], [50256, 1, 50256, 2, 3]])


@pytest.fixture(scope="module")
def theirs(tiny_folder):
    from transformers import GPT2LMHeadModel

    return GPT2LMHeadModel.from_pretrained(tiny_folder).eval()


def test_the_logits_are_transformers_logits(theirs):
    with torch.inference_mode():
        difference = tiny_model()(IDS) - theirs(IDS).logits
    assert difference.abs().max() < 1e-4


def test_the_whole_context_can_be_used(theirs):
    ids = torch.arange(64)[None]
    with torch.inference_mode():
        assert (tiny_model()(ids) - theirs(ids).logits).abs().max() < 1e-4


@torch.inference_mode()
def test_a_token_never_sees_what_follows():
    changed = IDS.clone()
    changed[:, 3:] = 9
    before, after = tiny_model()(IDS)[:, :3], tiny_model()(changed)[:, :3]
    assert torch.allclose(before, after, atol=1e-6)


def test_the_head_is_the_token_embedding():
    assert not [name for name, _ in tiny_model().named_parameters() if "head" in name]
    assert torch.equal(tiny_model().logits(torch.eye(16)), tiny_model().wte.weight.T)


@pytest.mark.parametrize("rows", [1, 5, 6, 40])
@torch.inference_mode()
def test_the_likeliest_is_the_one_with_the_highest_logit(rows):
    model, hidden = tiny_model(), torch.randn(rows, 16, generator=torch.Generator().manual_seed(3))
    assert torch.equal(model.likeliest(hidden), model.logits(hidden).argmax(dim=-1))


@torch.inference_mode()
def test_of_equally_likely_ids_the_first_is_taken():
    model = tiny_model()
    model.wte.weight[[9, 5000, 5001, 50256]] = 10 * model.wte.weight[7]
    hidden = model.wte.weight[7].repeat(8, 1)
    assert model.likeliest(hidden).tolist() == [9] * 8


@torch.inference_mode()
def test_ids_that_share_a_row_are_computed_once_and_the_likeliest_is_the_same():
    weight = tiny_model().wte.weight.detach().clone()
    hidden = torch.randn(12, 16, generator=torch.Generator().manual_seed(3))
    assert distinct_rows(weight) is None
    shared = torch.arange(9, 50257, 3)
    weight[4] *= 9
    weight[shared] = weight[4].clone()
    assert sorted({*distinct_rows(weight).tolist()} ^ {*range(50257)}) == shared.tolist()
    assert torch.equal(GreedyHead(weight)(hidden), (hidden @ weight.T).argmax(dim=-1))
    assert GreedyHead(weight)(weight[4].repeat(8, 1)).tolist() == [4] * 8


def test_the_gelu_is_openais_approximation():
    x = torch.linspace(-4, 4, 9)
    by_hand = 0.5 * x * (1 + torch.tanh((2 / torch.pi) ** 0.5 * (x + 0.044715 * x**3)))
    assert torch.allclose(gelu(x), by_hand, atol=1e-6)


def test_gpt2s_own_size_has_124_million_parameters():
    with torch.device("meta"):
        assert sum(parameter.numel() for parameter in GPT2(GPT2Config()).parameters()) == 124_439_808


CONFIG = GPT2Config(n_positions=8, n_embd=8, n_layer=2, n_head=2)


def weights(seed):
    return torch.cat([parameter.flatten() for parameter in random_model(CONFIG, seed=seed).parameters()])


def test_fresh_weights_come_from_the_seed_alone():
    assert torch.equal(weights(1), weights(1))
    assert not torch.equal(weights(1), weights(2))


def test_fresh_weights_are_spread_as_gpt2s():
    model = random_model(CONFIG, seed=1)
    assert model.wte.weight.std().item() == pytest.approx(0.02, rel=0.05)
    assert model.h[0].out.weight.std().item() == pytest.approx(0.02 / 4**0.5, rel=0.15)  # scaled down by depth
    assert model.h[0].qkv.bias.abs().max() == 0


def test_a_model_is_saved_as_three_files(tmp_path):
    folder = save_model(random_model(CONFIG, seed=1), tmp_path)
    assert {path.name for path in folder.iterdir()} == {"config.json", "generation_config.json", "model.safetensors"}
