"""What LoRA trained, alone, as PEFT keeps it: loads on top of the base model, a hundredth of its size."""

import json
from pathlib import Path

from safetensors.torch import save_file
from torch import Tensor

from ift.model.gpt2 import GPT2
from ift.model.hf_model import HF_LAYERS
from ift.model.lora import LoraLinear

WEIGHTS, CONFIG = "adapter_model.safetensors", "adapter_config.json"


def has_lora(model: GPT2) -> bool:
    """Whether there is anything to write."""
    return any(isinstance(module, LoraLinear) for module in model.modules())


def write_adapter(model: GPT2, folder: Path, *, base_model: str) -> None:
    """Write adapter_model.safetensors and adapter_config.json into an existing folder.

    Args:
        model: one with LoRA; all its layers have the same rank and scale.
        folder: not that of the model's own weights: transformers would add the product to the merged weights again.
        base_model: the Hub id or the name of the model that the product belongs to.
    """
    theirs = {ours: name for name, ours in HF_LAYERS.items()}
    tensors: dict[str, Tensor] = {}
    for i, block in enumerate(model.h):
        for ours, layer in block.named_children():
            if isinstance(layer, LoraLinear):
                prefix = f"base_model.model.transformer.h.{i}.{theirs[ours]}"
                tensors[f"{prefix}.lora_A.weight"] = layer.lora_A.detach().cpu().contiguous()
                tensors[f"{prefix}.lora_B.weight"] = layer.lora_B.detach().cpu().contiguous()
    layers = {name: layer for name, layer in model.h[0].named_children() if isinstance(layer, LoraLinear)}
    first = next(iter(layers.values()))
    rank = first.lora_A.shape[0]
    config = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base_model,
        "r": rank,
        "lora_alpha": first.scale * rank,
        "lora_dropout": first.lora_dropout.p,
        "target_modules": [theirs[name] for name in layers],
        "bias": "none",
        "fan_in_fan_out": True,  # GPT-2's Conv1D keeps (in, out)
        "inference_mode": True,
    }
    save_file(tensors, folder / WEIGHTS, metadata={"format": "pt"})
    (folder / CONFIG).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8", newline="\n")
