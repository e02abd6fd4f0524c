"""What an evaluation asks, for evaluation.json: what was answered under the same plan is not asked again."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from ift.json_fields import from_fields
from ift.runs.scores import Decoding, SampledRecords
from ift.types import Side

SCORES_VERSION = 1
"""Of what is kept of an answer; to be raised when a score of the same answer changes."""
_FIX = "The file was changed by hand or is damaged: remove it, and everything is answered again."


@dataclass(frozen=True, slots=True)
class SidePlan:
    """What decides one side's answers.

    model: its name, or its checkpoint's. sha256: of the manifest of its files; empty where it has none. template: the
    text of the questions' template; empty: the run's own.
    """

    model: str
    sha256: str
    decoding: Decoding
    version: int = SCORES_VERSION
    template: str = ""


@dataclass(frozen=True, slots=True)
class EvaluationPlan:
    """Which records both models answer, and how.

    sampled: None where these are all held-out records. asked: the options that were given, a judge among them, for who
    wants the same again; an earlier version wrote none.
    """

    records: tuple[int, ...]
    sampled: SampledRecords | None
    sides: Mapping[Side, SidePlan]
    asked: Mapping[str, object] = field(default_factory=dict)

    def keeps(self, side: Side, earlier: "EvaluationPlan | None") -> bool:
        """Whether answers made under an earlier plan are also this one's, so far as the records are."""
        return earlier is not None and earlier.sides.get(side) == self.sides[side]

    def to_dict(self) -> dict[str, object]:
        """For evaluation.json."""
        return {**asdict(self), "sides": {str(side): asdict(plan) for side, plan in self.sides.items()}}

    @classmethod
    def from_dict(cls, value: object, *, where: str) -> "EvaluationPlan":
        """What `to_dict` gave; `where`: the file, for errors.

        Raises:
            RunError: a field is missing or has another type.
        """
        return from_fields(cls, value, where=where, fix=_FIX)
