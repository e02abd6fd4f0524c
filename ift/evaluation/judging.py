"""The judge goes through the rows of both sides; what it said once is kept in the run folder and not asked again.

judge.jsonl    one reply per line, under the hash of all that decides it: address, model, settings, prompt
"""

import hashlib
import json
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
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


class KeptReplies:
    """The judge's replies on disk, by content."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._replies = dict(filter(None, map(_kept, whole_lines(path))))

    def __len__(self) -> int:
        return len(self._replies)

    def get(self, key: str) -> str | None:
        """A reply, or None."""
        return self._replies.get(key)

    def put(self, key: str, reply: str) -> None:
        """Keep a reply, for this run and the next."""
        append_line(self.path, json.dumps({"key": key, "reply": reply}, ensure_ascii=False))
        self._replies[key] = reply


def _kept(line: bytes) -> tuple[str, str] | None:
    """Of a line; one that is damaged is asked again."""
    try:
        value = json.loads(line)
        return str(value["key"]), str(value["reply"])
    except (ValueError, KeyError, TypeError):
        return None


class Bench:
    """A judge with its kept replies, who is left alone once it has failed several times in a row."""

    def __init__(self, client: JudgeClient, kept: KeptReplies) -> None:
        self.client, self.kept = client, kept
        self.judge = client.judge
        self._failures = 0

    def reply(self, prompt: str) -> str:
        """From the kept ones, else from the judge.

        Raises:
            JudgeError: it gave none, and why.
        """
        key = _key(self.judge, prompt)
        if (kept := self.kept.get(key)) is not None:
            return kept
        if self._failures >= PATIENCE:
            raise JudgeError(f"not asked: the judge had failed {PATIENCE} times in a row")
        try:
            reply = self.client.ask(prompt)
        except JudgeError:
            self._failures += 1
            raise
        self._failures = 0
        self.kept.put(key, reply)
        return reply

    def grade(self, row: AnsweredRecord) -> Score:
        """A row's grade, or none with its reason."""
        if row.reason:
            return Score(self.judge.score_name, None, row.reason)
        try:
            return grade(self.judge, row, self.reply(grading_prompt(self.judge.rubric, row)))
        except JudgeError as error:
            return Score(self.judge.score_name, None, error.what)

    def prefer(self, before: AnsweredRecord, after: AnsweredRecord) -> Score:
        """Which of two answers is better, asked in both orders; equal ones need no judge."""
        if reason := before.reason or after.reason:
            return Score(self.judge.pair_name, None, reason)
        old, new = before.model_response, after.model_response
        if old.strip() == new.strip():
            return Score(self.judge.pair_name, 0.5, "the answers are the same")
        try:
            found = [read_choice(self.reply(pair_prompt(after, a, b))) for a, b in ((new, old), (old, new))]
        except JudgeError as error:
            return Score(self.judge.pair_name, None, error.what)
        reason = next((why for choice, why in found if choice is None), "")
        return preference(self.judge, found[0][0], found[1][0], reason)


def _key(judge: Judge, prompt: str) -> str:
    parts = [judge.api, judge.url, judge.model, SEED, TEMPERATURE, prompt]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def without_judges(rows: Sequence[AnsweredRecord]) -> list[AnsweredRecord]:
    """The rows without what any judge said of them."""
    return [
        replace(row, scores=tuple(score for score in row.scores if not score.by.startswith((JUDGE, PAIRS))))
        for row in rows
    ]


def judging(bench: Bench, sides: Sides, look: Callable[[], None]) -> Generator[Judged, None, Sides]:
    """Grade each row of both sides, and compare them where the judge is to; returns the rows with these scores.

    `look` is called after each verdict, and may raise.
    """
    judged: Sides = {}
    for side, rows in sides.items():
        judged[side] = []
        for row in rows:
            judged[side].append(replace(row, scores=(*row.scores, bench.grade(row))))
            look()
            yield Judged(step=len(judged[side]), side=side, done=len(judged[side]), total=len(rows))
    if bench.judge.pairs:
        before = {row.record: row for row in judged[Side.BEFORE]}
        rows = judged[Side.AFTER]
        for i, row in enumerate(rows):
            rows[i] = replace(row, scores=(*row.scores, bench.prefer(before[row.record], row)))
            look()
            yield Judged(step=i + 1, side=None, done=i + 1, total=len(rows))
    return judged


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
