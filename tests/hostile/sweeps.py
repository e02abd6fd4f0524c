"""A sweep on demand, as if all that a server keeps for a while had been kept long enough, and what it holds after.

Closed pages are kept for ten minutes otherwise, uploads for an hour, runs for two: nobody who tests waits for that.
"""

import gc
import json
import os
from dataclasses import replace
from pathlib import Path

from playground import housekeeping
from playground.guard import sessions
from playground.launch import Server
from playground.runs import tenure

LONG_AGO_S = -60
TIMES = (
    (sessions, "CLOSED_KEPT_S"),
    (sessions, "QUIET_S"),
    (housekeeping, "INCOMING_KEPT_S"),
    (housekeeping, "DATA_KEPT_S"),
    (housekeeping, "EXPORTS_KEPT_S"),
    (tenure, "UNBORN_KEPT_S"),
)


def sweep(server: Server) -> dict[str, int]:
    """Sweep what nobody uses any more, and count what is left."""
    kept = [getattr(module, name) for module, name in TIMES]
    limits = server.context.tenure._limits
    for module, name in TIMES:
        setattr(module, name, LONG_AGO_S)
    server.context.tenure._limits = replace(limits, kept_s=LONG_AGO_S)
    try:
        server.housekeeping.tick()
        server.housekeeping.sweep()
    finally:
        for (module, name), value in zip(TIMES, kept, strict=True):
            setattr(module, name, value)
        server.context.tenure._limits = limits
    gc.collect()
    return held(server)


def held(server: Server) -> dict[str, int]:
    """How many there are of what the server keeps for visitors."""
    page, context, keeper = server.page, server.context, server.housekeeping
    return {
        "sessions": len(keeper._sessions._sessions),
        "states": len(page.state_holder.session_data),
        "queues": len(page._queue.pending_messages_per_session),
        "uploads": len(keeper._uploads._owners),
        "files known to Gradio": len(page.upload_file_set),
        "batches": len(context.recent._owners),
        "children": len(context.jobs._children),
    }


def report(server: Server, path: Path) -> None:
    """Sweep, and write down what is left."""
    part = path.with_suffix(".part")
    part.write_text(json.dumps(sweep(server)), encoding="utf-8")
    os.replace(part, path)
