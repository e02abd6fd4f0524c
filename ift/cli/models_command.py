"""`models`: which models there are, and what this machine can do with them."""

import json
from argparse import ArgumentParser, Namespace
from dataclasses import asdict

from ift.runs.processes import available_bytes
from ift.training.model_table import ModelChoice, model_choices

HEAD = ("model", "parameters", "context", "download", "memory, full", "memory, LoRA", "here")


def add(command: ArgumentParser) -> None:
    """It has no options of its own."""


def run(args: Namespace) -> int:
    """`models`: prints the table."""
    free = available_bytes()
    choices = model_choices(free_bytes=free)
    if args.json:
        rows = [asdict(choice) | {"advice": choice.advice} for choice in choices]
        print(json.dumps({"available_bytes": free, "models": rows}))
    else:
        print(_table(choices))
        print(f"{free / 1e9:.1f} GB of memory are free. Memory is without the activations of a batch.")
    return 0


def _table(choices: list[ModelChoice]) -> str:
    rows = [HEAD, *map(_row, choices)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEAD))]
    return "\n".join("  ".join(_aligned(row, widths)).rstrip() for row in rows)


def _aligned(row: tuple[str, ...], widths: list[int]) -> list[str]:
    """The name and the advice on the left, numbers on the right."""
    numbers = [cell.rjust(width) for cell, width in zip(row[1:-1], widths[1:-1], strict=True)]
    return [row[0].ljust(widths[0]), *numbers, row[-1]]


def _row(choice: ModelChoice) -> tuple[str, ...]:
    download = "none" if choice.is_here else f"{choice.download_bytes / 1e6:,.0f} MB"
    memory = (f"{size / 1e9:.1f} GB" for size in (choice.full_bytes, choice.lora_bytes))
    return (choice.name, f"{choice.parameters / 1e6:,.1f} M", f"{choice.context:,}", download, *memory, choice.advice)
