"""The models to choose from, as far as it is known before anything is downloaded or measured. No torch."""

import json
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from ift.errors import ModelError
from ift.model.gpt2_config import GPT2Config
from ift.model.names import GPT2_SHAPES, NAMES, find_model, is_here
from ift.runs.processes import available_bytes
from ift.training.estimate import GRADIENT_BYTES, LORA_RANK, MOMENT_BYTES

_SHAPE = ("vocab_size", "n_positions", "n_embd", "n_layer", "n_head")
WEIGHT_BYTES = 4
"""Of a weight in fp32, as it is trained."""


class Fit(StrEnum):
    """What this machine's free memory is enough for, before the activations of a batch."""

    FULL = "full"
    LORA = "lora"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """One model.

    download_bytes: what is still to come, about: 0 where it is on this machine. full_bytes, lora_bytes: weights,
    gradients and AdamW's moments when all weights are trained, or LoRA of rank 8 beside `c_attn`; the activations of a
    batch come on top (`python -m ift estimate` measures them).
    """

    name: str
    parameters: int
    context: int
    is_here: bool
    download_bytes: int
    full_bytes: int
    lora_bytes: int
    fit: Fit

    @property
    def advice(self) -> str:
        """What to do with it here."""
        return {
            Fit.FULL: "fits; `estimate` measures time and the rest of the memory",
            Fit.LORA: f"only with LoRA: --r {LORA_RANK}",
            Fit.NOTHING: "too large for this machine's free memory",
        }[self.fit]


def model_choices(*, free_bytes: int | None = None) -> list[ModelChoice]:
    """All named models, smallest first as they are listed; `free_bytes`: instead of this machine's free memory."""
    free = available_bytes() if free_bytes is None else free_bytes
    return [_choice(name, _shape(name), free) for name in NAMES]


def _shape(name: str) -> GPT2Config:
    if name in GPT2_SHAPES:
        return GPT2Config(**GPT2_SHAPES[name])
    path = Path(find_model(name)) / "config.json"
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        return GPT2Config(
            **{field: raw[field] for field in ("vocab_size", "n_positions", "n_embd", "n_layer", "n_head")}
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError("The model's config.json can't be read", where=str(path), fix="Install again.") from error


def _choice(name: str, shape: GPT2Config, free: int) -> ModelChoice:
    parameters = shape.parameters
    lora = LORA_RANK * shape.n_layer * (shape.n_embd + 3 * shape.n_embd)  # A reads C channels, B writes q, k and v
    trained = GRADIENT_BYTES + MOMENT_BYTES
    full_bytes = (WEIGHT_BYTES + trained) * parameters
    lora_bytes = WEIGHT_BYTES * parameters + (WEIGHT_BYTES + trained) * lora
    here = is_here(name)
    return ModelChoice(
        name=name,
        parameters=parameters,
        context=shape.n_positions,
        is_here=here,
        download_bytes=0 if here else WEIGHT_BYTES * parameters,
        full_bytes=full_bytes,
        lora_bytes=lora_bytes,
        fit=Fit.FULL if full_bytes <= free else Fit.LORA if lora_bytes <= free else Fit.NOTHING,
    )
