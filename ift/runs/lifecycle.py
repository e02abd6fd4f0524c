"""The process that owns a run folder, from its first event to its last. Imports no torch: `started` comes first."""

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

from ift.errors import IftError, is_out_of_memory
from ift.events import Failed, Started, Stopped, TrainEvent
from ift.runs.log import EventLog
from ift.runs.processes import own_identity
from ift.runs.stop import StopAsked

RESERVED_BYTES = 4096
"""Of the disk, for a log's last event."""


def logged(log: EventLog, events: Iterator[TrainEvent]) -> Iterator[TrainEvent]:
    """Write down what happens, from `started` to the one event that ends it, whatever that is.

    A log that has events already is resumed. The error that ended it is raised again once it stands in the log.
    """
    log.mend()
    reserve = log.path.with_name(".reserve")
    before = log.read()[0]
    began = time.perf_counter() - (before[-1].time_s if before else 0.0)
    step = 0

    def write(event: TrainEvent) -> TrainEvent:
        event = replace(event, time_s=round(time.perf_counter() - began, 4))
        log.append(event)
        return event

    def write_last(event: TrainEvent) -> TrainEvent:
        reserve.unlink(missing_ok=True)  # so that a full disk can still be told
        return write(event)

    pid, process_time = own_identity()
    started = write(Started(step=0, pid=pid, process_time=process_time))
    try:
        yield started
        with suppress(OSError):  # whatever is wrong there, the next event tells it
            reserve.write_bytes(os.urandom(RESERVED_BYTES))
        for event in events:
            step = event.step
            yield write(event)
    except StopAsked as stopped:
        yield write_last(Stopped(step=step, reason=str(stopped)))
    except (GeneratorExit, KeyboardInterrupt):  # a notebook's loop was left; its process lives on
        write_last(Stopped(step=step, reason="the loop was left"))
        raise
    except IftError as error:
        yield write_last(Failed(step=step, what=error.what, where=error.where, fix=error.fix))
        raise
    except Exception as error:
        yield write_last(failure(error, step=step, where=str(log.path.parent)))
        raise
    finally:
        reserve.unlink(missing_ok=True)


def failure(error: Exception, *, step: int, where: str) -> Failed:
    """What an error means that nobody raised on purpose. `step`: those done. `where`: of a fault."""
    if is_out_of_memory(error):
        fix = "Halve per_device_train_batch_size, lower max_length, or see what `python -m ift estimate` advises."
        return Failed(step=step, what="Memory ran out", where=f"step {step + 1}", fix=fix)
    what = f"{type(error).__name__}: {error}".splitlines()[0]
    fix = "This is a fault of the program: run.log in the run folder has the details."
    return Failed(step=step, what=what, where=where, fix=fix)
