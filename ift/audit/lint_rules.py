"""What can be wrong with a template on a data set: one small class per rule, fed row by row, read at any time."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from ift.audit.boundary import boundary_change
from ift.data.templates import FIELDS, Template, is_stop
from ift.data.tokenizer import encode_text, piece
from ift.types import EOS_ID, Example, Rendered

EXAMPLES = 8
"""Rows named with a finding."""
DETAILS = 6
LONG_ENOUGH = 20
"""Characters from which on an answer that stands in its own prompt is no accident."""
MARKERS_KEPT = 1000

_MARKER = re.compile(
    r"<\|\w{1,40}\|>|</?s>|\[/?INST\]|<</?SYS>>|<(?:start|end)_of_turn>|\[(?:PAD|CLS|SEP|UNK|EOS|BOS)\]"
)
_CONTROL = "<|endoftext|>"


class Severity(Enum):
    """Whether something should be changed, or only known."""

    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found, in how many rows, some of these as positions in the file, and how to fix it.

    `code` names the rule for programs. `rows` is 0 where the template alone is meant. `details`: further lines, as
    plain text.
    """

    code: str
    severity: Severity
    what: str
    fix: str
    rows: int = 0
    examples: tuple[int, ...] = ()
    details: tuple[str, ...] = ()


class Rule(Protocol):
    """Looks at every row once, in any order."""

    def see(self, record: int, example: Example, rendered: Rendered) -> None:
        """Look at one row."""

    def findings(self) -> Iterator[Finding]:
        """What the rows so far show."""


@dataclass
class Hits:
    """Rows found: how many, and the first few."""

    count: int = 0
    first: list[int] = field(default_factory=list)

    def add(self, record: int) -> None:
        """Count a row."""
        self.count += 1
        if len(self.first) < EXAMPLES:
            self.first.append(record)

    def finding(self, code: str, severity: Severity, what: str, fix: str, details: tuple[str, ...] = ()) -> Finding:
        """A finding in these rows."""
        return Finding(code, severity, what, fix, self.count, tuple(sorted(self.first)), details)


def _lines(counts: Counter[str]) -> tuple[str, ...]:
    lines = [f"{text}: {_rows(count)}" for text, count in counts.most_common(DETAILS)]
    more = len(counts) - len(lines)
    return (*lines, *([f"and {more:,} more"] if more else []))


def _rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"


class BoundaryRule:
    """The boundary of prompt and response is one of whole-text encoding, too."""

    def __init__(self, template: Template) -> None:
        self.hits = Hits()
        self.changes: Counter[str] = Counter()

    def see(self, record: int, example: Example, rendered: Rendered) -> None:
        """Look at one row."""
        change = boundary_change(rendered)
        if change:
            self.hits.add(record)
            self.changes[change.label] += 1

    def findings(self) -> Iterator[Finding]:
        """Rows whose boundary would move."""
        if self.hits.count:
            what = "Tokens merge across the boundary of prompt and response when the text is tokenized whole"
            fix = (
                "Here the prompt is tokenized by itself, so training and answering agree; other tools may not. "
                "End the prompt with a line break, or let the answer begin with the space."
            )
            yield self.hits.finding("unstable-boundary", Severity.WARNING, what, fix, _lines(self.changes))


class SeparatorRule:
    """Something ends the prompt, and it is no space."""

    def __init__(self, template: Template) -> None:
        self.space, self.none = Hits(), Hits()
        self.before_output = {has_input: _before_output(template, has_input) for has_input in (True, False)}

    def see(self, record: int, example: Example, rendered: Rendered) -> None:
        """Look at one row."""
        text = self.before_output[example.has_input]
        if text == "":
            self.none.add(record)
        elif text.endswith((" ", "\t")):
            self.space.add(record)

    def findings(self) -> Iterator[Finding]:
        """Rows whose prompt ends in a space, or in a field."""
        if self.space.count:
            what = "The prompt ends with a space, which GPT-2 writes at the start of the next word"
            fix = "Delete the space before {{output}} and begin the answers with it, or end with a line break."
            yield self.space.finding("ends-with-space", Severity.WARNING, what, fix)
        if self.none.count:
            what = "Nothing stands between the last field and the response"
            fix = "Put a line break or a heading such as «### Response:» before {{output}}."
            yield self.none.finding("no-separator", Severity.WARNING, what, fix)


def _before_output(template: Template, has_input: bool) -> str:
    text = ""
    for part in template.parts:
        if part.when in (None, has_input):
            if part.is_field and part.text == "output":
                break
            text = "" if part.is_field else text + part.text
    return text


class MarkerRule:
    """Text that looks like a control token is ordinary tokens: the template's own, and what the data hold."""

    def __init__(self, template: Template) -> None:
        literal = "".join(part.text for part in template.parts if not part.is_field)
        self.own = sorted(set(_MARKER.findall(literal)))
        self.hits, self.control = Hits(), Hits()
        self.seen: Counter[str] = Counter()

    def see(self, record: int, example: Example, rendered: Rendered) -> None:
        """Look at one row."""
        text = "\n".join((example.instruction, example.input, example.output))
        if "<" not in text and "[" not in text:  # the common case, and quick
            return
        markers = set(_MARKER.findall(text))
        if _CONTROL in markers:
            self.control.add(record)
            markers.remove(_CONTROL)
        if markers:
            self.hits.add(record)
            self.seen.update(marker for marker in markers if marker in self.seen or len(self.seen) < MARKERS_KEPT)

    def findings(self) -> Iterator[Finding]:
        """Markers in the template, end-of-text in the data, other markers in the data."""
        if self.own:
            what = "GPT-2 has no token for markers of other models: here they are ordinary text"
            fix = "Nothing, if you like the markers; each costs its tokens in every row. Shorter headings cost less."
            details = tuple(map(_as_tokens, self.own[:DETAILS]))
            yield Finding("marker-in-template", Severity.NOTE, what, fix, details=details)
        if self.control.count:
            what = f"The data hold the text {_CONTROL}"
            fix = (
                f"Here it stays text and never becomes the control token {EOS_ID}; a tool that allows control tokens "
                "in data would end the row there. Delete it, unless the text is about it."
            )
            yield self.control.finding("end-of-text-in-data", Severity.WARNING, what, fix, (_as_tokens(_CONTROL),))
        if self.hits.count:
            what = "The data hold markers of other models, which are ordinary text for GPT-2"
            fix = "Delete them, if they are left over from another template."
            lines = _lines(Counter({_as_tokens(marker): count for marker, count in self.seen.items()}))
            yield self.hits.finding("marker-in-data", Severity.NOTE, what, fix, lines)


def _as_tokens(marker: str) -> str:
    ids = encode_text(marker)
    return f"{marker} is {len(ids)} token{'' if len(ids) == 1 else 's'}, {' '.join(map(piece, ids))}"


class FieldRule:
    """What the records hold is used, and what the template names occurs."""

    def __init__(self, template: Template) -> None:
        self.parts = template.parts
        self.missing = {name: Hits() for name in FIELDS if name != "output" and not self._is_filled(name)}
        self.with_input = self.without_input = 0

    def _is_filled(self, name: str) -> bool:
        ever = (None, True) if name == "input" else (None, True, False)  # {{input}} of a record without is empty
        return any(part.is_field and part.text == name and part.when in ever for part in self.parts)

    def see(self, record: int, example: Example, rendered: Rendered) -> None:
        """Look at one row."""
        self.with_input += example.has_input
        self.without_input += not example.has_input
        for name, hits in self.missing.items():
            if getattr(example, name):
                hits.add(record)

    def findings(self) -> Iterator[Finding]:
        """Fields that no prompt shows, and template parts that no record needs."""
        for name, hits in self.missing.items():
            if hits.count:
                what = f"The template leaves {{{{{name}}}}} out, though records have one"
                fix = f"Put {{{{{name}}}}} before {{{{output}}}}: the model can't answer what it is not told."
                yield hits.finding("field-left-out", Severity.WARNING, what, fix)
        for when, count, tag in ((True, self.with_input, "#"), (False, self.without_input, "^")):
            if not count and any(part.when is when for part in self.parts):
                what = f"The section {{{{{tag}input}}}} is never used: {'no' if when else 'every'} record has an input"
                yield Finding("section-unused", Severity.NOTE, what, "Delete it, or keep it for other data.")
        if not self.with_input and any(
            part.is_field and part.text == "input" and part.when is None for part in self.parts
        ):
            what = "{{input}} is always empty: no record has an input"
            yield Finding("field-empty", Severity.NOTE, what, "Delete it, or put it into {{#input}}…{{/input}}.")


class LeakRule:
    """The answer does not stand in its own prompt."""

    def __init__(self, template: Template) -> None:
        self.hits = Hits()

    def see(self, record: int, example: Example, rendered: Rendered) -> None:
        """Look at one row."""
        answer = example.output.strip()
        if len(answer) >= LONG_ENOUGH and answer in rendered.prompt:
            self.hits.add(record)

    def findings(self) -> Iterator[Finding]:
        """Rows that could be answered by copying."""
        if self.hits.count:
            what = f"The whole answer (at least {LONG_ENOUGH} characters) stands in the prompt already"
            fix = "Right for tasks that extract, repeat or leave correct text as it is; else the model learns to copy."
            yield self.hits.finding("answer-in-prompt", Severity.NOTE, what, fix)


class EmptyRule:
    """Every record has an answer."""

    def __init__(self, template: Template) -> None:
        self.hits = Hits()

    def see(self, record: int, example: Example, rendered: Rendered) -> None:
        """Look at one row."""
        if not example.has_output:
            self.hits.add(record)

    def findings(self) -> Iterator[Finding]:
        """Rows that train the end-of-text only."""
        if self.hits.count:
            what, fix = "The answer is empty", "Delete these records: they teach the model to say nothing."
            yield self.hits.finding("empty-answer", Severity.WARNING, what, fix)


class EndingRule:
    """The text after the output stops answers where they end, and nowhere else."""

    def __init__(self, template: Template) -> None:
        self.template = template
        self.inside, self.white_space = Hits(), Hits()
        self.endings: Counter[str] = Counter()

    def see(self, record: int, example: Example, rendered: Rendered) -> None:
        """Look at one row."""
        ending = self.template.ending(example)
        if self.template.stops_inside(example):
            self.inside.add(record)
            self.endings[repr(ending)] += 1
        if ending and not is_stop(ending):
            self.white_space.add(record)

    def findings(self) -> Iterator[Finding]:
        """Rows whose answer stops too early, and rows whose answer ends in white space of the template."""
        if self.inside.count:
            what = "The template's text after {{output}} occurs inside outputs: an answer stops where it first occurs"
            fix = "Choose an ending that no output contains, or delete it: the end-of-text token ends an answer, too."
            yield self.inside.finding("ending-in-output", Severity.WARNING, what, fix, _lines(self.endings))
        if self.white_space.count:
            what = "The template ends in white space, which the model learns to write after each answer"
            fix = "Delete it, unless you mean it: it never stops an answer and costs its tokens in every row."
            yield self.white_space.finding("white-space-ending", Severity.NOTE, what, fix)


RULES: tuple[type, ...] = (FieldRule, SeparatorRule, BoundaryRule, EmptyRule, EndingRule, MarkerRule, LeakRule)
