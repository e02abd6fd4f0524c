"""Prompt templates: a logic-less subset of Mustache that knows which character is there for what.

`{{instruction}}`, `{{input}}`, `{{output}}`; `{{#input}}…{{/input}}` stands where a record has an input,
`{{^input}}…{{/input}}` where it has none. A section tag alone on its line takes the line with it. Nothing is
evaluated and what a record contains is never scanned again, so a record can't change the template.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ift.errors import TemplateError
from ift.paths import ASSETS
from ift.roles import Role
from ift.types import Example, Rendered, Segment

FIELDS = {"instruction": Role.INSTRUCTION, "input": Role.INPUT, "output": Role.RESPONSE}
PRESETS = {
    "alpaca": "Alpaca",
    "alpaca-stanford": "Alpaca, as Stanford published it",
    "phi3": "Phi-3 style",
    "chatml": "ChatML",
}
"""Templates that ship with the project: file stem → title."""
MAX_CHARACTERS = 20_000

_TAG = re.compile(r"\{\{(?P<kind>[#^/]?)[ \t]*(?P<name>\w+)[ \t]*\}\}")
_SECTION_LINE = re.compile(r"^[ \t]*\{\{[#^/][ \t]*\w+[ \t]*\}\}[ \t]*(?:\n|\Z)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of literal text, or a field's name; `when` is None or whether the record must have an input."""

    text: str
    is_field: bool
    when: bool | None


@dataclass(frozen=True, slots=True)
class Template:
    """A parsed template. `source` is its text with LF line breaks.

    >>> Template.parse("Q: {{instruction}} A: {{output}}").render(Example("1+1?", "", "2")).prompt
    'Q: 1+1? A: '
    """

    source: str
    parts: tuple[Part, ...]

    @classmethod
    def parse(cls, source: str) -> "Template":
        """Parse what an editor holds.

        Raises:
            TemplateError: with the line and column of the first thing that is wrong.
        """
        source = source.replace("\r\n", "\n")
        if len(source) > MAX_CHARACTERS:
            fix = f"Shorten it to at most {MAX_CHARACTERS:,}: every row would carry it."
            raise TemplateError(f"The template has {len(source):,} characters", line=1, column=1, fix=fix)
        return cls(source, _Parser(source).parts())

    def render(self, example: Example) -> Rendered:
        """Pour a record in, in one pass."""
        segments: list[Segment] = []
        for part, role in self.laid_out(has_input=example.has_input):
            text = getattr(example, part.text) if part.is_field else part.text
            if segments and segments[-1].role == role and role in (Role.TEMPLATE, Role.HEADER):
                segments[-1] = Segment(segments[-1].text + text, role)
            elif text:
                segments.append(Segment(text, role))
        return Rendered(tuple(segments))

    def laid_out(self, *, has_input: bool) -> list[tuple[Part, Role]]:
        """The parts that stand in the row of a record, with an input or without, each with its role."""
        parts = [part for part in self.parts if part.when in (None, has_input)]
        output = _position(parts, "output")
        last_field = max((i for i, part in enumerate(parts[:output]) if part.is_field), default=-1)
        return [
            (part, _role(part, after_output=i > output, after_fields=i > last_field)) for i, part in enumerate(parts)
        ]

    def ending(self, example: Example) -> str:
        """The template text after the output: a model trained on it writes it before it stops."""
        return self.ending_of(has_input=example.has_input)

    def ending_of(self, *, has_input: bool) -> str:
        """The same for records with an input, or without."""
        parts = [part for part in self.parts if part.when in (None, has_input)]
        return "".join(part.text for part in parts[_position(parts, "output") + 1 :])

    def stopping_inside(self, examples: Sequence[Example]) -> list[int]:
        """The indices of records whose output, as an answer, would be taken for ended before it is."""
        endings = {has_input: self.ending_of(has_input=has_input) for has_input in (True, False)}
        if not any(map(is_stop, endings.values())):
            return []
        found = []
        for i, example in enumerate(examples):
            ending = endings[example.has_input]
            if is_stop(ending) and (example.output + ending).index(ending) < len(example.output):
                found.append(i)
        return found


def is_stop(ending: str) -> bool:
    """Whether a template's ending stops an answer: white space can't, as answers hold it, too; end-of-text does."""
    return ending.strip() != ""


class _Parser:
    """One walk over the source; knows the open section and remembers what was seen."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.found: list[Part] = []
        self.section: tuple[str, int] | None = None  # kind and position of the open section's tag

    def parts(self) -> tuple[Part, ...]:
        at = 0
        lines = {match.start(): match.end() for match in _SECTION_LINE.finditer(self.source)}
        tags = ((_TAG.search(self.source, start), start, end) for start, end in lines.items())
        whole_line = {tag.start(): (start, end) for tag, start, end in tags if tag}
        for tag in _TAG.finditer(self.source):
            start, end = whole_line.get(tag.start(), tag.span())
            self._text(at, max(start, at))
            self._tag(tag)
            at = end
        self._text(at, len(self.source))
        self._whole()
        return tuple(self.found)

    def _tag(self, tag: re.Match[str]) -> None:
        kind, name = tag["kind"], tag["name"]
        if kind == "":
            self._field(name, tag.start())
        elif name != "input":
            fix = "Sections are {{#input}}…{{/input}} and {{^input}}…{{/input}}."
            self._fail(f"{tag[0]} is not a section", tag.start(), fix)
        elif kind == "/":
            if self.section is None:
                self._fail(
                    "{{/input}} closes a section that is not open",
                    tag.start(),
                    "Delete it, or open the section.",
                )
            self.section = None
        else:
            if self.section is not None:
                self._fail(f"{tag[0]} stands inside another section", tag.start(), "Close the first with {{/input}}.")
            self.section = (kind, tag.start())

    def _field(self, name: str, position: int) -> None:
        if name not in FIELDS:
            fix = "Known fields: {{instruction}}, {{input}}, {{output}}."
            self._fail(f"{{{{{name}}}}} is not a field", position, fix)
        seen_output = any(part.is_field and part.text == "output" for part in self.found)
        if seen_output:
            what = "{{output}} stands here again" if name == "output" else f"{{{{{name}}}}} stands after {{{{output}}}}"
            self._fail(
                what,
                position,
                "The model would read its own answer: keep one {{output}}, after the other fields.",
            )
        if name == "output" and self.section is not None:
            self._fail("{{output}} stands inside a section", position, "Move it out: every record has an output.")
        self._add(name, is_field=True)

    def _text(self, start: int, end: int) -> None:
        text = self.source[start:end]
        if "{{" in text:
            fix = "A tag is {{name}} with a plain name; a single { or } is ordinary text."
            self._fail("This is not a tag", start + text.index("{{"), fix)
        surrogate = re.search(r"[\ud800-\udfff]", text)
        if text.endswith("{") and _TAG.match(self.source, end):
            self._fail(
                "{{{ is not a tag",
                start + len(text) - 1,
                "Nothing is escaped here, so two braces are enough.",
            )
        if surrogate:
            self._fail(
                "Half a character (a lone surrogate)",
                start + surrogate.start(),
                "Delete it and type it again.",
            )
        if text:
            self._add(text, is_field=False)

    def _add(self, text: str, *, is_field: bool) -> None:
        self.found.append(Part(text, is_field, None if self.section is None else self.section[0] == "#"))

    def _whole(self) -> None:
        if self.section is not None:
            kind, position = self.section
            self._fail(f"{{{{{kind}input}}}} is never closed", position, "Add {{/input}}.")
        end = len(self.source)
        names = [part.text for part in self.found if part.is_field]
        if "output" not in names:
            self._fail("{{output}} is missing", end, "Put {{output}} where the model's answer belongs.")
        if self.found[0].is_field and self.found[0].text == "output":
            self._fail("Nothing stands before {{output}}", 0, "The model needs a prompt, such as {{instruction}}.")

    def _fail(self, what: str, position: int, fix: str) -> None:
        before = self.source[:position]
        column = position - (before.rfind("\n") + 1) + 1
        raise TemplateError(what, line=before.count("\n") + 1, column=column, fix=fix)


def _position(parts: list[Part], field: str) -> int:
    return next(i for i, part in enumerate(parts) if part.is_field and part.text == field)


def _role(part: Part, *, after_output: bool, after_fields: bool) -> Role:
    if part.is_field:
        return FIELDS[part.text]
    if after_output:
        return Role.RESPONSE
    return Role.HEADER if after_fields else Role.TEMPLATE


def read_template(path: Path) -> str:
    """A template file's text; the line break that ends the file is not template.

    Raises:
        TemplateError: the file can't be read as UTF-8 text.
    """
    fix = f"Give a preset ({', '.join(PRESETS)}) or a UTF-8 text file."
    try:
        source = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        what = f"The template {str(path)!r} can't be read: {error.strerror}"
        raise TemplateError(what, line=0, column=0, fix=fix) from error
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode().split("\n")
        what = f"The template {str(path)!r} can't be read: it is not UTF-8"
        raise TemplateError(what, line=len(before), column=len(before[-1]) + 1, fix=fix) from error
    return source.replace("\r\n", "\n").removesuffix("\n")


@lru_cache(maxsize=len(PRESETS))
def preset_source(name: str) -> str:
    """The text of a template that ships with the project."""
    return read_template(ASSETS / "templates" / f"{name}.txt")


def load_template(name_or_path: str) -> Template:
    """A preset by name, or the user's own by path.

    Raises:
        TemplateError: no such file, or what stands in it is not a template.
    """
    source = preset_source(name_or_path) if name_or_path in PRESETS else read_template(Path(name_or_path))
    return Template.parse(source)
