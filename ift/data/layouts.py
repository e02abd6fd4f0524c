"""Layouts: which fields of a file are a record's instruction, input and output."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ift.data.conversations import Conversation, is_conversation, read_conversation, read_history
from ift.data.file_rows import Row, Twice, is_none, is_number, kind
from ift.data.record_checks import OWN_READERS, BadValue, Problem, as_text
from ift.data_options import LAYOUTS, DataOptions
from ift.errors import DataError

_FIELDS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "messages": {"messages": ("messages",)},
    "sharegpt": {"messages": ("conversations", "conversation")},
    "alpaca": {
        "instruction": ("instruction",),
        "input": ("input",),
        "output": ("output",),
        "history": ("history",),  # LLaMA-Factory's earlier turns
    },
    "dolly": {"instruction": ("instruction",), "input": ("context",), "output": ("response",)},
    "prompt-completion": {"instruction": ("prompt",), "output": ("completion", "response")},
    "question-answer": {"instruction": ("question",), "input": ("context",), "output": ("answer",)},
}
"""Ours → what a layout calls it, in the order in which layouts are tried."""
_LIKELY: Mapping[str, tuple[str, ...]] = {
    "instruction": ("instruction", "instructions", "prompt", "question", "query", "task", "user"),
    "input": ("input", "inputs", "context", "passage", "document"),
    "output": ("output", "outputs", "response", "completion", "answer", "answers", "target", "assistant"),
    "system": ("system", "system_prompt"),
    "messages": ("messages", "conversations", "conversation"),
}
_EXPLAINED = {
    "history": "earlier turns",
    "text": "the whole row as one text",
    "chosen": "the better answer of a preference pair",
    "rejected": "the worse answer of a preference pair",
}


@dataclass(frozen=True, slots=True)
class Layout:
    """A layout's name and what it takes: instruction, input, output, system, history or messages → the file's field."""

    name: str
    fields: Mapping[str, str]

    @property
    def required(self) -> tuple[str, ...]:
        """The file's fields that every record has."""
        ours = ("messages",) if "messages" in self.fields else ("instruction", "output")
        return tuple(self.fields[name] for name in ours if name in self.fields)

    def fits(self, record: Mapping[str, object]) -> bool:
        """Whether a record has all that the layout needs."""
        if "messages" in self.fields:
            return is_conversation(record.get(self.fields["messages"]))
        required = self.required
        return len(required) == 2 and required[0] in record and required[1] in record


def candidates(options: DataOptions, names: Iterable[str]) -> list[Layout]:
    """The layouts that the options allow, for a file whose fields have these names, in the order of preference."""
    present = set(names)
    wanted = _FIELDS if options.layout == "auto" else {options.layout: _FIELDS[options.layout]}
    found = [Layout(name, _merged(ours, options.mapping, present)) for name, ours in wanted.items()]
    if options.mapping and options.layout == "auto":
        found.insert(0, Layout("fields", options.mapping))  # complete by itself, it needs no layout
    return found


def _merged(ours: Mapping[str, tuple[str, ...]], given: Mapping[str, str], present: set[str]) -> dict[str, str]:
    """A layout's fields with those of `fields` on top; a field that became one part is no other part, too."""
    own = {name: next((one for one in theirs if one in present), theirs[0]) for name, theirs in ours.items()}
    kept = {name: theirs for name, theirs in own.items() if theirs not in given.values()}
    if "instruction" in given or "output" in given:
        kept.pop("messages", None)
    if "messages" in given:
        kept = {}
    return {**kept, **given}


def find_layout(records: Sequence[Mapping[str, object]], options: DataOptions, *, name: str) -> Layout:
    """The layout that most records have; an explicit one as it is.

    Raises:
        DataError: none fits a single record, with the fields there are and what they may mean.
    """
    names = Counter(key for record in records for key in record)
    found = candidates(options, names)
    if options.layout != "auto":
        return found[0]
    counts = [sum(map(layout.fits, records)) if names.keys() >= {*layout.required} else 0 for layout in found]
    best = max(range(len(found)), key=lambda i: (counts[i], -i))
    if not counts[best]:
        raise _unknown(names, options, name)
    return _with_input(found[best], names)


def _with_input(layout: Layout, names: Mapping[str, int]) -> Layout:
    """Where `fields` alone names instruction and output, a field called input is the input."""
    is_free = layout.name == "fields" and "input" in names and "input" not in layout.fields.values()
    is_pair = "instruction" in layout.fields and "input" not in layout.fields
    return Layout(layout.name, {**layout.fields, "input": "input"}) if is_free and is_pair else layout


def _unknown(names: Mapping[str, int], options: DataOptions, name: str) -> DataError:
    shown = ", ".join(f"{field!r} in {count:,}" for field, count in list(names.items())[:8]) or "none"
    guess = {ours: next((one for one in names if _means(one, ours)), None) for ours in ("instruction", "output")}
    if "input" not in names and guess["instruction"]:
        guess["input"] = next((one for one in names if _means(one, "input")), None)
    guess["instruction"] = guess["instruction"] or next((one for one in names if _means(one, "input")), None)
    pairs = ",".join(f"{ours}={theirs}" for ours, theirs in guess.items() if theirs)
    both = guess["instruction"] and guess["output"] and not options.mapping
    example = pairs if both else "instruction=question,output=answer"
    fix = f"Map them with --fields {example}, or use one of the layouts {', '.join(LAYOUTS[1:])}."
    what = f"The layout of the records is not recognized; their fields: {shown}"
    return DataError(what, where=f"{name}, --fields {options.fields}" if options.fields else name, fix=fix)


def _means(name: str, ours: str) -> bool:
    return name.strip().lower() in _LIKELY[ours]


def likely_meaning(name: str) -> str:
    """The part of a record that an unused field may be meant for: input or system; else empty.

    >>> likely_meaning("Context")
    'input'
    """
    return next((ours for ours in ("input", "system") if _means(name, ours)), "")


def explanation(name: str) -> str:
    """What a field of this name usually holds; else empty."""
    return _EXPLAINED.get(name.strip().lower(), "")


@dataclass(frozen=True, slots=True)
class Texts:
    """What a row's texts come to: one instruction, input and output, or several."""

    instruction: str
    input: str
    output: str


@dataclass(slots=True)
class Counts:
    """What was made of a file's values, counted over its rows while they are read.

    unused: records in which a field that no part of a record comes from holds something. converted: numbers and truth
    values that became text, by field. empty: nulls that became an empty input. several: conversations with more than
    one answer; in_front: earlier turns that stand in front of a question; left_out: later turns that nothing uses.
    """

    unused: Counter[str] = field(default_factory=Counter)
    converted: Counter[str] = field(default_factory=Counter)
    empty: int = 0
    several: int = 0
    in_front: int = 0
    left_out: int = 0


class LayoutReader:
    """Rows → texts by one layout; `counts` says what became of their values so far."""

    def __init__(self, layout: Layout, turns: str) -> None:
        self.layout, self.counts = layout, Counts()
        self._turns = turns
        self._used = {*layout.fields.values(), *OWN_READERS}

    def read(self, number: int, row: Row) -> tuple[list[Texts], list[Problem]]:
        """The texts of a row, or all that is wrong with it."""
        problems: list[Problem] = []
        if row.problem or not isinstance(row.value, dict) or isinstance(row.value, Twice):
            return [], [self._unusable(number, row)]
        record = row.value
        parts = {}
        for ours in ("instruction", "input", "output", "system", "history", "messages"):
            if ours not in self.layout.fields:
                continue
            theirs = self.layout.fields[ours]
            try:
                parts[ours] = self._part(record, ours, theirs)
            except BadValue as bad:
                problems.append(Problem(number, theirs, bad.what, bad.fix, row.line, row.file))
        if problems:
            return [], problems
        try:
            texts = self._texts(parts)
        except BadValue as bad:
            return [], [Problem(number, self.layout.required[0], bad.what, bad.fix, row.line, row.file)]
        self._count(record)
        return texts, []

    def _unusable(self, number: int, row: Row) -> Problem:
        if row.problem:
            return Problem(number, None, row.problem, "Mend the line.", row.line, row.file)
        if isinstance(row.value, Twice):
            what = f"The record has {row.value.name!r} twice"
            return Problem(number, row.value.name, what, "Keep one of them.", row.line, row.file)
        fix = 'Use an object: {"instruction": …, "input": …, "output": …}.'
        return Problem(number, None, f"A record is {kind(row.value)}, not an object", fix, row.line, row.file)

    def _part(self, record: dict[str, object], ours: str, theirs: str) -> str | Conversation | list[object] | list[str]:
        """A field's text, conversation or earlier turns; what may be left out is empty then."""
        value = record.get(theirs)
        if ours == "messages":
            return read_conversation(value, theirs)
        if ours == "history":
            if isinstance(value, str):  # a field of that name, and no turns
                self.counts.unused[theirs] += value != ""
                return []
            return read_history(value, theirs)
        if ours in ("input", "system") and is_none(value):
            self.counts.empty += ours == "input" and theirs in record
            return ""
        if theirs not in record:
            there = ", ".join(map(repr, record)) or "none"
            raise BadValue(f"A record has no {theirs!r}", f"Add it. The record's fields: {there[:120]}.")
        if self.layout.name == "prompt-completion" and isinstance(value, list) and is_conversation(value):
            return value  # TRL's other form: both halves of one conversation
        text = as_text(value, theirs)
        self.counts.converted[theirs] += type(value) is not str and is_number(value)
        return text

    def _texts(self, parts: dict[str, Any]) -> list[Texts]:
        halves = [parts.get("instruction"), parts.get("output")]
        if any(isinstance(half, list) for half in halves):
            turns = [*_as_turns(halves[0], "user"), *_as_turns(halves[1], "assistant")]
            return self._spoken(read_conversation(turns, self.layout.fields["instruction"]), parts)
        if "messages" in parts:
            return self._spoken(parts["messages"], parts)
        if parts.get("history"):
            return self._remembered(parts)
        system = parts.get("system")
        instruction = f"{system}\n\n{parts['instruction']}" if system else parts["instruction"]
        return [Texts(instruction, parts.get("input", ""), parts["output"])]

    def _remembered(self, parts: dict[str, Any]) -> list[Texts]:
        """A record with earlier turns; the input belongs to its own instruction, the last one."""
        turns = (*parts["history"], parts["instruction"], parts["output"])
        rest = {name: part for name, part in parts.items() if name != "input"}
        texts = self._spoken(Conversation("", turns, Counter()), rest)
        if self._turns != "first":
            texts[-1] = replace(texts[-1], input=parts.get("input", ""))
        return texts

    def _spoken(self, conversation: Conversation, parts: dict[str, Any]) -> list[Texts]:
        pairs = conversation.pairs(self._turns)
        self.counts.several += len(conversation.turns) > 2
        self.counts.in_front += sum(pair.earlier for pair in pairs)
        self.counts.left_out += len(conversation.turns) - 2 if self._turns == "first" else 0
        where = self.layout.fields.get("messages", self.layout.fields.get("instruction"))
        self.counts.unused.update(f"{where}.{name}" for name in conversation.unused)
        system = f"{parts['system']}\n\n" if parts.get("system") else ""
        return [Texts(system + pair.instruction, parts.get("input", ""), pair.output) for pair in pairs]

    def _count(self, record: dict[str, object]) -> None:
        for name, value in record.items():
            if name not in self._used and not is_none(value) and value not in ("", [], {}):
                self.counts.unused[name] += 1


def _as_turns(half: object, role: str) -> list[object]:
    return half if isinstance(half, list) else [{"role": role, "content": half}]
