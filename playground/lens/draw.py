"""From the switches to what the grid shows: one way for the page's events and for every key in the template."""

import hashlib
import json
import threading
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from anyio import to_thread

from ift.audit.batch_audit import batch_findings
from ift.config import TrainConfig
from ift.data.records import to_example
from ift.data.templates import MAX_CHARACTERS, Template
from ift.errors import ConfigError, DataError, IftError
from ift.masks import TRAIN_ON, name_trained, parse_trained
from ift.model.known_tokens import known_ids
from ift.roles import Role
from ift.types import Example, Side
from playground import caches
from playground.context import Context, train_on, whole
from playground.lens.other_rows import found_in, other_rows
from playground.lens.payload import Shown, lens, notes, shown
from playground.lens.recent import Kept
from playground.lens.state import MAX_ROWS, NONE, View, preset_of, to_link
from playground.tokenized_uploads import is_rows, load_rows
from playground.views import html
from playground.views.data import containing
from playground.views.findings import chips
from playground.visitors import current

LIGHT = 20_000
"""Characters of text up to which a batch is drawn at once, in a few milliseconds; a hand-over to another thread and
back costs as much again, as both take the interpreter from each other."""
TURN_S = 0.5
"""For so long a key of more text waits for those before it."""
OWN = "own"
"""The preset of a template that is none."""


def draw(
    context: Context,
    view: View,
    model: str | None,
    run: str | None,
    *,
    chosen: Mapping[int, Example] | None = None,
) -> dict:
    """The grid's value. `chosen`: the batch's records, where they are known already.

    Returns:
        batch: what the grid draws, as JSON; not there where there is an error. message: HTML for below the editor.
        stamp: for what the page asks later. at: microseconds since 1970 at which this was begun, for the page to leave
        out an answer that a later question has overtaken. template, preset: the text that this is about.
    """
    at = time.time_ns() // 1000
    kept = Kept(view, model, run, current().key, chosen)
    try:
        kept, value, message = (_other_rows if is_rows(view.data) else _drawn)(context, kept)
        found = {"batch": json.dumps(value), "message": message}
    except IftError as problem:
        found = {"message": html.error(problem)}
    found["stamp"] = context.recent.keep(kept)
    return {**found, "at": at, "template": view.template, "preset": preset_of(view.template) or OWN}


def typed(context: Context) -> Callable[[object], Awaitable[dict | None]]:
    """For each key: the same switches' batch with another template; None where the server has forgotten them."""

    turn = threading.Lock()

    def in_turn(drawn: Callable[[], dict]) -> dict:
        is_ours = turn.acquire(timeout=TURN_S)
        try:
            return drawn()
        finally:
            if is_ours:
                turn.release()

    async def lens_typed(query: object) -> dict | None:  # from the browser: it may be anything
        stamp, template = (query.get("stamp"), query.get("template")) if isinstance(query, dict) else (None, None)
        kept = context.recent.get(stamp, current().key)
        if kept is None or not isinstance(template, str):
            return None
        view = replace(kept.view, template=template)
        drawn = partial(draw, context, view, kept.model, kept.run, chosen=kept.chosen)
        return drawn() if is_light(view, kept.chosen) else await to_thread.run_sync(in_turn, drawn)

    return lens_typed


def is_light(view: View, chosen: Mapping[int, Example] | None) -> bool:
    """Whether a batch is drawn so soon that nobody notices: its records are at hand, and their text is short."""
    if chosen is None or view.width == "data set":
        return False
    texts = [text for example in chosen.values() for text in (example.instruction, example.input, example.output)]
    fields = sum(map(len, (*texts, *view.own)))
    return (1 + len(chosen)) * len(view.template) + view.template.count("{{") * fields <= LIGHT


def trained(view: View) -> frozenset[Role]:
    """The roles that are targets."""
    return parse_trained(train_on(view.mask, view.keep_eos, view.train_padding))


def seed(value: float | None) -> int:
    """A number field's value as a seed.

    Raises:
        ConfigError: it is none.
    """
    return TrainConfig(seed=whole("seed", value)).seed  # checked there


def _other_rows(context: Context, kept: Kept) -> tuple[Kept, dict, str]:
    """Rows of another trainer: as they are, whatever template and mask the page has."""
    view, upload = kept.view, load_rows(kept.view.data)
    chosen = _batch(range(len(upload.rows)), replace(view, find=""))
    found, value = other_rows(upload, chosen)
    models = {Side.BEFORE: context.model(kept.model)} if upload.is_gpt2 else {}
    sides = {side.value: Path(name).name for side, name in models.items()}
    about = {"sides": sides, "link": to_link(view), "text": view.data}
    message = chips(found_in(upload, chosen), total=len(chosen))
    note = html.note(
        "busy", "Rows of another trainer, as they are: template, mask and cut of this page change nothing."
    )
    return replace(kept, shown=found, models=models), {**value, **about}, note + message


def _drawn(context: Context, kept: Kept) -> tuple[Kept, dict, str]:
    view, model = kept.view, kept.model
    template, longest, roles = Template.parse(view.template), context.limit(model, view.max_length), trained(view)
    chosen = _chosen(view, template, longest) if kept.chosen is None else kept.chosen
    found = shown(
        chosen,
        tuple(chosen),
        template,
        trained=roles,
        width=_width(context, view, model, longest),
        max_length=longest,
        own=_own(view),
    )
    run, models, labels = context.jobs.run(kept.run), {Side.BEFORE: context.model(model)}, {}
    if run and run.checkpoints():
        models, labels = run.models, {Side.AFTER: run.id}
    sides = {side.value: labels.get(side, Path(name).name) for side, name in models.items()}  # a stranger sees no paths
    other = None if view.other == NONE else TRAIN_ON[view.other]
    value = lens(found, known=known_ids(context.model(model)), other=other)
    text = "\0".join((view.data, template.source, name_trained(roles), str(longest))).encode("utf-8", "replace")
    about = {"sides": sides, "link": to_link(view), "text": hashlib.sha256(text).hexdigest()}
    message = _judged(found, longest) + notes(value)
    kept = replace(kept, shown=found, models=models, chosen=None if view.order == "training" else chosen)
    return kept, {**value, **about}, message


def _chosen(view: View, template: Template, longest: int) -> dict[int, Example]:
    dataset = caches.dataset(view.data)
    order = range(len(dataset))
    if view.order == "training":
        order = caches.training_order(
            view.data, template.source, trained=trained(view), max_length=longest, seed=seed(view.seed)
        )
    records = _batch(containing(dataset, order, view.find) if view.find else order, view)
    return {i: dataset.examples[i] for i in records[: view.size - view.has_own]}


def _judged(shown: Shown, longest: int) -> str:
    """What is wrong with the batch under its mask, cut and width, as chips."""
    found = batch_findings(shown.batch, shown.records, left_out=shown.left_out, max_length=longest)
    return chips(found, total=len(shown.records) + len(shown.left_out))


def _own(view: View) -> Example | None:
    """The visitor's own record, checked as a file's is.

    Raises:
        DataError: a field is too long, or holds half a character.
    """
    if not view.has_own:
        return None
    texts = dict(zip(("instruction", "input", "output"), view.own, strict=True))
    for name, text in texts.items():
        if len(text) > MAX_CHARACTERS:
            fix = f"Shorten it to at most {MAX_CHARACTERS:,}."
            raise DataError(f"The {name} has {len(text):,} characters", where="your own record", fix=fix)
    return to_example(texts, where="your own record")


def _width(context: Context, view: View, model: str | None, longest: int) -> int | None:
    """The width asked for; None leaves it to the batch. `longest`: of a row."""
    if view.width == "fixed":
        width = whole("fixed width", view.fixed_width)
        context.settings.limits.require("width", width, where="fixed width")
        most = context.limit(model, 0)
        if width > most:
            fix = f"Use at most {most:,}."
            raise ConfigError(f"A width of {width:,} is over what the model reads", where="fixed width", fix=fix)
        return width
    if view.width == "data set":
        return min(caches.longest(view.data, view.template), longest)
    return None


def _batch(records: Sequence[int], view: View) -> Sequence[int]:
    """The records of the batch, among those found; a start beyond their end shows the last ones."""
    if not records:
        raise DataError(f"No row contains “{view.find}”", where="Rows that contain", fix="Shorten it.")
    size = whole("rows in the batch", view.size)
    if not 1 <= size <= MAX_ROWS:
        fix = f"Use 1 to {MAX_ROWS}."
        raise ConfigError(f"{size} rows can't be shown together", where="rows in the batch", fix=fix)
    start = max(0, min(whole("first row", view.first), len(records) - 1))
    return records[start : start + size]
