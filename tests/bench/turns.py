"""Sides of a benchmark that take turns: each has a process of its own, and only one of them works at a time."""

import importlib
import multiprocessing
import platform
import resource
import sys
import time
from importlib.metadata import version
from multiprocessing.connection import Connection


class Side:
    """A process that does one more piece of work whenever it is asked to.

    `target`: module and name, "a.b:c", of a function that takes `setup` and gives a generator; what is asked for is
    sent to it, None the first time, and what it yields is the answer.
    """

    def __init__(self, target: str, setup: object) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(target, setup, theirs), daemon=True)
        self.process.start()

    def step(self, asked: object = None) -> dict:
        """What one more piece took."""
        self.connection.send((True, asked))
        return self.connection.recv()

    def end(self) -> float:
        """The most memory it ever held, in bytes."""
        self.connection.send((False, None))
        peak = self.connection.recv()
        self.process.join()
        return peak


def _serve(target: str, setup: object, connection: Connection) -> None:
    module, _, name = target.partition(":")
    steps = getattr(importlib.import_module(module), name)(setup)
    while True:
        goes_on, asked = connection.recv()
        if not goes_on:
            break
        connection.send(steps.send(asked))
    connection.send(peak_bytes())


class Clock:
    """Wall time, and this process's share of the processor in it: less than one core a thread tells of company."""

    def __init__(self) -> None:
        self.wall, self.cpu = time.perf_counter(), time.process_time()

    def read(self) -> dict[str, float]:
        """Seconds since it was made."""
        return {"time_s": time.perf_counter() - self.wall, "cpu_s": time.process_time() - self.cpu}


def peak_bytes() -> int:
    """The most memory that this process ever held."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def machine(*packages: str) -> str:
    """The processor, and the versions of these packages."""
    name = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            name = next(line.partition(":")[2].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    return ", ".join([name, *(f"{package} {version(package)}" for package in packages)])
