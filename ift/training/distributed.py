"""The processes of one run, as PyTorch joins them: DistributedDataParallel, or FSDP2 where a model does not fit.

gloo carries what is on the CPU, nccl what is on CUDA devices.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.checkpoint.state_dict import StateDictOptions, set_model_state_dict
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard, register_fsdp_forward_method
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.nn.parallel import DistributedDataParallel

from ift.errors import ConfigError, TrainingError
from ift.events import Failed, from_json, to_json
from ift.model.gpt2 import GPT2
from ift.runs.lifecycle import failure
from ift.runs.ranks import World

T = TypeVar("T")
WAIT_LIMIT = timedelta(minutes=30)
"""For a rank that lives and does not answer: rank 0 may have a model to download. Hugging Face's `ddp_timeout`, too."""
_FAILED = "failed"


class Work(nn.Module):
    """DDP and FSDP do their part around a module's forward pass: here that is whatever is to be done with the model."""

    def __init__(self, model: GPT2) -> None:
        super().__init__()
        self.model = model

    def forward(self, work: Callable[[GPT2], T]) -> T:
        """What the work gives."""
        return work(self.model)


class Ranks(World):
    """Several processes, of which this is one (see `World`)."""

    def __init__(self, store: dist.Store, rank: int, size: int, device: torch.device) -> None:
        self.rank, self.size, self.device = rank, size, device
        self._store = store

    def share(self, value: T | None) -> T:
        """Rank 0's, pickled: all processes are one user's and one program's."""
        values = [value]
        dist.broadcast_object_list(values, src=0)
        return values[0]

    def sums(self, *values: float) -> list[float]:
        """Of float64, exact for counts; on the CPU, so that no device is waited for."""
        tensor = torch.tensor(values, dtype=torch.float64)
        dist.all_reduce(tensor)
        return tensor.tolist()

    def first_reason(self, text: str) -> str:
        """Asked at each step, nearly always for nothing: the texts travel only where there is one."""
        if not self.sums(bool(text))[0]:
            return ""
        texts = [""] * self.size
        dist.all_gather_object(texts, text)
        return next(filter(None, texts))

    def wrap(self, model: GPT2, *, fsdp: bool) -> Work:
        """See `World`."""
        if fsdp:
            return self._sharded(model)
        if self.rank > 0:
            model.to_empty(device=self.device)  # DDP sends rank 0's weights
        return DistributedDataParallel(Work(model), gradient_as_bucket_view=True)  # its views save a copy

    def _sharded(self, model: GPT2) -> Work:
        """Rank 0's model lies in the main memory; of the weights no other is ever whole on a device."""
        weights = model.state_dict() if self.rank == 0 else {}
        model.to("meta")
        mesh = init_device_mesh(self.device.type, (self.size,))
        for block in model.h:
            fully_shard(block, mesh=mesh)
            for method in ("unpadded", "step"):
                register_fsdp_forward_method(block, method)
        work = Work(model)
        fully_shard(work, mesh=mesh, reshard_after_forward=True)  # else an evaluation would leave weights whole
        work.to_empty(device=self.device)
        options = StateDictOptions(full_state_dict=True, broadcast_from_rank0=True)
        set_model_state_dict(model, weights, options=options)
        with torch.no_grad():  # FSDP makes its buffers at first use: in inference mode no gradient could use them
            work(lambda model: model(torch.zeros(1, 1, dtype=torch.long, device=self.device)))
        return work

    def accumulating(self, through: Work, *, is_last: bool) -> AbstractContextManager:
        """FSDP puts gradients together each time: whole ones would not fit either."""
        waits = isinstance(through, DistributedDataParallel) and not is_last
        return through.no_sync() if waits else nullcontext()

    @torch.no_grad()
    def distribute(self, tensor: Tensor | None, like: Tensor) -> Tensor:
        """See `World`."""
        if self.rank == 0:
            tensor = tensor.to(self.device)
        else:
            tensor = torch.empty(like.shape, dtype=like.dtype, device=self.device)
        if isinstance(like, DTensor):
            return distribute_tensor(tensor, like.device_mesh, like.placements)
        dist.broadcast(tensor, src=0)
        return tensor

    def full_tensor(self, tensor: Tensor) -> Tensor:
        """See `World`."""
        return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor

    def gather(self, tensor: Tensor) -> Tensor:
        """See `World`."""
        full = self.full_tensor(tensor)
        return full.cpu() if self.rank == 0 else full.new_empty(0)

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """See `World`."""
        try:
            yield
        except RuntimeError as error:
            if not _is_parting(error):
                raise
            raise self._parted() from error

    def _parted(self) -> TrainingError:
        try:
            said = from_json(self._store.get(_FAILED)) if self._store.check([_FAILED]) else None
        except RuntimeError:
            said = None  # the store has gone with the process that kept it
        if isinstance(said, Failed):
            return TrainingError(said.what, where=said.where, fix=said.fix)
        fix = "What it printed may tell why. Go on from the last checkpoint with --resume."
        return TrainingError("Another process of the run was killed or can't be reached", where="torchrun", fix=fix)

    @contextmanager
    def telling_failure(self) -> Iterator[None]:
        """Leave a word for rank 0, which has the log, of why this process ends."""
        try:
            yield
        except TrainingError:
            raise  # all ranks have it
        except Exception as error:
            self._store.set(_FAILED, to_json(replace(failure(error, step=0, where=""), where=f"rank {self.rank}")))
            raise

    def leave(self) -> None:
        """See `World`."""
        dist.barrier()
        dist.destroy_process_group()


def join() -> Ranks:
    """Meet the other processes that torchrun has started.

    Raises:
        ConfigError: there are more processes on this machine than CUDA devices.
        TrainingError: some process has not come.
    """
    store, rank, size = next(dist.rendezvous("env://"))
    store = dist.PrefixStore(f"ift/{os.environ.get('TORCHELASTIC_RESTART_COUNT', 0)}", store)
    has_cuda, local_rank = torch.cuda.is_available(), int(os.environ["LOCAL_RANK"])
    if has_cuda:
        _take_device(local_rank)
    _wait_for_all(store, rank, size)
    backend = "cpu:gloo,cuda:nccl" if has_cuda else "gloo"
    dist.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=WAIT_LIMIT)
    return Ranks(store, rank, size, torch.device("cuda", local_rank) if has_cuda else torch.device("cpu"))


def _wait_for_all(store: dist.Store, rank: int, size: int) -> None:
    """Not inside the library, which would let no signal through."""
    store.set(str(rank), "here")
    deadline = time.monotonic() + WAIT_LIMIT.total_seconds()
    while not store.check([str(other) for other in range(size)]):
        if time.monotonic() > deadline:
            fix = "See what torchrun printed on each machine, and start the same command on all."
            raise TrainingError("Not all processes of the run have come", where=f"{size} are awaited", fix=fix)
        time.sleep(0.05)


def _take_device(number: int) -> None:
    count = torch.cuda.device_count()
    if number >= count:
        where, fix = f"{count} devices here", f"Give torchrun --nproc-per-node {count}."
        raise ConfigError("There are more processes than CUDA devices", where=where, fix=fix)
    torch.cuda.set_device(number)


def _is_parting(error: RuntimeError) -> bool:
    """torch.distributed's own errors, and gloo's, which a backward pass gives as a plain RuntimeError."""
    return isinstance(error, dist.DistError) or "gloo" in str(error).lower()
