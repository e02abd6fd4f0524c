"""Dropout that follows from seed, step and rank alone: a run that resumes from any step draws the same masks again."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn

from ift.model.gpt2 import GPT2


def set_dropout(model: GPT2, *, resid_pdrop: float, embd_pdrop: float, attn_pdrop: float) -> None:
    """The chance of a number to be dropped in training mode, under the names of Hugging Face's GPT-2.

    embd_pdrop: of the sum of both embeddings. attn_pdrop: of attention's weights. resid_pdrop: of what attention
    and MLP add to the stream.
    """
    model.embd_dropout.p = embd_pdrop
    for block in model.h:
        block.attn_dropout.p, block.resid_dropout.p = attn_pdrop, resid_pdrop


def drops(model: nn.Module) -> bool:
    """Whether anything is dropped now, so that equal rows come to different results."""
    parts = (part for part in model.modules() if isinstance(part, nn.Dropout))
    return model.training and any(part.p > 0 for part in parts)


@contextmanager
def drawn_from(*numbers: int, device: torch.device) -> Iterator[None]:
    """In here torch's own random numbers follow from these; outside they continue as if nothing had been."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(int(np.random.SeedSequence(numbers).generate_state(1)[0]))
        yield
