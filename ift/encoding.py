"""Whole data sets into rows: what `encode` makes of each rendered record, many times faster.

A template's text falls into chunks (`ift.chunks`) that encode by themselves; only where a field begins or ends may
text grow together, so that only there it is put together anew for each record. The chunks of all records are few, and
each is encoded once. What is left to do for every row is done for thousands at a time.
"""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from ift.chunks import chunks
from ift.store import RowStore, spans
from ift.templates import FIELDS, Part, Template
from ift.tokenizer import encode_text, token_sizes
from ift.types import EOS_ID, Example, Role

BLOCK = 2048
"""Records that are made rows at a time."""
CHUNKS_KEPT = 2**19
"""Chunks remembered from block to block: some hundred megabytes at most."""
_FIELD_NUMBERS = {name: number for number, name in enumerate(FIELDS)}


class Encoder:
    """Makes rows of a template's records; remembers the chunks it has met, so that what comes later goes faster.

    >>> [row] = Encoder(Template.parse("{{instruction}}: {{output}}")).encode([Example("1+1", "", "2")])
    >>> row.ids.tolist()
    [16, 10, 16, 25, 220, 17, 50256]
    """

    def __init__(self, template: Template) -> None:
        self._forms = {has_input: _Form.of(template, has_input=has_input) for has_input in (True, False)}
        self._table = _Table()

    def encode(self, examples: Sequence[Example]) -> RowStore:
        """One row an example, in order."""
        return RowStore.joined(self.blocks(examples))

    def blocks(self, examples: Sequence[Example]) -> Iterator[RowStore]:
        """The same, `BLOCK` rows at a time."""
        for start in range(0, len(examples), BLOCK):
            if len(self._table) > CHUNKS_KEPT:
                self._table = _Table()
            yield _encode(examples[start : start + BLOCK], self._forms, self._table)


def encode_all(examples: Sequence[Example], template: Template) -> RowStore:
    """One row an example, in order."""
    return Encoder(template).encode(examples)


@dataclass(frozen=True, slots=True)
class _Form:
    """A template as rows need it, for records with an input or for those without.

    steps: each a text of whole chunks, or a list of texts and field numbers that may grow together. segments: what
    stands in a row one after the other, end-of-text included, each as a field's number or the text's size in bytes
    (below 0, to tell them apart). roles: theirs. prompt_segments: how many of them come before the response.
    """

    steps: list[str | list[str | int]]
    segments: list[int]
    roles: list[int]
    prompt_segments: int

    @classmethod
    def of(cls, template: Template, *, has_input: bool) -> "_Form":
        laid_out = template.laid_out(has_input=has_input)
        sides = [[part for part, role in laid_out if (role == Role.RESPONSE) == after] for after in (False, True)]
        segments = [_FIELD_NUMBERS[part.text] if part.is_field else -_bytes(part.text) for part, _ in laid_out]
        return cls(
            [step for side in sides for step in _steps(side)],
            [*segments, -int(token_sizes()[EOS_ID])],
            [*(role for _, role in laid_out), Role.EOS],
            len(sides[0]),
        )


def _steps(parts: Sequence[Part]) -> list[str | list[str | int]]:
    steps: list[list[str | int]] = []
    grown: list[str | int] = []  # what may still grow together with what follows
    for is_field, group in groupby(parts, key=lambda part: part.is_field):
        if is_field:
            grown += [_FIELD_NUMBERS[part.text] for part in group]
            continue
        pieces = chunks("".join(part.text for part in group))
        if grown:
            grown.append(pieces.pop(0))
        if pieces:
            steps += [grown, pieces[:-1]]
            grown = [pieces[-1]]
    return [step if _has_field(step) else "".join(step) for step in (*steps, grown) if step]


def _has_field(step: list[str | int]) -> bool:
    return any(isinstance(item, int) for item in step)


class _Table(dict[str | None, int]):
    """Chunks by number, as they come, None for end-of-text; and the ids of each."""

    def __init__(self) -> None:
        super().__init__()
        self._ids, self._ends = array("H"), array("q")
        self[None] = self._add([EOS_ID])

    def __missing__(self, chunk: str) -> int:
        self[chunk] = self._add(encode_text(chunk))
        return self[chunk]

    def _add(self, ids: list[int]) -> int:
        self._ids.extend(ids)
        self._ends.append(len(self._ids))
        return len(self._ends) - 1

    def encode(self, found: list[str | None]) -> np.ndarray:
        """(N,) uint16: the ids of all these chunks, one after the other."""
        numbers = np.fromiter(map(self.__getitem__, found), np.int64, len(found))
        ends = np.array(self._ends)
        sizes = np.diff(ends, prepend=0)
        return np.array(self._ids)[spans((ends - sizes)[numbers], sizes[numbers])]


def _encode(examples: Sequence[Example], forms: dict[bool, _Form], table: _Table) -> RowStore:
    found: list[str | None] = []
    sizes: list[int] = []  # of every segment of every row, in bytes
    roles: list[int] = []
    rows: list[_Form] = []
    for example in examples:
        form = forms[example.has_input]
        fields = (example.instruction, example.input, example.output)
        field_sizes = tuple(map(_bytes, fields))
        for step in form.steps:
            if isinstance(step, str):
                found.append(step)
            else:
                found += chunks("".join([fields[item] if isinstance(item, int) else item for item in step]))
        found.append(None)
        sizes += [field_sizes[segment] if segment >= 0 else -segment for segment in form.segments]
        roles += form.roles
        rows.append(form)
    return _store(table.encode(found), sizes, roles, rows)


def _store(ids: np.ndarray, sizes: list[int], roles: list[int], rows: list[_Form]) -> RowStore:
    """Rows of ids; a token that straddles two segments belongs to that of its last character."""
    token_ends = np.cumsum(token_sizes()[ids])
    segment_ends = np.searchsorted(token_ends, np.cumsum(sizes), side="right")  # how many tokens end by there
    last = np.cumsum([len(form.roles) for form in rows]) - 1  # segment of each row
    ends = segment_ends[last]
    before = np.array([len(form.roles) - form.prompt_segments for form in rows])
    prompt_ends = segment_ends[last - before]
    return RowStore(
        ids,
        np.repeat(np.array(roles, dtype=np.uint8), np.diff(segment_ends, prepend=0)),
        ends,
        prompt_ends - np.concatenate([[0], ends[:-1]]),
    )


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())
