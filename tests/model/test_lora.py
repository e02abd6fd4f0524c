"""A thin trained product beside frozen weights, against the chain rule and against the one weight it comes to."""

import copy

import pytest
import torch

from ift.config import TrainConfig
from ift.data.batching import collate
from ift.model.generate import Prompt, Sampling, generate
from ift.model.lora import LoraLinear, add_lora, merged_weight
from ift.model.loss import batch_loss
from ift.training.trainer import Trainer
from tests.helpers import EVERYTHING, encoded, plain_loss, save_model, tiny_model

LAYERS = ["qkv", "proj", "fc", "out"]
ROWS = [encoded(7, 8, 1, 2, 3), encoded(7, 8, 4)]
IDS = torch.tensor([[1, 2, 3, 4]])


def lora_model(*, layers=LAYERS, r=2, lora_alpha=6.0, drawn=True):
    """A tiny model with LoRA; `drawn`: as if it had been trained."""
    model = tiny_model()
    add_lora(model, r=r, lora_alpha=lora_alpha, layers=layers, seed=1)
    rng = torch.Generator().manual_seed(5)
    for part in parts(model) if drawn else ():
        part.lora_B.data.normal_(0, 0.2, generator=rng)
    return model.eval()


def merged(model):
    """A plain model of the merged weights."""
    plain = tiny_model()
    plain.load_state_dict({name: merged_weight(model, name) for name in plain.state_dict()}, assign=True)
    return plain.eval()


def parts(model):
    return [part for part in model.modules() if isinstance(part, LoraLinear)]


def test_training_begins_with_the_model_as_it_was():
    assert torch.equal(lora_model(drawn=False)(IDS), tiny_model()(IDS))


def test_the_merged_model_computes_the_same():
    model = lora_model()
    assert not torch.allclose(model(IDS), tiny_model()(IDS), atol=1e-2)
    assert torch.allclose(merged(model)(IDS), model(IDS), atol=1e-5)
    assert merged(model).state_dict().keys() == tiny_model().state_dict().keys()


def test_merging_leaves_the_model_alone_and_copies_only_what_changed():
    model = lora_model(layers=["qkv"])
    before = copy.deepcopy(model.state_dict())
    plain = merged(model)
    assert plain.wte.weight.data_ptr() == model.wte.weight.data_ptr()
    assert plain.h[0].qkv.weight.data_ptr() != model.h[0].qkv.weight.data_ptr()
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_the_scale_is_alpha_over_r():
    model = lora_model(layers=["fc"], r=2, lora_alpha=6.0)
    part = model.h[0].fc
    change = merged(model).h[0].fc.weight - part.weight
    assert torch.allclose(change, 3.0 * part.lora_B @ part.lora_A, atol=1e-6)


@pytest.mark.parametrize("layer", LAYERS)
def test_gradients_are_those_that_the_chain_rule_gives_from_the_merged_weights(layer):
    model = lora_model(layers=[layer])
    batch = collate(ROWS, trained=EVERYTHING)
    batch_loss(model, batch).backward()
    plain = merged(model).requires_grad_()
    plain_loss(plain, batch).backward()
    for block, whole in zip(model.h, plain.h, strict=True):
        part, gradient = getattr(block, layer), getattr(whole, layer).weight.grad
        assert torch.allclose(part.lora_A.grad, part.scale * part.lora_B.T @ gradient, atol=1e-5)
        assert torch.allclose(part.lora_B.grad, part.scale * gradient @ part.lora_A.T, atol=1e-5)


@pytest.mark.parametrize("checkpointing", [False, True])
def test_only_the_products_are_trained(checkpointing):
    model = lora_model(layers=["qkv", "out"], drawn=False)
    before = copy.deepcopy(model.state_dict())
    options = {"max_steps": 2, "warmup_steps": 0, "learning_rate": 1e-2, "bf16": False}
    list(Trainer(model, TrainConfig(**options, gradient_checkpointing=checkpointing), train=ROWS))
    changed = {name for name, tensor in model.state_dict().items() if not torch.equal(tensor, before[name])}
    assert changed == {f"h.{i}.{layer}.lora_{m}" for i in (0, 1) for layer in ("qkv", "out") for m in "AB"}


def test_the_seed_decides_where_training_begins():
    def drawn(seed):
        model = tiny_model()
        add_lora(model, r=2, lora_alpha=4, layers=LAYERS, seed=seed)
        return torch.cat([part.lora_A.flatten() for part in parts(model)])

    assert torch.equal(drawn(1), drawn(1))
    assert not torch.equal(drawn(1), drawn(2))


def test_it_answers_as_its_merged_model_does():
    model, sampling = lora_model(), Sampling(max_new_tokens=5)
    answers = [list(generate(one, [Prompt(0, [1, 2])], sampling)) for one in (model, merged(model))]
    assert answers[0] == answers[1]


def test_what_is_exported_loads_in_transformers_with_the_same_logits(tmp_path):
    from transformers import GPT2LMHeadModel

    model = lora_model()
    with torch.inference_mode():
        theirs = GPT2LMHeadModel.from_pretrained(save_model(model, tmp_path)).eval()(IDS).logits
        assert (theirs - model(IDS)).abs().max() < 1e-4
