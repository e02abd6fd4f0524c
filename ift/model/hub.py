"""Models from the Hugging Face Hub, downloaded once."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ift.errors import DownloadError

Progress = Callable[[int, int], None]
PIECE_BYTES = 1 << 18
"""Between two looks at how far a download is, and whether it goes on; the Hub client's own 10 MB can take minutes."""


def fetch_model(
    repo_id: str, *, endpoint: str | None = None, cache_dir: Path | None = None, progress: Progress | None = None
) -> Path:
    """The folder of a model from the Hub, downloaded once; safetensors only.

    The client takes up a connection that broke off by itself; what was cancelled begins anew.

    Args:
        repo_id: owner/name.
        endpoint: the Hub's address; `HF_ENDPOINT` or the public one unless given.
        cache_dir: the Hub client's own unless given.
        progress: is called with (bytes so far, bytes in all) of the weights; what it raises ends the download.

    Raises:
        DownloadError: no network, no such model, no access, or no safetensors in it.
    """
    from httpx2 import TransportError  # huggingface_hub's own client
    from huggingface_hub import constants
    from huggingface_hub.errors import EntryNotFoundError, HFValidationError, LocalEntryNotFoundError

    constants.DOWNLOAD_CHUNK_SIZE = PIECE_BYTES
    where = f"{endpoint or constants.ENDPOINT}/{repo_id}"
    try:
        for name in ("config.json", "model.safetensors"):
            path = _fetch_file(repo_id, name, endpoint, cache_dir, progress)
    except (LocalEntryNotFoundError, TransportError) as error:
        fix = "Check the network, or work with the starter model, which needs none."
        raise DownloadError("The model can't be downloaded: the Hub does not answer", where=where, fix=fix) from error
    except EntryNotFoundError as error:
        fix = "Choose a GPT-2 that has config.json and model.safetensors."
        raise DownloadError("The model has no such file, only other formats", where=where, fix=fix) from error
    except (HFValidationError, OSError) as error:
        fix = "Check the name and, for a private model, that you are logged in (`hf auth login`)."
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DownloadError(f"The model can't be downloaded: {reason}", where=where, fix=fix) from error
    return Path(path).parent


def _fetch_file(
    repo_id: str, name: str, endpoint: str | None, cache_dir: Path | None, progress: Progress | None
) -> str:
    import huggingface_hub
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        return huggingface_hub.hf_hub_download(repo_id, name, cache_dir=cache_dir, local_files_only=True)
    except LocalEntryNotFoundError:
        # ask once, without the half minute of retries that the download itself takes where nobody answers
        huggingface_hub.get_hf_file_metadata(huggingface_hub.hf_hub_url(repo_id, name, endpoint=endpoint))
        bar = _told(progress) if progress and name.endswith(".safetensors") else None
        return huggingface_hub.hf_hub_download(repo_id, name, endpoint=endpoint, cache_dir=cache_dir, tqdm_class=bar)


def _told(progress: Progress) -> Any:  # noqa: ANN401 (a class)
    """A progress bar as the Hub's client wants one, which draws nothing and tells what it hears."""
    from tqdm import tqdm

    class Told(tqdm):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options | {"disable": True})

        def update(self, n: float | None = 1) -> bool:
            self.n += n or 0
            progress(int(self.n), int(self.total or 0))
            return True

    return Told
