"""A GPT-2 over the ids that a text uses: the full softmax, at a quarter of its price.

All ids outside the text share one row, whose logit is raised by log(how many there are): the probabilities are
those of a 50,257-row model in which all these rows are the same. B batch, T tokens, C channels, V rows here.
"""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ift.model.gpt2 import GPT2
from ift.model.gpt2_config import GPT2Config
from ift.types import EOS_ID

VOCAB_SIZE = EOS_ID + 1


class CompactGPT2(GPT2):
    """Rows 0 … V-2 are `ids`, the last one is all others."""

    def __init__(self, config: GPT2Config, ids: Tensor) -> None:
        super().__init__(config)
        self.register_buffer("ids", ids, persistent=False)  # (V - 1,)
        bias = torch.zeros(config.vocab_size)
        bias[-1] = math.log(VOCAB_SIZE - len(ids))
        self.register_buffer("bias", bias, persistent=False)

    @property
    def unknown(self) -> int:
        """The row of all ids that are not among `ids`."""
        return self.config.vocab_size - 1

    def logits(self, hidden: Tensor) -> Tensor:
        """(…, C) → (…, V)."""
        return F.linear(hidden, self.wte.weight, self.bias)

    def sampled_loss(self, hidden: Tensor, targets: Tensor, *, negatives: int, rng: torch.Generator) -> Tensor:
        """The mean loss of (n, C) against (n,) with the softmax's sum estimated from some of its terms.

        The terms of all targets of the batch are there, that of the shared row, which may outweigh all others, and
        `negatives` of the rest, drawn evenly and weighted by what they stand for. Source: Jean et al. 2015, "On
        using very large target vocabulary", section 3.
        """
        present, places = F.pad(targets, (0, 1), value=self.unknown).unique(return_inverse=True)
        others = torch.ones(self.config.vocab_size, dtype=torch.bool, device=targets.device)
        others[present] = False
        others = others.nonzero()[:, 0]
        drawn = torch.randint(len(others), (negatives,), generator=rng).to(targets.device)
        rows = torch.cat([present, others[drawn]])
        weight = math.log(len(others) / negatives)
        bias = self.bias[rows] + weight * (torch.arange(len(rows), device=rows.device) >= len(present))
        return F.cross_entropy(F.linear(hidden, self.wte.weight[rows], bias).float(), places[:-1])

    def full_size(self) -> GPT2:
        """The same model with a row for each of GPT-2's ids."""
        config = GPT2Config(
            VOCAB_SIZE, self.config.n_positions, self.config.n_embd, self.config.n_layer, self.config.n_head
        )
        state = self.state_dict()
        rows = state["wte.weight"]  # (V, C)
        full = rows[-1].expand(VOCAB_SIZE, -1).clone()
        full[self.ids] = rows[:-1]
        model = GPT2(config)
        model.load_state_dict({**state, "wte.weight": full})
        return model


def row_of_id(ids: np.ndarray) -> np.ndarray:
    """(50257,): the row of each of GPT-2's ids in a compact model of `ids` (V-1,)."""
    rows = np.full(VOCAB_SIZE, len(ids), dtype=np.int64)
    rows[ids] = np.arange(len(ids))
    return rows
