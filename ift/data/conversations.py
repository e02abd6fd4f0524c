"""Conversations → pairs of an instruction and an output: OpenAI's and TRL's messages, ShareGPT's turns."""

from collections import Counter
from dataclasses import dataclass

from ift.data.file_rows import is_none, kind
from ift.data.record_checks import BadValue, as_text

USER, ASSISTANT, SYSTEM = "user", "assistant", "system"
_ROLES = {
    **dict.fromkeys(("user", "human", "prompter"), USER),
    **dict.fromkeys(("assistant", "gpt", "chatgpt", "bot", "model"), ASSISTANT),
    **dict.fromkeys(("system", "developer"), SYSTEM),
}
_NAMES = {USER: "User", ASSISTANT: "Assistant"}
_STYLES = (("role", "content"), ("from", "value"))
"""What OpenAI and ShareGPT call a turn's speaker and its text."""


@dataclass(frozen=True, slots=True)
class Pair:
    """What a conversation teaches at one of its answers; `earlier`: the turns in front of its question."""

    instruction: str
    output: str
    earlier: int


@dataclass(frozen=True, slots=True)
class Conversation:
    """system: empty where there is none. turns: a user's text and an assistant's, in turn. unused: a turn's other
    fields that hold something, by name."""

    system: str
    turns: tuple[str, ...]
    unused: Counter[str]

    def pairs(self, turns: str) -> list[Pair]:
        """The `last` answer with all before it, the `first`, or `each` with all before it."""
        ends = range(1, len(self.turns), 2)
        chosen = {"last": ends[-1:], "first": ends[:1], "each": ends}[turns]
        return [Pair(self._question(end), self.turns[end], end - 1) for end in chosen]

    def _question(self, end: int) -> str:
        spoken = self.turns[:end]
        labels = [f"{_NAMES[(USER, ASSISTANT)[i % 2]]}: {text}" for i, text in enumerate(spoken)]
        asked = labels if end > 1 else list(spoken)
        return "\n\n".join([self.system, *asked] if self.system else asked)


def is_conversation(value: object) -> bool:
    """A list of turns, each with a speaker and a text, at its start at least."""
    first = value[0] if isinstance(value, list) and value else None
    return isinstance(first, dict) and any(set(style) <= first.keys() for style in _STYLES)


def read_conversation(value: object, name: str) -> Conversation:
    """A conversation's turns, checked: a system text first if there is any, then user and assistant in turn.

    Raises:
        BadValue: what is wrong with it, and with which turn.
    """
    if not isinstance(value, list):
        raise BadValue(f"{name!r} is {kind(value)}, not a list of turns", 'Use [{"role": "user", "content": …}, …].')
    system: list[str] = []
    turns: list[str] = []
    unused: Counter[str] = Counter()
    for number, turn in enumerate(value, start=1):
        role, text = _turn(turn, number, unused)
        if role == SYSTEM and not turns:
            system.append(text)
        else:
            _require_order(role, len(turns), number)
            turns.append(text)
    if len(turns) % 2 or not turns:
        what = "ends with the user's turn" if turns else "has no turn"
        raise BadValue(f"The conversation {what}: there is no answer", "Add the assistant's turn.")
    return Conversation("\n\n".join(system), tuple(turns), unused)


def read_history(value: object, name: str) -> list[str]:
    """Earlier turns as LLaMA-Factory has them, [[question, answer], …], one after the other; none where it is null.

    Raises:
        BadValue: it is something else.
    """
    if is_none(value):
        return []
    fix = 'Use [["question", "answer"], …], or [] for none.'
    if not isinstance(value, list):
        raise BadValue(f"{name!r} is {kind(value)}, not a list of earlier turns", fix)
    turns: list[str] = []
    for number, pair in enumerate(value, start=1):
        if not isinstance(pair, list) or len(pair) != 2:
            raise BadValue(f"Pair {number} of {name!r} is not a question and its answer", fix)
        turns += [as_text(text, f"{name}, pair {number}") for text in pair]
    return turns


def _turn(turn: object, number: int, unused: Counter[str]) -> tuple[str, str]:
    if not isinstance(turn, dict):
        raise BadValue(f"Turn {number} is {kind(turn)}, not an object", 'Use {"role": …, "content": …}.')
    style = next((style for style in _STYLES if style[0] in turn), None)
    if style is None:
        raise BadValue(f"Turn {number} has no 'role'", 'Add it: "user" or "assistant".')
    speaker = turn[style[0]]
    role = _ROLES.get(speaker.lower()) if isinstance(speaker, str) else None
    if role is None:
        fix = "Only system, user and assistant are read; take turns of tools and functions out."
        raise BadValue(f"Turn {number} is by {str(speaker)[:40]!r}", fix)
    unused.update(key for key, rest in turn.items() if key not in style and not is_none(rest) and rest not in ("", []))
    return role, _content(turn.get(style[1]), number)


def _content(value: object, number: int) -> str:
    """A turn's text, also where it is in parts, as OpenAI and TRL write it for texts with images."""
    name = f"turn {number}"
    if not isinstance(value, list):
        return as_text(value, name)
    parts = [part.get("text") if isinstance(part, dict) and part.get("type") == "text" else None for part in value]
    if not parts or None in parts:
        raise BadValue(f"Turn {number} has parts that are not text", "Only text can be trained on: take them out.")
    return "".join(as_text(part, name) for part in parts)


def _require_order(role: str, before: int, number: int) -> None:
    expected = (USER, ASSISTANT)[before % 2]
    if role == expected:
        return
    if role == SYSTEM:
        raise BadValue(f"Turn {number} is a system text after the first turn", "Put it first, or take it out.")
    what = f"Turn {number} is the {role}'s, where the {expected}'s is due"
    raise BadValue(what, "Let the user begin, and both speak in turn.")
