"""Which process is meant, and whether it still lives. A pid alone is used again, so its start time goes with it."""

import ctypes
import os
from contextlib import suppress
from pathlib import Path

import psutil

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]  # mypy looks at one system only

CLOCK_TICK_S = 0.05
"""A pid is not used again so soon."""
_CGROUP = Path("/sys/fs/cgroup")


def own_identity() -> tuple[int, float]:
    """This process's pid and creation time."""
    return os.getpid(), creation_time(os.getpid())


def creation_time(pid: int) -> float:
    """When a process began: on Linux in seconds since the machine did, elsewhere since the epoch.

    psutil makes the former the latter, with a clock that may be set meanwhile: by a second, and the process would
    seem another one.

    Raises:
        psutil.Error: there is no such process.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        return int(fields[19]) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):  # no such system, or no such process: psutil says which
        return psutil.Process(pid).create_time()


def is_alive(pid: int, created: float) -> bool:
    """Whether that very process still runs; one that ended and only waits to be reaped does not."""
    try:
        return _is_same(pid, created) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def end_process(pid: int, created: float) -> None:
    """Kill that very process, if it still runs: it can save nothing any more."""
    with suppress(psutil.Error):
        if _is_same(pid, created):
            psutil.Process(pid).kill()


def _is_same(pid: int, created: float) -> bool:
    return abs(creation_time(pid) - created) < CLOCK_TICK_S


def peak_bytes() -> int:
    """The most memory that this process has held so far; its share of what all programs read, libraries, included.

    Linux keeps it per program, in /proc; elsewhere it is the system's figure for the process, since its parent began
    it.
    """
    try:
        status = Path("/proc/self/status").read_text(encoding="utf-8")
        return int(status.partition("VmHWM:")[2].split()[0]) << 10
    except (OSError, ValueError, IndexError):
        if resource is None:
            return psutil.Process().memory_info().peak_wset
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # in bytes on macOS


def available_bytes() -> int:
    """Memory that this process can still get: the machine's, or what a container's limit leaves."""
    free = psutil.virtual_memory().available
    try:
        limit, used = (int((_CGROUP / f"memory.{name}").read_text()) for name in ("max", "current"))
        reclaimable = int((_CGROUP / "memory.stat").read_text().partition("\ninactive_file ")[2].split()[0])
    except (OSError, ValueError, IndexError):  # no such container, or no limit: "max"
        return free
    return min(free, max(0, limit - used + reclaimable))


def keep_memory() -> None:
    """Tell glibc to keep freed memory instead of giving it back at each step; elsewhere this does nothing.

    Activations of the same size come again every step, and fresh pages for them cost a sixth to a third of a
    step. Source: mallopt(3), M_MMAP_MAX and M_TRIM_THRESHOLD.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4
    mallopt(M_MMAP_MAX, 0)
    mallopt(M_TRIM_THRESHOLD, 2**31 - 1)
