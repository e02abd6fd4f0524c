"""GPT-2, with tied head and a key/value cache. B batch, T tokens, C channels, H heads, D head size, V vocabulary."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from ift.head import TiedEmbedding


@dataclass(frozen=True, slots=True)
class GPT2Config:
    """The shape of a model, under the names of Hugging Face's config.json."""

    vocab_size: int = 50257
    n_positions: int = 1024
    n_embd: int = 768
    n_layer: int = 12
    n_head: int = 12
    layer_norm_epsilon: float = 1e-5


class KVCache:
    """The keys and values of what a batch of rows has read so far.

    Rows are left-aligned: `lengths[b]` tokens of row b are valid, whatever lies behind them is overwritten by
    the row's next token. So prompts of unequal length share one batch, and a row can leave it at any time.
    """

    def __init__(self, config: GPT2Config, *, rows: int, size: int, like: Tensor) -> None:
        shape = (rows, config.n_head, size, config.n_embd // config.n_head)
        # (B, H, size, D) each; zeros, because what a row must not look at still goes through the product
        self.keys = [like.new_zeros(shape) for _ in range(config.n_layer)]
        self.values = [like.new_zeros(shape) for _ in range(config.n_layer)]
        self.lengths = torch.zeros(rows, dtype=torch.long, device=like.device)  # (B,)

    def positions(self, T: int) -> Tensor:
        """(B, T): where the next T tokens of each row go."""
        return self.lengths[:, None] + torch.arange(T, device=self.lengths.device)

    def extend(self, layer: int, k: Tensor, v: Tensor, positions: Tensor) -> tuple[Tensor, Tensor]:
        """Store keys and values (B, H, T, D); give all that a row may look at, and some it must not."""
        rows = torch.arange(len(positions), device=positions.device)[:, None]
        self.keys[layer][rows, :, positions] = k.transpose(1, 2)
        self.values[layer][rows, :, positions] = v.transpose(1, 2)
        width = int(positions.max()) + 1
        return self.keys[layer][:, :, :width], self.values[layer][:, :, :width]

    def keep(self, rows: Tensor) -> None:
        """Go on with these rows only."""
        self.keys = [keys[rows] for keys in self.keys]
        self.values = [values[rows] for values in self.values]
        self.lengths = self.lengths[rows]


class Block(nn.Module):
    """Attention and MLP, each behind a layer norm and added to the stream."""

    def __init__(self, config: GPT2Config) -> None:
        super().__init__()
        C = config.n_embd
        self.n_head = config.n_head
        self.ln_1 = nn.LayerNorm(C, eps=config.layer_norm_epsilon)
        self.qkv = nn.Linear(C, 3 * C)
        self.proj = nn.Linear(C, C)
        self.ln_2 = nn.LayerNorm(C, eps=config.layer_norm_epsilon)
        self.fc = nn.Linear(C, 4 * C)
        self.out = nn.Linear(4 * C, C)
        self.attn_dropout, self.resid_dropout = nn.Dropout(0.0), nn.Dropout(0.0)  # `ift.dropout` sets them

    def forward(self, x: Tensor, cached: tuple[KVCache, int, Tensor, Tensor] | None = None) -> Tensor:
        """(B, T, C) → (B, T, C). `cached`: the cache, this layer's number, positions (B, T), mask (B, 1, T, S)."""
        q, k, v = self._heads(self.qkv(self.ln_1(x)))
        if cached is None:
            y = self._attend(q, k, v)
        else:
            cache, layer, positions, mask = cached
            k, v = cache.extend(layer, k, v, positions)
            y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        return self._add(x, y.transpose(1, 2).flatten(2))

    def flat(self, x: Tensor, layout: Tensor, places: Tensor, wanted: Tensor | None = None) -> Tensor:
        """The same for a flat batch (`ift.flat`), (N, C) → (N, C), or (M, C): the wanted cells only."""
        q, k, v = self._heads(F.embedding(layout, self.qkv(self.ln_1(x))))
        y = self._attend(q, k, v).transpose(1, 2).flatten(2).flatten(0, 1)  # (B·T, C)
        if wanted is not None:
            x, places = x[wanted], places[wanted]  # nobody looks at the other cells any more
        return self._add(x, F.embedding(places, y))

    def _heads(self, qkv: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(B, T, 3C) → (B, H, T, D) three times."""
        B, T, C3 = qkv.shape
        return qkv.view(B, T, 3, self.n_head, C3 // 3 // self.n_head).permute(2, 0, 3, 1, 4).unbind()

    def _attend(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Causal attention, (B, H, T, D) three times → (B, H, T, D)."""
        dropout = self.attn_dropout.p if self.training else 0.0
        return F.scaled_dot_product_attention(q, k, v, is_causal=True, dropout_p=dropout)

    def _add(self, x: Tensor, y: Tensor) -> Tensor:
        """What follows attention, cell by cell: (…, C) and attention's (…, C) → (…, C)."""
        x = x + self.resid_dropout(self.proj(y))
        return x + self.resid_dropout(self.out(gelu(self.fc(self.ln_2(x)))))


class GPT2(nn.Module):
    """The language model. `hidden` and `logits` are apart, so that the head runs only where it is needed."""

    def __init__(self, config: GPT2Config) -> None:
        super().__init__()
        self.config = config
        self.wte = nn.Embedding(config.vocab_size, config.n_embd)
        self.wpe = nn.Embedding(config.n_positions, config.n_embd)
        self.embd_dropout = nn.Dropout(0.0)
        self.h = nn.ModuleList(Block(config) for _ in range(config.n_layer))
        self.ln_f = nn.LayerNorm(config.n_embd, eps=config.layer_norm_epsilon)
        self.gradient_checkpointing = False
        """Keep only each block's input for the backward pass, and compute the block again there."""

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.wte.weight.device

    def hidden(self, ids: Tensor, cache: KVCache | None = None, lengths: Tensor | None = None) -> Tensor:
        """The normalised last layer, (B, T) ids → (B, T, C).

        With a cache, `ids` follow what each row has read; `lengths` (B,) tells how many of the T are real
        where rows are padded on the right, None that all are.
        """
        T = ids.shape[1]
        if cache is None:
            x = self.embd_dropout(self.wte(ids) + self.wpe(torch.arange(T, device=ids.device)))
            for block in self.h:
                x = self._through(block, x)
            return self.ln_f(x)
        positions = cache.positions(T)
        seen = torch.arange(int(positions.max()) + 1, device=ids.device)
        mask = (seen <= positions[:, :, None])[:, None]  # (B, 1, T, S)
        x = self.wte(ids) + self.wpe(positions)
        for layer, block in enumerate(self.h):
            x = block(x, (cache, layer, positions, mask))
        cache.lengths = cache.lengths + (T if lengths is None else lengths)
        return self.ln_f(x)

    def flat_hidden(
        self, inputs: Tensor, positions: Tensor, layout: Tensor, places: Tensor, wanted: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The normalised last layer of the wanted cells of a flat batch (`ift.flat`), (M, C), and their head (V, C)."""
        x, head = TiedEmbedding.apply(inputs, self.wte.weight)
        x = self.embd_dropout(x + self.wpe(positions))
        *blocks, last = self.h
        for block in blocks:
            x = self._through(block.flat, x, layout, places)
        return self.ln_f(self._through(last.flat, x, layout, places, wanted)), head

    def _through(self, block: Callable[..., Tensor], *tensors: Tensor) -> Tensor:
        if self.gradient_checkpointing and torch.is_grad_enabled():
            return checkpoint(block, *tensors, use_reentrant=False)
        return block(*tensors)

    def logits(self, hidden: Tensor) -> Tensor:
        """(…, C) → (…, V): the head is the token embedding."""
        return F.linear(hidden, self.wte.weight)

    def forward(self, ids: Tensor) -> Tensor:
        """(B, T) → (B, T, V)."""
        return self.logits(self.hidden(ids))


Model = TypeVar("Model", bound=GPT2)


def gelu(x: Tensor) -> Tensor:
    """Tanh GELU, any shape; OpenAI's GPT-2 variant, not torch's exact default.

    Source: Hendrycks & Gimpel 2016, section 2.
    """
    return F.gelu(x, approximate="tanh")


def random_model(config: GPT2Config, *, seed: int) -> GPT2:
    """A model that has learned nothing yet."""
    return initialized(GPT2(config), seed=seed)


def initialized(model: Model, *, seed: int) -> Model:
    """The model with fresh weights: normal with 0.02, residual projections scaled down by depth, biases 0.

    Source: Radford et al. 2019, section 2.3.
    """
    rng = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() == 2:
                residual = name.endswith(("proj.weight", "out.weight"))
                std = 0.02 / math.sqrt(2 * model.config.n_layer) if residual else 0.02
                parameter.normal_(0.0, std, generator=rng)
            elif name.endswith("bias"):
                parameter.zero_()
    return model


def best_device() -> torch.device:
    """CUDA, else Apple's MPS, else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps") if torch.backends.mps.is_available() else torch.device("cpu")
