"""Answers on a CUDA device: a step of all rows is one graph launch, whatever rows have ended.

Launching a step's kernels from Python takes ten times as long as a GPU works for them. A graph's shapes are fixed, so
steps go over a window of a few sizes: rows that have ended stay in it until the next smaller size holds all others,
and columns come in steps of `COLUMN_STEP`.
"""

import weakref
from collections.abc import Collection, Sequence

import torch
from torch import Tensor

from ift.model.cuda.graphs import Capture, Graphs
from ift.model.cuda.static_cache import StaticCache, Window
from ift.model.gpt2 import GPT2
from ift.model.kv_cache import row_bytes

ROW_SIZES = (1, 4, 16, 64, 128, 256, 512)
"""Rows of a window: few sizes where a step costs the reading of the weights, more where it costs by the row."""
COLUMN_STEP = 128
MOST_WINDOWS = 32
"""Whose graphs are kept at once: their results and what they compute with take the same memory."""
KEPT_BYTES = 256 * 2**20
"""A cache up to this size is kept with its graphs for the next prompts of the same model."""


class GraphDecoder:
    """Steps rows that all have a place in one cache; see `ift.model.cuda.decoder.Decoder`, which does the same plainly.

    Args:
        model: in evaluation mode, on one device; its weights keep their place in memory (`is_for` tells).
        rows: of prompts at once, at most.
        size: tokens of a row, prompt and answer, at most.
        capture: how steps are recorded.
    """

    def __init__(self, model: GPT2, *, rows: int, size: int, capture: Capture) -> None:
        if is_kept := row_bytes(model.config, model.config.n_positions) * _row_size(rows) <= KEPT_BYTES:
            rows, size = _row_size(rows), model.config.n_positions
        self.is_kept = is_kept
        self.cache = StaticCache(model.config, rows=rows, size=size, like=model.wte.weight)
        self._model = weakref.ref(model)  # a decoder may be kept as long as its model, and no longer
        self._places = _places(model)
        self._ids = torch.zeros(rows, dtype=torch.long, device=model.device)
        self._graphs: Graphs[Window, Window, Tensor] = Graphs(self._work, capture, most=MOST_WINDOWS)
        self._slots: list[int] = []
        self._lengths: list[int] = []
        self._rows = 0

    def is_for(self, model: GPT2, *, rows: int, size: int) -> bool:
        """Whether it can decode so many rows of this model: the weights are where they were, and there is room."""
        return rows <= self.cache.rows and size <= self.cache.size and _places(model) == self._places

    def begin(self, lengths: Sequence[int]) -> None:
        """Prompts of these lengths take the first places of the cache; the model reads them into it then."""
        self._slots, self._lengths = list(range(len(lengths))), list(lengths)
        self._rows = self._rows_for(len(lengths))

    def drop(self, gone: Collection[int]) -> list[int]:
        """Take rows out; gives the old number of each that stays, in the new order."""
        order = [row for row in range(len(self._slots)) if row not in gone]
        self._slots, self._lengths = ([old[row] for row in order] for old in (self._slots, self._lengths))
        if order and (rows := self._rows_for(len(order))) < self._rows:
            self.cache.move(self._slots)
            self._slots, self._rows = list(range(len(order))), rows
        return order

    def step(self, tokens: Sequence[int]) -> Tensor:
        """The normalized last layer of one more token of each row, (B, C); good until the next step."""
        ids = [0] * self._rows
        for slot, token in zip(self._slots, tokens, strict=True):
            ids[slot] = token
        self._ids[: self._rows] = torch.tensor(ids)
        self._lengths = [length + 1 for length in self._lengths]
        columns = -(-max(self._lengths) // COLUMN_STEP) * COLUMN_STEP
        window = Window(self._rows, min(columns, self.cache.size))
        self._graphs.buffers(window, lambda: window)
        hidden = self._graphs.run(window)
        return hidden if len(self._slots) == self._rows else hidden[self._slots]

    def _work(self, window: Window) -> Tensor:
        model = self._model()
        if model is None:
            raise RuntimeError("The model of this decoder is gone")
        self.cache.window = window
        return model.step(self._ids[: window.rows], self.cache)

    def _rows_for(self, count: int) -> int:
        return min(_row_size(count), self.cache.rows)


def _row_size(count: int) -> int:
    """The first of the sizes that holds so many rows; as many as there are above them all."""
    return next((size for size in ROW_SIZES if size >= count), count)


def _places(model: GPT2) -> tuple[int, ...]:
    """Where a model's weights are, which a graph remembers."""
    return tuple(weight.data_ptr() for weight in model.parameters())
