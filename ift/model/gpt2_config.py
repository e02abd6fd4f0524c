"""The shape of a GPT-2."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GPT2Config:
    """The shape of a model, under the names of Hugging Face's config.json."""

    vocab_size: int = 50257
    n_positions: int = 1024
    n_embd: int = 768
    n_layer: int = 12
    n_head: int = 12
    layer_norm_epsilon: float = 1e-5
