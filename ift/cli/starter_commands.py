"""`starter build` and `starter measure`: thin, as the other commands."""

import json
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

from ift.cli.progress_bars import counting_bar, show_training
from ift.events import TrainEvent
from ift.runs.processes import keep_memory
from ift.runs.stop import Stop


def build(args: Namespace) -> int:
    """`starter build`: shows the pretraining, prints the folder."""
    from ift.starter.build import build as build_events
    from ift.starter.pretraining import PretrainConfig

    keep_memory()
    given = {name: getattr(args, name) for name in ("steps", "seed")}
    config = PretrainConfig(**{name: value for name, value in given.items() if value is not None})
    out = Path(args.out)
    stop = Stop(None)
    stop.listen(attached=False)  # at once: what was saved last is where the next build resumes
    with counting_bar("text", "tokens") as progress:
        events = _until(stop, build_events(out, config, progress=progress))
        return show_training(events, folder=out, as_json=False, stop=stop)


def _until(stop: Stop, events: Iterator[TrainEvent]) -> Iterator[TrainEvent]:
    for event in events:
        yield event
        stop.raise_if_asked()


def measure(args: Namespace) -> int:
    """`starter measure`: writes measures.json and the model card, prints the card's path."""
    from ift.starter.card import write_card
    from ift.starter.measure import measure as measured

    keep_memory()
    out = Path(args.out)
    measures = measured(out, seeds=args.seeds)
    text = json.dumps(measures, indent=1, ensure_ascii=False) + "\n"
    (out / "starter" / "measures.json").write_text(text, encoding="utf-8", newline="\n")
    card = out / "starter" / "README.md"
    card.write_text(write_card(measures), encoding="utf-8", newline="\n")
    print(card)
    return 0
