"""What the starter knows and how it writes: measures for the model card, beside `ift evaluate`'s scores."""

import random
import re
from collections.abc import Sequence

from ift.data.tokenizer import encode_text
from ift.evaluation.intervals import mean
from ift.model.generate import Prompt, Sampling, generate
from ift.model.gpt2 import GPT2
from ift.starter.facts import Fact, Relation, relations
from ift.starter.reserved import facts_by_part
from ift.starter.tables import read_words
from ift.starter.tasks import Record
from ift.types import EOS_ID

MANY_ANSWERS = ("job", "use", "define", "part")
"""Relations whose sentence has other true continuations: "A baker …", "A knife is used for …"."""
OPENINGS = (
    "One day, {n} went to the",
    "{n} and {m} were good friends.",
    "Once upon a time there was",
    "Every morning, {n}",
    "Last summer, {n}",
    "The weather was",
    "In the kitchen there is",
    "The old teacher",
)
SAMPLES, SAMPLE_TOKENS, REPEATED = 48, 100, 8


def cloze(model: GPT2) -> dict[str, float]:
    """Per relation: of the held-out facts, the share whose sentence the model completes, greedily, with the answer."""
    facts = [fact for name in relations() for fact in facts_by_part(name)["test"]]
    prompts: list[Prompt] = []
    chosen = []
    for fact in facts:
        opening = _opening(relations()[fact.relation], fact)
        if opening:
            prompts.append(Prompt(len(prompts), [EOS_ID, *encode_text(opening)]))
            chosen.append(fact)
    texts = _answers(model, prompts, Sampling(max_new_tokens=14))
    hits: dict[str, list[float]] = {}
    for fact, text in zip(chosen, texts, strict=True):
        right = re.match(rf"\W*{re.escape(fact.value)}(?!\w)", text, re.IGNORECASE) is not None
        hits.setdefault(fact.relation, []).append(float(right))
    return {name: mean(values) or 0.0 for name, values in hits.items()}


def _opening(relation: Relation, fact: Fact) -> str:
    """The answer's sentence up to the value; empty where the value is not its end."""
    sentence = fact.say(relation.answer, random.Random(0))
    start, found, _ = sentence.rpartition(fact.value)
    return start.rstrip(" ") if found else ""


def cloze_mean(by_relation: dict[str, float]) -> float:
    """The mean over the relations that have one fitting answer."""
    return mean([value for name, value in by_relation.items() if name not in MANY_ANSWERS]) or 0.0


def bare_questions(model: GPT2, records: Sequence[Record]) -> float:
    """The share of bare questions, without any prompt format, whose next line holds key and answer."""
    asked = [record for record in records if record.value and not record.input]
    prompts = [Prompt(i, [EOS_ID, *encode_text(record.instruction)]) for i, record in enumerate(asked)]
    texts = _answers(model, prompts, Sampling(max_new_tokens=28))
    return mean([is_answered(text, record) for text, record in zip(texts, asked, strict=True)]) or 0.0


def is_answered(text: str, record: Record) -> float:
    """Lenient: 1.0 where the first line holds the key and the answer as words."""
    first = _words((text.strip().splitlines() or [""])[0])
    return float(_words(record.key) in first and _words(record.value) in first)


def _words(text: str) -> str:
    return f" {' '.join(re.findall(r'[a-z0-9-]+', text.lower()))} "


def samples(model: GPT2, *, seed: int = 0) -> list[str]:
    """Openings of everyday texts with what the model makes of them at temperature 0.8."""
    rng = random.Random(seed)
    names = read_words()["name"]
    openings = []
    for i in range(SAMPLES):
        n, m = rng.sample(names, 2)
        openings.append(OPENINGS[i % len(OPENINGS)].format(n=n, m=m))
    prompts = [Prompt(i, [EOS_ID, *encode_text(opening)]) for i, opening in enumerate(openings)]
    texts = _answers(model, prompts, Sampling(max_new_tokens=SAMPLE_TOKENS, temperature=0.8, seed=seed))
    return [opening + text for opening, text in zip(openings, texts, strict=True)]


def repeats(texts: Sequence[str]) -> int:
    """How many of the texts say the same 8 tokens twice."""
    return sum(_repeats(encode_text(text)) for text in texts)


def _repeats(ids: Sequence[int]) -> bool:
    grams = [tuple(ids[i : i + REPEATED]) for i in range(len(ids) - REPEATED + 1)]
    return len(set(grams)) < len(grams)


def _answers(model: GPT2, prompts: Sequence[Prompt], sampling: Sampling) -> list[str]:
    done = {completion.record: completion.text for completion in generate(model, prompts, sampling)}
    return [done[prompt.record] for prompt in prompts]
