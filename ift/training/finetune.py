"""A whole fine-tuning: load, prepare, train, save; stop and keep when asked."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import torch

from ift.config import TrainConfig
from ift.data.prepare import Rows, preparing
from ift.data.records import Dataset
from ift.data.templates import Template
from ift.errors import GradientError, RunError
from ift.events import Finished, Resumed, Saved, TrainEvent, Warned
from ift.model.generate import Prompt, prompt_of
from ift.model.gpt2 import GPT2
from ift.model.gpt2_config import GPT2Config
from ift.model.known_tokens import known_ids
from ift.plurals import plural
from ift.runs.folder import Run
from ift.runs.ranks import ALONE, World
from ift.runs.stop import Stop
from ift.training.checkpoint import (
    bytes_to_save,
    drop_after,
    drop_optimizers,
    has_checkpoint,
    lacking_bytes,
    save_checkpoint,
)
from ift.training.estimate import advice
from ift.training.memory_check import missing_memory, run_longest
from ift.training.progress import Progress
from ift.training.resume import (
    differences,
    empty_model,
    find_resumable,
    is_cleared,
    model_for,
    optimizer_of,
    restore_optimizer,
    state_of,
    stored_progress,
    whole_model,
)
from ift.training.trainer import Trainer
from ift.types import Encoded, Example

Save: TypeAlias = Callable[[Trainer], Saved]


@dataclass(frozen=True, slots=True)
class Task:
    """What rank 0 tells the other processes of a run: all that a trainer needs but the weights."""

    config: TrainConfig
    shape: GPT2Config
    train: Sequence[Encoded]
    validation: Sequence[Encoded]
    samples: list[tuple[Example, Prompt]]
    max_length: int
    progress: Progress
    resumed: bool

    def trainer(self, model: GPT2, world: World) -> Trainer:
        """This rank's."""
        return Trainer(
            model,
            self.config,
            train=self.train,
            validation=self.validation,
            samples=self.samples,
            max_length=self.max_length,
            progress=self.progress,
            world=world,
        )


def train_events(
    run: Run,
    config: TrainConfig,
    dataset: Dataset,
    template: Template,
    stop: Stop,
    *,
    resume: bool = False,
    world: World = ALONE,
) -> Iterator[TrainEvent]:
    """The events of a run; its checkpoints are written every `save_steps` and at the end.

    `resume`: resume from the run's newest whole checkpoint, and not from the model that the config names. `world`:
    the processes of the run, of which this is the first; the others `follow`.

    Raises:
        InputError: the model or the data can't be used, no checkpoint can be resumed from, or the disk is full.
        TrainingError: the loss is not finite any more, a checkpoint can't be written, or another process of the run
            has ended; the last one stays.
        StopAsked: somebody asked, and what was reached is saved.
    """
    stop.raise_if_asked()
    if resume and is_cleared(run):  # killed between its last step and its last event
        yield Finished(step=stored_progress(run.last_checkpoint()).step)
        return
    folder, broken = find_resumable(run) if resume else (None, [])
    progress = stored_progress(folder) if folder else Progress()
    yield from (Warned(step=progress.step, message=message) for message in broken)
    if folder:
        yield Resumed(step=progress.step, path=folder.relative_to(run.path).as_posix())
    # with FSDP into the main memory: no device could hold all of it
    model = model_for(config, folder, device=torch.device("cpu") if config.fsdp else world.device)
    known = known_ids(config.model)  # now: a long run may outlive the folder it began from
    _require_space(run, model)
    rows = yield from preparing(
        dataset.examples,
        template,
        trained=config.trained,
        n_positions=model.config.n_positions,
        max_length=config.max_length,
        max_length_policy=config.max_length_policy,
        step=progress.step,
    )
    samples = followed_samples(dataset, template, rows, config)
    shape, resumed = model.config, folder is not None
    task = Task(config, shape, rows.train, rows.validation, samples, rows.max_length, progress, resumed)
    trainer = world.share(task).trainer(model, world)
    yield from (Warned(step=trainer.step, message=message) for message in (*rows.warnings, *_warnings(trainer)))
    if folder:
        restore_optimizer(trainer, folder)
        drop_after(folder.parent, step=trainer.step)  # broken, or they would not have been passed over
        if different := differences(trainer, folder):
            message = f"The run resumes, but not bit for bit as it would have: {different}."
            yield Warned(step=trainer.step, message=message)
    yield trainer.prepared()
    yield from _probed(trainer)
    stop.at_once = False  # from here on the loop looks at each step, and saves
    yield from trained(partial(_save, run, template, known), trainer, stop)
    world.leave()
    stop.raise_if_asked()
    yield from _finished(run, trainer)


def follow(world: World) -> bool:
    """What every rank but the first does: the same steps, without files or events; returns whether it was to stop.

    Raises:
        TrainingError: as in `train_events`.
    """
    task: Task = world.share(None)
    stop = Stop(None)
    stop.listen(attached=False)
    stop.at_once = False
    trainer = task.trainer(empty_model(task.shape, task.config), world)
    if task.resumed:
        restore_optimizer(trainer, None)
    for _ in trained(_save_share, trainer, stop):
        pass
    world.leave()
    return bool(stop.reason)


def _require_space(run: Run, model: GPT2) -> None:
    """Refuse to begin what could not be saved."""
    needed = bytes_to_save(run.path / "checkpoints", model)
    if lacking_bytes(run.path, needed):
        fix = "Free some space, or choose a smaller model."
        where = f"{run.path}: {needed / 1e9:.1f} GB more are needed for checkpoints"
        raise RunError("The disk has too little room for this run", where=where, fix=fix)


def _probed(trainer: Trainer) -> Iterator[TrainEvent]:
    """The largest batch runs first, for nothing but to see that memory is enough; a run of several does without."""
    if trainer.is_done or trainer.world.size > 1:
        return
    probed = run_longest(trainer)
    yield probed
    if missing := missing_memory(trainer, probed):
        have = f"{probed.needed_bytes / 1e9:.1f} GB are needed, {missing / 1e9:.1f} GB more than this machine has free."
        yield Warned(step=trainer.step, message=f"Memory will run out: {have} {advice(trainer.config)}")


def _warnings(trainer: Trainer) -> Iterator[str]:
    config = trainer.config
    if config.warmup_steps >= trainer.total_steps:
        rise = f"The learning rate only rises: warmup_steps is {config.warmup_steps} of {trainer.total_steps} steps."
        yield f"{rise} Lower it for so short a run."
    if config.early_stopping_patience and not trainer.validation:
        yield "Without a validation loss early_stopping_patience has nothing to go by."


def trained(save: Save, trainer: Trainer, stop: Stop) -> Iterator[TrainEvent]:
    """The steps, each saved if it is to be; the last one always, unless its loss is not finite."""
    saved_step, world = trainer.step, trainer.world
    broken = None
    try:
        yield from _until_asked(trainer.evaluate_if_due(), stop, world)
        while not (trainer.is_done or stop.agreed(world)):
            yield from _until_asked(trainer.advance(), stop, world)
            if _is_to_be_saved(trainer) and not stop.agreed(world):
                yield save(trainer)
                saved_step = trainer.step
    except GradientError as error:
        broken = error
    if trainer.step > saved_step:
        yield save(trainer)
    if broken:
        raise broken


def _until_asked(events: Iterator[TrainEvent | None], stop: Stop, world: World) -> Iterator[TrainEvent]:
    for event in events:
        if event:
            yield event
        if stop.agreed(world):
            return


def _is_to_be_saved(trainer: Trainer) -> bool:
    config, progress = trainer.config, trainer.progress
    return trainer.step % config.save_steps == 0 or (config.early_stopping_patience > 0 and progress.is_best)


def _finished(run: Run, trainer: Trainer) -> Iterator[TrainEvent]:
    """The last checkpoint is what a run has to show; after early stopping that is the best."""
    progress, folder = trainer.progress, run.path / "checkpoints"
    if trainer.config.early_stopping_patience and progress.best_step is not None:
        best = f"The validation loss was lowest at step {progress.best_step} ({progress.best_loss:.4f} nats)"
        if progress.step < trainer.total_steps:
            evaluations = plural(progress.stale, "evaluation")
            end = f"the run ends at step {progress.step} of {trainer.total_steps}"
            yield Warned(step=trainer.step, message=f"The validation loss has not fallen for {evaluations}: {end}.")
        if not has_checkpoint(folder, step=progress.best_step):
            yield Warned(step=trainer.step, message=f"{best}, but that checkpoint is gone: the newest one stays.")
        elif progress.best_step < progress.step:
            drop_after(folder, step=progress.best_step)
            yield Warned(step=trainer.step, message=f"{best}: the run goes back to that checkpoint.")
    drop_optimizers(folder)
    yield Finished(step=trainer.step)


def followed_samples(
    dataset: Dataset, template: Template, rows: Rows, config: TrainConfig
) -> list[tuple[Example, Prompt]]:
    """What is answered at each evaluation: some validation records, then questions of one's own.

    The latter have no expected answer, and are numbered on from the last record of the data set.
    """
    examples = {record: dataset.examples[record] for record in rows.samples}
    examples |= dict(enumerate((Example(text, "", "") for text in config.own_prompts), start=len(dataset)))
    return [(example, prompt_of(record, example, template)) for record, example in examples.items()]


def _save(run: Run, template: Template, known: Collection[int] | None, trainer: Trainer) -> Saved:
    """Rank 0's part."""
    folder = save_checkpoint(
        run.path / "checkpoints",
        whole_model(trainer),
        step=trainer.step,
        best_step=trainer.progress.best_step,
        template=template,
        base_model=trainer.config.model,
        known=known,
        state=state_of(trainer),
        optimizer=optimizer_of(trainer),
    )
    return Saved(step=trainer.step, path=folder.relative_to(run.path).as_posix())


def _save_share(trainer: Trainer) -> Saved:
    """What the others do for it: each may have a share of weights and optimizer."""
    whole_model(trainer)
    optimizer_of(trainer)
    return Saved(step=trainer.step, path="")
