"""The product of few rows, another way round, is torch's own product."""

import pytest
import torch
import torch.nn.functional as F

from ift.model.linear import FEW_ROWS, LARGE, Linear, linear

HEIGHT, WIDTH = 1024, 512


@pytest.fixture(scope="module")
def weight():
    return torch.randn(HEIGHT, WIDTH, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("shape", [(1,), (2,), (FEW_ROWS,), (FEW_ROWS + 1,), (1, 1), (2, 2), (3, 4), (), (0,)])
@pytest.mark.parametrize("has_bias", [True, False])
@torch.inference_mode()
def test_rows_of_any_shape_give_torchs_product(weight, shape, has_bias):
    assert weight.numel() >= LARGE
    x, bias = torch.randn(*shape, WIDTH), torch.randn(HEIGHT) if has_bias else None
    y = linear(x, weight, bias)
    assert y.shape == (*shape, HEIGHT)
    assert torch.allclose(y, F.linear(x, weight, bias), atol=1e-4)


@torch.inference_mode()
def test_a_wide_weight_and_a_small_one_too(weight):
    for other in (weight.t().contiguous(), weight[:8, :4].contiguous()):
        x = torch.randn(2, other.shape[1])
        assert torch.allclose(linear(x, other), F.linear(x, other), atol=1e-4)


def test_gradients_are_torchs():
    layer = Linear(WIDTH, HEIGHT)
    layer(torch.ones(2, WIDTH)).sum().backward()
    assert torch.equal(layer.weight.grad, torch.full((HEIGHT, WIDTH), 2.0))
    assert torch.equal(layer.bias.grad, torch.full((HEIGHT,), 2.0))
