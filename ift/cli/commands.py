"""What each command does: read options, call `ift`, print."""

import json
import os
import signal
import sys
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from ift.cli.progress_bars import STOPPED, counting_bar, show_training
from ift.config import TrainConfig, make_config
from ift.data.batching import batch_for, pair_counts
from ift.data.bulk_encoding import encode_all
from ift.data.records import Dataset, to_example
from ift.data.sources import NAMES as DATA
from ift.data.sources import load_dataset
from ift.data.templates import PRESETS as TEMPLATES
from ift.data.templates import Template, load_template
from ift.data.tokenizer import piece
from ift.data_options import DataOptions
from ift.errors import ConfigError, InputError, RunError
from ift.evaluation.held_out import load_run_data
from ift.events import TrainEvent
from ift.masks import parse_trained
from ift.model.names import NAMES as MODELS
from ift.model.names import find_model
from ift.roles import Role
from ift.runs.folder import Run, create_run, is_run, open_run, require_no_heirs
from ift.runs.lifecycle import logged
from ift.runs.processes import keep_memory
from ift.runs.ranks import ALONE, place
from ift.runs.recipe import other_versions, read_recipe, require_same_data
from ift.runs.run_config import RunConfig, describe
from ift.runs.state import State
from ift.runs.stop import Stop
from ift.training.estimate import Estimate, duration
from ift.training.estimate import estimate as estimate_of

MAX_WIDTH = 1_000_000
"""Of a batch on request: a thousand times GPT-2's context."""
MAX_DIGITS = 9


def _absolute(name: str, known: tuple[str, ...]) -> str:
    """A path in full, so that config.json means the same from any working folder; a name as it is."""
    return name if name in known or not os.path.exists(name) else str(Path(name).resolve())


def _given(args: Namespace) -> list[str]:
    """The options of `TrainConfig` that the command line has; the number of processes is never one."""
    return [field.name for field in fields(TrainConfig) if getattr(args, field.name, None) is not None]


def _config(args: Namespace) -> TrainConfig:
    options = {name: getattr(args, name) for name in _given(args)} | {"world_size": place()[1]}
    for name, known in (("model", MODELS), ("data", DATA), ("template", tuple(TEMPLATES))):
        if name in options:
            options[name] = _absolute(options[name], known)
    return make_config(options, preset=args.preset)


def _load_data(name: str | None, options: DataOptions) -> Dataset:
    """Load a data set; what a user should know of how it was read goes to stderr."""
    with counting_bar("download", "B") as progress:
        dataset = load_dataset(name or TrainConfig().data, options=options, progress=progress)
    for note in dataset.reading.notes():
        print(f"Note: {note}", file=sys.stderr)
    return dataset


def data_options(args: Namespace) -> DataOptions:
    """The options that go with `--data`, or their defaults."""
    given = {one.name: getattr(args, one.name) for one in fields(DataOptions)}
    return DataOptions(**{name: value for name, value in given.items() if value is not None})


def load_template_or_default(name: str | None) -> Template:
    """What `--template` names, or its default."""
    return load_template(name or TrainConfig().template)


def load_data_and_template(args: Namespace) -> tuple[Dataset, Template]:
    """What `--data` and `--template` name, or their defaults."""
    return _load_data(args.data, data_options(args)), load_template_or_default(args.template)


def train(args: Namespace) -> int:
    """`train`: 0 when finished, 3 when stopped on request."""
    if place()[0] > 0:
        return _follow()
    return _resume(args) if args.resume else _start(args)


def _start(args: Namespace) -> int:
    recipe = _recipe(args)
    config = recipe.options if recipe else _config(args)
    dataset = _load_data(config.data, config.data_options)
    if recipe:
        require_same_data(recipe, dataset)
    template = recipe.template if recipe else load_template_or_default(config.template)
    find_model(config.model)  # a wrong name is reported before a folder is made
    run = create_run(Path(args.out), describe(config, dataset, template))
    try:
        return _train(args, run, config, dataset, template)
    except InputError:
        if not args.attached:  # the page shows what failed
            run.take_back()  # the command, mended, may name the folder again
        raise


def _recipe(args: Namespace) -> RunConfig | None:
    """What `--from` names, for as many processes as there are."""
    source = getattr(args, "from")
    if not source:
        return None
    given = _given(args)
    if given or args.preset:
        fix = "Leave it out, or make a run of its own without --from."
        raise ConfigError("A run is rebuilt with the options it has", where=(given or ["preset"])[0], fix=fix)
    recipe = read_recipe(Path(source))
    for note in other_versions(recipe):
        print(f"Note: {note}", file=sys.stderr)
    return replace(recipe, options=recipe.options.for_processes(place()[1]))


def _resume(args: Namespace) -> int:
    given = _given(args)
    if given or args.preset or getattr(args, "from"):
        fix = "Leave it out, or make a new run with --out."
        where = (given or ["preset" if args.preset else "from"])[0]
        raise ConfigError("A run is resumed with the options it has", where=where, fix=fix)
    run = open_run(Path(args.resume))
    if run.state() is State.FINISHED:
        raise RunError("The run is finished", where=args.resume, fix="Make a new run with --out.")
    require_no_heirs(run)
    config = run.config.options.for_processes(place()[1])
    with counting_bar("download", "B") as progress:
        dataset = load_run_data(run, progress=progress)
    return _train(args, run, config, dataset, run.config.template)


def _follow() -> int:
    """What all ranks but the first do: that one reads the options, has the folder, and reports."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # until training begins, in silence
    keep_memory()
    from ift.training.distributed import join
    from ift.training.finetune import follow

    world = join()
    with world.telling_failure(), world.guarded():
        return STOPPED if follow(world) else 0


def _train(args: Namespace, run: Run, config: TrainConfig, dataset: Dataset, template: Template) -> int:
    keep_memory()
    with run.writing():
        if args.resume and not args.attached:
            run.clear_stop()  # an old one; the page clears it itself, and may have asked anew since
        stop = Stop(run)
        stop.listen(attached=args.attached)
        try:
            events = _train_events(run, config, dataset, template, stop, resume=bool(args.resume))
            return show_training(logged(run.training, events), folder=run.path, as_json=args.json, stop=stop)
        finally:
            run.clear_stop()


def _train_events(*args: Any, **options: Any) -> Iterator[TrainEvent]:
    from ift.training.finetune import train_events

    world = ALONE
    if place()[1] > 1:
        from ift.training.distributed import join

        world = join()
    with world.guarded():
        yield from train_events(*args, **options, world=world)


def estimate(args: Namespace) -> int:
    """`estimate`: what `train` with the same options would need, measured in a process of its own."""
    config = _config(args)
    find_model(config.model)
    made = estimate_of(config, attached=args.attached)
    print(json.dumps(made.to_dict()) if args.json else _estimate_text(made))
    return 0


def _estimate_text(made: Estimate) -> str:
    probe = made.probe
    verdict = "fits" if made.fits else "does not fit"
    timed = "real steps" if probe.has_stepped else "that batch alone"
    lines = [
        f"memory  {_gb(made.needed_bytes)} of {_gb(probe.available_bytes)} free on {probe.device}: {verdict}",
        f"  measured  {_gb(made.loaded_bytes)} program, weights and data",
        f"  {'measured' if made.is_measured else 'scaled  '}  {_gb(made.batch_bytes)} gradients and activations of the "
        "largest batch",
        f"  computed  {_gb(made.moment_bytes)} AdamW's two moments of what is trained",
        f"time    about {duration(probe.time_s)}, without saving",
        f"  measured  {probe.steps:,} steps of {probe.step_s:.2f} s ({timed}), {probe.evaluations:,} evaluations of "
        f"{probe.evaluation_s:.1f} s, {probe.start_s:.0f} s to start",
    ]
    lines += [f"fits with {setting.text}: {_gb(setting.needed_bytes)}, {setting.note}" for setting in made.nearest]
    lines += [] if made.fits or made.nearest else ["Nothing smaller fits: choose a smaller model."]
    return "\n".join(lines)


def _gb(size_bytes: int) -> str:
    return f"{size_bytes / 1e9:.2f} GB"


def generate(args: Namespace) -> int:
    """`generate`: prints the answer."""
    from ift.model.answer import ask
    from ift.model.generate import Sampling, default_max_new_tokens
    from ift.model.load_by_name import load_model

    asked = {"instruction": args.instruction, "input": args.input, "output": ""}
    example = to_example(asked, where="the command line")
    template = _template_of(args.model, args.template)
    model = load_model(args.model)
    sampling = Sampling(
        max_new_tokens=args.max_new_tokens or default_max_new_tokens(model.config.n_positions),
        temperature=args.temperature,
        top_k=args.top_k,
        top_p=args.top_p,
        seed=args.seed,
    )
    answer = ask(model, template, example, sampling)
    print(
        json.dumps({"model_response": answer.text, "finish": answer.finish, "ids": answer.ids})
        if args.json
        else answer.text
    )
    return 0


def _template_of(model: str, name: str | None) -> Template:
    if name is None and is_run(Path(model)):
        return Run(Path(model)).config.template
    return load_template_or_default(name)


def batch(args: Namespace) -> int:
    """`batch`: the tensors that the trainer would get for these rows."""
    dataset, template = load_data_and_template(args)
    trained = parse_trained(args.train_on or TrainConfig().train_on)
    records = _records(args.rows, len(dataset))
    rows = encode_all([dataset.examples[i] for i in records], template)
    width = _width(args.pad, dataset, template, args.max_length)
    found = batch_for(rows, trained=trained, width=width, max_length=args.max_length)
    made, selection = found.batch, found.selection
    shown = {
        "rows": [records[i] for i in selection.trainable],
        "inputs": made.inputs.tolist(),
        "targets": made.targets.tolist(),
        "roles": [[Role(role).label for role in row] for row in made.roles.tolist()],
        "width": made.width,
        "padding_share": made.padding_share,
        "trained_share": made.trained_share,
        "left_out": [records[i] for i in selection.left_out],
        "cut": [records[i] for i in selection.cut],
    }
    print(json.dumps(shown) if args.json else _batch_text(shown))
    return 0


def _records(text: str, size: int) -> list[int]:
    fix = f"Use positions from 0 to {size - 1} with commas, such as 0,1,2."
    words = [word.strip() for word in text.split(",")]
    wrong = [word for word in words if not word.isdecimal() or len(word) > MAX_DIGITS or int(word) >= size]
    if wrong:
        raise ConfigError(f"{wrong[0][:20]!r} is not a row of the data set", where="rows", fix=fix)
    return [int(word) for word in words]


def _width(pad: str, dataset: Dataset, template: Template, max_length: int | None) -> int | None:
    if pad == "batch":
        return None
    if pad == "dataset":
        return int(pair_counts(encode_all(dataset.examples, template), max_length).max())
    if pad.isdecimal() and len(pad) <= MAX_DIGITS and int(pad) <= MAX_WIDTH:
        return int(pad)
    fix = f"Use batch, dataset or a number of tokens, at most {MAX_WIDTH:,}."
    raise ConfigError(f"{pad[:20]!r} is not a width", where="pad", fix=fix)


def _batch_text(shown: dict) -> str:
    lines = []
    for b, record in enumerate(shown["rows"]):
        lines.append(f"row {record}")
        lines.append(f"{'t':>5} {'input':>7} {'target':>7}  {'role of the next token':24} input piece")
        cells = zip(shown["inputs"][b], shown["targets"][b], shown["roles"][b], strict=True)
        lines += [f"{t:>5} {i:>7} {y:>7}  {role:24} {piece(i)}" for t, (i, y, role) in enumerate(cells)]
    shares = f"{shown['padding_share']:.1%} padding, {shown['trained_share']:.1%} of the tokens trained"
    lines.append(f"{len(shown['rows'])} × {shown['width']}: {shares}")
    lines += [f"left out, no trained target: rows {shown['left_out']}"] if shown["left_out"] else []
    return "\n".join(lines)
