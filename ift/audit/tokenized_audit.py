"""What rows of token ids and labels train, whatever trainer made them: the mistakes that no loss curve shows."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from ift.audit.findings import Finding, Hits, Severity, warnings_first
from ift.data.tokenized_rows import RowProblem, TokenizedRow
from ift.plurals import plural
from ift.types import IGNORE_INDEX

OPENING = 3
"""Tokens by which a packed document is known to begin as other rows do."""
SEVERAL = 2
"""Rows of the same greatest length from which on a limit has cut them."""


@dataclass(frozen=True, slots=True)
class SpecialIds:
    """A tokenizer's own: what ends a text, what begins one, what fills up, and how many ids there are."""

    eos: frozenset[int]
    bos: int | None
    pad: int | None
    size: int


@dataclass(frozen=True, slots=True)
class TokenizedReport:
    """What an audit found.

    rows: read. tokens: without padding. trained: labels that are not -100 and have a position before them.
    problems: rows that can't be read. findings: warnings first.
    """

    rows: int
    tokens: int
    trained: int
    longest: int
    problems: tuple[RowProblem, ...]
    findings: tuple[Finding, ...]

    @property
    def trained_share(self) -> float:
        """Trained labels / tokens."""
        return self.trained / max(1, self.tokens)


def audit(
    rows: Iterable[TokenizedRow | RowProblem], special: SpecialIds, *, limit: int | None = None
) -> TokenizedReport:
    """Look at every row once, in one pass; of each only its kind of mistake is kept.

    Args:
        rows: as read.
        special: the tokenizer's own ids.
        limit: tokens at which rows are cut, where that is known; else several rows of one greatest length show it.

    >>> row = TokenizedRow(*np.array([[5, 6, 7], [-100, -100, 7]]), np.ones(3, dtype=bool), None)
    >>> [finding.code for finding in audit([row], SpecialIds(frozenset({9}), None, None, 10)).findings]
    ['eos-missing']
    """
    state, problems = _Audit(special, limit), []
    for number, row in enumerate(rows):
        if isinstance(row, RowProblem):
            problems.append(row)
        else:
            state.see(number, row)
    findings = warnings_first(list(state.findings()))
    counts = (state.rows, state.tokens, state.trained, state.longest)
    return TokenizedReport(*counts, tuple(problems), findings)


@dataclass
class _Audit:
    special: SpecialIds
    limit: int | None = None
    rows: int = 0
    padding_trained: int = 0
    tokens: int = 0
    trained: int = 0
    longest: int = 0
    hits: dict[str, Hits] = field(default_factory=dict)
    open_ends: dict[int, Hits] = field(default_factory=dict)
    """Rows without an end, by their length."""
    openings: set[bytes] = field(default_factory=set)
    inner: list[tuple[int, bytes]] = field(default_factory=list)
    """Where a text ends inside a row that says nothing of documents: the row, and what follows."""
    seen: dict[int, int] = field(default_factory=dict)

    def see(self, number: int, row: TokenizedRow) -> None:
        content = row.ids[row.real]
        labels = row.labels[row.real]
        self.rows += 1
        self.tokens += len(content)
        self.longest = max(self.longest, len(content))
        targets = int((row.labels[1:] != IGNORE_INDEX).sum())  # nothing stands before the first
        self.trained += targets
        self._see_labels(number, row, targets)
        different = (labels != IGNORE_INDEX) & (labels != content)
        if different.any():
            self._hit("labels-shifted" if _is_shifted(content, labels, different) else "labels-differ", number)
        elif len(labels) > 1 and labels[1] != IGNORE_INDEX:
            self._hit("prompt-trained", number)
        self._see_ends(number, content, labels, judges_eos=targets > 0 and not different.any())
        self._see_documents(number, row, content)
        if self.seen.setdefault(hash(content.tobytes()), number) != number:
            self._hit("duplicate", number)

    def _hit(self, code: str, number: int) -> None:
        self.hits.setdefault(code, Hits()).add(number)

    def _see_labels(self, number: int, row: TokenizedRow, targets: int) -> None:
        if not targets:
            self._hit("nothing-trained", number)
        of_padding = int((row.labels[~row.real] != IGNORE_INDEX).sum())
        if of_padding:
            self.padding_trained += of_padding
            self._hit("padding-trained", number)
        if row.ids.max() >= self.special.size:
            self._hit("unknown-id", number)

    def _see_ends(self, number: int, content: np.ndarray, labels: np.ndarray, *, judges_eos: bool) -> None:
        if not len(content):
            return
        bos = self.special.bos
        if bos is not None and len(content) > 1 and content[0] == content[1] == bos:
            self._hit("double-bos", number)
        ends = _places_of(self.special.eos, content)
        if not _is_end(ends, content):
            self.open_ends.setdefault(len(content), Hits()).add(number)
        elif judges_eos and labels[ends[-1]] == IGNORE_INDEX:
            self._hit("eos-masked", number)

    def _see_documents(self, number: int, row: TokenizedRow, content: np.ndarray) -> None:
        self.openings.add(content[:OPENING].tobytes())
        if row.starts is not None and len(row.starts) > 1:
            return  # each document sees itself alone
        inner = _places_of(self.special.eos, content[:-OPENING])
        self.inner += [(number, content[at + 1 : at + 1 + OPENING].tobytes()) for at in inner.tolist()]

    def findings(self) -> Iterator[Finding]:
        yield from self._end_findings()
        packed = Hits()
        for number in sorted({number for number, opening in self.inner if opening in self.openings}):
            packed.add(number)
        for code, hits in {**self.hits, "packed-together": packed}.items():
            if hits.count:
                severity, what, fix = _TEXTS[code]
                if code == "prompt-trained" and hits.count == self.rows:
                    severity, what = Severity.NOTE, "Every token is trained, the prompt's too"
                found = hits.finding(code, severity, what, fix)
                yield replace(found, amount=self._amount()) if code == "padding-trained" else found

    def _amount(self) -> str:
        return plural(self.padding_trained, "target")

    def _end_findings(self) -> Iterator[Finding]:
        limit = self.limit or self.longest
        cut = self.open_ends.pop(limit, Hits())
        open_ends = _joined(self.open_ends.values())
        if cut.count >= (SEVERAL if self.limit is None else 1):
            what = f"Rows end at exactly {limit:,} tokens without an end-of-text token: they are cut"
            fix = "Raise the length limit, or drop long rows: a cut row teaches never to stop."
            yield cut.finding("row-cut", Severity.WARNING, what, fix)
        else:
            open_ends = _joined([open_ends, cut])
        if open_ends.count:
            yield open_ends.finding("eos-missing", *_TEXTS["eos-missing"])


def _places_of(tokens: frozenset[int], ids: np.ndarray) -> np.ndarray:
    """Where one of the tokens is; most tokenizers have one end, and comparing is many times faster than `isin`."""
    if len(tokens) == 1:
        return np.flatnonzero(ids == next(iter(tokens)))
    return np.flatnonzero(np.isin(ids, list(tokens)))


def _is_shifted(content: np.ndarray, labels: np.ndarray, different: np.ndarray) -> bool:
    """Whether most labels that differ are the id one position further on."""
    at = np.flatnonzero(different[:-1])
    return bool(len(at)) and bool((labels[at] == content[at + 1]).mean() > 0.5)


def _is_end(ends: np.ndarray, content: np.ndarray) -> bool:
    """Whether a text ends the row; chat templates leave a line break after it."""
    return bool(len(ends)) and ends[-1] >= len(content) - 2


def _joined(several: Iterable[Hits]) -> Hits:
    joined = Hits()
    for hits in several:
        joined.rows.extend(hits.rows)
    return joined


_W, _N = Severity.WARNING, Severity.NOTE
_TEXTS = {
    "nothing-trained": (
        _W,
        "Rows train nothing: every label is -100",
        "The marker of the answer was not found, or the answer was cut off. Check the template and the length limit.",
    ),
    "eos-missing": (
        _W,
        "Rows do not end with an end-of-text token",
        "Append it to every answer: the model never learns to stop.",
    ),
    "eos-masked": (
        _W,
        "The end-of-text token is there, but its label is -100",
        "Train it: where padding has the same id, mask padding by the attention mask, not by the id.",
    ),
    "padding-trained": (
        _W,
        "Padding is trained",
        "Set the labels of padding to -100.",
    ),
    "labels-shifted": (
        _W,
        "Labels are the next token's ids: the model shifts them a second time",
        "Give labels that are not shifted: the same ids as input_ids, or -100.",
    ),
    "labels-differ": (
        _W,
        "Labels are neither -100 nor the token of their position",
        "Check the collator: labels must be input_ids, or -100.",
    ),
    "double-bos": (
        _W,
        "Rows begin with two begin-of-text tokens",
        "The template writes one and the tokenizer adds another: tokenize with add_special_tokens=False.",
    ),
    "prompt-trained": (
        _W,
        "The prompt is trained in some rows and masked in others",
        "If only answers should be trained, mask the prompt (completion-only loss).",
    ),
    "packed-together": (
        _W,
        "Packed documents see each other: nothing tells where one begins",
        "Pack with position_ids that begin anew at each document, and an attention that reads them.",
    ),
    "unknown-id": (
        _W,
        "Rows hold ids that this tokenizer does not have",
        "Name the tokenizer that made them with --tokenizer.",
    ),
    "duplicate": (
        _N,
        "Rows repeat an earlier row token for token",
        "Remove them, unless their weight is meant.",
    ),
}
CODES = (*_TEXTS, "row-cut")
"""The codes of all findings."""
