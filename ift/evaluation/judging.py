"""The judge goes through the rows of both sides; what it said once is kept in the run folder and not asked again.

judge.jsonl    one reply per line, under the hash of all that decides it: address, model, settings, prompt; and whose
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from pathlib import Path

from ift.evaluation.intervals import sign_test
from ift.evaluation.judge import (
    SEED,
    TEMPERATURE,
    Judge,
    begs,
    grade,
    grading_prompt,
    pair_prompt,
    preference,
    read_choice,
)
from ift.evaluation.judge_client import JudgeClient, JudgeError
from ift.evaluation.measures import JUDGE, PAIRS
from ift.events import Judged
from ift.runs.lines import append_line, whole_lines
from ift.runs.scores import AnsweredRecord, JudgeSummary, Outcome
from ift.types import Score, Side

PATIENCE = 5
"""Failures one after another, after which the judge is not asked any more."""
Sides = dict[Side, list[AnsweredRecord]]
Reply = str | JudgeError
"""What the judge said, or why there is no reply."""


class KeptReplies:
    """The judge's replies on disk, by content."""

    def __init__(self, path: Path) -> None:
        self.path = path
        kept = list(filter(None, map(_kept, whole_lines(path))))
        self._replies = {key: reply for key, reply, _ in kept}
        self._judges = {judge for *_, judge in kept}

    def has_any_of(self, judge: Judge) -> bool:
        """Whether this judge has replied before."""
        return _name(judge) in self._judges

    def get(self, key: str) -> str | None:
        """A reply, or None."""
        return self._replies.get(key)

    def put(self, key: str, reply: str, judge: Judge) -> None:
        """Keep a reply, for this run and the next."""
        line = {"key": key, "reply": reply, "judge": _name(judge)}
        append_line(self.path, json.dumps(line, ensure_ascii=False))
        self._replies[key] = reply


def _name(judge: Judge) -> str:
    return f"{judge.api} {judge.url} {judge.model}"


def _kept(line: bytes) -> tuple[str, str, str] | None:
    """Of a line; one that is damaged is asked again."""
    try:
        value = json.loads(line)
        return str(value["key"]), str(value["reply"]), str(value.get("judge", ""))  # an earlier version kept no name
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


class Bench:
    """A judge with its kept replies, who is left alone once it has failed several times in a row."""

    def __init__(self, client: JudgeClient, kept: KeptReplies) -> None:
        self.client, self.kept = client, kept
        self.judge = client.judge
        self._failures = 0

    def replies(self, prompts: Sequence[str], look: Callable[[], None]) -> Iterator[tuple[int, Reply]]:
        """Each prompt's number and the reply, or why there is none: the kept ones first, then as the judge gives them.

        Equal prompts are asked once. `look` is called while the judge thinks, and may raise.
        """
        numbers: dict[str, list[int]] = {}
        for number, prompt in enumerate(prompts):
            numbers.setdefault(prompt, []).append(number)
        kept = {prompt: self.kept.get(_key(self.judge, prompt)) for prompt in numbers}
        yield from (
            (number, reply) for prompt, reply in kept.items() if reply is not None for number in numbers[prompt]
        )
        missing = [prompt for prompt, reply in kept.items() if reply is None]
        for place, reply in self.client.replies(takewhile(self._is_asked, missing), look):
            self._note(missing[place], reply)
            yield from ((number, reply) for number in numbers.pop(missing[place]))
        left_alone = JudgeError(f"not asked: the judge had failed {PATIENCE} times in a row")
        yield from ((number, left_alone) for prompt in missing for number in numbers.get(prompt, ()))

    def _is_asked(self, prompt: str) -> bool:
        return self._failures < PATIENCE

    def _note(self, prompt: str, reply: Reply) -> None:
        if isinstance(reply, JudgeError):
            self._failures += 1
        else:
            self._failures = 0
            self.kept.put(_key(self.judge, prompt), reply, self.judge)


@dataclass(frozen=True, slots=True)
class Question:
    """What a judge is asked about a row: no prompt where the score needs none. read: the score, from all replies."""

    score_name: str
    prompts: tuple[str, ...]
    read: Callable[[Sequence[str]], Score]

    def score(self, replies: Sequence[Reply]) -> Score:
        """Without a value where a reply is missing, with its reason."""
        missing = next((reply for reply in replies if isinstance(reply, JudgeError)), None)
        if missing:
            return Score(self.score_name, None, missing.what)
        return self.read([reply for reply in replies if isinstance(reply, str)])


def grading(judge: Judge, row: AnsweredRecord) -> Question:
    """A row's grade."""
    if row.reason:
        return _settled(Score(judge.score_name, None, row.reason))
    prompts = (grading_prompt(judge.rubric, row),)
    return Question(judge.score_name, prompts, lambda replies: grade(judge, row, replies[0]))


def preferring(judge: Judge, before: AnsweredRecord, after: AnsweredRecord) -> Question:
    """Which of two answers is better, asked in both orders; equal ones need no judge."""
    old, new = before.model_response, after.model_response
    if reason := before.reason or after.reason:
        return _settled(Score(judge.pair_name, None, reason))
    if old.strip() == new.strip():
        return _settled(Score(judge.pair_name, 0.5, "the answers are the same"))

    def read(replies: Sequence[str]) -> Score:
        (after_first, why), (before_first, why_not) = map(read_choice, replies)
        return preference(judge, after_first, before_first, why or why_not)

    return Question(judge.pair_name, (pair_prompt(after, new, old), pair_prompt(after, old, new)), read)


def _settled(score: Score) -> Question:
    return Question(score.by, (), lambda replies: score)


def _key(judge: Judge, prompt: str) -> str:
    parts = [judge.api, judge.url, judge.model, SEED, TEMPERATURE, prompt]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def without_judges(rows: Sequence[AnsweredRecord]) -> list[AnsweredRecord]:
    """The rows without what any judge said of them."""
    return [
        replace(row, scores=tuple(score for score in row.scores if not score.by.startswith((JUDGE, PAIRS))))
        for row in rows
    ]


def judging(bench: Bench, sides: Sides, look: Callable[[], None]) -> Iterator[Judged]:
    """Grade each row of both sides, and compare them where the judge is to: a row gets its scores as they come.

    Args:
        bench: who judges.
        sides: the rows; those that are judged are replaced in their lists.
        look: is called after each verdict and while the judge thinks, and may raise.
    """
    for side, rows in reversed(sides.items()):  # the fine-tuned model's first, as everybody waits for those
        yield from _ask(bench, side, rows, [grading(bench.judge, row) for row in rows], look)
    if bench.judge.pairs:
        before = {row.record: row for row in sides[Side.BEFORE]}
        rows = sides[Side.AFTER]
        yield from _ask(bench, None, rows, [preferring(bench.judge, before[row.record], row) for row in rows], look)


def _ask(
    bench: Bench, side: Side | None, rows: list[AnsweredRecord], questions: Sequence[Question], look: Callable[[], None]
) -> Iterator[Judged]:
    """One question per row, which gets its score when the last reply has come."""
    asked = [(i, prompt) for i, question in enumerate(questions) for prompt in question.prompts]
    replies: list[dict[int, Reply]] = [{} for _ in rows]  # by the prompt's number: they come in any order
    done = 0

    def settle(i: int) -> Judged:
        nonlocal done
        done += 1
        ordered = [replies[i][number] for number in sorted(replies[i])]
        rows[i] = replace(rows[i], scores=(*rows[i].scores, questions[i].score(ordered)))
        return Judged(step=done, side=side, done=done, total=len(rows))

    yield from (settle(i) for i, question in enumerate(questions) if not question.prompts)
    for number, reply in bench.replies([prompt for _, prompt in asked], look):
        i, _ = asked[number]
        replies[i][number] = reply
        if len(replies[i]) == len(questions[i].prompts):
            look()
            yield settle(i)


def judge_summary(judge: Judge, sides: Sides) -> JudgeSummary:
    """What its verdicts came to."""
    rows = [row for side in sides.values() for row in side]
    scored = sum(row.value(judge.score_name) is not None for row in rows)
    pairs = [row.value(judge.pair_name) for row in sides[Side.AFTER]] if judge.pairs else []
    wins, ties, losses = (pairs.count(value) for value in (1.0, 0.5, 0.0))
    return JudgeSummary(
        model=judge.model,
        api=judge.api,
        rubric=judge.rubric,
        scored=scored,
        unread=len(rows) - scored,
        suspected=sum(begs(row) for row in rows),
        pairs=Outcome(wins, ties, losses, sign_test(wins, losses)) if judge.pairs else None,
        unread_pairs=pairs.count(None),
    )
