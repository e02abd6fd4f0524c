"""A run as a recording, and as one page that plays it: no server, no request, nothing to install.

events, answers, scores ── recording ──▶ JSON ── replay_page ──▶ one HTML file with `assets/web/replay/replay.js`
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path

from ift.errors import RunError
from ift.evaluation.measures import in_order, measure_of
from ift.events import Evaluated, Resumed, Sampled, Stepped, TrainEvent
from ift.masks import TRAIN_ON
from ift.paths import ASSETS
from ift.plurals import plural
from ift.runs.folder import Run
from ift.runs.scores import AnsweredRecord, ComparedRecord

RECORDINGS = ASSETS / "recordings"
"""Recorded runs that ship: what fine-tuning does can be shown before anything was trained."""
_WEB = ASSETS / "web"
_STYLES = (_WEB / "replay" / "page.css", _WEB / "style" / "replay.css")
_SCRIPT = _WEB / "replay" / "replay.js"
_POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model answered; `right`: exact match, or the record's own check."""

    text: str
    finish: str
    right: float | None


@dataclass(frozen=True, slots=True)
class RecordedAnswers:
    """A held-out record with both answers."""

    instruction: str
    input: str
    output: str
    before: Answer
    after: Answer


@dataclass(frozen=True, slots=True)
class Prompt:
    """A validation record that was answered at each evaluation."""

    instruction: str
    input: str
    output: str


@dataclass(frozen=True, slots=True)
class Sample:
    """An answer to one of them."""

    step: int
    record: int
    text: str
    finish: str


@dataclass(frozen=True, slots=True)
class ShownScore:
    """A mean before and after, as it is shown."""

    title: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Recording:
    """A run to be played again. steps, evaluations: (step, seconds, loss in nats) each. prompts: by record."""

    title: str
    about: str
    steps: tuple[tuple[int, float, float], ...]
    evaluations: tuple[tuple[int, float, float], ...]
    prompts: dict[int, Prompt]
    samples: tuple[Sample, ...]
    answers: tuple[RecordedAnswers, ...]
    scores: tuple[ShownScore, ...]

    def to_json(self) -> str:
        """For a file, or for the page."""
        return json.dumps(asdict(self), ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def record_run(run: Run, *, title: str = "") -> Recording:
    """A run's recording.

    Args:
        run: one that has done at least a step.
        title: a heading; the run's name where it is empty.

    Raises:
        RunError: a file of the run is damaged, or it has done no step.
    """
    events = _valid(run.training.read()[0])
    stepped = [event for event in events if isinstance(event, Stepped)]
    if not stepped:
        raise RunError("The run has done no step", where=str(run.path), fix="Train first.")
    sampled = [event for event in events if isinstance(event, Sampled)]
    scores = run.scores
    names = in_order(scores.after) if scores else []
    means = [(measure_of(name), scores.metric(name)) for name in names] if scores else []
    return Recording(
        title=title or f"Run {run.id}",
        about=_about(run, stepped),
        steps=_points(stepped),
        evaluations=_points([event for event in events if isinstance(event, Evaluated)]),
        prompts={event.record: Prompt(event.instruction, event.input, event.output) for event in sampled},
        samples=tuple(Sample(event.step, event.record, event.model_response, event.finish) for event in sampled),
        answers=tuple(_answers(one) for one in run.comparison()) if scores else (),
        scores=tuple(
            ShownScore(measure.title, measure.show(found.before), measure.show(found.after))
            for measure, found in means
            if found.after is not None
        ),
    )


def replay_page(recordings: Sequence[str]) -> str:
    """One HTML page that plays these recordings, each as JSON; it makes no request, and no text in it is code."""
    titles = ", ".join(json.loads(recording)["title"] for recording in recordings)
    data = f"[{','.join(recordings)}]".replace("<", "\\u003c").replace("\u2028", "\\u2028")
    style = "".join(path.read_text(encoding="utf-8") for path in _STYLES)
    play = "for (const one of JSON.parse(document.getElementById('recordings').textContent))\n"
    play += "  replay(document.querySelector('main').appendChild(el('section', 'replay')), one);"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(titles)}</title>\n<style>\n{style}</style></head>\n"
        "<body><main><h1>A fine-tuning, played again</h1></main>\n"
        f'<script type="application/json" id="recordings">{data}</script>\n'
        f'<script type="module">\n{_SCRIPT.read_text(encoding="utf-8")}\n{play}\n</script></body></html>\n'
    )


def write_replay(run: Run, out: Path) -> Path:
    """Write a run's page.

    Raises:
        RunError: the run can't be recorded, or the file can't be written or is there already.
    """
    page = replay_page([record_run(run).to_json()])
    try:
        with out.open("x", encoding="utf-8") as file:
            file.write(page)
    except OSError as error:
        fix = "Give a new file's name with --out, in a folder that is there."
        raise RunError(f"The page can't be written: {error.strerror}", where=str(out), fix=fix) from error
    return out


def _valid(events: Iterable[TrainEvent]) -> list[TrainEvent]:
    """Without what a resumed run did again."""
    kept: list[TrainEvent] = []
    for event in events:
        if isinstance(event, Resumed):
            step = event.step
            kept = [one for one in kept if one.step <= step]
        kept.append(event)
    return kept


def _points(events: Sequence[Stepped] | Sequence[Evaluated]) -> tuple[tuple[int, float, float], ...]:
    return tuple((event.step, round(event.time_s, 2), float(f"{event.loss:.5g}")) for event in events)


def _about(run: Run, stepped: Sequence[Stepped]) -> str:
    options = run.config.options
    model, data = Path(options.model).name, Path(run.config.data.name).name
    is_named = options.train_on in TRAIN_ON
    roles = options.train_on if is_named else " and ".join(role.title for role in sorted(options.trained))
    what = f"{model} on {plural(run.config.data.split.train, 'record')} of {data}, loss on {roles}"
    return f"{what}, learning rate {options.learning_rate:g}, {plural(stepped[-1].step, 'step')}, seed {options.seed}."


def _answers(one: ComparedRecord) -> RecordedAnswers:
    row = one.after
    return RecordedAnswers(row.instruction, row.input, row.output, _answer(one.before), _answer(row))


def _answer(row: AnsweredRecord) -> Answer:
    return Answer(row.model_response, row.finish, row.right)
