"""What decides the grid: the switches' values as one checked thing, which a link can carry."""

import base64
import binascii
import json
from contextlib import suppress
from dataclasses import dataclass, fields
from typing import Any

from ift.data.sources import NAMES
from ift.data.templates import MAX_CHARACTERS, PRESETS, preset_source
from ift.errors import ConfigError
from ift.masks import TRAIN_ON

NONE = "none"
MASKS = [(name.replace("-", " "), name) for name in TRAIN_ON]
"""(label, name) of the named masks, for a radio."""
WIDTHS = [("longest of the batch", "batch"), ("longest of the data set", "data set"), ("a fixed number", "fixed")]
ORDERS = [("as in the file", "file"), ("as training draws them", "training")]
MAX_ROWS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Defaults are the page's at the start.

    template: its text. other: a second mask, or `none`. size: rows of the batch. first: how many of the rows, in their
    order, stand before the batch. find: only rows that contain this text. seed: of the training order. own_…: a record
    of the visitor's own, first in the batch; none where all three are blank.
    """

    data: str = "starter"
    template: str = preset_source("alpaca")
    mask: str = "response"
    keep_eos: bool = True
    train_padding: bool = False
    other: str = NONE
    width: str = "batch"
    fixed_width: int = 128
    max_length: int = 0
    size: int = 8
    first: int = 0
    find: str = ""
    order: str = "file"
    seed: int = 123
    own_instruction: str = ""
    own_input: str = ""
    own_output: str = ""

    @property
    def texts(self) -> tuple[str, ...]:
        """All that may be long."""
        return self.template or "", self.find or "", *self.own

    @property
    def own(self) -> tuple[str, ...]:
        """Instruction, input and output of the record of the visitor's own."""
        return tuple(text or "" for text in (self.own_instruction, self.own_input, self.own_output))

    @property
    def has_own(self) -> bool:
        """Whether there is a record of the visitor's own."""
        return any(text.strip() for text in self.own)


_DEFAULTS = {one.name: one.default for one in fields(View)}
CHOICES = {
    "data": NAMES,
    "mask": tuple(TRAIN_ON),
    "other": (NONE, *TRAIN_ON),
    "width": tuple(name for _, name in WIDTHS),
    "order": tuple(name for _, name in ORDERS),
}
"""What a link may say; a file on this machine it may not name."""


def preset_of(source: str) -> str | None:
    """The preset whose text this is."""
    return next((name for name in PRESETS if preset_source(name) == source), None)


def to_link(view: View) -> dict:
    """The fields that differ from the defaults; a preset's text by its name, as `preset`."""
    found = {name: value for name, default in _DEFAULTS.items() if (value := getattr(view, name)) != default}
    if preset := preset_of(view.template) if "template" in found else None:
        del found["template"]
        found["preset"] = preset
    if found.get("data", "starter") not in NAMES:
        del found["data"]  # an upload: nobody else has it
    return found


def read_link(text: str) -> View | None:
    """The view in a link's fragment: base64url of JSON, as the page writes it; None where there is none.

    What it does not say, or a later version of the page would say, keeps its default.

    Raises:
        ConfigError: this is no such link.
    """
    if not text:
        return None
    try:
        said = _decoded(text)
        named = {"template": preset_source(said["preset"])} if said.get("preset") in PRESETS else {}
        values = {one.name: said[one.name] for one in fields(View) if one.name in said} | named
        view = View(**values)
        is_typed = all(type(value) is type(getattr(View(), name)) for name, value in values.items())
    except (ValueError, TypeError, AttributeError, binascii.Error) as error:
        raise ConfigError("The link can't be read", where="the address", fix=_FIX) from error
    is_known = all(getattr(view, name) in choices for name, choices in CHOICES.items())
    if not (is_typed and is_known and all(len(text) <= MAX_CHARACTERS for text in view.texts)):
        raise ConfigError("The link asks for what this page does not have", where="the address", fix=_FIX)
    return view


def read_rest(text: str) -> dict:
    """What a link says beside the view, such as `train`; empty where it can't be read: `read_link` says so."""
    with suppress(ValueError, TypeError, binascii.Error):
        said = _decoded(text) if text else {}
        return said if isinstance(said, dict) else {}
    return {}


def _decoded(text: str) -> Any:  # noqa: ANN401  whatever somebody wrote
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


_FIX = "Copy the whole address again; the page stands as it is at the start."
