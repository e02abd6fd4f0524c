"""Records that ask the same: one definition for the command line, the page and both of its tabs."""

from array import array
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from ift.audit.findings import Block, Finding, Hits, Severity
from ift.audit.near_duplicates import NearDuplicates
from ift.types import Example

PAIRS_NAMED = 3


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Positions of records that ask what an earlier one asked, in order.

    same: with an answer that was there, too. conflicting: with another answer. leaks: records of the test split that
    ask what a record of the training split asks.
    """

    same: tuple[int, ...]
    conflicting: tuple[int, ...]
    leaks: tuple[int, ...]

    @property
    def repeats(self) -> tuple[int, ...]:
        """Both kinds together, in order."""
        return tuple(sorted((*self.same, *self.conflicting)))


def question(example: Example) -> tuple[str, str]:
    """Instruction and input without regard to case and white space: two records with the same one ask the same."""
    return _squeezed(example.instruction).lower(), _squeezed(example.input).lower()


def find_duplicates(
    examples: Sequence[Example], *, train: Collection[int] = (), test: Collection[int] = ()
) -> Duplicates:
    """Look at every record once.

    Args:
        examples: the records.
        train: positions of the training split, for `leaks`.
        test: positions of the test split.

    >>> records = [Example("1+1?", "", "2"), Example("1 +1?", "", "2"), Example(" 1+1? ", "", "3")]
    >>> find_duplicates(records).conflicting
    (2,)
    """
    asked = array("q", map(hash, map(question, examples)))  # 64 bits of a text take a tenth of its memory
    answers: dict[int, int | set[int]] = {}
    same: list[int] = []
    conflicting: list[int] = []
    for i, example in enumerate(examples):
        answer = hash(_squeezed(example.output))
        if asked[i] not in answers:
            answers[asked[i]] = answer
            continue
        known = _several(answers, asked[i])
        (same if answer in known else conflicting).append(i)
        known.add(answer)
    trained = {asked[i] for i in train}
    leaks = tuple(i for i in test if asked[i] in trained)
    return Duplicates(tuple(same), tuple(conflicting), leaks)


def _several(answers: dict[int, int | set[int]], asked: int) -> set[int]:
    """The answers to a question that comes again; most come once and have one number, not a set."""
    known = answers[asked]
    if isinstance(known, int):
        known = answers[asked] = {known}
    return known


def _squeezed(text: str) -> str:
    return " ".join(text.split())


class DuplicateRule:
    """No two records ask the same, and the test split asks nothing that was trained. Judges the whole data set."""

    def __init__(self, examples: Sequence[Example], *, train: Collection[int], test: Collection[int]) -> None:
        self.examples, self.train, self.test = examples, train, test
        self.near = NearDuplicates()

    def see(self, block: Block) -> None:
        """Look at some records."""
        self.near.see(block)

    def findings(self) -> Iterator[Finding]:
        """Rows that repeat an earlier one's question, exactly or nearly, and leaks."""
        found = find_duplicates(self.examples, train=self.train, test=self.test)
        repeats = {*found.same, *found.conflicting}
        near = {i: other for i, other in self.near.pairs().items() if i not in repeats}
        if found.leaks or near:
            yield from self._leaks(found.leaks, near)
        if found.conflicting:
            what = "Records ask what an earlier record asked, and have another answer"
            fix = "Keep one of them: exact match can count only one answer as right."
            yield Finding("conflicting-answers", Severity.WARNING, what, fix, found.conflicting)
        if found.same:
            what = "Records repeat an earlier question and its answer"
            fix = "Remove them, unless their weight is meant."
            yield Finding("repeated-question", Severity.NOTE, what, fix, found.same)
        if near:
            what = "Records are nearly the same as an earlier one"
            fix = "Keep one of each, unless the small difference is what should be learned."
            details = tuple(f"row {i} and row {other}" for i, other in list(near.items())[:PAIRS_NAMED])
            yield Finding("near-duplicate", Severity.NOTE, what, fix, tuple(sorted(near)), details)

    def _leaks(self, exact: Sequence[int], near: dict[int, int]) -> Iterator[Finding]:
        train, test = set(self.train), set(self.test)
        close = {
            (i if i in test else other)
            for i, other in near.items()
            if (i in test and other in train) or (i in train and other in test)
        } - set(exact)
        hits = Hits()
        for record in sorted({*exact, *close}):
            hits.add(record)
        if hits.count:
            what = "Test records ask what a training record asks"
            fix = "Remove them from one of the splits: the score would count what was memorized."
            details = (f"{len(exact):,} exactly, {len(close):,} nearly",) if close else ()
            yield hits.finding("leak", Severity.WARNING, what, fix, details)
