"""A public page that sweeps when it is told to, as if all that it keeps for a while had been kept long enough.

`python -m tests.bench.sweeping_server HOME PORT`; on SIGUSR1 it sweeps and writes into HOME/swept.json what it still
holds. Uploads are swept after an hour otherwise, runs after two, and nobody who measures waits for that.
"""

import gc
import json
import os
import signal
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

from playground import housekeeping
from playground.guard import sessions
from playground.launch import Server, launch
from playground.runs import tenure
from playground.settings import Mode, Settings

LONG_AGO_S = -60
TIMES = (
    (sessions, "CLOSED_KEPT_S"),
    (sessions, "QUIET_S"),
    (housekeeping, "INCOMING_KEPT_S"),
    (housekeeping, "DATA_KEPT_S"),
    (tenure, "UNBORN_KEPT_S"),
)
TYPES_SHOWN = 12


def sweep(server: Server) -> dict[str, object]:
    """Sweep what nobody uses any more, and count what is left in memory."""
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
    types = Counter(type(one).__name__ for one in gc.get_objects())
    return {"held": held(server), "types": dict(types.most_common(TYPES_SHOWN))}


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


def main() -> None:
    """Serve until killed."""
    home, port = Path(sys.argv[1]), int(sys.argv[2])
    server = launch(Settings(home, Mode.PUBLIC), host="127.0.0.1", port=port, blocking=False)
    asked = []
    signal.signal(signal.SIGUSR1, lambda *_: asked.append(True))
    (home / "ready").touch()
    while True:
        time.sleep(0.1)
        if asked:
            asked.clear()
            part = home / "swept.part"
            part.write_text(json.dumps(sweep(server)), encoding="utf-8")
            os.replace(part, home / "swept.json")


if __name__ == "__main__":
    main()
