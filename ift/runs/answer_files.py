"""The answers of a run on disk: appended as they come, so that a process that is killed has asked nothing in vain.

evaluation.json    what is asked; written after the rows of other plans are gone
before.jsonl  after.jsonl    a row as soon as it is answered; in the data set's order once a side is complete
"""

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ift.errors import RunError
from ift.runs.evaluation_plan import EvaluationPlan
from ift.runs.lines import append_line, whole_lines, write_text
from ift.runs.scores import AnsweredRecord, answer_to_line, answers_from_lines
from ift.types import Side


@dataclass(frozen=True, slots=True)
class AnswerFiles:
    """Those of the run folder at `path`."""

    path: Path

    def read(self, side: Side) -> tuple[AnsweredRecord, ...]:
        """The rows of a side so far, in the data set's order.

        Raises:
            RunError: the file is damaged.
        """
        lines = whole_lines(self._of(side))
        return tuple(sorted(answers_from_lines(lines, side=side), key=lambda answer: answer.record))

    def append(self, side: Side, answer: AnsweredRecord) -> None:
        """Add a row.

        Raises:
            RunError: it can't be written.
        """
        append_line(self._of(side), answer_to_line(answer))

    def write(self, side: Side, answers: Iterable[AnsweredRecord]) -> None:
        """Write all rows of a side anew, in the data set's order."""
        rows = sorted(answers, key=lambda answer: answer.record)
        write_text(self._of(side), "".join(f"{answer_to_line(row)}\n" for row in rows))

    @property
    def plan(self) -> EvaluationPlan | None:
        """What is or was asked; None where nothing was, or an earlier version did.

        Raises:
            RunError: evaluation.json is damaged.
        """
        path = self.path / "evaluation.json"
        if not path.is_file():
            return None
        try:
            value = json.loads(path.read_bytes())
        except ValueError as error:
            fix = "Remove it: everything is answered again then."
            raise RunError("The evaluation's plan can't be read", where=str(path), fix=fix) from error
        return EvaluationPlan.from_dict(value, where=str(path))

    def begin(self, plan: EvaluationPlan) -> dict[Side, tuple[AnsweredRecord, ...]]:
        """Forget what an earlier evaluation found, but for the answers that this plan would ask for again."""
        earlier = None
        with suppress(RunError):  # what is damaged is asked again
            earlier = self.plan
        (self.path / "scores.json").unlink(missing_ok=True)  # first: it says that the others are whole
        kept = {side: self._kept(side, plan, earlier) for side in Side}
        for side, rows in kept.items():
            self.write(side, rows)
        write_text(self.path / "evaluation.json", json.dumps(plan.to_dict(), ensure_ascii=False, indent=2) + "\n")
        return kept

    def _kept(self, side: Side, plan: EvaluationPlan, earlier: EvaluationPlan | None) -> tuple[AnsweredRecord, ...]:
        with suppress(RunError):
            if plan.keeps(side, earlier):
                wanted = frozenset(plan.records)
                return tuple(row for row in self.read(side) if row.record in wanted)
        return ()

    def _of(self, side: Side) -> Path:
        return self.path / f"{side}.jsonl"
