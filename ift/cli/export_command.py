"""`export`: take a run's model to other programs."""

import json
from argparse import ArgumentParser, Namespace
from pathlib import Path

from ift.errors import ConfigError
from ift.runs.folder import open_run

SCRIPT, REPLAY = "script", "replay"
"""What is exported where it is not the model: the training."""


def add(command: ArgumentParser) -> None:
    """The options."""
    command.add_argument("run_folder", metavar="RUN", help="the folder of a run that has saved a checkpoint")
    text = (
        "hf: a folder for transformers and the Hub; gguf: a file for llama.cpp and Ollama; adapter: LoRA's, for PEFT; "
        f"{SCRIPT}: the training itself, as a script and a notebook in plain PyTorch; "
        f"{REPLAY}: one HTML page that plays the run again"
    )
    command.add_argument("--to", choices=("hf", "gguf", "adapter", SCRIPT, REPLAY), required=True, help=text)
    out = f"the folder to make, whose name is the model's; for {REPLAY} the page's file"
    command.add_argument("--out", required=True, metavar="DIR", help=out)
    command.add_argument("--outtype", choices=("f32", "f16", "q8_0"), help="how a GGUF file keeps its matrices (f16)")
    command.add_argument("--zip", action="store_true", help="make DIR.zip instead of the folder")


def run(args: Namespace) -> int:
    """Export, and print where it is and the command that takes it further."""
    from ift.export.export_run import Target, export_run, next_command

    if args.to in (SCRIPT, REPLAY):
        return _training(args)
    to = Target(args.to)
    if args.outtype and to is not Target.GGUF:
        raise ConfigError("outtype is only for GGUF files", where="outtype", fix="Leave it out, or use --to gguf.")
    made = export_run(
        open_run(Path(args.run_folder)), Path(args.out), to, outtype=args.outtype or "f16", archive=args.zip
    )
    if args.json:
        print(json.dumps({"path": str(made), "next": next_command(made, to)}))
    else:
        print(f"{made}\nNext, if you like: {next_command(made, to)}")
    return 0


def _training(args: Namespace) -> int:
    from ift.evaluation.held_out import load_run_data
    from ift.experiments.replay import write_replay
    from ift.export.stand_alone import write_stand_alone

    if args.outtype or args.zip:
        raise ConfigError("outtype and zip are only for models", where=f"--to {args.to}", fix="Leave them out.")
    run, out = open_run(Path(args.run_folder)), Path(args.out)
    is_script = args.to == SCRIPT
    made = write_stand_alone(run, load_run_data(run), out) if is_script else write_replay(run, out)
    next_ = f"python {made / 'train.py'}" if is_script else f"open {made} in a browser"
    print(json.dumps({"path": str(made), "next": next_}) if args.json else f"{made}\nNext, if you like: {next_}")
    return 0
