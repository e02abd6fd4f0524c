"""CUDA graphs of work that comes again: one for each size, so many at most, in one pool of memory."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, Protocol, TypeVar

import torch

MOST_GRAPHS = 8
"""Kept at once; the one that was not used for longest goes first."""

T = TypeVar("T")
Key = TypeVar("Key", bound=Hashable)
Buffers = TypeVar("Buffers")
Result = TypeVar("Result")


class Capture(Protocol):
    """How work is recorded: `CudaCapture`, or a stand-in where there is no such device."""

    def run(self, work: Callable[[], T]) -> T:
        """Do the work now."""
        ...

    def record(self, work: Callable[[], T]) -> Callable[[], T]:
        """Record the work without doing it; what comes back does it, and gives the same tensors each time.

        Raises:
            RuntimeError: it can't be recorded.
        """
        ...


class CudaCapture:
    """Records on a stream of its own; what all its graphs need while they run is one pool of memory.

    A graph's results are only good until the next one runs.
    """

    def __init__(self, device: torch.device, *, error_mode: str = "global") -> None:
        self.device, self.error_mode = device, error_mode
        self._stream = torch.cuda.Stream(device)
        self._pool = torch.cuda.graph_pool_handle()

    def run(self, work: Callable[[], T]) -> T:
        """Do the work now, on the stream that records: autograd remembers the stream a weight was first used on."""
        current = torch.cuda.current_stream(self.device)
        self._stream.wait_stream(current)
        with torch.cuda.stream(self._stream):
            result = work()
        current.wait_stream(self._stream)
        return result

    def record(self, work: Callable[[], T]) -> Callable[[], T]:
        """See `Capture`."""
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=self._pool, stream=self._stream, capture_error_mode=self.error_mode):
            result = work()

        def replay() -> T:
            graph.replay()
            return result

        return replay


class _Entry(Generic[Buffers, Result]):
    def __init__(self, buffers: Buffers) -> None:
        self.buffers = buffers
        self.has_run = False
        self.replay: Callable[[], Result] | None = None


class Graphs(Generic[Key, Buffers, Result]):
    """Does the same work for several keys: the first time plainly, the second time it records it, then it replays.

    So what comes once is never recorded, and whatever the device loads or sets up at first use is there before.

    Args:
        work: reads its inputs from a key's buffers, which keep their place in memory.
        capture: how it is recorded; None never does.
        most: graphs kept at once.
    """

    def __init__(self, work: Callable[[Buffers], Result], capture: Capture | None, *, most: int = MOST_GRAPHS) -> None:
        self._work, self._capture, self._most = work, capture, most
        self._entries: OrderedDict[Key, _Entry[Buffers, Result]] = OrderedDict()
        self.failure: str | None = None
        """Why nothing is recorded any more."""

    def __len__(self) -> int:
        """How many graphs there are."""
        return sum(entry.replay is not None for entry in self._entries.values())

    def buffers(self, key: Key, make: Callable[[], Buffers]) -> Buffers:
        """A key's inputs, made at first need, to be written before it runs."""
        if key not in self._entries:
            while len(self._entries) >= self._most:
                self._entries.popitem(last=False)
            self._entries[key] = _Entry(make())
        self._entries.move_to_end(key)
        return self._entries[key].buffers

    def run(self, key: Key) -> Result:
        """The work's result for the key's buffers as they are now."""
        entry = self._entries[key]
        if entry.replay is None and entry.has_run and self._capture and not self.failure:
            entry.replay = self._record(self._capture, entry.buffers)
        entry.has_run = True
        if entry.replay:
            return entry.replay()
        return self._capture.run(lambda: self._work(entry.buffers)) if self._capture else self._work(entry.buffers)

    def _record(self, capture: Capture, buffers: Buffers) -> Callable[[], Result] | None:
        try:
            return capture.record(lambda: self._work(buffers))
        except RuntimeError as error:  # also torch's own out of memory
            self.give_up(str(error).partition("\n")[0])
            return None

    def give_up(self, why: str) -> None:
        """Record nothing more, and let go of what was recorded and its memory."""
        self.failure = why
        for entry in self._entries.values():
            entry.replay = None
