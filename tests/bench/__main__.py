"""`python -m tests.bench train [--model NAME] [--json]`: see README.md beside this file."""

import argparse
import json

from ift.sources import NAMES as DATA
from ift.types import TRAIN_ON
from tests.bench.train import MODELS, Setup, measure, table


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", allow_abbrev=False)
    train = parser.add_subparsers(required=True, metavar="COMMAND").add_parser("train", help="a training step")
    train.add_argument("--model", choices=MODELS, default="gpt2", help="its shape; weights are random (gpt2)")
    train.add_argument("--data", default="starter", help=f"{', '.join(DATA)} or a file (starter)")
    train.add_argument("--train-on", choices=TRAIN_ON, default="response", help="(response)")
    train.add_argument("--batch", type=int, default=8, metavar="ROWS", help="rows a step (8)")
    train.add_argument("--steps", type=int, default=10, help="steps that are timed, after one that is not (10)")
    train.add_argument("--threads", type=int, default=1, help="of each process (1)")
    train.add_argument("--bf16", action="store_true", help="both in bf16, and transformers with fused AdamW")
    train.add_argument("--json", action="store_true", help="print JSON")
    args = parser.parse_args()
    setup = Setup(args.model, args.data, args.train_on, args.batch, args.steps, args.threads, args.bf16)
    result = measure(setup)
    print(json.dumps(result, indent=1) if args.json else table(setup, result))


if __name__ == "__main__":
    main()
