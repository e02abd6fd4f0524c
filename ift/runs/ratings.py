"""What a person thinks of answers: ratings by hand, kept in the run folder.

ratings.jsonl    one `Rating` per line; of the same answer the last one counts
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ift.errors import RunError
from ift.json_fields import from_fields
from ift.runs.lines import append_line, whole_lines
from ift.runs.scores import AnsweredRecord
from ift.types import Side

HIGHEST = 100
_FIX = "The file was changed by hand or is damaged: remove it, and rate again."


@dataclass(frozen=True, slots=True)
class Rating:
    """A person's grade of one answer, from 0 to 100; `answer`: the hash of its text, as another one is not rated."""

    record: int
    side: Side
    answer: str
    value: int

    def is_of(self, row: AnsweredRecord) -> bool:
        """Whether a row still has the answer that was rated."""
        return self.record == row.record and self.answer == answer_hash(row)


def answer_hash(row: AnsweredRecord) -> str:
    """Of an answer's text."""
    return hashlib.sha256(row.model_response.encode("utf-8", "replace")).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Ratings:
    """The ratings of the run folder at `folder`."""

    folder: Path

    def read(self) -> tuple[Rating, ...]:
        """All of them, in the order of their records; of the same answer the last one.

        Raises:
            RunError: the file is damaged.
        """
        found: dict[tuple[int, Side, str], Rating] = {}
        for number, line in enumerate(whole_lines(self._path), start=1):
            where = f"ratings.jsonl, line {number}"
            try:
                value = json.loads(line)
            except ValueError as error:
                raise RunError("The ratings can't be read", where=where, fix=_FIX) from error
            rating = from_fields(Rating, value, where=where, fix=_FIX)
            found[rating.record, rating.side, rating.answer] = rating
        return tuple(sorted(found.values(), key=lambda one: (one.record, one.side)))

    def rate(self, side: Side, row: AnsweredRecord, value: int) -> Rating:
        """Keep a person's grade of an answer.

        Raises:
            RunError: it is outside 0 to 100, or can't be written.
        """
        if not 0 <= value <= HIGHEST:
            raise RunError(f"A rating can't be {value}", where="rating", fix=f"Give 0 to {HIGHEST}.")
        rating = Rating(row.record, side, answer_hash(row), value)
        append_line(self._path, json.dumps(asdict(rating)))
        return rating

    @property
    def _path(self) -> Path:
        return self.folder / "ratings.jsonl"


def rated_values(ratings: Sequence[Rating], side: Side, rows: Sequence[AnsweredRecord]) -> dict[int, int]:
    """Record → grade, of one side's answers as they are now."""
    by_record = {row.record: row for row in rows}
    return {
        one.record: one.value
        for one in ratings
        if one.side is side and one.record in by_record and one.is_of(by_record[one.record])
    }
