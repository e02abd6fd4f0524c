"""A model by name, ready to answer."""

from pathlib import Path

import torch

from ift.model.gpt2 import GPT2, best_device, random_model
from ift.model.hf_model import read_config, read_model
from ift.model.hub import fetch_model
from ift.model.manifest import MANIFEST, verify_checkpoint
from ift.model.names import UNTRAINED, UNTRAINED_SEED, find_model


def load_model(name: str, *, device: torch.device | None = None) -> GPT2:
    """A model by name, ready for inference, on the best device there is or on the given one.

    Raises:
        ModelError: no such model, or its files are damaged.
        DownloadError: it did not arrive.
    """
    found = find_model(name)
    folder = found if isinstance(found, Path) else fetch_model(found)
    if name == UNTRAINED:
        return random_model(read_config(folder), seed=UNTRAINED_SEED).to(device or best_device()).eval()
    if (folder / MANIFEST).is_file():
        verify_checkpoint(folder, to_resume=False)
    return read_model(folder).to(device or best_device()).eval()
