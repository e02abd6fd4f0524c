"""bf16 where the processor multiplies in it; elsewhere it would only be slow. Weights and optimizer stay fp32."""

import torch


def has_bf16(device: torch.device) -> bool:
    """Whether matrix products in bf16 are faster than in fp32 here."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    capabilities = torch.cpu.get_capabilities() if device.type == "cpu" else {}
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


def uses_bf16(device: torch.device, *, bf16: bool | None) -> bool:
    """What was asked for; None takes it where the processor has it."""
    return has_bf16(device) if bf16 is None else bf16


def autocast(device: torch.device, *, bf16: bool | None) -> torch.autocast:
    """A context in which matrix products run in bf16, where `uses_bf16` says so.

    Without autocast's cache: each weight is used once in it, and a CUDA graph must not read a copy that is made once.
    """
    enabled = uses_bf16(device, bf16=bf16)
    return torch.autocast(device.type, torch.bfloat16, enabled=enabled, cache_enabled=False)
