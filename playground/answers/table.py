"""The table of held-out records: which of them, in which order, and what a row shows. Drawn in the browser, as text."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from ift.evaluation.measures import JUDGE, PAIRS, measure_of
from ift.evaluation.words import Change, is_alike, word_difference
from ift.runs.scores import AnsweredRecord
from ift.types import Finish, Score

Choice = TypeVar("Choice", bound=StrEnum)
MOST_ROWS = 200
"""Rows in one reply."""
MOST_TASKS = 200
CLAMPED = 240
"""Characters of a text in a cell, at most: two lines are shown, and the record beside the table has all of it."""


@dataclass(frozen=True, slots=True)
class Row:
    """A held-out record with what each model answered; None where it has not yet. One side is there at least."""

    before: AnsweredRecord | None
    after: AnsweredRecord | None

    @property
    def question(self) -> AnsweredRecord:
        """The record itself, by the side that is there."""
        found = self.after or self.before
        assert found is not None  # `rows_of` makes no row without a side
        return found

    @property
    def right(self) -> float | None:
        """Exact match of the fine-tuned model's answer, or the record's own check; None where it has neither."""
        return self.after.right if self.after else None

    @property
    def likeness(self) -> tuple[float | None, float | None]:
        """Token F1 of both, or the record's own check."""
        return (self.before.likeness if self.before else None, self.after.likeness if self.after else None)

    @property
    def gain(self) -> float | None:
        """By how much the likeness rose; None where one side has none."""
        before, after = self.likeness
        return None if before is None or after is None else after - before


def rows_of(before: Sequence[AnsweredRecord], after: Sequence[AnsweredRecord]) -> tuple[Row, ...]:
    """A row for each record that either side has answered, in the data set's order."""
    old, new = ({answer.record: answer for answer in answers} for answers in (before, after))
    return tuple(Row(old.get(record), new.get(record)) for record in sorted({*old, *new}))


class Filter(StrEnum):
    """Which records the table shows."""

    ALL = "all"
    IMPROVED = "improved"
    WORSE = "worse"
    UNCHANGED = "unchanged"
    NOT_EXACT = "not exact"
    NEVER_STOPPED = "never stopped"
    LEAKED = "leaked a header"
    NO_ANSWER = "no answer"
    NO_VERDICT = "no verdict"


_IS_IN: Mapping[Filter, Callable[[Row], bool]] = {
    Filter.ALL: lambda row: True,
    Filter.IMPROVED: lambda row: row.gain is not None and row.gain > 0,
    Filter.WORSE: lambda row: row.gain is not None and row.gain < 0,
    Filter.UNCHANGED: lambda row: row.gain == 0,
    Filter.NOT_EXACT: lambda row: row.right is not None and row.right < 1,
    Filter.NEVER_STOPPED: lambda row: _never_stopped(row.after),
    Filter.LEAKED: lambda row: row.after is not None and (row.after.value("format_leak") or 0) > 0,
    Filter.NO_ANSWER: lambda row: row.after is not None and _is_empty(row.after),
    Filter.NO_VERDICT: lambda row: any(score.value is None for score in _grades(row)),
}


def _never_stopped(answer: AnsweredRecord | None) -> bool:
    return answer is not None and answer.finish is Finish.LENGTH and not answer.reason


def _is_empty(answer: AnsweredRecord) -> bool:
    return bool(answer.reason) or not answer.model_response.strip()


class Column(StrEnum):
    """What the table can be sorted by."""

    RECORD = "record"
    TASK = "task"
    PROMPT = "prompt"
    BEFORE = "before"
    AFTER = "after"
    LIKENESS = "likeness"
    JUDGE = "judge"
    RIGHT = "right"


def judge_of(rows: Sequence[Row]) -> str:
    """The score of the judge that graded these records; empty where none did."""
    scores = (score.by for row in rows if row.after for score in row.after.scores)
    return next((name for name in scores if name.startswith(JUDGE)), "")


def _grades(row: Row) -> list[Score]:
    """Whatever a judge said of either answer, or could not say."""
    answers = [answer for answer in (row.before, row.after) if answer and not answer.reason]
    return [score for answer in answers for score in answer.scores if score.by.startswith((JUDGE, PAIRS))]


def _grade(row: Row) -> float | None:
    return row.after.value(judge_of([row])) if row.after else None


_KEYS: Mapping[Column, Callable[[Row], object]] = {
    Column.RECORD: lambda row: row.question.record,
    Column.TASK: lambda row: (row.question.task or "").lower() or None,
    Column.PROMPT: lambda row: (row.question.instruction.lower(), row.question.input.lower()),
    Column.BEFORE: lambda row: row.before and row.before.model_response.strip().lower(),
    Column.AFTER: lambda row: row.after and row.after.model_response.strip().lower(),
    Column.LIKENESS: lambda row: row.likeness[1],
    Column.JUDGE: _grade,
    Column.RIGHT: lambda row: None if row.right is None else (row.right, row.likeness[1] or 0.0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What the browser asks for; task and find: empty for all. first, count: of the rows that are left."""

    filter: Filter = Filter.ALL
    task: str = ""
    find: str = ""
    sort: Column = Column.RIGHT
    descending: bool = False
    first: int = 0
    count: int = 60

    @classmethod
    def read(cls, value: Mapping[str, object]) -> "Query":
        """From the browser, which may send anything: what can't be used keeps its default."""
        default = cls()
        task, find = (str(value.get(name) or "")[:200] for name in ("task", "find"))
        return cls(
            filter=_member(Filter, value.get("filter"), default.filter),
            task=task,
            find=find.strip().lower(),
            sort=_member(Column, value.get("sort"), default.sort),
            descending=value.get("descending") is True,
            first=_number(value.get("first"), default=0, most=10**9),
            count=_number(value.get("count"), default=default.count, most=MOST_ROWS),
        )


def chosen_rows(rows: Sequence[Row], query: Query) -> list[Row]:
    """The rows of a query's filter, task and text, in its order; what has no value comes last either way."""
    found = [row for row in rows if _IS_IN[query.filter](row) and _is_about(row, query)]
    key = _KEYS[query.sort]
    valued = [(value, row.question.record, row) for row in found if (value := key(row)) is not None]
    valued.sort(key=lambda entry: entry[:2])
    ordered = [row for *_, row in (reversed(valued) if query.descending else valued)]
    return ordered + [row for row in found if key(row) is None]


def table(rows: Sequence[Row], query: Query) -> dict[str, object]:
    """What the browser draws: the rows asked for, the counts on the filters, and the tasks, weakest first."""
    of_task = [row for row in rows if not query.task or row.question.task == query.task]
    found, judge = chosen_rows(rows, query), judge_of(rows)
    filters = {kind: is_in for kind, is_in in _IS_IN.items() if judge or kind is not Filter.NO_VERDICT}
    return {
        "all": len(rows),
        "found": len(found),
        "first": query.first,
        "counts": {kind.value: sum(map(is_in, of_task)) for kind, is_in in filters.items()},
        "tasks": _tasks(rows),
        "judge": measure_of(judge).title if judge else "",
        "rows": [_shown(row) for row in found[query.first : query.first + query.count]],
    }


def _is_about(row: Row, query: Query) -> bool:
    question = row.question
    if query.task and question.task != query.task:
        return False
    if not query.find:
        return True
    answers = (answer.model_response for answer in (row.before, row.after) if answer)
    texts = (str(question.record), question.instruction, question.input, question.output, question.task or "", *answers)
    return any(query.find in text.lower() for text in texts)


def _tasks(rows: Sequence[Row]) -> list[tuple[str, int, int]]:
    """(name, how many are right, how many can be), weakest first; records without a task are in none."""
    found: dict[str, list[float]] = {}
    for row in rows:
        if row.question.task and row.right is not None:
            found.setdefault(row.question.task, []).append(row.right)
    counted = [(name, sum(right == 1 for right in values), len(values)) for name, values in found.items()]
    return sorted(counted, key=lambda task: (task[1] / task[2], task[0]))[:MOST_TASKS]


def _shown(row: Row) -> dict[str, object]:
    question = row.question
    return {
        "record": question.record,
        "task": question.task or "",
        "instruction": clamped(question.instruction),
        "input": clamped(question.input),
        "before": clamped(row.before.model_response.strip()) if row.before else None,
        "after": compared(row.after, most=CLAMPED) if row.after else None,
        "has_check": question.has_check,
        "likeness": row.likeness[1],
        "judge": _grade(row),
        "no_verdict": next((score.reason for score in _grades(row) if score.value is None), ""),
        "right": row.right,
        "reason": (row.after.reason if row.after else "") or (row.before.reason if row.before else ""),
        "never_stopped": _never_stopped(row.after),
    }


def compared(answer: AnsweredRecord, *, most: int | None = None) -> list[tuple[str, str]]:
    """An answer as stretches [change, text]: word by word where it is nearly the expected one, else as it is."""
    text, expected = answer.model_response.strip(), answer.output.strip()
    if answer.right == 1 or answer.has_check or not is_alike(expected, text):
        return [(Change.SAME.value, text if most is None else clamped(text, most))]
    if most is not None:
        text, expected = text[:most], expected[:most]
    return [(change.value, part) for change, part in word_difference(expected, text)]


def clamped(text: str, most: int = CLAMPED) -> str:
    """Its beginning."""
    return text if len(text) <= most else f"{text[:most]}…"


def _member(kind: type[Choice], value: object, default: Choice) -> Choice:
    return kind(value) if value in [member.value for member in kind] else default


def _number(value: object, *, default: int, most: int) -> int:
    is_usable = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return min(value, most) if is_usable else default
