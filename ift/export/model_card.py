"""README.md beside an exported model: what it was made from, with which template and options, and what it scored."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from ift.config import to_dict
from ift.export.hf_folder import hub_name
from ift.runs.folder import Run, step_of
from ift.runs.run_config import RunData
from ift.runs.scores import Summary

_USE = {
    "hf": '```python\nfrom transformers import pipeline\n\nanswer = pipeline("text-generation", "{name}")\n'
    'print(answer([{{"role": "user", "content": "…"}}], max_new_tokens=64, do_sample=False))\n```',
    "gguf": "```\nollama create {name} -f Modelfile\nollama run {name}\n```",
    "adapter": "```python\nfrom peft import PeftModel\nfrom transformers import AutoModelForCausalLM\n\n"
    'model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained("{base}"), "{name}")\n```',
}
_LIMITS = """\
- A small GPT-2, fine-tuned to follow instructions: it states false things fluently and has no safety training.
- It was trained on single questions. What is said before in a conversation is put in front of the question.
- The scores are of this data set's own held-out records; they say nothing about other tasks."""


def write_model_card(run: Run, checkpoint: Path, folder: Path, *, name: str, to: str) -> None:
    """Write README.md with the Hub's YAML header.

    Args:
        run: where the model comes from.
        checkpoint: which of its checkpoints.
        folder: where to.
        name: the model's name, for the title and the lines that load it.
        to: the format: hf, gguf or adapter.
    """
    config = run.config
    base = hub_name(config.options.model)
    sections = {
        "": f"Step {step_of(checkpoint)} of an instruction fine-tuning of `{base}`.",
        "Use": _USE[to].format(name=name, base=base),
        "Prompt template": f"````\n{config.template_source}\n````",
        "Data": _data(config.data),
        "Scores": _scores(run.scores),
        "Options": _table(("option", "value"), to_dict(config.options).items()),
        "Made with": _table(("package", "version"), config.versions.items()),
        "Limits": _LIMITS,
    }
    text = "\n\n".join(f"## {title}\n\n{body}" if title else body for title, body in sections.items())
    (folder / "README.md").write_text(f"{_header(base, to)}\n# {name}\n\n{text}\n", encoding="utf-8", newline="\n")


def _header(base: str, to: str) -> str:
    """The metadata that the Hub reads; a base model without a Hub id is left out."""
    base_model = [f"base_model: {base}"] if "/" in base else []
    library = "peft" if to == "adapter" else "transformers"
    tags = "tags: [gpt2, instruction-tuning]"
    return "\n".join(["---", f"library_name: {library}", "pipeline_tag: text-generation", tags, *base_model, "---", ""])


def _data(data: RunData) -> str:
    split = data.split
    parts = f"train {split.train:,}, validation {split.validation:,}, test {split.test:,}"
    rows = {"name": data.name, "sha256": f"`{data.sha256}`", "records": f"{data.records:,}"}
    return _table(("", ""), (rows | {"split": parts}).items())


def _scores(scores: Summary | None) -> str:
    if scores is None:
        return "Not scored yet: `python -m ift evaluate RUN`, then export again."
    lines = [
        (name, _number(found.before), _number(found.after), _interval(found.interval))
        for name in scores.after
        for found in [scores.metric(name)]
    ]
    table = _table(("metric", "before", "after", "95 % interval of the gain"), lines)
    return f"Of {scores.n:,} held-out records.\n\n{table}"


def _interval(interval: tuple[float, float] | None) -> str:
    return f"{interval[0]:+.3f} to {interval[1]:+.3f}" if interval else "none"


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.3f}"


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(_cell(value) for value in line)} |" for line in lines)


def _cell(value: object) -> str:
    value = Path(value).name if isinstance(value, str) and os.path.isabs(value) else value  # means nothing elsewhere
    return " ".join(str(value).split()).replace("|", "\\|")
