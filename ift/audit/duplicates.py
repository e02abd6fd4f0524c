"""Records that ask the same: one definition for the command line, the page and both of its tabs."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ift.types import Example


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
    answers: dict[tuple[str, str], set[str]] = {}
    same, conflicting = [], []
    for i, example in enumerate(examples):
        known = answers.setdefault(question(example), set())
        answer = _squeezed(example.output)
        if answer in known:
            same.append(i)
        elif known:
            conflicting.append(i)
        known.add(answer)
    trained = {question(examples[i]) for i in train}
    leaks = tuple(i for i in test if question(examples[i]) in trained)
    return Duplicates(tuple(same), tuple(conflicting), leaks)


def _squeezed(text: str) -> str:
    return " ".join(text.split())
