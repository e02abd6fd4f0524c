"""What a notebook or a script calls: train, evaluate and generate in one line each, in this process.

The same runs as those of the command line and the page: a folder each, which all three show, stop and resume.
"""

from collections.abc import Iterator, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from ift.config import TrainConfig
from ift.data import batching
from ift.data.batching import Batch
from ift.data.bulk_encoding import encode_all
from ift.data.sources import load_dataset
from ift.data.templates import Template, load_template
from ift.evaluation.evaluation_options import EvaluationOptions
from ift.events import TrainEvent
from ift.masks import parse_trained
from ift.model.names import find_model
from ift.runs.folder import create_run, open_run
from ift.runs.lifecycle import logged
from ift.runs.run_config import describe
from ift.runs.stop import Stop
from ift.types import Completion, Example

if TYPE_CHECKING:
    from ift.model.gpt2 import GPT2

ALL_RECORDS = EvaluationOptions()


def batch_for(
    examples: Sequence[Example],
    template: Template,
    *,
    train_on: str = "response",
    width: int | None = None,
    max_length: int | None = None,
) -> Batch:
    """The tensors that a training step over these records gets.

    Args:
        examples: B of them.
        template: puts each into a prompt.
        train_on: whose tokens are targets: `all`, `response-and-header`, `response`, or roles with commas.
        width: T; None takes the longest row.
        max_length: tokens per row, at most.

    Raises:
        ConfigError: a role or width that can't be used.
    """
    rows = encode_all(examples, template)
    return batching.batch_for(rows, trained=parse_trained(train_on), width=width, max_length=max_length).batch


def train(config: TrainConfig, *, out: str | PathLike[str]) -> Iterator[TrainEvent]:
    """Fine-tune in this process, into a new run folder `out`; iterate for the events, which are logged there, too.

    Nothing happens before the first event is asked for. A loop that is left early leaves a stopped run with the
    checkpoints saved so far; `python -m ift train --resume` or the page resumes it.

    Raises:
        InputError: the options, the model or the data can't be used, or `out` exists.
        TrainingError: the loss is no longer finite.
    """
    from ift.training.finetune import train_events

    dataset, template = load_dataset(config.data), load_template(config.template)
    find_model(config.model)  # a wrong name shows before a folder is made
    run = create_run(Path(out), describe(config, dataset, template))
    with run.writing():
        yield from logged(run.training, train_events(run, config, dataset, template, Stop(run)))


def evaluate(run_folder: str | PathLike[str], options: EvaluationOptions = ALL_RECORDS) -> Iterator[TrainEvent]:
    """Answer and score a run's held-out records before and after; iterate to the end, then read `open_run(…).scores`.

    Args:
        run_folder: what `train` made.
        options: which records, how they are answered, and by which checkpoint; by default all, greedily, the newest.

    Raises:
        InputError: the run, its data or one of its models can't be used.
    """
    from ift.evaluation.evaluate import evaluate_events

    run = open_run(Path(run_folder))
    with run.writing():
        run.evaluation.path.unlink(missing_ok=True)
        yield from logged(run.evaluation, evaluate_events(run, Stop(run), options))


def generate(
    model: "GPT2",
    instruction: str,
    *,
    template: Template,
    input: str = "",
    max_new_tokens: int | None = None,
    temperature: float = 0.0,
    top_k: int | None = None,
    top_p: float | None = None,
    seed: int = 0,
) -> Completion:
    """Answer one instruction; `.text` is the answer, `.finish` why it ended.

    Args:
        model: from `load_model`.
        instruction: what is asked.
        template: the one that the model was trained with.
        input: what the instruction is about, if it needs that.
        max_new_tokens: None takes a quarter of the model's context.
        temperature: 0 takes the likeliest token.
        top_k: draws from so many tokens; None from all.
        top_p: draws from the fewest tokens that have this probability together; None from all.
        seed: of the draws.

    Raises:
        InputError: the prompt fills the model's context, or an option can't be used.
    """
    from ift.model.answer import ask
    from ift.model.generate import Sampling, default_max_new_tokens

    limit = default_max_new_tokens(model.config.n_positions) if max_new_tokens is None else max_new_tokens
    sampling = Sampling(max_new_tokens=limit, temperature=temperature, top_k=top_k, top_p=top_p, seed=seed)
    return ask(model, template, Example(instruction, input, output=""), sampling)
