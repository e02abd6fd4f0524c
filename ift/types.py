"""The values that flow from a record to the tensors and from an answer to its score."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from ift.roles import Role

EOS_ID = 50256
"""GPT-2's `<|endoftext|>`: ends a row, and fills it up (padding is told apart by role, not by id)."""
IGNORE_INDEX = -100
"""The target that torch's cross-entropy leaves out."""


class Side(StrEnum):
    """Which of the two models that are compared: the base model, or the fine-tuned one."""

    BEFORE = "before"
    AFTER = "after"


class Finish(StrEnum):
    """How an answer ended."""

    EOS = "eos"
    """By itself, with the end-of-text."""
    STOP = "stop"
    """With the template's own ending."""
    LENGTH = "length"
    """It was cut: it reached the limit of new tokens, or the prompt left no room."""


@dataclass(frozen=True, slots=True)
class Check:
    """When an answer to an open-ended task is right, whatever words it chooses.

    It names at least `at_least` different ones of `any_of`, as whole words, in at least `sentences` sentences.
    """

    any_of: tuple[str, ...]
    at_least: int = 1
    sentences: int = 1


@dataclass(frozen=True, slots=True)
class Example:
    """One record as it stands in its file; `split`, `task` and `check` are None where the file has none.

    held_out: what the file says no training record has ("fact", "wording"), so that scores can be split by it.
    """

    instruction: str
    input: str
    output: str
    split: str | None = None
    task: str | None = None
    check: Check | None = None
    held_out: tuple[str, ...] = ()

    @property
    def has_input(self) -> bool:
        """A record has an input when the string is not empty: one space counts, as in the book."""
        return self.input != ""

    @property
    def has_output(self) -> bool:
        """Whether there is an answer: white space alone is none."""
        return self.output.strip() != ""


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of text with one role; never empty."""

    text: str
    role: Role


@dataclass(frozen=True, slots=True)
class Rendered:
    """A record poured into a template: prompt segments first, then what is to be answered."""

    segments: tuple[Segment, ...]

    @property
    def text(self) -> str:
        """The string the model sees, before the end-of-text token."""
        return "".join(segment.text for segment in self.segments)

    @property
    def prompt(self) -> str:
        """What stands before the response."""
        return "".join(segment.text for segment in self.segments if segment.role != Role.RESPONSE)

    @property
    def response(self) -> str:
        """The output with any template text after it."""
        return "".join(segment.text for segment in self.segments if segment.role == Role.RESPONSE)


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """One row of ids: `encode(prompt) + encode(response) + [EOS_ID]`.

    ids: (n,) uint16. roles: (n,) uint8, one `Role` an id. The first `prompt_length` ids are the
    inference prompt, exactly.
    """

    ids: np.ndarray
    roles: np.ndarray
    prompt_length: int

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def prompt_ids(self) -> list[int]:
        """The ids that generation starts from."""
        ids: list[int] = self.ids[: self.prompt_length].tolist()
        return ids


@dataclass(frozen=True, slots=True)
class Completion:
    """What a model wrote after a prompt.

    `ids` as generated, without the end-of-text; `text` is decoded from them, without the template's own
    ending.
    """

    record: int
    text: str
    ids: tuple[int, ...]
    finish: Finish


@dataclass(frozen=True, slots=True)
class Score:
    """One metric's value, or None and the reason why there is none; its unit: `ift.evaluation.measures`."""

    by: str
    value: float | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Scored:
    """A completion and one score per metric: one row in, one row out."""

    completion: Completion
    scores: tuple[Score, ...]
