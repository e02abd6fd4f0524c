"""What an audit finds: one kind of value for the command line, the page and other trainers' rows."""

from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from ift.data.rows import RowStore
from ift.plurals import plural
from ift.types import Example

EXAMPLES = 8
"""Rows named with a finding where there is little room."""
DETAILS = 6

LABELS = {
    "answer-in-prompt": "answer in prompt",
    "bidirectional-characters": "bidirectional characters",
    "conflicting-answers": "conflicting answers",
    "double-bos": "two begin-of-text tokens",
    "duplicate": "repeated rows",
    "empty-answer": "empty answer",
    "empty-instruction": "empty instruction",
    "ending-in-output": "ending inside answers",
    "end-of-text-in-data": "end-of-text in the data",
    "ends-with-space": "prompt ends with a space",
    "eos-masked": "never stops",
    "eos-missing": "no end-of-text",
    "field-empty": "input always empty",
    "field-left-out": "field left out",
    "heading-in-output": "headings in answers",
    "invisible-characters": "invisible characters",
    "labels-differ": "labels of other tokens",
    "labels-shifted": "labels shifted twice",
    "leak": "test questions in training",
    "marker-in-data": "other models' markers",
    "marker-in-template": "markers as text",
    "much-template": "mostly template",
    "near-duplicate": "nearly repeated rows",
    "no-separator": "no separator",
    "nothing-trained": "nothing trained",
    "packed-together": "packed documents see each other",
    "padding-trained": "padding trained",
    "placeholder": "placeholders",
    "prompt-trained": "prompt trained",
    "repeated-question": "repeated questions",
    "row-cut": "end of text cut off",
    "section-unused": "unused section",
    "split-empty": "empty split",
    "split-partial": "splits not named everywhere",
    "unknown-id": "unknown ids",
    "unstable-boundary": "unstable boundary",
    "white-space-ending": "white space at the end",
}
"""The code of every finding → what it is called where there is little room."""


class Severity(Enum):
    """Whether something should be changed, or only known."""

    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found, in which rows, and how to fix it.

    code: names the rule for programs. positions: all rows, in order; none where the template, the mask or the data set
    as a whole is meant. details: further lines, as plain text. amount: how much there is of what is counted otherwise
    than in rows.
    """

    code: str
    severity: Severity
    what: str
    fix: str
    positions: tuple[int, ...] = ()
    details: tuple[str, ...] = ()
    amount: str = ""

    @property
    def rows(self) -> int:
        """How many rows it is about."""
        return len(self.positions)

    @property
    def examples(self) -> tuple[int, ...]:
        """The first few rows."""
        return self.positions[:EXAMPLES]

    @property
    def label(self) -> str:
        """What it is called where there is little room."""
        return LABELS[self.code]

    def to_dict(self) -> dict[str, object]:
        """What programs get."""
        return {
            "code": self.code,
            "severity": self.severity.value,
            "what": self.what,
            "fix": self.fix,
            "rows": self.rows,
            "examples": list(self.examples),
            "positions": list(self.positions),
            "details": list(self.details),
            "amount": self.amount,
        }


@dataclass
class Hits:
    """Rows found, in the order in which they were looked at."""

    rows: array = field(default_factory=lambda: array("q"))

    @property
    def count(self) -> int:
        """How many."""
        return len(self.rows)

    def add(self, record: int) -> None:
        """Count a row."""
        self.rows.append(record)

    def finding(self, code: str, severity: Severity, what: str, fix: str, details: tuple[str, ...] = ()) -> Finding:
        """A finding in these rows."""
        return Finding(code, severity, what, fix, tuple(sorted(self.rows)), details)


@dataclass(frozen=True, slots=True)
class Block:
    """Records that are looked at together: their positions in the file, themselves, and their encoded rows."""

    records: Sequence[int]
    examples: Sequence[Example]
    rows: RowStore


class Rule(Protocol):
    """Looks at every record once, in any order."""

    def see(self, block: Block) -> None:
        """Look at some records."""

    def findings(self) -> Iterator[Finding]:
        """What the records so far show."""


def warnings_first(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """The same findings, those that ask for a change first."""
    return tuple(sorted(findings, key=lambda finding: finding.severity is not Severity.WARNING))


def count_lines(counts: Counter[str]) -> tuple[str, ...]:
    """The most frequent of what was counted, a line each with its rows, and how many more there are."""
    lines = [f"{text}: {plural(count, 'row')}" for text, count in counts.most_common(DETAILS)]
    more = len(counts) - len(lines)
    return (*lines, *([f"and {more:,} more"] if more else []))
