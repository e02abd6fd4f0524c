"""What happens during training, as typed events: one JSON object a line in a run's events.jsonl."""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from ift.errors import RunError
from ift.json_fields import from_fields
from ift.types import Finish, Side


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainEvent:
    """`step`: optimizer steps done. `time_s`: seconds since the run began, stamped by who writes the event down."""

    step: int
    time_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Started(TrainEvent):
    """The process that owns the folder; `process_time` is its creation time, as pids are used again."""

    pid: int
    process_time: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed(TrainEvent):
    """Training resumes from the checkpoint at `path`; what the log told of later steps before is void."""

    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparing(TrainEvent):
    """Records are made rows, `done` of `total`; small data sets are ready without a word."""

    done: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared(TrainEvent):
    """Model and rows are ready.

    `device`: cpu, cuda or mps; `threads`: of each process; `bf16`: whether products run in it; `rows` to train on;
    `ranks`: processes.
    """

    device: str
    threads: int
    bf16: bool
    parameters: int
    rows: int
    ranks: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed(TrainEvent):
    """The batch that takes the most memory has been through the model once, for nothing but to see that it fits.

    `rows`, `width` (tokens of its longest row), `tokens`, `trained_tokens`: of that batch. `peak_bytes`: measured,
    the most memory held so far. `needed_bytes`: with the optimizer's moments, which the first step makes.
    `batch_time_s`: forward and backward.
    """

    rows: int
    width: int
    tokens: int
    trained_tokens: int
    batch_time_s: float
    peak_bytes: int
    needed_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stepped(TrainEvent):
    """One optimizer step.

    `loss`: nats, mean over the batch's trained targets. `grad_norm`: L2, before clipping. `tokens` are real
    ones, padding is not counted. `step_time_s`: this step alone, without evaluation or saving.
    """

    total_steps: int
    epoch: float
    loss: float
    learning_rate: float
    grad_norm: float
    tokens: int
    trained_tokens: int
    step_time_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluated(TrainEvent):
    """Validation loss: nats, mean over all trained targets of the split, and the same for each role."""

    total_steps: int
    loss: float
    trained_tokens: int
    loss_by_role: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampled(TrainEvent):
    """What the model answers to a fixed prompt at this step, greedily.

    A validation record's, or one of the user's own: these have no expected `output`.
    """

    record: int
    instruction: str
    input: str
    output: str
    model_response: str
    finish: Finish


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved(TrainEvent):
    """A checkpoint stands complete; `path` is relative to the run folder."""

    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered(TrainEvent):
    """Evaluation's progress: `done` of `total` held-out records answered by the `side` model."""

    side: Side
    done: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged(TrainEvent):
    """The judge's progress: `done` of `total` answers of the `side` model graded; None: pairs of answers compared."""

    side: Side | None
    done: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned(TrainEvent):
    """Something the user should know; the run continues."""

    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped(TrainEvent):
    """The run ended early because it was asked to."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed(TrainEvent):
    """The run ended with an error, in the error's own three parts."""

    what: str
    where: str = ""
    fix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished(TrainEvent):
    """The run did all it was to do."""

    summary: Mapping[str, float] = field(default_factory=dict)


_CLASSES = {cls.__name__.lower(): cls for cls in TrainEvent.__subclasses__()}


def to_json(event: TrainEvent) -> str:
    """One line without its line break. A number that is not finite is refused: JSON has none."""
    fields = {"event": type(event).__name__.lower(), **dataclasses.asdict(event)}
    return json.dumps(fields, ensure_ascii=False, allow_nan=False)


def from_json(line: str | bytes) -> TrainEvent:
    """The event that `to_json` wrote; what a later version has added to it is ignored.

    Raises:
        RunError: the line is no text, no JSON, not an event of this version, or lacks a field.
    """
    text = bytes(line).decode("utf-8", "replace") if isinstance(line, bytes) else line
    what, fix = f"Not an event: {text[:80]!r}", "The file was changed by hand or is damaged: train again."
    try:
        fields = json.loads(line)
        cls = _CLASSES[fields["event"]]
    except (ValueError, KeyError, TypeError) as error:
        raise RunError(what, fix=fix) from error
    try:
        return from_fields(cls, fields, where="", fix=fix)
    except RunError as error:
        raise RunError(f"{what}: {error.what}", fix=fix) from error
