"""GPT-2, with tied head and a key/value cache. B batch, T tokens, C channels, H heads, D head size, V vocabulary."""

import math
from collections.abc import Callable
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from ift.model.cross_entropy import TiedEmbedding
from ift.model.gpt2_config import GPT2Config
from ift.model.kv_cache import Cache
from ift.model.linear import Embedding, Linear, likeliest, linear


class Block(nn.Module):
    """Attention and MLP, each behind a layer norm and added to the stream."""

    def __init__(self, config: GPT2Config) -> None:
        super().__init__()
        C = config.n_embd
        self.n_head = config.n_head
        self.ln_1 = nn.LayerNorm(C, eps=config.layer_norm_epsilon)
        self.qkv = Linear(C, 3 * C)
        self.proj = Linear(C, C)
        self.ln_2 = nn.LayerNorm(C, eps=config.layer_norm_epsilon)
        self.fc = Linear(C, 4 * C)
        self.out = Linear(4 * C, C)
        self.attn_dropout, self.resid_dropout = nn.Dropout(0.0), nn.Dropout(0.0)  # `ift.model.dropout` sets them

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, C) → (B, T, C)."""
        q, k, v = self._heads(self.qkv(self.ln_1(x)))
        y = self._attend(q, k, v)
        return self._add(x, y.transpose(1, 2).flatten(2))

    def step(self, x: Tensor, cache: Cache, layer: int) -> Tensor:
        """One more token of each row, (B, C) → (B, C); what came before is in the cache."""
        q, k, v = self._heads(self.qkv(self.ln_1(x))[:, None])
        return self._add(x, cache.attend(layer, q, k, v).flatten(1))

    def unpadded(
        self,
        x: Tensor,
        layout: Tensor,
        places: Tensor,
        wanted: Tensor | None = None,
        kept: tuple[Cache, int] | None = None,
    ) -> Tensor:
        """The same for a padding-free batch (`ift.data.unpadded`), (N, C) → (N, C), or (M, C): the wanted cells only.

        `kept`: a cache for keys and values, and this layer's number.
        """
        q, k, v = self._heads(F.embedding(layout, self.qkv(self.ln_1(x))))
        if kept is not None:
            kept[0].fill(kept[1], k, v)
        y = self._attend(q, k, v).transpose(1, 2).flatten(2).flatten(0, 1)  # (B·T, C)
        if wanted is not None:
            x, places = x[wanted], places[wanted]  # nobody looks at the other cells any more
        return self._add(x, F.embedding(places, y))

    def _heads(self, qkv: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(B, T, 3C) → (B, H, T, D) three times."""
        B, T, C3 = qkv.shape
        q, k, v = qkv.view(B, T, 3, self.n_head, C3 // 3 // self.n_head).permute(2, 0, 3, 1, 4).unbind()
        return q, k, v

    def _attend(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Causal attention, (B, H, T, D) three times → (B, H, T, D).

        On a CPU in float32: torch's backward pass in bfloat16 takes three times as long there, for rows below 300.
        """
        if (q.device.type, q.dtype) == ("cpu", torch.bfloat16):
            with torch.autocast("cpu", enabled=False):
                return self._attend(q.float(), k.float(), v.float()).to(q.dtype)
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
        self.wte = Embedding(config.vocab_size, config.n_embd)
        self.wpe = Embedding(config.n_positions, config.n_embd)
        self.embd_dropout = nn.Dropout(0.0)
        self.h = nn.ModuleList(Block(config) for _ in range(config.n_layer))
        self.ln_f = nn.LayerNorm(config.n_embd, eps=config.layer_norm_epsilon)
        self.gradient_checkpointing = False
        """Keep only each block's input for the backward pass, and compute the block again there."""

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.wte.weight.device

    def hidden(self, ids: Tensor) -> Tensor:
        """The normalized last layer, (B, T) ids → (B, T, C)."""
        x = self.embd_dropout(self.wte(ids) + self.wpe(torch.arange(ids.shape[1], device=ids.device)))
        for block in self.h:
            x = self._through(block, x)
        return self.ln_f(x)

    def unpadded_hidden(
        self, inputs: Tensor, positions: Tensor, layout: Tensor, places: Tensor, wanted: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The normalized last layer of a padding-free batch's wanted cells, (M, C), and their head (V, C)."""
        x, head = TiedEmbedding.apply(inputs, self.wte.weight)
        x = self.embd_dropout(x + self.wpe(positions))
        *blocks, last = self.h
        for block in blocks:
            x = self._through(block.unpadded, x, layout, places)
        return self.ln_f(self._through(last.unpadded, x, layout, places, wanted)), head

    def read(
        self, inputs: Tensor, positions: Tensor, layout: Tensor, places: Tensor, wanted: Tensor, cache: Cache
    ) -> Tensor:
        """The same as `unpadded_hidden`, with keys and values kept in a cache that has begun; without gradients."""
        x = self.wte(inputs) + self.wpe(positions)
        last = len(self.h) - 1
        for layer, block in enumerate(self.h):
            x = block.unpadded(x, layout, places, wanted if layer == last else None, (cache, layer))
        return self.ln_f(x)

    def step(self, ids: Tensor, cache: Cache) -> Tensor:
        """The normalized last layer of one more token of each row, (B,) ids → (B, C)."""
        x = self.wte(ids) + self.wpe(cache.next())
        for layer, block in enumerate(self.h):
            x = block.step(x, cache, layer)
        return self.ln_f(x)

    def _through(self, block: Callable[..., Tensor], *tensors: Tensor) -> Tensor:
        if self.gradient_checkpointing and torch.is_grad_enabled():
            return checkpoint(block, *tensors, use_reentrant=False)
        return block(*tensors)

    def logits(self, hidden: Tensor) -> Tensor:
        """(…, C) → (…, V): the head is the token embedding."""
        return linear(hidden, self.wte.weight)

    def likeliest(self, hidden: Tensor) -> Tensor:
        """(B, C) → (B,), the id with the highest logit."""
        return likeliest(hidden, self.wte.weight)

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
