"""Before and after: the base model and the fine-tuned one answer the held-out records and are scored."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from ift.data.templates import Template
from ift.evaluation.held_out import load_held_out
from ift.evaluation.metrics import score, unscored
from ift.evaluation.results import answered_record, summarize
from ift.events import Answered, Finished, TrainEvent
from ift.model.generate import Sampling, default_max_new_tokens, generate, prompt_of, why_no_answer
from ift.model.gpt2 import GPT2
from ift.model.load_by_name import load_model
from ift.runs.folder import Run
from ift.runs.scores import answers_to_text
from ift.runs.stop import Stop
from ift.types import Example, Scored, Side


def evaluate_events(
    run: Run, stop: Stop, *, limit: int | None = None, max_new_tokens: int | None = None
) -> Iterator[TrainEvent]:
    """Answer and score; writes before.jsonl, after.jsonl and, last, scores.json.

    Args:
        run: with at least one checkpoint.
        stop: is looked at after each answer.
        limit: only the first so many held-out records.
        max_new_tokens: None takes a quarter of the model's context.

    Raises:
        InputError: the run, its data or one of its models can't be used.
        StopAsked: somebody asked; no scores are written then.
    """
    stop.raise_if_asked()
    dataset, records = load_held_out(run)
    records = records[:limit]
    template = run.config.template
    models = run.models
    run.forget_scores()  # only now: whatever is wrong with the run has been told before
    sides: dict[Side, list[Scored]] = {}
    for side, name in models.items():
        model = load_model(name)
        sampling = Sampling(max_new_tokens=max_new_tokens or default_max_new_tokens(model.config.n_positions))
        done: list[Scored] = []
        yield Answered(step=0, side=side, done=0, total=len(records))
        for scored in answer(model, dataset.examples, records, template, sampling):
            done.append(scored)
            stop.raise_if_asked()
            if len(done) % 8 == 0 or len(done) == len(records):
                yield Answered(step=len(done), side=side, done=len(done), total=len(records))
        sides[side] = sorted(done, key=lambda scored: scored.completion.record)
        answers = (answered_record(scored, dataset.examples[scored.completion.record]) for scored in sides[side])
        run.write_text(f"{side}.jsonl", answers_to_text(answers))
    summary = replace(
        summarize(sides[Side.BEFORE], sides[Side.AFTER], dataset.examples),
        checkpoint=Path(models[Side.AFTER]).name,
        max_new_tokens=sampling.max_new_tokens,
    )
    run.write_json("scores.json", summary.to_dict())
    yield Finished(step=len(records))


def answer(
    model: GPT2, examples: Sequence[Example], records: Sequence[int], template: Template, sampling: Sampling
) -> Iterator[Scored]:
    """One scored completion a record, as they are done; a record that can't be answered says why."""
    prompts = {record: prompt_of(record, examples[record], template) for record in records}
    for completion in generate(model, list(prompts.values()), sampling):
        reason = why_no_answer(prompts[completion.record], model.config.n_positions)
        example = examples[completion.record]
        scores = unscored(reason, example) if reason else score(completion.text, example)
        yield Scored(completion, scores)
