"""AdamW without torch's optimizer class: the same numbers to the last bit, and no compiler."""

import subprocess
import sys

import pytest
import torch

from ift.training.adamw import AdamW


def weights():
    rng = torch.Generator().manual_seed(1)
    return [torch.randn(*shape, generator=rng).requires_grad_() for shape in ((5, 7), (3,), (4, 2))]


def give_gradients(params, step):
    rng = torch.Generator().manual_seed(step)
    for i, weight in enumerate(params):
        weight.grad = None if (i, step) == (2, 0) else torch.randn(weight.shape, generator=rng)


@pytest.mark.parametrize("as_tensor", [False, True])
def test_steps_are_torchs_to_the_last_bit(as_tensor):
    ours, theirs = weights(), weights()
    options = {"lr": torch.tensor(0.01) if as_tensor else 0.01, "weight_decay": 0.1}
    mine, torchs = AdamW(ours, **options), torch.optim.AdamW(theirs, **options, fused=True)
    for step in range(4):
        for optimizer, params in ((mine, ours), (torchs, theirs)):
            give_gradients(params, step)
            optimizer.step()
        assert all(torch.equal(one, other) for one, other in zip(ours, theirs, strict=True))
    mine.zero_grad()
    assert all(weight.grad is None for weight in ours)
    for one, other in zip(ours, theirs, strict=True):
        assert all(torch.equal(mine.state[one][name], value) for name, value in torchs.state[other].items())


def test_restored_it_goes_on_as_it_would_have():
    ours, theirs = weights(), weights()
    whole = AdamW(ours, lr=0.01, weight_decay=0.1)
    for step in range(1, 4):
        give_gradients(ours, step)
        whole.step()
    resumed = AdamW(theirs, lr=0.01, weight_decay=0.1)
    for copy, weight in zip(theirs, ours, strict=True):
        copy.data.copy_(weight)
    moments = [{name: whole.state[weight][name].clone() for name in ("exp_avg", "exp_avg_sq")} for weight in ours]
    resumed.restore(3, moments)
    for optimizer, params in ((whole, ours), (resumed, theirs)):
        give_gradients(params, 4)
        optimizer.step()
    assert all(torch.equal(one, other) for one, other in zip(ours, theirs, strict=True))


def test_what_is_not_finite_changes_nothing_and_a_scale_divides():
    ours, theirs = weights(), weights()
    skipped, scaled = AdamW(ours, lr=0.01, weight_decay=0.1), AdamW(theirs, lr=0.01, weight_decay=0.0)
    give_gradients(ours, 1)
    skipped.step(found_inf=torch.ones(()))
    assert all(torch.equal(one, other) for one, other in zip(ours, weights(), strict=True))
    give_gradients(theirs, 1)
    expected = [0.1 * weight.grad / 4 for weight in theirs]
    scaled.step(grad_scale=torch.tensor(4.0))
    for weight, moment in zip(theirs, expected, strict=True):
        torch.testing.assert_close(scaled.state[weight]["exp_avg"], moment)


def test_a_step_loads_no_compiler():
    program = (
        "import sys, torch; from ift.training.adamw import AdamW; w = torch.zeros(3).requires_grad_(); w.grad = w.data;"
        "AdamW([w], lr=0.1, weight_decay=0.0).step(); print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert {"torch._dynamo", "sympy"}.isdisjoint(done.stdout.split())
