"""What an evaluation leaves in a run folder: each held-out record as each model answered it, and what they come to.

before.jsonl  after.jsonl    one `AnsweredRecord` per line, in the data set's order
scores.json                  the `Summary`, written last
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field

from ift.errors import RunError
from ift.json_fields import from_fields
from ift.types import Finish, Score, Side

_FIX = "The file was changed by hand or is damaged: run `python -m ift evaluate` again."
_CHECK = "check"
"""The score of a record with its own check: many answers are right, so that likeness to one of them means nothing."""


@dataclass(frozen=True, slots=True)
class AnsweredRecord:
    """A held-out record, what one model answered, and the scores; `output`: the expected answer."""

    record: int
    instruction: str
    input: str
    output: str
    model_response: str
    finish: Finish
    scores: tuple[Score, ...]
    task: str | None = None
    held_out: tuple[str, ...] = ()
    response_ids: tuple[int, ...] = ()
    """The answer as the model's own tokens, without the end-of-text; none in a run of an earlier version."""

    def value(self, metric: str) -> float | None:
        """A metric's value; None where it has none for this record."""
        return next((score.value for score in self.scores if score.by == metric), None)

    @property
    def has_check(self) -> bool:
        """Whether the record has a check of its own instead of one right answer."""
        return any(score.by == _CHECK for score in self.scores)

    @property
    def check(self) -> float | None:
        """Whether its own check is met; None where it has none, or no answer."""
        return self.value(_CHECK)

    @property
    def right(self) -> float | None:
        """Exact match, or the record's own check."""
        return self.value(_CHECK if self.has_check else "exact_match")

    @property
    def likeness(self) -> float | None:
        """Token F1, or the record's own check."""
        return self.value(_CHECK if self.has_check else "token_f1")

    @property
    def reason(self) -> str:
        """Why it has no score at all; empty where it has one."""
        has_score = any(score.value is not None for score in self.scores)
        return "" if has_score or not self.scores else self.scores[0].reason

    def to_dict(self) -> dict[str, object]:
        """For a line of before.jsonl or after.jsonl."""
        values = {name: getattr(self, name) for name in self.__slots__}  # asdict would copy each token of the answer
        return {**values, "scores": [{"by": one.by, "value": one.value, "reason": one.reason} for one in self.scores]}

    @classmethod
    def from_dict(cls, value: object, *, where: str) -> "AnsweredRecord":
        """What `to_dict` gave; `where`: file and line, for errors.

        Raises:
            RunError: a field is missing or has another type.
        """
        return from_fields(cls, value, where=where, fix=_FIX)


@dataclass(frozen=True, slots=True)
class ComparedRecord:
    """A held-out record with the answers of both models."""

    before: AnsweredRecord
    after: AnsweredRecord

    @property
    def gain(self) -> float | None:
        """By how much the likeness rose; None where one side has none."""
        before, after = self.before.likeness, self.after.likeness
        return None if before is None or after is None else after - before


@dataclass(frozen=True, slots=True)
class Comparison:
    """One metric's means over the records.

    interval: 95 % of after minus before, None where no record has both values. outcome: None in an earlier version's.
    """

    before: float | None
    after: float | None
    interval: tuple[float, float] | None = None
    outcome: "Outcome | None" = None


@dataclass(frozen=True, slots=True)
class GroupSummary:
    """Means of each metric over some of the records, `n` of them; None where none of them has a value."""

    n: int
    before: Mapping[str, float | None]
    after: Mapping[str, float | None]

    def metric(self, name: str) -> Comparison:
        """One metric's means, which are None where it was not measured."""
        return Comparison(self.before.get(name), self.after.get(name))


@dataclass(frozen=True, slots=True)
class Outcome:
    """On how many records a metric got better, stayed the same, got worse; p_value: the two-sided sign test's."""

    wins: int
    ties: int
    losses: int
    p_value: float


@dataclass(frozen=True, slots=True)
class Decoding:
    """How the answers were picked: the likeliest token at temperature 0, else drawn; None: no limit."""

    max_new_tokens: int
    temperature: float = 0.0
    top_k: int | None = None
    top_p: float | None = None
    seed: int = 0

    @property
    def text(self) -> str:
        """In a few words: `greedy answers of up to 64 tokens`."""
        limit = f"answers of up to {self.max_new_tokens} tokens"
        if self.temperature == 0:
            return f"greedy {limit}"
        kept = (f", top_k {self.top_k}" if self.top_k else "") + (f", top_p {self.top_p:g}" if self.top_p else "")
        return f"{limit}, drawn at temperature {self.temperature:g}{kept}, seed {self.seed}"


@dataclass(frozen=True, slots=True)
class SampledRecords:
    """Which of the held-out records were answered: so many of all, drawn by seed."""

    total: int
    seed: int


@dataclass(frozen=True, slots=True)
class JudgeSummary:
    """What a judge's verdicts came to, both sides together; its mean scores are the metric `judge:MODEL`.

    scored, unread: answers with a number, and those without one. suspected: answers that speak of a grade themselves.
    rubric: the prompt, with its placeholders. pairs: of the fine-tuned model's answer against the base model's, blind
    and in both orders; None where they were not compared. unread_pairs: pairs without a verdict.
    """

    model: str
    api: str
    rubric: str
    scored: int
    unread: int
    suspected: int = 0
    pairs: Outcome | None = None
    unread_pairs: int = 0

    def to_dict(self) -> dict[str, object]:
        """For scores.json."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Summary(GroupSummary):
    """Means over all held-out records.

    gain_interval_95: of each metric, the paired-bootstrap interval of after minus before. outcomes: of each metric, its
    wins, ties and losses. held_out: the same means for the records whose fact, and whose wording, no training record
    has. checkpoint: its folder's name. max_new_tokens: the longest answer that was allowed. sampled: None where all
    held-out records were answered. judges: by model. template: the text of the questions' template; empty: the run's.
    """

    gain_interval_95: Mapping[str, tuple[float, float] | None]
    held_out: Mapping[str, GroupSummary] = field(default_factory=dict)
    checkpoint: str = ""
    max_new_tokens: int = 0
    outcomes: Mapping[str, Outcome] = field(default_factory=dict)
    decoding: Decoding | None = None
    sampled: SampledRecords | None = None
    judges: Mapping[str, JudgeSummary] = field(default_factory=dict)
    template: str = ""

    def metric(self, name: str) -> Comparison:
        """One metric's means, the interval of their difference and its outcome; None where it was not measured."""
        interval, outcome = self.gain_interval_95.get(name), self.outcomes.get(name)
        return Comparison(self.before.get(name), self.after.get(name), interval, outcome)

    def to_dict(self) -> dict[str, object]:
        """For scores.json."""
        return asdict(self)

    @classmethod
    def from_dict(cls, value: object, *, where: str) -> "Summary":
        """What `to_dict` gave; `where`: the file, for errors.

        Raises:
            RunError: a field is missing or has another type.
        """
        return from_fields(cls, value, where=where, fix=_FIX)


def compare_answers(before: Sequence[AnsweredRecord], after: Sequence[AnsweredRecord]) -> tuple[ComparedRecord, ...]:
    """The records that both sides have, in `before`'s order."""
    found = {answer.record: answer for answer in after}
    return tuple(ComparedRecord(one, found[one.record]) for one in before if one.record in found)


def answer_to_line(answer: AnsweredRecord) -> str:
    """A line of before.jsonl or after.jsonl, without its line break."""
    return json.dumps(answer.to_dict(), ensure_ascii=False, allow_nan=False)


def answers_from_lines(lines: Iterable[bytes], *, side: Side) -> tuple[AnsweredRecord, ...]:
    """What `answer_to_line` gave, encoded.

    Raises:
        RunError: a line is no JSON, or one of its fields is missing or has another type.
    """
    answers = []
    for number, line in enumerate(lines, start=1):
        where = f"{side}.jsonl, line {number}"
        try:
            value = json.loads(line)
        except ValueError as error:
            raise RunError("The answers can't be read", where=where, fix=_FIX) from error
        answers.append(AnsweredRecord.from_dict(value, where=where))
    return tuple(answers)
