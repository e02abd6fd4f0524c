"""AdamW, by torch's own fused kernels, without `torch.optim.Optimizer`.

That class loads torch's compiler at its first use, a thousand modules that no step here needs: two and a half seconds
of a core and 70 MB in every run. What is computed is the same to the last bit.
"""

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor
from torch.optim.adamw import adamw

MOMENTS = ("exp_avg", "exp_avg_sq")
"""What AdamW remembers of each weight; its own count of steps is the trainer's."""


class AdamW:
    """`torch.optim.AdamW` with `fused=True`, for weights that share one learning rate.

    Args:
        weights: what is trained, in place.
        lr: learning rate; a tensor where a CUDA graph is to read it anew.
        weight_decay: of every weight.
        betas: decay of the two moments.
        eps: added to the root of the second.

    Source: Loshchilov & Hutter 2019, algorithm 2.
    """

    def __init__(
        self,
        weights: Iterable[Tensor],
        *,
        lr: float | Tensor,
        weight_decay: float,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
    ) -> None:
        self.weights = list(weights)
        self.lr, self.weight_decay, self.betas, self.eps = lr, weight_decay, betas, eps
        self.state: dict[Tensor, dict[str, Tensor]] = {}
        """Of each weight that has had a gradient: `step`, () float32, and the moments, of its shape."""

    def zero_grad(self) -> None:
        """Let go of all gradients."""
        for weight in self.weights:
            weight.grad = None

    @torch.no_grad()
    def step(self, *, grad_scale: Tensor | None = None, found_inf: Tensor | None = None) -> None:
        """Change the weights that have a gradient.

        Args:
            grad_scale: () float32, gradients are divided by it.
            found_inf: () float32, where it is 1 nothing changes.
        """
        weights = [weight for weight in self.weights if weight.grad is not None]
        for weight in weights:
            if weight not in self.state:
                self._remember(weight, 0, {moment: torch.zeros_like(weight) for moment in MOMENTS})
        first, second, steps = ([self.state[weight][name] for weight in weights] for name in (*MOMENTS, "step"))
        adamw(
            weights,
            [weight.grad for weight in weights if weight.grad is not None],
            first,
            second,
            [],
            steps,
            fused=True,
            grad_scale=grad_scale,
            found_inf=found_inf,
            amsgrad=False,
            beta1=self.betas[0],
            beta2=self.betas[1],
            lr=self.lr,
            weight_decay=self.weight_decay,
            eps=self.eps,
            maximize=False,
        )

    def restore(self, step: int, moments: Iterable[Mapping[str, Tensor]]) -> None:
        """Go on as after so many steps, with the moments of each weight in their order; they are taken over."""
        for weight, kept in zip(self.weights, moments, strict=True):
            self._remember(weight, step, kept)

    def _remember(self, weight: Tensor, step: int, moments: Mapping[str, Tensor]) -> None:
        count = torch.tensor(float(step), device=weight.device)
        self.state[weight] = {"step": count, **{name: moment.to(weight.device) for name, moment in moments.items()}}
