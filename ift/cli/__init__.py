"""The command line: `python -m ift train|estimate|evaluate|generate|models|export|batch|data|lint|inspect|starter`.

Results go to stdout, progress and errors to stderr. Exit codes: 0 done, 1 failed, 2 the input can't be used,
3 stopped on request.
"""

import argparse
import io
import sys
from collections.abc import Sequence
from typing import NoReturn

from ift import __version__
from ift.cli import commands, data_command
from ift.cli import export_command as exports
from ift.cli import inspect_command as inspects
from ift.cli import lint_command as lint
from ift.cli import models_command as models
from ift.cli import starter_commands as starter
from ift.cli.progress_bars import STOPPED, close_output
from ift.config import MAX_LENGTH_POLICIES, PRESETS, SCHEDULES, TARGET_MODULES
from ift.data.sources import NAMES as DATA
from ift.data.templates import PRESETS as TEMPLATES
from ift.data_options import LAYOUTS, ON_ERROR, TURNS
from ift.errors import ConfigError, IftError, InputError
from ift.model.names import NAMES as MODELS
from ift.roles import TRAIN_ON, Role
from ift.runs.ranks import place
from ift.runs.stop import StopAsked


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    args = _parser().parse_args(_with_underscores(sys.argv[1:] if argv is None else argv))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8")  # Windows' own would fail on the first arrow
    rank, processes = place()
    try:
        if processes > 1 and args.run is not commands.train:
            if rank > 0:
                return 2  # the first tells it
            raise ConfigError("Only train works in several processes", where="torchrun", fix="Leave torchrun out.")
        return args.run(args)
    except StopAsked:
        return STOPPED
    except IftError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2 if isinstance(error, InputError) else 1
    except BrokenPipeError:
        close_output()
        return 0  # the reader has seen enough, as in `… | head`


def _with_underscores(argv: Sequence[str]) -> list[str]:
    """Hyphen and underscore are the same in every option's name."""
    options = []
    for word in argv:
        name, equals, value = word.partition("=")
        is_option = name.startswith("--") and " " not in name  # argparse takes a word with a blank as a value, too
        options.append(name[:2] + name[2:].replace("-", "_") + equals + value if is_option else word)
    return options


class _Parser(argparse.ArgumentParser):
    """One that tells a mistake in one line, as all errors are told here."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"Error: {' '.join(message.split())}. Try {self.prog} --help.\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser("python -m ift", description="Instruction fine-tuning of GPT-2.", allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"ift {__version__}")
    actions = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, (add, run, text) in {
        "train": (_train, commands.train, "fine-tune a model; everything about it goes into a run folder"),
        "estimate": (_options, commands.estimate, "tell what a fine-tuning needs in memory and time on this machine"),
        "evaluate": (_evaluate, commands.evaluate, "answer and score the held-out records, before and after"),
        "generate": (_generate, commands.generate, "answer one instruction"),
        "export": (exports.add, exports.run, "take a run's model to transformers, llama.cpp, Ollama or PEFT"),
        "inspect": (inspects.add, inspects.run, "look for mistakes in the token ids and labels of any trainer"),
        "models": (models.add, models.run, "list the models to choose from, and what this machine can do with them"),
        "batch": (_batch, commands.batch, "print the tensors that the trainer would get"),
        "data": (_data, data_command.run, "check a data set and count its tokens"),
        "lint": (_data_and_template, lint.run, "look for what a template does wrong, in every row of a data set"),
    }.items():
        command = actions.add_parser(name, help=text, description=text.capitalize() + ".", allow_abbrev=False)
        command.set_defaults(run=run)
        command.add_argument("--json", action="store_true", help="print JSON to stdout")
        add(command)
    _starter(actions)
    return parser


def _starter(actions: argparse._SubParsersAction) -> None:
    text = "make the starter model and its data set again, from the seed"
    command = actions.add_parser("starter", help=text, description=text.capitalize() + ".", allow_abbrev=False)
    inner = command.add_subparsers(required=True, metavar="COMMAND")
    text = "data set, text, pretraining and packing; an unfinished build is gone on with"
    build = inner.add_parser("build", help=text, description=text.capitalize() + ".", allow_abbrev=False)
    build.set_defaults(run=starter.build)
    build.add_argument("--out", required=True, metavar="DIR", help="the folder to build in")
    build.add_argument("--steps", type=int, help="of pretraining")
    build.add_argument("--seed", type=int, help="of text and weights; the data set has its own")
    text = "fine-tune and score a build, and write its model card"
    measure = inner.add_parser("measure", help=text, description=text.capitalize() + ".", allow_abbrev=False)
    measure.set_defaults(run=starter.measure)
    measure.add_argument("--out", required=True, metavar="DIR", help="the folder of a finished build")
    measure.add_argument("--seeds", type=int, default=3, help="fine-tunings with the default options (3)")


def _data_and_template(command: argparse.ArgumentParser) -> None:
    # None, not the default's name: what was not given is left to the preset
    command.add_argument("--data", help=f"{', '.join(DATA)} or a file: JSON, JSON Lines, CSV, Parquet (starter)")
    _data_options(command)
    command.add_argument("--template", help=f"{', '.join(TEMPLATES)} or a file (alpaca)")


def _data_options(command: argparse.ArgumentParser) -> None:
    # no defaults here: `DataOptions` has them, and a resumed run its own
    command.add_argument("--layout", choices=LAYOUTS, help="what the records' fields are (auto)")
    text = "ours=the file's, with commas: instruction=question,output=answer; they take precedence over the layout's"
    command.add_argument("--fields", metavar="PAIRS", help=text)
    command.add_argument("--turns", choices=TURNS, help="which answers of a conversation are learned (last)")
    text = "whether records that can't be used refuse the file or are left out (raise)"
    command.add_argument("--on_error", choices=ON_ERROR, help=text)


def _data(command: argparse.ArgumentParser) -> None:
    _rows(command)
    text = "write the records that can be used as JSON Lines of instruction, input and output"
    command.add_argument("--write", metavar="FILE", help=text)


def _rows(command: argparse.ArgumentParser) -> None:
    _data_and_template(command)
    text = "cut rows at N tokens (in training: the context)"
    command.add_argument("--max_length", type=int, metavar="N", help=text)


def _train_on(command: argparse.ArgumentParser) -> None:
    roles = ",".join(role.label for role in Role)
    command.add_argument("--train_on", metavar="ROLES", help=f"{', '.join(TRAIN_ON)}, or some of {roles}")


def _train(command: argparse.ArgumentParser) -> None:
    folder = command.add_mutually_exclusive_group(required=True)
    folder.add_argument("--out", metavar="RUN", help="the run folder to make")
    folder.add_argument("--resume", metavar="RUN", help="go on with a run that was stopped or broke off, as it was set")
    _options(command)


def _options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--model", help=f"{', '.join(MODELS)}, a Hub id, a folder or a run (starter)")
    _rows(command)
    _train_on(command)
    command.add_argument("--preset", choices=PRESETS, help="quick (the starter's default) or book (all others')")
    command.add_argument("--num_train_epochs", type=float)
    command.add_argument("--max_steps", type=int, help="optimizer steps, instead of epochs")
    command.add_argument("--per_device_train_batch_size", type=int)
    command.add_argument("--gradient_accumulation_steps", type=int, help="batches an optimizer step")
    command.add_argument("--learning_rate", type=float)
    command.add_argument("--weight_decay", type=float)
    command.add_argument("--lr_scheduler_type", choices=SCHEDULES)
    command.add_argument("--warmup_steps", type=int)
    command.add_argument("--max_grad_norm", type=float, help="0 does not clip")
    command.add_argument("--max_length_policy", choices=MAX_LENGTH_POLICIES, help="what happens to longer rows")
    command.add_argument("--eval_steps", type=int)
    command.add_argument("--save_steps", type=int)
    text = "evaluations without a lower validation loss that end the run, at its best checkpoint; 0 never"
    command.add_argument("--early_stopping_patience", type=int, metavar="N", help=text)
    text = "true or false: less memory, more time; false unless given"
    command.add_argument("--gradient_checkpointing", type=_truth, metavar="BOOL", help=text)
    text = "true or false: batches of rows of about equal length; false unless given"
    command.add_argument("--group_by_length", type=_truth, metavar="BOOL", help=text)
    for name, what in (("resid", "what each layer adds"), ("embd", "the embeddings"), ("attn", "attention's weights")):
        command.add_argument(f"--{name}_pdrop", type=float, metavar="P", help=f"dropout of {what}; 0 unless given")
    _lora(command)
    command.add_argument("--seed", type=int)
    text = "true or false: matrix products in bf16; unless given, where the processor has it"
    command.add_argument("--bf16", type=_truth, metavar="BOOL", help=text)
    text = "true or false: under torchrun, each process holds only its share of the model; false unless given"
    command.add_argument("--fsdp", type=_truth, metavar="BOOL", help=text)
    command.add_argument("--attached", action="store_true", help="save and end when standard input ends")


def _lora(command: argparse.ArgumentParser) -> None:
    command.add_argument("--r", type=int, help="LoRA's rank; 0, unless given, trains all weights")
    command.add_argument("--lora_alpha", type=float, help="LoRA's scale is lora_alpha / r")
    command.add_argument("--lora_dropout", type=float, metavar="P", help="dropout of what LoRA reads; 0 unless given")
    text = f"where LoRA stands, with commas: {', '.join(TARGET_MODULES)} (c_attn)"
    command.add_argument("--target_modules", metavar="NAMES", help=text)


def _truth(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise argparse.ArgumentTypeError(f"{text!r} is neither true nor false")
    return text.lower() == "true"


def _evaluate(command: argparse.ArgumentParser) -> None:
    command.add_argument("run_folder", metavar="RUN")
    command.add_argument("--limit", type=int, metavar="N", help="only the first N held-out records")
    command.add_argument("--max_new_tokens", type=int, help="a quarter of the model's context unless given")
    command.add_argument("--attached", action="store_true", help="end when standard input ends")


def _generate(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--model", default="starter", help=f"{', '.join(MODELS)}, a Hub id, a folder or a run (starter)"
    )
    command.add_argument("--instruction", required=True)
    command.add_argument("--input", default="")
    command.add_argument("--template", help="a preset or a file (the run's own, else alpaca)")
    command.add_argument("--max_new_tokens", type=int)
    command.add_argument("--temperature", type=float, default=0.0, help="0 takes the likeliest token")
    command.add_argument("--top_k", type=int)
    command.add_argument("--seed", type=int, default=0)


def _batch(command: argparse.ArgumentParser) -> None:
    _rows(command)
    _train_on(command)
    command.add_argument("--rows", default="0,1,2", help="positions in the file, from 0, with commas (0,1,2)")
    command.add_argument("--pad", default="batch", metavar="WIDTH", help="batch, dataset or a number of tokens (batch)")
