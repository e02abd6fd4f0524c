"""`python -m tests.bench train|generate|data|lint|typing|visitors|leaks|chart [--json] …`: see README.md here."""

import argparse
import json

from ift.data.sources import NAMES as DATA
from ift.masks import TRAIN_ON
from tests.bench import cuda_train, data, generate, lint, train


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", allow_abbrev=False)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, (add, run, text) in {
        "train": (_train_options, _train, "a training step"),
        "generate": (_generate_options, _generate, "answers to held-out prompts"),
        "data": (_records_options, _data, "a large data set made ready to train on"),
        "lint": (_records_options, _lint, "the template's linter on a large data set"),
        "typing": (_typing_options, _typing, "from a key in the template to the grid that shows it"),
        "visitors": (_visitors_options, _visitors, "visitors who type while one run trains"),
        "leaks": (_leaks_options, _leaks, "what a server holds after many visitors, uploads and runs"),
        "chart": (_chart_options, _chart, "what a page that shows a run costs the run"),
    }.items():
        command = commands.add_parser(name, help=text, allow_abbrev=False)
        command.set_defaults(run=run)
        command.add_argument("--json", action="store_true", help="print JSON")
        add(command)
    args = parser.parse_args()
    result, text = args.run(args)
    print(json.dumps(result, indent=1) if args.json else text)


def _data_option(command: argparse.ArgumentParser) -> None:
    command.add_argument("--data", default="starter", help=f"{', '.join(DATA)} or a file (starter)")


def _train_options(command: argparse.ArgumentParser) -> None:
    _data_option(command)
    command.add_argument("--model", choices=train.MODELS, default="gpt2", help="its shape; weights are random (gpt2)")
    command.add_argument("--train-on", choices=TRAIN_ON, default="response", help="(response)")
    command.add_argument("--batch", type=int, default=8, metavar="ROWS", help="rows per step (8)")
    command.add_argument("--steps", type=int, default=10, help="steps that are timed, after one that is not (10)")
    command.add_argument("--threads", type=int, default=1, help="of each process (1)")
    command.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="cuda: with and without graphs (cpu)")
    command.add_argument("--bf16", action="store_true", help="both in bf16, and transformers with fused AdamW")


def _train(args: argparse.Namespace) -> tuple[dict, str]:
    setup = train.Setup(args.model, args.data, args.train_on, args.batch, args.steps, args.threads, args.bf16)
    side = cuda_train if args.device == "cuda" else train
    result = side.measure(setup)
    return result, side.table(setup, result)


def _generate_options(command: argparse.ArgumentParser) -> None:
    _data_option(command)
    text = "gpt2 (its shape with random weights), starter, a folder or a run (starter)"
    command.add_argument("--model", default="starter", help=text)
    command.add_argument("--rows", type=int, default=55, help="prompts (55)")
    command.add_argument("--rounds", type=int, default=3, help="that are timed, after one that is not (3)")
    command.add_argument("--threads", type=int, default=1, help="of each process (1)")
    command.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="cuda: with and without graphs (cpu)")
    command.add_argument("--bf16", action="store_true", help="all with their weights in bf16")


def _generate(args: argparse.Namespace) -> tuple[dict, str]:
    setup = generate.Setup(args.model, args.data, args.rows, args.rounds, args.threads, args.device, args.bf16)
    result = generate.measure(setup)
    return result, generate.table(result)


def _records_options(command: argparse.ArgumentParser) -> None:
    _data_option(command)
    command.add_argument("--records", type=int, default=52_000, help="made of the data set's (52,000)")
    command.add_argument("--rounds", type=int, default=3, help="that are timed (3)")


def _data(args: argparse.Namespace) -> tuple[dict, str]:
    result = data.measure(data.Setup(args.data, args.records, args.rounds))
    return result, data.table(result)


def _lint(args: argparse.Namespace) -> tuple[dict, str]:
    result = lint.measure(lint.Setup(args.data, args.records, args.rounds))
    return result, lint.table(result)


def _typing_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--keys", type=int, default=60, help="of each size, the first five to warm up (60)")


def _typing(args: argparse.Namespace) -> tuple[dict, str]:
    from tests.bench import typing  # a browser, which no other benchmark needs

    result = typing.measure(args.keys)
    return result, typing.table(result)


def _visitors_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--counts", default="20,100", help="visitors at once, one number after the other (20,100)")
    command.add_argument("--seconds", type=float, default=40, help="of typing, for each number (40)")
    command.add_argument("--nice", type=int, default=10, help="of the training, as the page starts it (10)")


def _visitors(args: argparse.Namespace) -> tuple[dict, str]:
    from tests.bench import visitors  # the page's server, which no other benchmark of these needs

    result = visitors.measure([int(count) for count in args.counts.split(",")], args.seconds, args.nice)
    return result, visitors.table(result)


def _leaks_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--sessions", type=int, default=1_000, help="opened, used a little and closed (1,000)")
    command.add_argument("--runs", type=int, default=100, help="most of them prepared folders (100)")
    command.add_argument("--trained", type=int, default=3, help="of these runs, in two steps, from the page (3)")
    command.add_argument("--uploads", type=int, default=500, help="broken off; a tenth as many arrive (500)")


def _leaks(args: argparse.Namespace) -> tuple[dict, str]:
    from tests.bench import leaks  # the page's server, too

    result = leaks.measure(leaks.Amount(args.sessions, args.runs, args.trained, args.uploads))
    return result, leaks.table(result)


def _chart_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--model", default="starter", help="as `python -m ift train` takes it (starter)")
    command.add_argument("--turns", type=int, default=4, help="with another tab and with the chart (4)")


def _chart(args: argparse.Namespace) -> tuple[dict, str]:
    from tests.bench import chart  # a browser, too

    result = chart.measure(chart.Setup(args.model, args.turns))
    return result, chart.table(result)


if __name__ == "__main__":
    main()
