"""Data files: read, validated record by record at the door, split."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ift.data.file_rows import MAX_ROWS, Row, unwrap
from ift.data.formats import MAX_UNPACKED_BYTES, Content, read_content
from ift.data.layouts import (
    Layout,
    LayoutReader,
    candidates,
    explanation,
    find_layout,
    likely_meaning,
)
from ift.data.record_checks import OWN_READERS, SPLITS, BadValue, Problem
from ift.data_options import DataOptions
from ift.errors import DataError
from ift.types import Check, Example

TRAIN_SHARE, TEST_SHARE = 0.85, 0.10
"""The book's shares, in file order; validation is the rest."""
Own = tuple[str | None, str | None, Check | None, tuple[str, ...]]
"""What an example has besides its texts: split, task, check, held_out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What became of a file's rows.

    format: such as jsonl or csv.gz. layout: a name from `LAYOUTS`, or `fields` where the options name all. fields:
    ours → the file's. rows: of the file. unused: field → records in which it holds something that nothing uses.
    converted: field → numbers and truth values that became text. empty_inputs: nulls that became empty. conversations:
    how many have several answers (`several`), earlier turns in front of questions (`in_front`), later turns that
    nothing uses (`left_out`). problems: all there are. dropped: the rows that have one, which are in no example.
    license: what the owner of a data set on the Hub says. known: the public data set whose bytes these are.
    """

    format: str = "json"
    layout: str = "alpaca"
    fields: Mapping[str, str] = field(default_factory=dict)
    rows: int = 0
    unused: Mapping[str, int] = field(default_factory=dict)
    converted: Mapping[str, int] = field(default_factory=dict)
    empty_inputs: int = 0
    conversations: Mapping[str, int] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    dropped: int = 0
    license: str = ""
    known: str = ""

    @property
    def likely(self) -> dict[str, str]:
        """Unused field → the part of a record that it may be meant for."""
        return {name: meaning for name in self.unused if (meaning := likely_meaning(name))}

    def notes(self) -> list[str]:
        """All that a person should know of how the file was read, a sentence each."""
        notes = [f"Recognized by its bytes: {self.known}."] if self.known else []
        notes += [f"Its owner's license: {self.license}."] if self.license else []
        notes += [self._unused(name, count) for name, count in self.unused.items()]
        if self.converted:
            fields = ", ".join(f"{name} in {_records(count)}" for name, count in self.converted.items())
            notes.append(f"Numbers and truth values became text: {fields}.")
        spoken = self.conversations
        if spoken.get("several"):
            front, left = spoken["in_front"], spoken["left_out"]
            rest = f"{left:,} later turns are not used" if left else f"{front:,} earlier turns are part of instructions"
            notes.append(f"Conversations of several answers: {spoken['several']:,}; {rest}.")
        if self.dropped:
            notes.append(f"Left out: {self.dropped:,} of {self.rows:,} rows, which can't be used.")
        return notes

    def _unused(self, name: str, count: int) -> str:
        where = f"Not used: {name} in {_records(count)}"
        if meaning := self.likely.get(name):
            return f"{where}; did you mean {meaning}? Use --fields {meaning}={name}."
        return f"{where} ({explanation(name)})." if explanation(name) else f"{where}."


def _records(count: int) -> str:
    return f"{count:,} record{'s' if count != 1 else ''}"


@dataclass(frozen=True, slots=True)
class Dataset:
    """A data file as read: its examples in file order, the hash of its bytes, and what became of its rows."""

    name: str
    examples: tuple[Example, ...]
    sha256: str
    reading: Reading = field(default_factory=Reading)

    def __len__(self) -> int:
        return len(self.examples)


class RecordsError(DataError):
    """Records that can't be used; `dataset` is what the others come to, and its reading has all problems."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset
        problems = dataset.reading.problems
        first, more = problems[0], dataset.reading.dropped - 1
        others = f"; {more:,} more row{'s have' if more > 1 else ' has'} problems" if more else ""
        fix = "`python -m ift data` lists all; --on_error drop leaves them out." if more else ""
        super().__init__(
            first.problem + others, where=f"{dataset.name}, {first.place}", fix=f"{first.fix} {fix}".strip()
        )


@dataclass(frozen=True, slots=True)
class Split:
    """Positions in the file. `from_file`: whether the records name their splits themselves."""

    train: tuple[int, ...]
    test: tuple[int, ...]
    validation: tuple[int, ...]
    from_file: bool

    @property
    def empty(self) -> tuple[str, ...]:
        """The splits without a record."""
        return tuple(name for name in SPLITS if not getattr(self, name))

    def part_of(self, record: int) -> str:
        """Which part a record is in."""
        return next(name for name in SPLITS if record in getattr(self, name))


def read_dataset(path: Path, *, name: str | None = None, options: DataOptions | None = None) -> Dataset:
    """Read a file of records: see `ift.data.formats` for its formats and `ift.data.layouts` for its layouts.

    Raises:
        DataError: the file can't be read or has no format or layout that is read here.
        RecordsError: some records can't be used, and `options.on_error` is `raise`.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise DataError("The data file can't be read", where=str(path), fix="Check the path.") from error
    return parse_dataset(raw, name=name or path.name, options=options)


def parse_dataset(
    raw: bytes,
    *,
    name: str,
    options: DataOptions | None = None,
    max_unpacked_bytes: int = MAX_UNPACKED_BYTES,
    max_rows: int = MAX_ROWS,
) -> Dataset:
    """Read the bytes of a file of records; `name` is what errors call the file.

    Raises:
        DataError: the bytes have no format or layout that is read here.
        RecordsError: some records can't be used, and `options.on_error` is `raise`.
    """
    content = read_content(raw, name=name, max_unpacked_bytes=max_unpacked_bytes, max_rows=max_rows)
    return make_dataset(content, name=name, sha256=hashlib.sha256(raw).hexdigest(), options=options or DataOptions())


def make_dataset(content: Content, *, name: str, sha256: str, options: DataOptions) -> Dataset:
    """The examples of what a file holds.

    Raises:
        DataError: the rows have no layout that is read here, or there are none.
        RecordsError: some records can't be used, and `options.on_error` is `raise`.
    """
    rows, ignored = rows_of(content, name=name, options=options)
    return assemble(rows, ignored, content.format, name=name, sha256=sha256, options=options)


def rows_of(content: Content, *, name: str, options: DataOptions) -> tuple[list[Row], list[str]]:
    """The rows of what a file holds, and the keys of its object that hold none.

    Raises:
        DataError: its object is no record and has no list of records.
    """
    if not content.is_object:
        return content.rows, []
    return unwrap(content.rows[0].value, name=name, is_record=lambda root: _is_record(root, options))


def assemble(
    rows: Sequence[Row], ignored: list[str], format_: str, *, name: str, sha256: str, options: DataOptions
) -> Dataset:
    """The examples of rows, from one file or several; `ignored`: keys around them that are not used.

    Raises:
        DataError: the rows have no layout that is read here, or there are none.
        RecordsError: some records can't be used, and `options.on_error` is `raise`.
    """
    if not rows:
        raise DataError("The file has no records", where=name, fix="Add at least one.")
    dataset = _read_rows(rows, format_, ignored, name, sha256, options)
    if dataset.reading.problems and (options.on_error == "raise" or not dataset.examples):
        raise RecordsError(dataset)
    return dataset


def _is_record(root: Mapping[str, object], options: DataOptions) -> bool:
    return any(layout.fits(root) for layout in candidates(options, root))


def _read_rows(
    rows: Sequence[Row], format_: str, ignored: list[str], name: str, sha256: str, options: DataOptions
) -> Dataset:
    records = [row.value for row in rows if isinstance(row.value, dict)]
    layout = find_layout(records, options, name=name) if records else Layout("alpaca", {})
    reader = LayoutReader(layout, options.turns)
    is_table = format_.startswith(("csv", "tsv"))
    examples: list[Example] = []
    problems: list[Problem] = []
    for number, row in enumerate(rows):
        texts, wrong = reader.read(number, row)
        own, wrong_own = _own_fields(number, row, is_table=is_table)
        problems += wrong + wrong_own
        if not wrong and not wrong_own:
            examples += [Example(one.instruction, one.input, one.output, *own) for one in texts]
    counts = reader.counts
    names = {name for record in records for name in record}
    reading = Reading(
        format=format_,
        layout=layout.name,
        fields={ours: theirs for ours, theirs in layout.fields.items() if theirs in names},
        rows=len(rows),
        unused={**dict.fromkeys(ignored, 1), **counts.unused},
        converted={name: count for name, count in counts.converted.items() if count},
        empty_inputs=counts.empty,
        conversations={"several": counts.several, "in_front": counts.in_front, "left_out": counts.left_out},
        problems=tuple(problems),
        dropped=len({problem.row for problem in problems}),
    )
    return Dataset(name, tuple(examples), sha256, reading)


def _own_fields(number: int, row: Row, *, is_table: bool) -> tuple[Own, list[Problem]]:
    """What a record has besides its texts, and what is wrong with it; a table's empty cell is none."""
    record = row.value if isinstance(row.value, dict) else {}
    own: dict[str, Any] = {"split": row.split}
    problems = []
    for name, read in OWN_READERS.items():
        value = record.get(name)
        if value is None or (is_table and not value):
            continue
        try:
            own[name] = read(value)
        except BadValue as bad:
            problems.append(Problem(number, name, bad.what, bad.fix, row.line, row.file))
    return (own["split"], own.get("task"), own.get("check"), own.get("held_out", ())), problems


def to_example(row: object, *, where: str) -> Example:
    """Check one record of instruction, output and, if any, input.

    Raises:
        DataError: not an object, a field missing or no text, a `split` of an unknown name, a `check` that is none.
    """
    layout = Layout("alpaca", {name: name for name in ("instruction", "input", "output")})
    one = Row(row)
    texts, problems = LayoutReader(layout, "last").read(0, one)
    own, wrong = _own_fields(0, one, is_table=False)
    if problems or wrong:
        first = [*problems, *wrong][0]
        place = f"{where}, field {first.field}" if first.field else where
        raise DataError(first.problem, where=place, fix=first.fix)
    return Example(texts[0].instruction, texts[0].input, texts[0].output, *own)


def split(examples: Sequence[Example]) -> Split:
    """By the records' own `split` where all have one, else 85 / 10 / 5 in file order: train | test | validation."""
    n = len(examples)
    if all(example.split for example in examples):
        parts = {name: tuple(i for i in range(n) if examples[i].split == name) for name in SPLITS}
        return Split(**parts, from_file=True)
    train, test = int(n * TRAIN_SHARE), int(n * TEST_SHARE)
    order = tuple(range(n))
    return Split(order[:train], order[train : train + test], order[train + test :], from_file=False)
