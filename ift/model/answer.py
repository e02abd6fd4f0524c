"""One instruction, one answer: what `generate` and the page's chat call."""

from ift.data.templates import Template
from ift.errors import InputError
from ift.model.generate import Sampling, generate, prompt_of, why_no_answer
from ift.model.gpt2 import GPT2
from ift.types import Completion, Example


def ask(model: GPT2, template: Template, example: Example, sampling: Sampling) -> Completion:
    """Answer an example whose output is not known.

    Raises:
        InputError: the prompt is empty or fills the model's context.
    """
    prompt = prompt_of(0, example, template)
    reason = why_no_answer(prompt, model.config.n_positions)
    if reason:
        raise InputError(f"There is no room for an answer: {reason}", where="instruction and input", fix="Change them.")
    return next(generate(model, [prompt], sampling))
