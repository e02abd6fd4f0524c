"""The head's loss and gradients in chunks, against torch's over all logits at once; and what is never in memory."""

import pytest
import torch
import torch.nn.functional as F
from torch.utils._python_dispatch import TorchDispatchMode

from ift.data.batching import collate
from ift.model.cross_entropy import CHUNK_ROWS, ChunkedLinearCrossEntropy, TiedEmbedding, chunked_losses
from ift.model.loss import batch_loss
from tests.helpers import EVERYTHING, encoded, tiny_model

V, C = 37, 8
FP32 = torch.float32
LENGTHS = [0, 1, 5, CHUNK_ROWS, 2 * CHUNK_ROWS + 3]


def case(M):
    """hidden (M, C), weight (V, C), targets (M,) and shares (M,), drawn anew and the same for each M."""
    rng = torch.Generator().manual_seed(M)
    hidden, weight = torch.randn(M, C, generator=rng), torch.randn(V, C, generator=rng)
    shares = torch.rand(M, generator=rng) / max(1, M)
    return hidden.requires_grad_(), weight.requires_grad_(), torch.randint(V, (M,), generator=rng), shares


def plain(hidden, weight, targets):
    return F.cross_entropy(hidden @ weight.T, targets, reduction="none")


@pytest.mark.parametrize("M", LENGTHS)
def test_loss_and_gradients_are_those_over_all_logits_whatever_the_chunks(M):
    hidden, weight, targets, shares = case(M)
    ours, theirs = (
        ChunkedLinearCrossEntropy.apply(hidden, weight, targets, shares, FP32),
        plain(hidden, weight, targets) @ shares,
    )
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)
    gradients = [torch.autograd.grad(2.5 * loss, (hidden, weight)) for loss in (ours, theirs)]
    torch.testing.assert_close(*gradients, atol=1e-5, rtol=0)


@pytest.mark.parametrize("M", LENGTHS)
def test_the_losses_alone_are_the_same(M):
    hidden, weight, targets, _ = case(M)
    torch.testing.assert_close(chunked_losses(hidden, weight, targets, FP32), plain(hidden, weight, targets).detach())


def test_in_bf16_they_are_near():
    hidden, weight, targets, shares = case(2 * CHUNK_ROWS + 3)
    rough, exact = (
        ChunkedLinearCrossEntropy.apply(hidden, weight, targets, shares, dtype) for dtype in (torch.bfloat16, FP32)
    )
    torch.testing.assert_close(rough, exact, rtol=0.01, atol=0)
    ours, theirs = (torch.autograd.grad(loss, (hidden, weight)) for loss in (rough, exact))
    for one, other in zip(ours, theirs, strict=True):
        assert one.dtype == FP32
        assert F.cosine_similarity(one.flatten(), other.flatten(), dim=0) > 0.999


def test_an_all_but_impossible_target_has_a_finite_loss():
    hidden, targets = torch.tensor([[0.0, 200.0]], requires_grad=True), torch.tensor([0])
    loss = ChunkedLinearCrossEntropy.apply(hidden, torch.eye(2), targets, torch.ones(1), FP32)
    assert loss.item() == pytest.approx(200)
    assert torch.autograd.grad(loss, hidden)[0].tolist() == [[-1.0, 1.0]]


def test_an_all_but_certain_target_keeps_its_gradient_in_bf16():
    hidden, targets = torch.tensor([[6.0, 0.0]], requires_grad=True), torch.tensor([0])
    loss = ChunkedLinearCrossEntropy.apply(hidden, torch.eye(2), targets, torch.ones(1), torch.bfloat16)
    (gradient,) = torch.autograd.grad(loss, hidden)
    assert gradient[0].tolist() == pytest.approx([-0.00247, 0.00247], rel=0.01)  # beside 1.0 bf16 has steps of 0.004


def test_the_gradients_are_given_away_once():
    loss = ChunkedLinearCrossEntropy.apply(*case(3), FP32)
    loss.backward(retain_graph=True)
    with pytest.raises(RuntimeError, match="went away with its first backward pass"):
        loss.backward()


def test_the_tied_weight_has_the_gradients_of_both_its_uses():
    _, weight, targets, shares = case(6)
    ids = torch.tensor([3, 1, 3, 3, 0, 1])
    embedded, head = TiedEmbedding.apply(ids, weight)
    ours = ChunkedLinearCrossEntropy.apply(embedded.tanh(), head, targets, shares, FP32)
    theirs = plain(F.embedding(ids, weight).tanh(), weight, targets) @ shares
    gradients = [torch.autograd.grad(loss, weight) for loss in (ours, theirs)]
    torch.testing.assert_close(*gradients, atol=1e-5, rtol=0)


def test_an_embedding_whose_head_is_not_used_has_its_own_gradient():
    _, weight, _, _ = case(1)
    (gradient,) = torch.autograd.grad(TiedEmbedding.apply(torch.tensor([2, 2]), weight)[0].sum(), weight)
    assert gradient.sum(dim=1).tolist() == [0.0, 0.0, 2.0 * C, *[0.0] * (V - 3)]


class Made(TorchDispatchMode):
    """Collects the shapes of what is newly made by operations."""

    def __init__(self):
        super().__init__()
        self.shapes = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        known = [*args, *(kwargs or {}).values()]
        held = {tensor.untyped_storage().data_ptr() for tensor in known if isinstance(tensor, torch.Tensor)}
        for tensor in result if isinstance(result, (list, tuple)) else [result]:
            if isinstance(tensor, torch.Tensor) and tensor.untyped_storage().data_ptr() not in held:
                self.shapes.append(tuple(tensor.shape))
        return result


def made_in_a_step(model):
    """Shapes with the vocabulary in them, of what one forward and backward pass makes."""
    batch = collate([encoded(*range(i, i + 60)) for i in range(0, 600, 60)], trained=EVERYTHING)
    with Made() as made:
        batch_loss(model, batch).backward()
    size = model.config.vocab_size
    return [shape for shape in made.shapes if max(shape, default=0) >= size]


def test_a_step_makes_one_gradient_of_the_tied_weight_and_never_the_logits_of_all_targets():
    model = tiny_model()
    shapes = made_in_a_step(model)
    assert shapes.count((model.config.vocab_size, model.config.n_embd)) == 1
    assert max(min(shape) for shape in shapes) == CHUNK_ROWS < 600


def test_a_frozen_head_has_no_gradient_made():
    model = tiny_model()
    model.wte.requires_grad_(False)
    shapes = made_in_a_step(model)
    assert [shape for shape in shapes if shape[0] == model.config.vocab_size] == []
    assert model.wte.weight.grad is None
