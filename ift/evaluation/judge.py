"""A model as judge: what it is asked, and how its reply is read. The prompt and the settings are chapter 7's.

A reply that is no whole number from 0 to 100 gives no value and a reason, never a 0.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from ift.data.templates import load_template
from ift.errors import ConfigError
from ift.evaluation.measures import JUDGE, PAIRS
from ift.options import quote
from ift.runs.scores import AnsweredRecord
from ift.types import Example, Score

APIS = ("ollama", "openai")
ADDRESSES = {"ollama": "http://localhost:11434", "openai": "https://api.openai.com"}
SEED, TEMPERATURE, CONTEXT = 123, 0, 2048
RUBRIC = (
    "Given the input `{{question}}` and correct output `{{expected}}`, score the model response `{{answer}}` on a "
    "scale from 0 to 100, where 100 is the best score. Respond with the integer number only."
)
PAIR_RUBRIC = (
    "Given the input `{{question}}` and correct output `{{expected}}`, which of two responses is better?\n\n"
    "Response A: `{{a}}`\n\nResponse B: `{{b}}`\n\nRespond with A, B or TIE only."
)
FIELDS = ("question", "instruction", "input", "expected", "answer")
_FIELD = re.compile(r"\{\{[ \t]*(\w+)[ \t]*\}\}")
_BEGS = re.compile(r"\b(?:scor|grad|rat|giv|respon|repl|output|return|award)\w*\b[^\n]{0,80}\b100\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Judge:
    """Who judges, and by what prompt.

    url: without the path of its API. limit_s: for one verdict, retries included. rubric: the prompt, with `FIELDS`.
    pairs: whether both answers are also compared, blind and in both orders. parallel: requests at a time; `limit_s` is
    for each of them times their number.
    """

    model: str
    api: str = "ollama"
    url: str = ADDRESSES["ollama"]
    rubric: str = RUBRIC
    pairs: bool = False
    limit_s: float = 60.0
    parallel: int = 4

    @property
    def score_name(self) -> str:
        """Of its grades among a row's scores."""
        return f"{JUDGE}{self.model}"

    @property
    def pair_name(self) -> str:
        """Of its choices among the fine-tuned model's scores."""
        return f"{PAIRS}{self.model}"


def address(url: str, api: str) -> str:
    """The address of a judge without the path of its API, which people paste in several lengths; empty: the API's own.

    >>> address("http://localhost:8000/v1/chat/completions", "openai")
    'http://localhost:8000'

    Raises:
        ConfigError: it is no address of the web.
    """
    url = url.strip() or ADDRESSES[api]
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and not (parts.username or parts.password)
        _ = parts.port
    except ValueError:
        usable = False
    if not usable:
        raise ConfigError(f"judge_url: {quote(url)} is no address", fix=f"Use one such as {ADDRESSES[api]}.")
    return re.sub(r"(/v1)?(/chat/completions)?(/api(/chat)?)?/*$", "", url)


def api_key(url: str) -> str:
    """The key for an OpenAI-compatible address, from the environment alone; empty where there is none.

    IFT_JUDGE_KEY is for whatever address was given, OPENAI_API_KEY is sent to OpenAI and nobody else.
    """
    own = os.environ.get("OPENAI_API_KEY", "") if urlsplit(url).hostname == "api.openai.com" else ""
    return os.environ.get("IFT_JUDGE_KEY", "") or own


def load_rubric(text_or_path: str) -> str:
    """A prompt for the judge: the text itself where it holds `{{answer}}`, else a text file; empty: the book's.

    Raises:
        ConfigError: it can't be read, or has no or unknown fields.
    """
    text = text_or_path
    if not text:
        return RUBRIC
    if not _FIELD.search(text):
        try:
            text = Path(text_or_path).read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            fix = "Give a text file, or the text itself with {{answer}}."
            raise ConfigError(f"judge_prompt: {quote(text_or_path)} can't be read", fix=fix) from error
    names = [match[1] for match in _FIELD.finditer(text)]
    known = ", ".join(f"{{{{{name}}}}}" for name in FIELDS)
    if unknown := [name for name in names if name not in FIELDS]:
        raise ConfigError(f"judge_prompt: there is no field {quote(unknown[0])}", fix=f"Use {known}.")
    if "answer" not in names:
        raise ConfigError("judge_prompt: the answer to judge is not in it", fix="Put {{answer}} where it belongs.")
    return text


def question_of(row: AnsweredRecord) -> str:
    """Instruction and input as the book shows them to the judge, whatever the run's own template is."""
    rendered = load_template("alpaca").render(Example(row.instruction, row.input, row.output))
    return rendered.prompt.removesuffix("\n\n### Response:\n")


def grading_prompt(rubric: str, row: AnsweredRecord) -> str:
    """What the judge is asked about one answer. What a record or an answer contains is never scanned for fields."""
    values = {
        "question": question_of(row),
        "instruction": row.instruction,
        "input": row.input,
        "expected": row.output,
        "answer": row.model_response.strip(),
    }
    return _FIELD.sub(lambda match: values[match[1]], rubric)


def pair_prompt(row: AnsweredRecord, a: str, b: str) -> str:
    """What the judge is asked about two answers, without a word on whose they are."""
    values = {"question": question_of(row), "expected": row.output, "a": a.strip(), "b": b.strip()}
    return _FIELD.sub(lambda match: values[match[1]], PAIR_RUBRIC)


def read_grade(reply: str) -> tuple[int | None, str]:
    """A whole number from 0 to 100, or None and the reason.

    >>> [read_grade(text)[0] for text in (" 85\\n", "85.", "95/100", "Score: 85", "-5", "1000", "8.5", "")]
    [85, None, None, None, None, None, None, None]
    """
    text = reply.strip()
    if re.fullmatch(r"[0-9]{1,3}", text) and int(text) <= 100:
        return int(text), ""
    return None, f"no whole number from 0 to 100: {quote(text)}" if text else "the reply is empty"


def read_choice(reply: str) -> tuple[str | None, str]:
    """`a`, `b` or `tie`, or None and the reason."""
    text = reply.strip().lower()
    if text in ("a", "b", "tie"):
        return text, ""
    return None, f"neither A, B nor TIE: {quote(reply.strip())}" if text else "the reply is empty"


def begs(row: AnsweredRecord) -> bool:
    """Whether an answer seems to ask the judge for a grade, which the expected one does not."""
    return bool(_BEGS.search(row.model_response)) and not _BEGS.search(row.output)


def grade(judge: Judge, row: AnsweredRecord, reply: str) -> Score:
    """A reply as the row's score."""
    value, reason = read_grade(reply)
    note = "the answer itself speaks of a grade of 100: read it" if value is not None and begs(row) else reason
    return Score(judge.score_name, None if value is None else float(value), note)


def preference(judge: Judge, after_first: str | None, before_first: str | None, reason: str) -> Score:
    """From the choices in both orders: 1 where the fine-tuned model's answer won twice, 0 where it lost twice.

    Anything else is a tie: what changes with the order says nothing about the answers. No choice, no value.
    """
    if after_first is None or before_first is None:
        return Score(judge.pair_name, None, reason)
    first, second = {"a": 1, "b": 0}.get(after_first, 0.5), {"a": 0, "b": 1}.get(before_first, 0.5)
    changed = "" if first == second else "the choice changed with the order"
    return Score(judge.pair_name, float(first) if first == second else 0.5, changed)
