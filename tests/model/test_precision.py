"""bf16 only where it was asked for or helps."""

import pytest
import torch

from ift.data.batching import collate
from ift.model.loss import losses
from ift.model.precision import autocast, has_bf16
from tests.helpers import EVERYTHING, encoded, tiny_model

CPU = torch.device("cpu")


@pytest.mark.parametrize("bf16", [True, False])
def test_the_products_precision_is_the_one_asked_for(bf16):
    a = torch.ones(2, 2)
    with autocast(CPU, bf16=bf16):
        assert (a @ a).dtype == (torch.bfloat16 if bf16 else torch.float32)


def test_unless_asked_the_processor_decides():
    a = torch.ones(2, 2)
    with autocast(CPU, bf16=None):
        assert ((a @ a).dtype == torch.bfloat16) == has_bf16(CPU)


def test_losses_in_bf16_are_fp32_values_near_the_exact_ones():
    batch = collate([encoded(1, 2, 3), encoded(4, 5)], trained=EVERYTHING)
    model = tiny_model()
    exact, rough = (losses(model, batch, bf16=bf16)[0] for bf16 in (False, True))
    assert rough.dtype == torch.float32
    torch.testing.assert_close(rough, exact, rtol=0.05, atol=0.05)
    assert not torch.equal(rough, exact)
