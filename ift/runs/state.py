"""What a run is doing, as its log and its process show together."""

from enum import StrEnum


class State(StrEnum):
    """What a log's last event and its process tell together; stored nowhere."""

    ABSENT = "absent"
    STARTING = "starting"
    RUNNING = "running"
    STOPPED = "stopped"
    FAILED = "failed"
    FINISHED = "finished"

    @property
    def is_over(self) -> bool:
        """Nothing more will come."""
        return self in (State.STOPPED, State.FAILED, State.FINISHED)
