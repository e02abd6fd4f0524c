"""The processes of one run. `torchrun` starts several, each with its rank; alone, a process has all to itself.

Rank 0 reads the data, loads the model, owns the run folder and prints; it tells the others what to train on. No torch:
`ift.training.distributed` has the `World` of several processes, and is imported only where there are several.
"""

import math
import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

T = TypeVar("T")
Row = TypeVar("Row")
Through = Callable[[Callable[[Any], T]], T]
"""Does a piece of work with a model, and with all that must happen around it where processes share the model."""


def place() -> tuple[int, int]:
    """This process's rank and how many there are, as torchrun says; (0, 1) without it."""
    launched = "TORCHELASTIC_RUN_ID" in os.environ  # the other two alone are set by many a job scheduler
    return (int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])) if launched else (0, 1)


def portion(rows: Sequence[Row], batch_size: int, *, rank: int, size: int) -> tuple[list[Sequence[Row]], list[int]]:
    """What one of `size` ranks takes of the rows, in batches, and the weight of each batch: 1, or 0.

    Every row is taken once. All ranks have as many batches, because each has to take part whenever another works
    (FSDP fetches weights in every forward pass): where rows are short, one that counts nothing fills up.
    """
    mine = rows[rank::size]
    batches = [mine[i : i + batch_size] for i in range(0, len(mine), batch_size)]
    idle = math.ceil(math.ceil(len(rows) / size) / batch_size) - len(batches)
    return batches + [rows[:1]] * idle, [1] * len(batches) + [0] * idle


class World:
    """All processes of a run, of which this is the only one; `ift.training.distributed.Ranks` is the other kind.

    What is called here is called by every rank in the same order, as each waits for the others.
    """

    rank, size = 0, 1
    device: "torch.device | None" = None
    """Where this rank computes; None takes the best there is."""

    def share(self, value: T | None) -> T:
        """Rank 0's value; what the others give is not looked at."""
        return cast("T", value)  # this is rank 0

    def sums(self, *values: float) -> list[float]:
        """Each value, summed over the ranks."""
        return list(values)

    def first_reason(self, text: str) -> str:
        """The text of the lowest rank that has one, else an empty one."""
        return text

    def wrap(self, model: "nn.Module", *, fsdp: bool) -> Through[Any]:
        """Give all ranks rank 0's weights, and a way to work with them whose backward passes are put together.

        What is averaged over the ranks are the gradients. `fsdp`: no rank keeps more than its share of the weights;
        the model's own become such shares.
        """
        return lambda work: work(model)

    def accumulating(self, through: Through[Any], *, is_last: bool) -> AbstractContextManager[None]:
        """One of several backward passes of a step: the ranks' gradients need not meet before the last."""
        return nullcontext()

    def distribute(self, tensor: "Tensor | None", like: "Tensor") -> "Tensor":
        """Rank 0's tensor, laid out as a weight of the same shape is; a copy, as its own may be a file's."""
        return cast("Tensor", tensor).clone()  # rank 0 has one, and this is rank 0

    def full_tensor(self, tensor: "Tensor") -> "Tensor":
        """A tensor of which each rank may have a share, on every rank."""
        return tensor

    def gather(self, tensor: "Tensor") -> "Tensor":
        """The same for rank 0 alone, where it is in the main memory; elsewhere it holds nothing."""
        return tensor

    def guarded(self) -> AbstractContextManager[None]:
        """Where the end of another process is told as what it is.

        Raises:
            TrainingError: another process has ended; what it said of it, if anything.
        """
        return nullcontext()

    def leave(self) -> None:
        """Wait until all have come so far, and part."""


ALONE = World()
