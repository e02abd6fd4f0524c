"""The commands of `python -m ift` and their arguments."""

import argparse
import dataclasses
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ift import __version__
from ift.cli import commands, data_command
from ift.cli import compare_command as compares
from ift.cli import evaluate_command as evaluations
from ift.cli import export_command as exports
from ift.cli import inspect_command as inspects
from ift.cli import lint_command as lint
from ift.cli import models_command as models
from ift.cli import report_command as reports
from ift.cli import starter_commands as starter
from ift.cli.arguments import Parser
from ift.config import PRESETS, TrainConfig, preset_for
from ift.data.sources import NAMES as DATA
from ift.data.templates import PRESETS as TEMPLATES
from ift.evaluation.evaluation_options import EvaluationOptions
from ift.model.names import NAMES as MODELS
from ift.options import Group, Option, options_of, show

PROGRAM = "python -m ift"
TRAIN_OPTIONS = options_of(TrainConfig)
KNOWN = {"model": MODELS, "data": DATA, "template": tuple(TEMPLATES)}
METAVARS = {"train_on": "ROLES", "fields": "PAIRS", "target_modules": "NAMES"}
DATA_NAMES = ("data", "layout", "fields", "turns", "on_error")
DESCRIPTION = """Fine-tune GPT-2 to follow instructions, and see what changed.

Start with `train`, score the run with `evaluate`, then ask it with `generate`. `data`, `lint` and
`batch` show what a run would learn from, and `estimate` what it would need."""
EPILOG = """examples:
  python -m ift train --model starter --data starter --out runs/first
  python -m ift evaluate runs/first
  python -m ift generate --model runs/first --instruction "What is the capital of France?"

`python -m ift COMMAND --help` explains a command. Results go to standard output, progress and errors
to standard error. Exit codes: 0 done, 1 failed, 2 the input can't be used, 3 stopped on request."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command: what it runs and what its help shows."""

    name: str
    summary: str
    """A few words for the list of all commands."""
    description: str
    usage: str
    """The arguments that matter, behind the command's name."""
    examples: tuple[str, ...]
    """Each without `python -m ift`."""
    add: Callable[[Parser], None]
    run: Callable[[argparse.Namespace], int]


def build_parser() -> Parser:
    """The whole command line's; each command's own parser is in what it parses, as `parser`."""
    parser = Parser(PROGRAM, description=DESCRIPTION, epilog=EPILOG, usage="%(prog)s COMMAND [options]")
    parser.add_argument("--version", action="version", version=f"ift {__version__}", help="show the version and exit")
    actions = parser.add_subparsers(required=True, metavar="COMMAND", title="commands", prog=PROGRAM)
    for command in COMMANDS:
        made = _add_command(actions, command)
        made.add_argument("--json", action="store_true", help="print JSON to standard output, for programs")
    summary = "make the starter model and its data set again, from the seed"
    usage = f"{PROGRAM} starter COMMAND --out DIR [options]"
    group = actions.add_parser("starter", help=summary, description=f"{summary.capitalize()}.", usage=usage)
    inner = group.add_subparsers(required=True, metavar="COMMAND", title="commands", prog=f"{PROGRAM} starter")
    for command in STARTER_COMMANDS:
        _add_command(inner, command)
    return parser


def _add_command(actions: "argparse._SubParsersAction[Parser]", command: Command) -> Parser:
    examples = "\n".join(f"  {PROGRAM} {example}" for example in command.examples)
    made = actions.add_parser(
        command.name,
        help=command.summary,
        description=command.description,
        usage=f"%(prog)s {command.usage}",
        epilog=f"examples:\n{examples}",
    )
    made.set_defaults(run=command.run)
    command.add(made)
    return made


def preset_defaults(option: Option) -> str:
    """The default's text, and that of each preset that has another one: `3e-4 (preset book: 5e-5)`."""
    others = {name: preset[option.name] for name, preset in PRESETS.items() if option.name in preset}
    texts = [f"preset {name}: {show(value)}" for name, value in others.items() if value != option.default]
    return f"{option.default_text} ({', '.join(texts)})" if texts else option.default_text


def _of_config(command: Parser, names: Iterable[str], *, to: argparse._ActionsContainer | None = None) -> None:
    """Options of `TrainConfig`. None, not the default, is what was not given: it is left to the preset."""
    for name in names:
        option = TRAIN_OPTIONS[name]
        known = f". Names: {', '.join(KNOWN[name])}" if name in KNOWN else ""
        unset = dataclasses.replace(option, default=None, help=f"{option.help}{known}")
        command.option(unset, to=to, default_text=_default_text(command, option), metavar=METAVARS.get(name, ""))


def _default_text(command: Parser, option: Option) -> str:
    if command.prog.split()[-1] in ("train", "estimate"):
        return preset_defaults(option)
    return "rows keep their length" if option.name == "max_length" else option.default_text


def _train(command: Parser) -> None:
    run = command.add_argument_group("Run")
    folder = run.add_mutually_exclusive_group(required=True)
    command.option(Option("Run folder to make", name="out", aliases=("output_dir", "output")), to=folder, metavar="RUN")
    text = "Resume a run that was stopped or interrupted, with the options it has"
    resume = Option(text, name="resume", aliases=("resume_from_checkpoint", "checkpoint"))
    command.option(resume, to=folder, metavar="RUN")
    text = "With --out, rebuild a run: its folder, or its config.json; bit for bit with as many threads and its torch"
    command.option(Option(text, name="from", aliases=("config", "recipe")), to=run, metavar="RUN")
    _run_options(command)
    run.add_argument("--attached", action="store_true", help="Save and stop when standard input ends.")


def _estimate(command: Parser) -> None:
    _run_options(command)
    command.add_argument("--attached", action="store_true", help="Stop when standard input ends.")


def _run_options(command: Parser) -> None:
    """All options of a run, in their groups."""
    for group in Group:
        names = [name for name, option in TRAIN_OPTIONS.items() if option.group is group]
        shown = command.add_argument_group(group.value)
        if group is Group.DATA:
            quick = preset_for(TrainConfig().model)
            preset = Option("Options that belong together", name="preset", choices=tuple(PRESETS))
            default = f"{quick} for the starter, book for every other model"
            command.option(preset, to=shown, default_text=default)
        _of_config(command, names, to=shown)


def _judged_data(command: Parser) -> None:
    _of_config(command, (*DATA_NAMES, "template", "train_on", "max_length"))


def _data(command: Parser) -> None:
    _judged_data(command)
    text = "Write the records that can be used to this file, as JSON Lines of instruction, input and output"
    command.option(Option(text, name="write", aliases=("out", "output")), metavar="FILE")


def _batch(command: Parser) -> None:
    text = "Positions of the records in the file, from 0, with commas"
    command.option(Option(text, name="rows", default="0,1,2"), metavar="ROWS")
    _of_config(command, (*DATA_NAMES, "template", "max_length", "train_on"))
    text = "Width of the batch: batch (its longest row), dataset (the longest row of all) or a number of tokens"
    command.option(Option(text, name="pad", default="batch", aliases=("padding",)), metavar="WIDTH")


def _count(
    name: str, text: str, *, default: int | None = None, unset: str = "", aliases: tuple[str, ...] = ()
) -> Option:
    return Option(text, name=name, kind=int, default=default, optional=True, minimum=1, unset=unset, aliases=aliases)


def _generate(command: Parser) -> None:
    aliases = ("prompt", "question", "text")
    command.option(Option("What to answer", name="instruction", aliases=aliases), is_required=True, metavar="TEXT")
    command.option(Option("Text that belongs to the instruction", name="input", default=""), metavar="TEXT")
    model = dataclasses.replace(TRAIN_OPTIONS["model"], help=f"Model to ask. Names: {', '.join(MODELS)}; or a run")
    command.option(model)
    template = dataclasses.replace(TRAIN_OPTIONS["template"], default=None)
    command.option(template, default_text="the run's own, otherwise alpaca")
    unset = "a quarter of the model's context"
    command.option(_count("max_new_tokens", "Tokens that the answer may have", unset=unset, aliases=("max_tokens",)))
    temperature = Option(
        "How far the choice of tokens is left to chance", minimum=0, maximum=100, special={0: "the likeliest token"}
    )
    command.option(dataclasses.replace(temperature, name="temperature", kind=float, default=0.0, example="0.7"))
    for name in ("top_k", "top_p"):
        command.option(options_of(EvaluationOptions)[name])
    seed = dataclasses.replace(TRAIN_OPTIONS["seed"], help="Seed of the choice of tokens", default=0, example="0")
    command.option(seed)


def _folder(command: Parser, text: str) -> None:
    command.option(Option(text, name="out"), is_required=True, metavar="DIR")


def _starter_build(command: Parser) -> None:
    _folder(command, "Folder to build in")
    command.option(_count("steps", "Steps of pretraining", unset="7500"))
    seed = dataclasses.replace(TRAIN_OPTIONS["seed"], help="Seed of text and weights; the data set has its own")
    command.option(dataclasses.replace(seed, default=None, optional=True, unset="0", example="0"))


def _starter_measure(command: Parser) -> None:
    _folder(command, "Folder of a finished build")
    command.option(_count("seeds", "Fine-tuning runs with the default options", default=3))


COMMANDS = (
    Command(
        "train",
        "fine-tune a model; everything about it goes into a run folder",
        "Fine-tune a model on a data set. The run folder gets the options, the log, and checkpoints that\n"
        "Hugging Face's transformers can open. Ctrl-C saves and stops; --resume continues.",
        "(--out RUN | --resume RUN) [options]",
        (
            "train --model starter --data starter --out runs/first",
            "train --model gpt2 --data book --per_device_train_batch_size 4 --bf16 true --out runs/book",
            "train --model gpt2-medium --data my.jsonl --r 8 --out runs/lora",
            "train --resume runs/first",
        ),
        _train,
        commands.train,
    ),
    Command(
        "estimate",
        "measure what a run needs in memory and time on this machine",
        "Run the largest batch and some steps, and report the memory and the time that a run needs on\n"
        "this machine. Takes the options of `train`; nothing is saved.",
        "[options]",
        ("estimate --model gpt2 --data starter", "estimate --model gpt2-medium --r 8"),
        _estimate,
        commands.estimate,
    ),
    Command(
        "evaluate",
        "answer and score the held-out records, before and after",
        "Answer the held-out records of a run's data set with its model before and after fine-tuning,\n"
        "score the answers, and write them into the run folder.",
        "RUN [options]",
        (
            "evaluate runs/first",
            "evaluate runs/first --sample 20 --seed 1 --json",
            "evaluate runs/first --checkpoint 100",
        ),
        evaluations.add,
        evaluations.run,
    ),
    Command(
        "compare",
        "say what differs between runs, and whether it mattered",
        "Compare 2 to 6 runs: their settings, curves and scores, with 95 % intervals over the same records\n"
        "and a verdict: undecided where the interval holds zero.",
        "RUN RUN [RUN ...] [options]",
        ("compare runs/first runs/second", "compare runs/first runs/second --json"),
        compares.add,
        compares.run,
    ),
    Command(
        "report",
        "a run's verdict, scores, curves and answers in one file",
        "Write a run's evidence into one HTML file that needs nothing else, or its answers as JSON, CSV or Markdown.",
        "RUN --out FILE [options]",
        ("report runs/first --out first.html", "report runs/first --out answers.json"),
        reports.add,
        reports.run,
    ),
    Command(
        "generate",
        "answer one instruction",
        "Answer one instruction with a model or a run.",
        "--instruction TEXT [options]",
        (
            'generate --model runs/first --instruction "What is the capital of France?"',
            'generate --model runs/first --instruction "Make it plural." --input "one mouse" --temperature 0.7',
        ),
        _generate,
        commands.generate,
    ),
    Command(
        "models",
        "list the models to choose from, and what this machine can do with them",
        "List the models to fine-tune with their sizes, and what this machine can do with each, before a download.",
        "[options]",
        ("models", "models --json"),
        models.add,
        models.run,
    ),
    Command(
        "export",
        "take a run's model to transformers, llama.cpp, Ollama or PEFT",
        "Write a run's model for other programs, and show the command that opens it there.",
        "RUN --to {hf,gguf,adapter} --out DIR [options]",
        ("export runs/first --to hf --out my-model", "export runs/first --to gguf --outtype q8_0 --out my-gguf"),
        exports.add,
        exports.run,
    ),
    Command(
        "batch",
        "print the tensors that the trainer would get",
        "Print the input ids, the targets and the roles of a batch: the trainer's own tensors.",
        "[options]",
        ("batch --rows 0,1,2", "batch --data my.jsonl --template chatml --rows 0 --train_on all --json"),
        _batch,
        commands.batch,
    ),
    Command(
        "data",
        "check a data set and count its tokens",
        "Check each record of a data set, list all that can't be used, and count records and tokens.",
        "[options]",
        ("data --data my.jsonl", "data --data my.csv --fields instruction=question,output=answer --write clean.jsonl"),
        _data,
        data_command.run,
    ),
    Command(
        "lint",
        "look for what a template and a mask do wrong, in every row of a data set",
        "Apply a template, a mask and a limit to each record of a data set and report what training would suffer from.",
        "[options]",
        ("lint --data starter --template alpaca", "lint --data my.jsonl --train_on all --max_length 256 --json"),
        _judged_data,
        lint.run,
    ),
    Command(
        "inspect",
        "look for mistakes in the token ids and labels of any trainer",
        "Read the token ids and labels that another trainer made, show what they train, and report mistakes\n"
        "that no loss curve shows.",
        "FILE [options]",
        ("inspect rows.json", "inspect rows.json --json"),
        inspects.add,
        inspects.run,
    ),
)
STARTER_COMMANDS = (
    Command(
        "build",
        "write the data set and the text, pretrain and pack the model; resumes an unfinished build",
        "Write the data set and the text, pretrain and pack the model. An unfinished build is resumed.",
        "--out DIR [options]",
        ("starter build --out build",),
        _starter_build,
        starter.build,
    ),
    Command(
        "measure",
        "fine-tune and score a build, and write its model card",
        "Fine-tune and score a build, and write its measures and its model card.",
        "--out DIR [options]",
        ("starter measure --out build",),
        _starter_measure,
        starter.measure,
    ),
)
