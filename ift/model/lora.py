"""LoRA: the weights stand still, and what is trained is a thin product beside some of them.

    y = W x + b  becomes  y = W x + b + lora_alpha / r · B A x        A (r, in), B (out, r)

B begins as zeros, so that training begins with the model as it was. Source: Hu et al. 2021, sections 4.1 and 4.2.
"""

import math
from collections.abc import Collection

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ift.model.gpt2 import GPT2


class LoraLinear(nn.Module):
    """A Linear whose weight and bias stay as they are, with a trained product beside it.

    dropout: the chance of each of the product's inputs to be dropped in training mode.
    """

    def __init__(self, linear: nn.Linear, *, r: int, scale: float, dropout: float, rng: torch.Generator) -> None:
        super().__init__()
        self.weight, self.bias, self.scale = linear.weight, linear.bias, scale
        out_features, in_features = linear.weight.shape
        bound = 1 / math.sqrt(in_features)  # as PEFT draws it
        drawn = torch.empty(r, in_features).uniform_(-bound, bound, generator=rng)
        self.lora_A = nn.Parameter(drawn.to(linear.weight.device))
        self.lora_B = nn.Parameter(linear.weight.new_zeros(out_features, r))
        self.lora_dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(…, in) → (…, out)."""
        beside = F.linear(F.linear(self.lora_dropout(x), self.lora_A), self.lora_B)
        return F.linear(x, self.weight, self.bias) + self.scale * beside

    def merged(self) -> Tensor:
        """(out, in): the one weight that does the same."""
        return self.weight + self.scale * self.lora_B @ self.lora_A


def add_lora(
    model: GPT2, *, r: int, lora_alpha: float, layers: Collection[str], seed: int, lora_dropout: float = 0.0
) -> None:
    """Freeze a model and put a product of rank `r` beside these layers of each block (names of `Block`)."""
    rng = torch.Generator().manual_seed(seed)
    model.requires_grad_(False)
    for block in model.h:
        for name in sorted(layers):
            beside = LoraLinear(getattr(block, name), r=r, scale=lora_alpha / r, dropout=lora_dropout, rng=rng)
            setattr(block, name, beside)


@torch.no_grad()
def merged_weight(model: GPT2, name: str) -> Tensor:
    """A tensor of the plain model that computes the same, by its name there; shared where nothing stands beside it."""
    layer_name, _, part = name.rpartition(".")
    layer = model.get_submodule(layer_name)
    return layer.merged() if isinstance(layer, LoraLinear) and part == "weight" else getattr(layer, part)
