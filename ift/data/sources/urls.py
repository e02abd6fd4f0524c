"""A data file at an address that the user typed: downloaded once, resumed where it broke off."""

import hashlib
import ipaddress
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from ift.errors import DownloadError
from ift.paths import cache_dir

if TYPE_CHECKING:
    import requests

TIMEOUT_S = (10, 30)
"""To connect, and between two pieces of the file."""
MAX_HOPS = 5
MAX_BYTES = 2**30
WHOLE_LIMIT_S = 1_800
"""For a whole file: who sends a byte now and then keeps nobody waiting longer."""
AS_IT_IS = {"Accept-Encoding": "identity"}
"""Ask for a file's own bytes: what is packed on the way could unpack to anything."""
_NO_REST = 416
_CHUNK_BYTES = 1 << 16
_BY_HAND = "Open the address in a browser; download the file by hand and use its path."


def is_url(name: str) -> bool:
    """Whether a data set's name is an address."""
    return name.startswith(("http://", "https://"))


def fetch_url(url: str, *, progress: Callable[[int, int], None] | None = None) -> Path:
    """The file at an address, in the cache; a download that broke off is resumed.

    Args:
        url: http or https. Redirects are followed, but never from a public host into a private network.
        progress: is called with (bytes so far, bytes in all or 0).

    Raises:
        DownloadError: no network, an HTTP error, a web page, or more than `MAX_BYTES`.
    """
    import requests
    from filelock import FileLock

    folder = cache_dir() / "urls" / hashlib.sha256(url.encode()).hexdigest()[:16]
    path = folder / (Path(urlsplit(url).path).name or "data")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / ".lock"), requests.Session() as session:
            if not path.is_file():
                part = folder / ".part"
                _download(session, url, part, progress or (lambda done, total: None))
                part.replace(path)
    except requests.RequestException as error:
        raise _failure(error, url) from error
    except OSError as error:
        fix = "Free some space, or set IFT_CACHE to another folder."
        raise DownloadError(f"The file can't be saved: {error.strerror}", where=str(folder), fix=fix) from error
    return path


def _download(session: "requests.Session", url: str, part: Path, progress: Callable[[int, int], None]) -> None:
    tag = part.with_suffix(".etag")
    done = part.stat().st_size if part.is_file() and tag.is_file() else 0
    headers = {"Range": f"bytes={done}-", "If-Range": tag.read_text(encoding="utf-8")} if done else {}
    with _follow(session, url, headers) as reply:
        if reply.status_code == _NO_REST:  # all had arrived, or the file is a shorter one now
            part.unlink()
            return _download(session, url, part, progress)
        is_rest = reply.status_code == 206
        done = done if is_rest else 0
        total = done + content_length(reply)
        _require_small(total, url)
        tag.write_text(reply.headers.get("ETag", ""), encoding="utf-8")
        if not reply.headers.get("ETag"):
            tag.unlink()  # nobody could say whether the rest belongs to the same file
        with part.open("ab" if is_rest else "wb") as file:
            for chunk in pieces(reply, url, already=done):
                done += len(chunk)
                file.write(chunk)
                progress(done, total)
    tag.unlink(missing_ok=True)
    with part.open("rb") as file:
        if file.read(64).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
            part.unlink()
            fix = "Use the address of the file itself (on GitHub and the Hub: raw or download)."
            raise DownloadError("A web page came instead of a data file", where=url, fix=fix)
    return None


def content_length(reply: "requests.Response") -> int:
    """How many bytes a reply says that it has; 0 where it does not say, or says what is no number."""
    said = reply.headers.get("Content-Length", "")
    return int(said) if said.isascii() and said.isdecimal() and len(said) < 16 else 0


def pieces(reply: "requests.Response", url: str, *, already: int = 0, limit_s: float | None = None) -> Iterator[bytes]:
    """A reply's bytes as they come. already: bytes that were there before. limit_s: `WHOLE_LIMIT_S` unless given.

    Raises:
        DownloadError: they are packed, more than `MAX_BYTES`, or not there in time.
    """
    if reply.headers.get("Content-Encoding", "identity") != "identity":
        raise DownloadError("The server packs the file on the way, which was not asked for", where=url, fix=_BY_HAND)
    limit_s = WHOLE_LIMIT_S if limit_s is None else limit_s
    until, done = time.monotonic() + limit_s, already
    for chunk in reply.iter_content(_CHUNK_BYTES):
        done += len(chunk)
        _require_small(done, url)
        if time.monotonic() > until:
            fix = "Try again: what has arrived is kept where the server allows it. Or download the file by hand."
            raise DownloadError(f"The download takes over {limit_s:,.0f} seconds", where=url, fix=fix)
        yield chunk


def _require_small(size_bytes: int, url: str) -> None:
    if size_bytes > MAX_BYTES:
        fix = "Download a part of it by hand and use its path."
        raise DownloadError(f"The file has more than {MAX_BYTES // 2**20:,} MB", where=url, fix=fix)


def _follow(session: "requests.Session", url: str, headers: dict[str, str]) -> "requests.Response":
    """The reply at the end of the redirects, each checked."""
    begins_public = _is_public(url)
    for _ in range(MAX_HOPS):
        if begins_public and not _is_public(url):
            what = "The address leads from a public host into a private network"
            raise DownloadError(what, where=url, fix="Use the address of the file itself.")
        reply = session.get(url, headers={**AS_IT_IS, **headers}, stream=True, timeout=TIMEOUT_S, allow_redirects=False)
        if not reply.is_redirect:
            if not (headers and reply.status_code == _NO_REST):
                reply.raise_for_status()
            return reply
        reply.close()
        url = urljoin(url, reply.headers["Location"])
        if not is_url(url):
            raise DownloadError("The address leads to something else than a web server", where=url, fix=_BY_HAND)
    raise DownloadError(f"The address leads on more than {MAX_HOPS} times", where=url, fix=_BY_HAND)


def _is_public(url: str) -> bool:
    """Whether all addresses of a host are public; one that has none is not."""
    try:
        found = socket.getaddrinfo(urlsplit(url).hostname, None)
    except (OSError, UnicodeError, ValueError):
        return False
    return all(ipaddress.ip_address(entry[4][0]).is_global for entry in found)


def _failure(error: "requests.RequestException", url: str) -> DownloadError:
    import requests

    if isinstance(error, requests.exceptions.ChunkedEncodingError | requests.exceptions.ConnectionError):
        fix = "Check the network and try again: what has arrived is kept."
        return DownloadError("The download broke off or never began", where=url, fix=fix)
    if error.response is not None:
        return DownloadError(f"The server answered {error.response.status_code}", where=url, fix=_BY_HAND)
    return DownloadError(f"The file can't be downloaded ({type(error).__name__})", where=url, fix=_BY_HAND)
