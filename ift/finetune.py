"""A whole fine-tuning: load, prepare, train, save; stop and keep when asked."""

from collections.abc import Iterator

from ift.checkpoint import save_checkpoint
from ift.config import TrainConfig
from ift.data import Dataset
from ift.events import Finished, Saved, Stepped, TrainEvent, Warned
from ift.generation import Prompt, prompt_of
from ift.job import Stop
from ift.models import load_model
from ift.prepare import Rows, prepare
from ift.runs import Run
from ift.templates import Template
from ift.training import Trainer
from ift.types import Example
from ift.vocabulary import known_ids


def train_events(
    run: Run, config: TrainConfig, dataset: Dataset, template: Template, stop: Stop
) -> Iterator[TrainEvent]:
    """The events of a run; its checkpoints are written every `save_steps` and at the end.

    Raises:
        InputError: the model or the data can't be used.
        TrainingError: the loss is not finite any more; the last checkpoint stays.
        StopAsked: somebody asked, and what was reached is saved.
    """
    stop.raise_if_asked()
    model = load_model(config.model)
    rows = prepare(
        dataset.examples,
        template,
        trained=config.trained,
        n_positions=model.config.n_positions,
        max_length=config.max_length,
    )
    yield from (Warned(step=0, message=message) for message in rows.warnings)
    trainer = Trainer(
        model,
        config,
        train=rows.train,
        validation=rows.validation,
        samples=_samples(dataset, template, rows),
        max_length=rows.max_length,
    )
    if config.warmup_steps >= trainer.total_steps:
        rise = f"The learning rate only rises: warmup_steps is {config.warmup_steps} of {trainer.total_steps} steps."
        yield Warned(step=0, message=f"{rise} Lower it for so short a run.")
    yield trainer.prepared()
    stop.at_once = False  # from here on the loop looks at each step, and saves
    for event in trainer:
        yield event
        if stop.reason:
            break
        if isinstance(event, Stepped) and trainer.step % config.save_steps == 0 and trainer.step < trainer.total_steps:
            yield _save(run, trainer)
    if trainer.step:
        yield _save(run, trainer)
    stop.raise_if_asked()
    yield Finished(step=trainer.step)


def _samples(dataset: Dataset, template: Template, rows: Rows) -> list[tuple[Example, Prompt]]:
    examples = {record: dataset.examples[record] for record in rows.samples}
    return [(example, prompt_of(record, example, template)) for record, example in examples.items()]


def _save(run: Run, trainer: Trainer) -> Saved:
    known = known_ids(trainer.config.model)
    folder = save_checkpoint(run.path / "checkpoints", trainer.model, step=trainer.step, known=known)
    return Saved(step=trainer.step, path=folder.relative_to(run.path).as_posix())
