"""Before and after: the base model and the fine-tuned one answer the held-out records and are scored."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from ift.data.records import Dataset
from ift.data.templates import Template
from ift.evaluation.base_answers import base_answers
from ift.evaluation.evaluation_options import EvaluationOptions
from ift.evaluation.habits import headers_of
from ift.evaluation.held_out import load_held_out
from ift.evaluation.judge import Judge
from ift.evaluation.judge_client import JudgeClient
from ift.evaluation.judging import Bench, KeptReplies, Sides, judge_summary, judging, without_judges
from ift.evaluation.metrics import score, unscored
from ift.evaluation.reference_losses import reference_losses
from ift.evaluation.results import REFERENCE_LOSS, answered_record, summarize
from ift.events import Answered, Finished, TrainEvent
from ift.model.generate import Sampling, generate, prompt_of, why_no_answer
from ift.model.gpt2 import GPT2
from ift.model.hf_model import read_config
from ift.model.load_by_name import load_model
from ift.model.manifest import MANIFEST, sha256_of
from ift.model.names import find_model
from ift.runs.evaluation_plan import EvaluationPlan, SidePlan
from ift.runs.folder import Run
from ift.runs.scores import AnsweredRecord, Decoding
from ift.runs.stop import Stop
from ift.types import Example, Score, Scored, Side

DEFAULTS = EvaluationOptions()
NO_LOSSES: Mapping[int, float | None] = MappingProxyType({})
JUDGE_FILE = "judge.jsonl"
REPORT_EVERY = 8
"""Answers between two events."""
WRITE_EVERY_S = 2.0
"""Between two writings of all rows, while a judge adds its scores."""


def evaluate_events(run: Run, stop: Stop, options: EvaluationOptions = DEFAULTS) -> Iterator[TrainEvent]:
    """Answer and score; each row is written as soon as it is answered, scores.json last, once more after a judge.

    What was answered before under the same options is not asked again, whether that evaluation came to its end or not;
    nor is the base model, where it was asked the same for a run beside this one.

    Args:
        run: with at least one checkpoint.
        stop: is looked at after each answer.
        options: which records, how, and by which checkpoint.

    Raises:
        InputError: the run, its data or one of its models can't be used.
        StopAsked: somebody asked; what is answered and judged stays.
    """
    stop.raise_if_asked()
    dataset, held_out = load_held_out(run)
    models = run.models_at(options.checkpoint)
    judge = options.chosen_judge
    if judge and not KeptReplies(run.path / JUDGE_FILE).has_any_of(judge):
        with JudgeClient(judge) as client:
            client.check()  # before hours of answering for nobody; where it has replied, it may be gone by now
    plan = _plan(models, held_out, options)
    kept = run.answer_files.begin(plan)
    sides = {side: without_judges(rows) for side, rows in kept.items()}
    sides[Side.BEFORE] = sides[Side.BEFORE] or without_judges(base_answers(run, plan))
    for side, name in models.items():
        rows = sides[side]
        yield Answered(step=len(rows), side=side, done=len(rows), total=len(plan.records))
        if len(rows) < len(plan.records):
            yield from _answer_side(run, stop, plan, side, name, dataset, rows)
        run.answer_files.write(side, rows)
    summary = summarize(sides[Side.BEFORE], sides[Side.AFTER], plan)
    run.write_json("scores.json", summary.to_dict())
    if judge:
        sides = {side: sorted(rows, key=lambda row: row.record) for side, rows in sides.items()}
        yield from _judge(run, stop, judge, sides)
        judged = summarize(sides[Side.BEFORE], sides[Side.AFTER], plan)
        summary = replace(judged, judges={judge.model: judge_summary(judge, sides)})
        run.write_json("scores.json", summary.to_dict())
    yield Finished(step=len(plan.records))


def _judge(run: Run, stop: Stop, judge: Judge, sides: Sides) -> Iterator[TrainEvent]:
    """The rows are written every few seconds, so that the page shows the verdicts so far, and at the end."""
    with JudgeClient(judge) as client:
        written_s = time.monotonic()
        try:
            for event in judging(Bench(client, KeptReplies(run.path / JUDGE_FILE)), sides, stop.raise_if_asked):
                if time.monotonic() - written_s > WRITE_EVERY_S:
                    _write(run, sides)
                    written_s = time.monotonic()
                yield event
        finally:
            _write(run, sides)


def _write(run: Run, sides: Sides) -> None:
    for side, rows in sides.items():
        run.answer_files.write(side, rows)


def _plan(models: Mapping[Side, str], held_out: Sequence[int], options: EvaluationOptions) -> EvaluationPlan:
    records, sampled = options.choose(held_out)
    n_positions = read_config(Path(models[Side.AFTER])).n_positions
    decoding = options.decoding(n_positions)
    sampling_of(decoding)  # whatever is wrong with it shows before anything is forgotten
    template = options.template_source()
    names = {Side.BEFORE: models[Side.BEFORE], Side.AFTER: Path(models[Side.AFTER]).name}
    sides = {side: SidePlan(names[side], _fingerprint(models[side]), decoding, template=template) for side in models}
    return EvaluationPlan(records, sampled, sides, options.given)


def _fingerprint(model: str) -> str:
    """Of the weights, by their manifest; a run that was resumed may have saved others under the same name."""
    found = find_model(model)
    manifest = found / MANIFEST if isinstance(found, Path) else None
    return sha256_of(manifest) if manifest and manifest.is_file() else ""


def sampling_of(decoding: Decoding) -> Sampling:
    """The same, checked, for the model."""
    return Sampling(
        max_new_tokens=decoding.max_new_tokens,
        temperature=decoding.temperature,
        top_k=decoding.top_k,
        top_p=decoding.top_p,
        seed=decoding.seed,
    )


def _answer_side(
    run: Run, stop: Stop, plan: EvaluationPlan, side: Side, name: str, dataset: Dataset, rows: list[AnsweredRecord]
) -> Iterator[TrainEvent]:
    """Answer what is not in `rows` yet, and add it there and to the side's file."""
    model, template, total = load_model(name), run.question_template, len(plan.records)
    there = {row.record for row in rows}
    missing = [record for record in plan.records if record not in there]
    stop.raise_if_asked()
    found = reference_losses(model, dataset.examples, plan.records, template, wanted=frozenset(missing))
    losses: dict[int, float | None] = {}
    for record, loss in found:
        losses[record] = loss
        stop.raise_if_asked()
    for scored in answer(model, dataset.examples, missing, template, sampling_of(plan.sides[side].decoding), losses):
        row = answered_record(scored, dataset.examples[scored.completion.record])
        run.answer_files.append(side, row)
        rows.append(row)
        stop.raise_if_asked()
        if len(rows) % REPORT_EVERY == 0 or len(rows) == total:
            yield Answered(step=len(rows), side=side, done=len(rows), total=total)


def answer(
    model: GPT2,
    examples: Sequence[Example],
    records: Sequence[int],
    template: Template,
    sampling: Sampling,
    losses: Mapping[int, float | None] = NO_LOSSES,
) -> Iterator[Scored]:
    """One scored completion a record, as they are done; a record that can't be answered says why.

    `losses`: of the expected answers, by record; a record without one has no such score.
    """
    prompts = {record: prompt_of(record, examples[record], template) for record in records}
    headers = headers_of(template)
    for completion in generate(model, list(prompts.values()), sampling):
        record = completion.record
        reason = why_no_answer(prompts[record], model.config.n_positions)
        scores = unscored(reason, examples[record]) if reason else score(completion.text, examples[record], headers)
        if record in losses:
            scores = (*scores, _loss_score(losses[record], reason))
        yield Scored(completion, scores)


def _loss_score(loss: float | None, reason: str | None) -> Score:
    if reason or loss is None:
        return Score(REFERENCE_LOSS, None, reason or "the expected answer does not fit in the context")
    return Score(REFERENCE_LOSS, loss)
