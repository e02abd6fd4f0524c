"""What a model's name means: `starter`, `gpt2` … `gpt2-xl`, a Hub id, a folder, a run."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

from ift.errors import DownloadError, ModelError
from ift.paths import ASSETS
from ift.runs import Run, is_run

if TYPE_CHECKING:
    import torch

    from ift.model import GPT2

GPT2_SIZES = {
    "gpt2": 124_439_808,
    "gpt2-medium": 354_823_168,
    "gpt2-large": 774_030_080,
    "gpt2-xl": 1_557_611_200,
}
"""OpenAI's released sizes: name → parameters."""
NAMES = ("starter", *GPT2_SIZES)

_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")


def find_model(name: str) -> Path | str:
    """A folder on this machine, or the Hub id to fetch; nothing is downloaded.

    Raises:
        ModelError: the name is none of the known kinds.
    """
    if name == "starter":
        return ASSETS / "starter"
    if name in GPT2_SIZES:
        return f"openai-community/{name}"
    path = Path(name)
    if is_run(path):
        return Run(path).last_checkpoint()
    if path.is_dir():
        return path
    if _HUB_ID.fullmatch(name) and not name.startswith("."):
        return name
    fix = f"Give {', '.join(NAMES)}, a Hub id (owner/name), a model's folder or a run's folder."
    raise ModelError(f"There is no model {name!r}", where=str(path.absolute()), fix=fix)


def fetch_model(repo_id: str, *, endpoint: str | None = None, cache_dir: Path | None = None) -> Path:
    """The folder of a model from the Hub, downloaded once; safetensors only.

    Raises:
        DownloadError: no network, no such model, no access, or no safetensors in it.
    """
    import huggingface_hub
    from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, LocalEntryNotFoundError

    where = f"{endpoint or huggingface_hub.constants.ENDPOINT}/{repo_id}"
    try:
        for name in ("config.json", "model.safetensors"):
            path = huggingface_hub.hf_hub_download(repo_id, name, endpoint=endpoint, cache_dir=cache_dir)
    except LocalEntryNotFoundError as error:
        fix = "Check the network, or work with the starter model, which needs none."
        raise DownloadError("The model can't be downloaded: the Hub does not answer", where=where, fix=fix) from error
    except EntryNotFoundError as error:
        fix = "Choose a GPT-2 that has config.json and model.safetensors."
        raise DownloadError("The model has no such file, only other formats", where=where, fix=fix) from error
    except (HfHubHTTPError, OSError) as error:
        fix = "Check the name and, for a private model, that you are logged in (`hf auth login`)."
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DownloadError(f"The model can't be downloaded: {reason}", where=where, fix=fix) from error
    return Path(path).parent


def load_model(name: str, *, device: "torch.device | None" = None) -> "GPT2":
    """A model by name, ready for inference, on the best device there is or on the given one.

    Raises:
        ModelError: no such model, or its files are damaged.
        DownloadError: it did not arrive.
    """
    from ift.checkpoint import verify_checkpoint
    from ift.model import best_device
    from ift.weights import read_model

    found = find_model(name)
    folder = found if isinstance(found, Path) else fetch_model(found)
    if (folder / "manifest.json").is_file():
        verify_checkpoint(folder)
    return read_model(folder).to(device or best_device()).eval()
