"""A model's folder that is whole for Hugging Face's programs: weights, tokenizer, chat template, LoRA's product."""

import os
from pathlib import Path

from ift.data.templates import Template
from ift.export.adapter import has_lora, write_adapter
from ift.export.chat_template import jinja_template
from ift.export.hf_tokenizer import write_tokenizer
from ift.model.gpt2 import GPT2
from ift.model.hf_model import write_model
from ift.model.names import GPT2_SIZES

ADAPTER = "adapter"
"""The folder in it for LoRA's product: beside the merged weights transformers would add it a second time."""


def write_hf_folder(model: GPT2, folder: Path, template: Template | None, *, base_model: str) -> None:
    """Write what `AutoModelForCausalLM`, `AutoTokenizer` and `pipeline` load, into an existing folder.

    Args:
        model: its weights, with LoRA's product merged; the product alone goes to `adapter/`.
        folder: where to.
        template: the prompt template, as chat_template.jinja; None for a model without one.
        base_model: the name of the model that was fine-tuned, for the adapter.
    """
    write_model(model, folder)
    chat = jinja_template(template) if template else None
    write_tokenizer(folder, n_positions=model.config.n_positions, chat_template=chat)
    if has_lora(model):
        (folder / ADAPTER).mkdir()
        write_adapter(model, folder / ADAPTER, base_model=hub_name(base_model))


def hub_name(model: str) -> str:
    """The Hub id of a model's name where it has one; for a folder its last part, for it means nothing elsewhere.

    The folder may be gone: a long run can outlive the one that it began from.
    """
    if model in GPT2_SIZES:
        return f"openai-community/{model}"
    return Path(model).name if os.path.isabs(model) else model
