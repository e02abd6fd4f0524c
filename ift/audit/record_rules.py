"""What can be wrong with records whatever the template: fields that are empty or only seem to hold something."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator

from ift.audit.findings import Block, Finding, Hits, Severity, count_lines
from ift.data.templates import Template

_PLACEHOLDERS = frozenset(
    [
        "noinput",
        "no input",
        "nooutput",
        "no output",
        "none",
        "n/a",
        "na",
        "n.a",
        "null",
        "nil",
        "nan",
        "not applicable",
        "not available",
        "no response",
        "no answer",
    ]
)
_LONGEST_PLACEHOLDER = 24
_ALPACA_HEADINGS = ("### Instruction:", "### Input:", "### Response:")
_PLAIN_WORDS = 20
"""Characters from which on a line of plain words in a template is a heading and no everyday phrase."""

_JOINERS = "\u200c\u200d"
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u034f\u115f\u1160\u17b4\u17b5\u180e\u200b\u2060-\u2064\u3164"
    "\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e007f]"
    f"|(?<![^\x00-\x7f])[{_JOINERS}](?![^\x00-\x7f])"  # between other letters and emoji they have their use
)
_BIDIRECTIONAL = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


class EmptyRule:
    """Every record asks something and has an answer."""

    def __init__(self, template: Template) -> None:
        self.answers, self.instructions = Hits(), Hits()

    def see(self, block: Block) -> None:
        """Look at some records."""
        for record, example in zip(block.records, block.examples, strict=True):
            if not example.output or example.output.isspace():
                self.answers.add(record)
            if not example.instruction or example.instruction.isspace():
                self.instructions.add(record)

    def findings(self) -> Iterator[Finding]:
        """Rows without an answer, and rows without an instruction."""
        if self.answers.count:
            what, fix = "The answer is empty", "Delete these records: they teach the model to say nothing."
            yield self.answers.finding("empty-answer", Severity.WARNING, what, fix)
        if self.instructions.count:
            what = "The instruction is empty"
            fix = "Delete these records, or write what the input is for: the model learns to answer nothing."
            yield self.instructions.finding("empty-instruction", Severity.WARNING, what, fix)


class PlaceholderRule:
    """No field only says that it holds nothing."""

    def __init__(self, template: Template) -> None:
        self.hits = Hits()
        self.seen: Counter[str] = Counter()

    def see(self, block: Block) -> None:
        """Look at some records."""
        for record, example in zip(block.records, block.examples, strict=True):
            texts = (("instruction", example.instruction), ("input", example.input), ("output", example.output))
            found = [(name, text) for name, text in texts if len(text) <= _LONGEST_PLACEHOLDER and is_placeholder(text)]
            if found:
                self.hits.add(record)
                self.seen.update(f"{name} «{text.strip()}»" for name, text in found)

    def findings(self) -> Iterator[Finding]:
        """Rows with a field that is a placeholder."""
        if self.hits.count:
            what = "A field holds only a placeholder, which the model reads and writes as text"
            fix = "Leave such an input empty, and such a record out, unless the word is meant as the answer."
            yield self.hits.finding("placeholder", Severity.WARNING, what, fix, count_lines(self.seen))


def is_placeholder(text: str) -> bool:
    """Whether a text only says that there is none.

    >>> is_placeholder("<noinput>"), is_placeholder("N/A."), is_placeholder("None of them")
    (True, True, False)
    """
    return text.strip(" \t\r\n<>[](){}\"'.-_*").casefold() in _PLACEHOLDERS


class HeadingRule:
    """No answer goes on with another record."""

    def __init__(self, template: Template) -> None:
        lines = {line.strip() for line in _text_before_output(template).split("\n")}
        headings = sorted({*_ALPACA_HEADINGS, *filter(_is_heading, lines)})
        self.anywhere = tuple(line for line in headings if _is_marked(line))
        at_line_start = [f"^[ \\t]*{re.escape(line)}" for line in headings if not _is_marked(line)]
        self.at_line_start = re.compile("|".join(at_line_start), re.MULTILINE) if at_line_start else None
        self.hits = Hits()
        self.seen: Counter[str] = Counter()

    def see(self, block: Block) -> None:
        """Look at some records."""
        for record, example in zip(block.records, block.examples, strict=True):
            found = self._heading_in(example.output)
            if found:
                self.hits.add(record)
                self.seen[f"«{found}»"] += 1

    def _heading_in(self, text: str) -> str:
        for heading in self.anywhere:
            if heading in text:
                return heading
        match = self.at_line_start.search(text) if self.at_line_start else None
        return match[0].strip() if match else ""

    def findings(self) -> Iterator[Finding]:
        """Rows whose answer holds a heading of a prompt."""
        if self.hits.count:
            what = "Answers hold headings of a prompt: records may have been merged"
            fix = "Split them into records of their own, or cut the answer there: the model learns to go on asking."
            yield self.hits.finding("heading-in-output", Severity.WARNING, what, fix, count_lines(self.seen))


def _text_before_output(template: Template) -> str:
    found = []
    for part in template.parts:
        if part.is_field and part.text == "output":
            break
        found.append("\n" if part.is_field else part.text)
    return "".join(found)


def _is_heading(line: str) -> bool:
    """A line that an answer does not hold by chance."""
    words = line.replace(" ", "")
    return len(line) >= _PLAIN_WORDS or (len(line) > 1 and not words.isalnum() and any(map(str.isalpha, words)))


def _is_marked(line: str) -> bool:
    """Whether a heading counts anywhere in an answer, and not only where a line begins, as short ones like `A:` do."""
    return not line[0].isalnum() or len(line) >= _PLAIN_WORDS


class CharacterRule:
    """Texts hold no characters that nobody sees, and none that turn the order in which they are read."""

    def __init__(self, template: Template) -> None:
        self.invisible, self.bidirectional = _Characters(_INVISIBLE), _Characters(_BIDIRECTIONAL)

    def see(self, block: Block) -> None:
        """Look at some records."""
        for record, example in zip(block.records, block.examples, strict=True):
            text = f"{example.instruction} {example.input} {example.output}"
            if text.isascii():
                if not _is_plain(text):
                    self.invisible.see(record, text)
            else:
                self.invisible.see(record, text)
                self.bidirectional.see(record, text)

    def findings(self) -> Iterator[Finding]:
        """Rows with such characters."""
        if self.invisible.hits.count:
            what = "Texts hold characters that nobody sees but the tokenizer"
            fix = "Delete them: each costs tokens, and an answer that holds one can't be matched exactly."
            lines = count_lines(self.invisible.seen)
            yield self.invisible.hits.finding("invisible-characters", Severity.WARNING, what, fix, lines)
        if self.bidirectional.hits.count:
            what = "Texts hold characters that change the direction of reading: they may look other than they are"
            fix = "Delete them, unless the text is in a language that is written from right to left."
            lines = count_lines(self.bidirectional.seen)
            yield self.bidirectional.hits.finding("bidirectional-characters", Severity.WARNING, what, fix, lines)


_PLAIN = str.maketrans("", "", "\t\n\r")


def _is_plain(text: str) -> bool:
    return text.isprintable() or text.translate(_PLAIN).isprintable()


class _Characters:
    def __init__(self, pattern: re.Pattern[str]) -> None:
        self.pattern = pattern
        self.hits = Hits()
        self.seen: Counter[str] = Counter()

    def see(self, record: int, text: str) -> None:
        found = set(self.pattern.findall(text))
        if found:
            self.hits.add(record)
            self.seen.update(map(_name, found))


def _name(character: str) -> str:
    name = unicodedata.name(character, "control character").lower()
    return f"U+{ord(character):04X} {name}"
