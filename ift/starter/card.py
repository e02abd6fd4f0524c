"""The starter's model card, written from measurements: no number in it is typed by hand."""

from collections.abc import Iterable, Mapping, Sequence

from ift.starter.measure import TWINS, median
from ift.starter.quality import MANY_ANSWERS

FRONT = """---
license: mit
language: en
library_name: transformers
pipeline_tag: text-generation
tags: [gpt2, education, instruction-tuning]
---
"""
WEAK = 0.8
"""Below this share of right answers the card names a task as weak."""


def write_card(measures: Mapping) -> str:
    """The Markdown of the card."""
    sections = (_head, _base, _after, _tasks, _twins, _answers, _recipe, _limits)
    return FRONT + "\n" + "\n\n".join(section(measures) for section in sections) + "\n"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], *, of_text: bool = False) -> str:
    """Numbers stand on the right, texts on the left."""
    lines = [head, ["---", *["---" if of_text else "---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _shown(text: str) -> str:
    """A text as it fits into a cell."""
    return " ".join(text.split()).replace("|", "\\|") or "(nothing)"


def _head(measures: Mapping) -> str:
    base, recipe = measures["base"], measures["pretraining"]["recipe"]
    return f"""# The starter

A tiny GPT-2 that **knows** things and does **not** follow instructions; about a minute of fine-tuning changes that.
It is made for teaching: everything it has read was generated from this project's own tables and patterns, so it holds
no outside data and no outside weights.

| | |
| --- | --- |
| Architecture | GPT-2: {recipe["n_layer"]} layers, {recipe["n_head"]} heads, {recipe["n_embd"]} channels, \
context {recipe["n_positions"]}, tied head, {base["parameters"] / 1e6:.1f} million parameters |
| Vocabulary | GPT-2's 50,257 ids, of which its text taught {base["known_ids"]:,} (`vocabulary.json`); \
all others share one row |
| Knowledge | {base["facts"]:,} facts in {base["relations"]} relations |
| File | fp16, loads in transformers with the same logits |
| Weights and data in memory | {base["load_s"]:.2f} s after torch is imported |"""


def _base(measures: Mapping) -> str:
    base = measures["base"]
    weak = ", ".join(f"{name} {base['cloze'][name]:.2f}" for name in MANY_ANSWERS if name in base["cloze"])
    texts = "\n".join(f"- {_shown(text)}" for text in base["first_samples"])
    return f"""## Before fine-tuning

| | |
| --- | ---: |
| Exact match, formatted question | {median(measures["default"], "before", "exact_match"):.3f} |
| Formatted question answered (key and answer in the first line) | {base["formatted_questions_answered"]:.3f} |
| Bare question answered | {base["bare_questions_answered"]:.3f} |
| Cloze: a plain sentence about a held-out fact is completed with the answer | {base["cloze_mean"]:.3f} |
| Everyday texts at temperature 0.8 that say the same 8 tokens twice | \
{base["samples_that_repeat"]} of {base["samples"]} |

Cloze is the mean over the relations with one fitting answer; those with other true continuations: {weak}.
The first {len(base["first_samples"])} of the {base["samples"]} texts, unchosen:

{texts}"""


def _after(measures: Mapping) -> str:
    runs = measures["default"]
    rows = [
        _row("Exact match", runs, "exact_match"),
        _row("Token F1", runs, "token_f1"),
        _row("Lists and stories: own check met", runs, "check"),
        _row("Stopped by itself", runs, "ended"),
    ]
    for name, group in runs[0]["held_out"].items():
        title = f"Exact match, held-out {name}s ({group['n']} records)"
        sides = [median(runs, "held_out", name, side, "exact_match") for side in ("before", "after")]
        rows.append(
            [title, *map(_number, sides), _spread(run["held_out"][name]["after"]["exact_match"] for run in runs)]
        )
    cloze = [_number(measures["base"]["cloze_mean"]), _number(median(runs, "cloze_mean"))]
    rows.append(["Cloze", *cloze, _spread(run["cloze_mean"] for run in runs)])
    return f"""## After the default fine-tuning

{runs[0]["steps"]} steps, {median(runs, "training_s"):.0f} s of training steps \
({median(runs, "whole_run_s"):.0f} s with evaluations, saving and loading) on 2 cores; loss on the response only.
{runs[0]["n"]} test records, {len(runs)} seeds.

{_table(("", "before", "after, median", "after, seeds"), rows)}"""


def _row(title: str, runs: Sequence[Mapping], metric: str) -> list[str]:
    sides = [_number(median(runs, side, metric)) for side in ("before", "after")]
    return [title, *sides, _spread(run["after"][metric] for run in runs)]


def _number(value: float) -> str:
    return f"{value:.3f}"


def _spread(values: Iterable[float]) -> str:
    return " / ".join(map(_number, values))


def _tasks(measures: Mapping) -> str:
    runs = measures["default"]
    rows = (
        [task, str(counts["n"]), *(f"{median(runs, 'by_task', task, side):.2f}" for side in ("before", "after"))]
        for task, counts in runs[0]["by_task"].items()
    )
    return f"""### By task

Share of right answers: exact match, or for lists and stories their own check. Medians over the seeds.

{_table(("task", "records", "before", "after"), rows)}"""


def _twins(measures: Mapping) -> str:
    def row(name: str, run: Mapping) -> list[str]:
        after = run["after"]
        values = (after["exact_match"], after["token_f1"], after["ended"], run["cloze_mean"])
        return [name, *map(_number, values), f"{run['training_s']:.0f} s"]

    rows = [row("default", measures["default"][0]), *(row(name, measures["twins"][name]) for name in TWINS)]
    head = ("", "exact match", "token F1", "stopped by itself", "cloze", "training steps")
    return f"""## Twins

The same seed and options but one.

{_table(head, rows)}"""


def _answers(measures: Mapping) -> str:
    rows = (
        [_shown(answer["instruction"] + (f" / {answer['input']}" if answer["input"] else ""))]
        + [_shown(answer[name]) for name in ("output", "before", "after")]
        for answer in measures["answers"]
    )
    head = ("instruction / input", "expected", "before", "after")
    return f"""## Ten answers

Test records drawn by `random.Random(0)`, greedy, first seed; nothing is left out.

{_table(head, rows, of_text=True)}"""


def _recipe(measures: Mapping) -> str:
    pretraining = measures["pretraining"]
    recipe = pretraining["recipe"]
    return f"""## Recipe

`python -m ift starter build --out DIR` makes text, data set and weights again from the seed {recipe["seed"]}; \
`python -m ift starter measure --out DIR` makes the figures of this card.

- **Text**: {pretraining["tokens"] / 1e6:.1f} million tokens, each read once: dictionary entries, statements, stories,
  scenes of everyday life, rewritten sentences, lists, and questions that nobody answers. Instructions that only the
  test or the validation part asks never occur in it.
- **Pretraining**: {recipe["steps"]:,} steps of {recipe["batch_size"]} × {recipe["n_positions"]} tokens, Muon on the
  matrices of the blocks and AdamW elsewhere, learning rate {recipe["learning_rate"]}, weight decay
  {recipe["weight_decay"]}, {recipe["warmup_steps"]} warm-up steps, then a straight line down; bf16 where the processor
  has it. The softmax runs over the known ids only, and over a sample of them in the first
  {recipe["sampled_share"]:.0%} of the steps. {pretraining["seconds"] / 60:.0f} minutes on 2 cores; validation loss
  {pretraining["validation_loss"]:.3f} nats a token.
- **Held out**: facts, verbs, categories, animals and wordings of test and validation are drawn by a seed that was
  fixed before the first training. Everything was chosen on validation."""


def _limits(measures: Mapping) -> str:
    runs = measures["default"]
    after = {task: median(runs, "by_task", task, "after") for task in runs[0]["by_task"]}
    weak = ", ".join(f"{task} {right:.2f}" for task, right in after.items() if right < WEAK)
    return f"""## Limits

Tasks that are right in less than {WEAK:.0%} of their test records: {weak or "none"}.

It knows what its tables say and little else, in simple English; what it was never told it makes up. Words outside its
vocabulary mean nothing to it. Sums go up to 10. After fine-tuning it answers the kinds of instructions it was shown.
Not for any use but teaching and testing."""
