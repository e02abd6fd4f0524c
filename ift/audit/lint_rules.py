"""What can be wrong with a template on a data set: one small class per rule, fed block by block, read at any time."""

import re
from collections import Counter
from collections.abc import Iterator

from ift.audit.boundary import change_between
from ift.audit.findings import DETAILS, Block, Finding, Hits, Severity, count_lines
from ift.data.chunks import chunks, first_chunk, last_chunk
from ift.data.templates import FIELDS, Template, is_stop
from ift.data.tokenizer import encode_text, piece
from ift.types import EOS_ID, Example

LONG_ENOUGH = 20
"""Characters from which on an answer that stands in its own prompt is no accident."""
MARKERS_KEPT = 1000

_MARKER = re.compile(
    r"<\|\w{1,40}\|>|</?s>|\[/?INST\]|<</?SYS>>|<(?:start|end)_of_turn>|\[(?:PAD|CLS|SEP|UNK|EOS|BOS)\]"
)
_CONTROL = "<|endoftext|>"


class BoundaryRule:
    """The boundary of prompt and response is one of whole-text encoding, too."""

    def __init__(self, template: Template) -> None:
        self.template = template
        self.hits = Hits()
        self.changes: Counter[str] = Counter()
        self.tails = {has_input: _last_chunk_before_output(template, has_input) for has_input in (True, False)}
        self.endings = {has_input: template.ending_of(has_input=has_input) for has_input in (True, False)}

    def see(self, block: Block) -> None:
        """Look at some records."""
        for record, example in zip(block.records, block.examples, strict=True):
            has_input = example.has_input
            tail = self.tails[has_input]
            if tail is None:  # a field reaches into it
                tail = last_chunk(self.template.render(example).prompt)
            change = change_between(tail, first_chunk(example.output + self.endings[has_input]))
            if change:
                self.hits.add(record)
                self.changes[change.label] += 1

    def findings(self) -> Iterator[Finding]:
        """Rows whose boundary would move."""
        if self.hits.count:
            what = "Tokens merge across the boundary of prompt and response when the text is tokenized whole"
            fix = (
                "Here the prompt is tokenized by itself, so training and answering agree; other tools may not. "
                "End the prompt with a line break, or let the answer begin with the space."
            )
            yield self.hits.finding("unstable-boundary", Severity.WARNING, what, fix, count_lines(self.changes))


def _last_chunk_before_output(template: Template, has_input: bool) -> str | None:
    """The prompt's last chunk where it is the template's alone, whatever the fields hold."""
    text = _before_output(template, has_input)
    return last_chunk(text) if len(chunks(text)) > 1 else None


class SeparatorRule:
    """Something ends the prompt, and it is no space."""

    def __init__(self, template: Template) -> None:
        self.space, self.none = Hits(), Hits()
        self.before_output = {has_input: _before_output(template, has_input) for has_input in (True, False)}

    def see(self, block: Block) -> None:
        """Look at some records."""
        ends = {
            has_input: self.none if text == "" else self.space if text.endswith((" ", "\t")) else None
            for has_input, text in self.before_output.items()
        }
        if not any(ends.values()):
            return
        for record, example in zip(block.records, block.examples, strict=True):
            hits = ends[example.has_input]
            if hits is not None:
                hits.add(record)

    def findings(self) -> Iterator[Finding]:
        """Rows whose prompt ends in a space, or in a field."""
        if self.space.count:
            what = "The prompt ends with a space, which GPT-2 writes at the start of the next word"
            fix = "Delete the space before {{output}} and begin the answers with it, or end with a line break."
            yield self.space.finding("ends-with-space", Severity.WARNING, what, fix)
        if self.none.count:
            what = "Nothing is between the last field and the response"
            fix = "Put a line break or a heading such as «### Response:» before {{output}}."
            yield self.none.finding("no-separator", Severity.WARNING, what, fix)


def _before_output(template: Template, has_input: bool) -> str:
    text = ""
    for part in template.parts:
        if part.when in (None, has_input):
            if part.is_field and part.text == "output":
                break
            text = "" if part.is_field else text + part.text
    return text


class MarkerRule:
    """Text that looks like a control token is ordinary tokens: the template's own, and what the data hold."""

    def __init__(self, template: Template) -> None:
        literal = "".join(part.text for part in template.parts if not part.is_field)
        self.own = sorted(set(_MARKER.findall(literal)))
        self.hits, self.control = Hits(), Hits()
        self.seen: Counter[str] = Counter()

    def see(self, block: Block) -> None:
        """Look at some records."""
        for record, example in zip(block.records, block.examples, strict=True):
            text = f"{example.instruction}\n{example.input}\n{example.output}"
            if "<" in text or "[" in text:  # else the common case, and quick
                self._see(record, text)

    def _see(self, record: int, text: str) -> None:
        markers = set(_MARKER.findall(text))
        if _CONTROL in markers:
            self.control.add(record)
            markers.remove(_CONTROL)
        if markers:
            self.hits.add(record)
            self.seen.update(marker for marker in markers if marker in self.seen or len(self.seen) < MARKERS_KEPT)

    def findings(self) -> Iterator[Finding]:
        """Markers in the template, end-of-text in the data, other markers in the data."""
        if self.own:
            what = "GPT-2 has no token for markers of other models: here they are ordinary text"
            fix = "Nothing, if you like the markers; each costs its tokens in every row. Shorter headings cost less."
            details = tuple(map(_as_tokens, self.own[:DETAILS]))
            yield Finding("marker-in-template", Severity.NOTE, what, fix, details=details)
        if self.control.count:
            what = f"The data hold the text {_CONTROL}"
            fix = (
                f"Here it stays text and never becomes the control token {EOS_ID}; a tool that allows control tokens "
                "in data would end the row there. Delete it, unless the text is about it."
            )
            yield self.control.finding("end-of-text-in-data", Severity.WARNING, what, fix, (_as_tokens(_CONTROL),))
        if self.hits.count:
            what = "The data hold markers of other models, which are ordinary text for GPT-2"
            fix = "Delete them, if they are left over from another template."
            lines = count_lines(Counter({_as_tokens(marker): count for marker, count in self.seen.items()}))
            yield self.hits.finding("marker-in-data", Severity.NOTE, what, fix, lines)


def _as_tokens(marker: str) -> str:
    ids = encode_text(marker)
    return f"{marker} is {len(ids)} token{'' if len(ids) == 1 else 's'}, {' '.join(map(piece, ids))}"


class FieldRule:
    """What the records hold is used, and what the template names occurs."""

    def __init__(self, template: Template) -> None:
        self.parts = template.parts
        self.missing = {name: Hits() for name in FIELDS if name != "output" and not is_filled(template, name)}
        self.with_input = self.without_input = 0

    def see(self, block: Block) -> None:
        """Look at some records."""
        with_input = sum(example.input != "" for example in block.examples)
        self.with_input += with_input
        self.without_input += len(block.examples) - with_input
        for name, hits in self.missing.items():
            for record, example in zip(block.records, block.examples, strict=True):
                if getattr(example, name):
                    hits.add(record)

    def findings(self) -> Iterator[Finding]:
        """Fields that no prompt shows, and template parts that no record needs."""
        for name, hits in self.missing.items():
            if hits.count:
                what = f"The template leaves {{{{{name}}}}} out, though records have one"
                fix = f"Put {{{{{name}}}}} before {{{{output}}}}: the model can't answer what it is not told."
                yield hits.finding("field-left-out", Severity.WARNING, what, fix)
        for when, count, tag in ((True, self.with_input, "#"), (False, self.without_input, "^")):
            if not count and any(part.when is when for part in self.parts):
                what = f"The section {{{{{tag}input}}}} is never used: {'no' if when else 'every'} record has an input"
                yield Finding("section-unused", Severity.NOTE, what, "Delete it, or keep it for other data.")
        if not self.with_input and any(
            part.is_field and part.text == "input" and part.when is None for part in self.parts
        ):
            what = "{{input}} is always empty: no record has an input"
            yield Finding("field-empty", Severity.NOTE, what, "Delete it, or put it into {{#input}}…{{/input}}.")


def is_filled(template: Template, name: str) -> bool:
    """Whether a prompt ever shows what a record has in a field."""
    ever = (None, True) if name == "input" else (None, True, False)  # {{input}} of a record without is empty
    return any(part.is_field and part.text == name and part.when in ever for part in template.parts)


class LeakRule:
    """The answer is not in its own prompt."""

    def __init__(self, template: Template) -> None:
        self.hits = Hits()
        self.fields = tuple(name for name in ("instruction", "input") if is_filled(template, name))

    def see(self, block: Block) -> None:
        """Look at some records."""
        for record, example in zip(block.records, block.examples, strict=True):
            answer = example.output.strip()
            if len(answer) >= LONG_ENOUGH and self._is_shown(answer, example):
                self.hits.add(record)

    def _is_shown(self, answer: str, example: Example) -> bool:
        return any(answer in getattr(example, name) for name in self.fields)

    def findings(self) -> Iterator[Finding]:
        """Rows that could be answered by copying."""
        if self.hits.count:
            what = f"The whole answer (at least {LONG_ENOUGH} characters) is in the prompt already"
            fix = "Right for tasks that extract, repeat or leave correct text as it is; else the model learns to copy."
            yield self.hits.finding("answer-in-prompt", Severity.NOTE, what, fix)


class EndingRule:
    """The text after the output stops answers where they end, and nowhere else."""

    def __init__(self, template: Template) -> None:
        self.template = template
        self.inside, self.white_space = Hits(), Hits()
        self.endings: Counter[str] = Counter()
        self.of_form = {has_input: template.ending_of(has_input=has_input) for has_input in (True, False)}

    def see(self, block: Block) -> None:
        """Look at some records."""
        if not any(self.of_form.values()):
            return
        for i in self.template.stopping_inside(block.examples):
            self.inside.add(block.records[i])
            self.endings[repr(self.of_form[block.examples[i].has_input])] += 1
        for record, example in zip(block.records, block.examples, strict=True):
            ending = self.of_form[example.has_input]
            if ending and not is_stop(ending):
                self.white_space.add(record)

    def findings(self) -> Iterator[Finding]:
        """Rows whose answer stops too early, and rows whose answer ends in white space of the template."""
        if self.inside.count:
            what = "The template's text after {{output}} occurs inside outputs: an answer stops where it first occurs"
            fix = "Choose an ending that no output contains, or delete it: the end-of-text token ends an answer, too."
            yield self.inside.finding("ending-in-output", Severity.WARNING, what, fix, count_lines(self.endings))
        if self.white_space.count:
            what = "The template ends in white space, which the model learns to write after each answer"
            fix = "Delete it, unless you mean it: it never stops an answer and costs its tokens in every row."
            yield self.white_space.finding("white-space-ending", Severity.NOTE, what, fix)
