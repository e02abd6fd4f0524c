"""Whole data sets into rows: what `encode` makes of each rendered record, many times faster.

A template's text falls into chunks (`ift.data.chunks`) that encode by themselves. Only where a field begins or ends may
text grow together, so that only this much is encoded anew for each record, all of a block's in one go; the rest is
known before. What is then to do for every row is done for thousands at a time.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from operator import itemgetter

import numpy as np

from ift.data.chunks import chunks, encode_texts
from ift.data.rows import RowStore, spans
from ift.data.templates import FIELDS, Part, Template
from ift.data.tokenizer import encode_text, token_sizes, utf8_size
from ift.roles import Role
from ift.types import EOS_ID, Example

BLOCK = 2048
"""Records that are made rows at a time."""
THREADS = 4
"""At most, each with a block; a third of the work keeps the others out, so that more would wait for each other."""
_FIELD_NUMBERS = {name: number for number, name in enumerate(FIELDS)}


def encode_all(examples: Sequence[Example], template: Template) -> RowStore:
    """One row an example, in order.

    >>> [row] = encode_all([Example("1+1", "", "2")], Template.parse("{{instruction}}: {{output}}"))
    >>> row.ids.tolist()
    [16, 10, 16, 25, 220, 17, 50256]
    """
    return RowStore.joined(encode_blocks(examples, template))


def encode_blocks(examples: Sequence[Example], template: Template) -> Iterator[RowStore]:
    """The same, `BLOCK` rows at a time."""
    forms = [_Form.of(template, has_input=has_input) for has_input in (False, True)]
    blocks = [examples[start : start + BLOCK] for start in range(0, len(examples), BLOCK)]
    if len(blocks) == 1:
        yield _encode(blocks[0], forms)
        return
    # most of the time goes into tiktoken, which lets other threads work
    pool = ThreadPoolExecutor(min(THREADS, os.cpu_count() or 1))
    try:
        yield from pool.map(lambda block: _encode(block, forms), blocks)
    finally:
        pool.shutdown(cancel_futures=True)


@dataclass(frozen=True, slots=True)
class _Form:
    """A template as rows need it, for records with an input or for those without.

    A row's ids are pieces: fixed ones, whose ids are known, and open ones, which are encoded for each record: a
    pattern, and what takes its fields from the record's. Its text is segments, each with a role, and of a field's or
    of a fixed size in bytes. Pieces and segments end with the end-of-text.

    fixed: the ids of each piece, None where it is open. opened: the open ones in order. fields: of each segment, the
    field's number, or `len(FIELDS)`. prompt_segments: how many segments come before the response.
    """

    fixed: list[np.ndarray | None]
    opened: list[tuple[str, Callable[[tuple[str, ...]], object]]]
    fields: np.ndarray
    sizes: np.ndarray
    roles: np.ndarray
    prompt_segments: int

    @classmethod
    def of(cls, template: Template, *, has_input: bool) -> "_Form":
        laid_out = template.laid_out(has_input=has_input)
        sides = [[part for part, role in laid_out if (role == Role.RESPONSE) == after] for after in (False, True)]
        pieces = [piece for side in sides for piece in _pieces(side)]
        none = len(FIELDS)
        fixed = [None if _is_open(piece) else _ids("".join(map(str, piece))) for piece in pieces]
        return cls(
            [*fixed, np.array([EOS_ID], np.uint16)],
            [_pattern(piece) for piece in pieces if _is_open(piece)],
            np.array([*(_FIELD_NUMBERS[part.text] if part.is_field else none for part, _ in laid_out), none]),
            np.array([*(0 if part.is_field else utf8_size(part.text) for part, _ in laid_out), token_sizes()[EOS_ID]]),
            np.array([*(role for _, role in laid_out), Role.EOS], dtype=np.uint8),
            len(sides[0]),
        )


def _pieces(parts: Sequence[Part]) -> list[list[str | int]]:
    """The parts in pieces that encode by themselves whatever the fields hold: lists of texts and field numbers."""
    pieces: list[list[str | int]] = []
    grown: list[str | int] = []  # what may still grow together with what follows
    for is_field, group in groupby(parts, key=lambda part: part.is_field):
        if is_field:
            grown += [_FIELD_NUMBERS[part.text] for part in group]
            continue
        found = chunks("".join(part.text for part in group))
        if grown:
            grown.append(found.pop(0))
        if found:
            pieces += [grown, [*found[:-1]]]
            grown = [found[-1]]
    return [piece for piece in (*pieces, grown) if piece]


def _is_open(piece: list[str | int]) -> bool:
    return any(isinstance(item, int) for item in piece)


def _pattern(piece: list[str | int]) -> tuple[str, Callable[[tuple[str, ...]], object]]:
    pattern = "".join("%s" if isinstance(item, int) else item.replace("%", "%%") for item in piece)
    return pattern, itemgetter(*(item for item in piece if isinstance(item, int)))


@lru_cache(maxsize=256)  # with each key in a template, one piece of it changes
def _ids(text: str) -> np.ndarray:
    found = np.array(encode_text(text), dtype=np.uint16)
    found.setflags(write=False)
    return found


def _encode(examples: Sequence[Example], forms: Sequence[_Form]) -> RowStore:
    which = [example.has_input for example in examples]
    fields = [(example.instruction, example.input, example.output) for example in examples]
    opened = [form.opened for form in forms]
    texts = [pattern % pick(row) for row, form in zip(fields, which, strict=True) for pattern, pick in opened[form]]
    sizes = np.array([utf8_size(field) for row in fields for field in row], dtype=np.int64).reshape(-1, len(FIELDS))
    kinds = np.array(which, dtype=np.int64)
    return _store(_joined(*encode_texts(texts), kinds, forms), sizes, kinds, forms)


def _joined(
    ids: np.ndarray, starts: np.ndarray, counts: np.ndarray, which: np.ndarray, forms: Sequence[_Form]
) -> np.ndarray:
    """The ids of all rows: fixed pieces, and the open ones' that stand in `ids`, `counts` of them from `starts` on."""
    pool, known = [ids], len(ids)
    opened = _firsts(which, [len(form.opened) for form in forms])
    first = _firsts(which, [len(form.fixed) for form in forms])
    piece_starts = np.zeros(sum(len(forms[number].fixed) for number in which.tolist()), dtype=np.int64)
    piece_counts = np.zeros_like(piece_starts)
    for number, form in enumerate(forms):
        rows, nth = np.flatnonzero(which == number), 0
        for column, fixed in enumerate(form.fixed):
            places = first[rows] + column
            if fixed is None:
                chosen, nth = opened[rows] + nth, nth + 1
                piece_starts[places], piece_counts[places] = starts[chosen], counts[chosen]
            else:
                piece_starts[places], piece_counts[places] = known, len(fixed)
                pool.append(fixed)
                known += len(fixed)
    joined: np.ndarray = np.concatenate(pool)[spans(piece_starts, piece_counts)]
    return joined


def _firsts(which: np.ndarray, sizes: Sequence[int] | np.ndarray) -> np.ndarray:
    """(n,) where each row's items begin when a row of form `which` has `sizes[which]` of them."""
    each = np.array(sizes, dtype=np.int64)[which]
    firsts: np.ndarray = np.cumsum(each) - each
    return firsts


def _store(ids: np.ndarray, field_sizes: np.ndarray, which: np.ndarray, forms: Sequence[_Form]) -> RowStore:
    """Rows of ids; a token that straddles two segments belongs to that of its last character."""
    segments = np.array([len(form.roles) for form in forms])
    first = _firsts(which, segments)
    sizes = np.zeros(segments[which].sum(), dtype=np.int64)
    roles = np.zeros(len(sizes), dtype=np.uint8)
    field_sizes = np.pad(field_sizes, ((0, 0), (0, 1)))  # the last column is of what is no field
    for number, form in enumerate(forms):
        rows = np.flatnonzero(which == number)
        places = first[rows, None] + np.arange(len(form.roles))
        sizes[places] = field_sizes[rows][:, form.fields] + form.sizes
        roles[places] = form.roles
    token_ends = np.cumsum(token_sizes()[ids])
    ends = np.searchsorted(token_ends, np.cumsum(sizes), side="right")  # how many tokens end where a segment does
    row_ends = ends[first + segments[which] - 1]
    prompt_ends = ends[first + np.array([form.prompt_segments for form in forms])[which] - 1]
    return RowStore(
        ids, np.repeat(roles, np.diff(ends, prepend=0)), row_ends, prompt_ends - np.concatenate([[0], row_ends[:-1]])
    )
