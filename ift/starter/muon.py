"""Muon in fp32. torch's own computes in bf16, which is 25 times slower where a processor has to imitate it."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
_STEPS = 5
MOMENTUM = 0.95


class Muon(torch.optim.Optimizer):
    """Momentum, made orthogonal: every direction of a weight matrix learns equally fast.

    The step is scaled to AdamW's usual size, so that both share a learning rate. Sources: Jordan et al. 2024
    (the method), Liu et al. 2025, "Muon is scalable for LLM training", section 2.2 (the scale 0.2 √max(m, n)).
    """

    def __init__(self, parameters: Iterable[nn.Parameter], *, lr: float, weight_decay: float) -> None:
        super().__init__(parameters, {"lr": lr, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self) -> None:
        """Change the weights by their gradients."""
        for group in self.param_groups:
            for weight in group["params"]:
                memory = self.state[weight]
                if not memory:
                    memory["momentum"] = torch.zeros_like(weight)
                momentum = memory["momentum"].lerp_(weight.grad, 1 - MOMENTUM)
                update = orthogonal(weight.grad.lerp(momentum, MOMENTUM))
                weight.mul_(1 - group["lr"] * group["weight_decay"])
                weight.add_(update, alpha=-group["lr"] * 0.2 * max(weight.shape) ** 0.5)


def orthogonal(matrix: Tensor) -> Tensor:
    """(m, n) → (m, n): about the same singular vectors, all singular values about 1."""
    a, b, c = _COEFFICIENTS
    is_tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.t() if is_tall else matrix
    x = x / (x.norm() + 1e-7)
    for _ in range(_STEPS):
        gram = x @ x.t()
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.t() if is_tall else x
