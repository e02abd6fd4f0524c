"""Texts from class: rewritten sentences, questions that nobody answers, headings that start a new topic."""

import random
from collections.abc import Callable

from ift.starter.clauses import OTHER_PAIRS, REWRITINGS, draw, verbs
from ift.starter.facts import relations
from ift.starter.knowledge import any_fact, pick_relation, word_keys
from ift.starter.patterns import cast, expand
from ift.starter.prose import everyday, sentences, story
from ift.starter.reserved import wordings_of
from ift.starter.tables import read_table, read_words
from ift.starter.tasks import BLANK_WORDINGS, LIST_WORDINGS, STORY_WORDINGS, ask, with_blank
from ift.starter.wording import with_article

HEADINGS = (
    "Story",
    "Lesson",
    "Notes",
    "Text",
    "Words",
    "Facts",
    "Grammar",
    "Animals",
    "Countries",
    "Example",
    "Chapter",
    "Book",
    "Page",
    "Instruction",
    "Input",
    "Response",
    "Task",
    "Letter",
    "News",
    "Diary",
    "Weather",
    "Recipe",
    "Travel",
    "Output",
    "Request",
    "Section",
    "Part",
    "Question",
    "User",
    "System",
    "Assistant",
    "Summary",
    "Message",
)
TAGS = ("<|user|>", "<|assistant|>", "<|system|>", "<|im_start|>user", "<|im_start|>assistant", "<|end|>", "<|im_end|>")
"""Markup of chat templates: ordinary text here, so that its tokens are not new to the model."""


def grammar(rng: random.Random) -> str:
    """Sentences beside their rewritten forms."""
    usual = rng.choice(REWRITINGS) if rng.random() < 0.6 else None
    out = []
    for _ in range(rng.randint(3, 7)):
        if rng.random() < 0.15:
            before, after, text = rng.choice(OTHER_PAIRS)
            texts: tuple[str, ...] = (text,)
        else:
            chosen = usual or rng.choice(REWRITINGS)
            before, after, texts = chosen.before, chosen.after, chosen.texts
        clause = draw(rng, among=verbs(), transitive="passive" in after)
        a, b = clause.say(before), clause.say(after)
        plain = rng.random() < 0.5 and before != "mistake"
        out.append(rng.choice((f"{a} {b}", f"{a}\n{b}")) if plain else rng.choice(texts).format(a=a, b=b))
    return rng.choice(("\n", " ", "\n\n")).join(out)


def _question(rng: random.Random) -> str:
    """A question or an order; only in wordings that training records use, too."""
    draw_ = rng.random()
    if draw_ < 0.55:
        relation = rng.choice([relation for relation in relations().values() if relation.wordings])
        wording = rng.choice(wordings_of(relation.name, relation.wordings).train)
        instruction, given = ask(relation, rng.choice(relation.facts), wording, rng)
        return (
            rng.choice((f"{instruction[:-1]}: {given}", f"{instruction} ({given})", instruction))
            if given
            else instruction
        )
    if draw_ < 0.67:
        rewriting = rng.choice(REWRITINGS)
        wording = rng.choice(wordings_of(rewriting.name, rewriting.wordings).train)
        clause = draw(rng, among=verbs(), transitive=rewriting.is_transitive)
        return f"{wording} {rng.choice(('', clause.say(rewriting.before)))}".strip()
    if draw_ < 0.76:
        return _other_question(rng)
    return expand(rng.choice(read_table("questions_life"))["question"], cast(rng), rng)


def _other_question(rng: random.Random) -> str:
    task, wordings = rng.choice((("list", LIST_WORDINGS), ("story", STORY_WORDINGS), ("blank", BLANK_WORDINGS)))
    wording = rng.choice(wordings_of(task, wordings).train)
    if task == "blank":
        relation = pick_relation(rng)
        fact = rng.choice(relation.facts)
        return f"{wording} {with_blank(fact.say(relation.answer, rng), fact.value)}".strip()
    plural = rng.choice(read_table("categories"))["plural"]
    return wording.format(plural=plural, a=with_article(rng.choice(read_table("animals"))["animal"]))


def questions(rng: random.Random) -> str:
    """Exercises, homework, questions in class: nobody answers."""
    asked = [_question(rng) for _ in range(rng.randint(3, 9))]
    day, name = rng.choice(read_words()["day"]), rng.choice(read_words()["name"])
    kind = rng.random()
    if kind < 0.3:
        head = rng.choice(("Exercises\n", f"Homework for {day}\n", "Questions\n", "### Test\n\n", ""))
        return head + "\n".join(f"{i}. {question}" for i, question in enumerate(asked, start=1))
    if kind < 0.7:
        mark = rng.choice(("", "", "- "))
        return "\n".join(mark + question for question in asked)
    if kind < 0.85:
        silence = rng.choice(
            (
                "Nobody knew.",
                "The class was silent.",
                f"{name} looked out of the window.",
                "The bell rang and the lesson was over.",
                f"{name} did not listen.",
            )
        )
        return f'"{asked[0]}" asked the teacher. {silence} "{asked[1]}" But it was too late. {story(rng)}'
    return " ".join(asked[:4])


def heading(rng: random.Random) -> str:
    """A line that a new topic begins with."""
    if rng.random() < 0.12:
        return rng.choice(TAGS) + "\n"
    if rng.random() < 0.2:
        word = rng.choice(HEADINGS)
        return rng.choice((f"{word}:\n", f"{word.lower()}:\n", f"{word}: ", f"{word.lower()}: "))
    number = rng.choice((":", ":", "", f" {rng.randint(1, 30)}"))
    return f"### {rng.choice(HEADINGS)}{number}" + rng.choice(("\n", "\n", "\n\n"))


def sections(rng: random.Random) -> str:
    """Unrelated pieces under headings: a heading starts a new topic, it does not ask for an answer."""
    makers: tuple[Callable[[random.Random], str], ...] = (
        _question,
        lambda rng: rng.choice(word_keys()),
        any_fact,
        lambda rng: draw(rng, among=verbs()).say(rng.choice(("present", "past", "future"))),
        everyday,
        sentences,
        story,
    )
    weights = (30, 12, 20, 10, 12, 10, 6)
    return "\n\n".join(heading(rng) + rng.choices(makers, weights)[0](rng) for _ in range(rng.randint(2, 5)))
