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

    @property
    def parameters(self) -> int:
        """Weights of such a model; the head is the token embedding.

        >>> GPT2Config().parameters
        124439808
        """
        C = self.n_embd
        block = 12 * C * C + 13 * C  # qkv, proj, fc and out with their biases, two layer norms
        return (self.vocab_size + self.n_positions) * C + self.n_layer * block + 2 * C
