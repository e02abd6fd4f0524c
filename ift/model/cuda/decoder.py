"""How rows are stepped while they are answered: one kernel after the other, or as CUDA graphs."""

import weakref
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol, TypeAlias

import torch
from torch import Tensor

from ift.model.cuda.graph_decoder import GraphDecoder
from ift.model.cuda.graphs import Capture, CudaCapture
from ift.model.gpt2 import GPT2
from ift.model.kv_cache import Cache, KVCache

CaptureFor: TypeAlias = Callable[[GPT2], Capture | None]


class Decoder(Protocol):
    """Rows of prompts that the model has read into `cache`, and then one more token of each row at a time."""

    @property
    def cache(self) -> Cache:
        """What the model reads the prompts into, once `begin` was called."""
        ...

    def begin(self, lengths: Sequence[int]) -> None:
        """Prompts of these lengths are read next."""
        ...

    def drop(self, gone: Collection[int]) -> list[int]:
        """Take rows out; gives the old number of each that stays, in the new order."""
        ...

    def step(self, tokens: Sequence[int]) -> Tensor:
        """The normalized last layer of one more token of each row, (B, C); good until the next step."""
        ...


class PlainDecoder:
    """Each step launches its kernels; on a CPU there is nothing to gain otherwise."""

    def __init__(self, model: GPT2, *, rows: int, size: int) -> None:
        self._model = model
        self.cache = KVCache(model.config, rows=rows, size=size, like=model.wte.weight)

    def begin(self, lengths: Sequence[int]) -> None:
        """See `Decoder`."""

    def drop(self, gone: Collection[int]) -> list[int]:
        """See `Decoder`."""
        return self.cache.drop(gone)

    def step(self, tokens: Sequence[int]) -> Tensor:
        """See `Decoder`."""
        return self._model.step(torch.tensor(tokens, device=self._model.device), self.cache)


_kept: weakref.WeakKeyDictionary[GPT2, GraphDecoder] = weakref.WeakKeyDictionary()
"""The last decoder of each model, while nobody uses it."""


def cuda_capture(model: GPT2) -> Capture | None:
    """How a model's decoding steps are recorded, or None where they are not.

    With several processes the weights may be shared out among them, and training mode has dropout. Only the thread that
    records is kept from what a recording forbids: on the page, another one may be answering.
    """
    several = torch.distributed.is_available() and torch.distributed.is_initialized()
    if model.device.type != "cuda" or model.training or several:
        return None
    return CudaCapture(model.device, error_mode="thread_local")


def plainly(model: GPT2) -> None:
    """Records nothing, as a value for `capture`."""


@contextmanager
def decoder_for(model: GPT2, *, rows: int, size: int, capture: CaptureFor = cuda_capture) -> Iterator[Decoder]:
    """A decoder for so many rows of up to `size` tokens; the one before with its graphs, where it fits."""
    recording = capture(model)
    if recording is None:
        yield PlainDecoder(model, rows=rows, size=size)
        return
    kept = _kept.pop(model, None)  # so that nobody else takes it meanwhile
    fits = kept and kept.is_for(model, rows=rows, size=size)
    decoder = kept if kept and fits else GraphDecoder(model, rows=rows, size=size, capture=recording)
    yield decoder
    if decoder.is_kept:
        _kept[model] = decoder
