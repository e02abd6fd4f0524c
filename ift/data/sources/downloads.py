"""One file from one address: resumed where it broke off, under its name only when it is whole."""

import ipaddress
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from ift.errors import DownloadError

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


def download(
    url: str,
    path: Path,
    *,
    is_there: Callable[[Path], bool] = Path.is_file,
    check: Callable[[Path], None] = lambda part: None,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """The file at an address, under `path`; a download that broke off is resumed where the server can.

    Args:
        url: http or https. Redirects are followed, but never from a public host into a private network.
        path: while its bytes come they lie beside it, under another name.
        is_there: whether `path` holds the file already, so that nothing is asked for.
        check: looks at the whole file before it gets its name; what it refuses (DownloadError) is not kept.
        progress: is called with (bytes so far, bytes in all or 0).

    Raises:
        DownloadError: no network, an HTTP error, a web page, more than `MAX_BYTES`, or no room for the file.
    """
    if is_there(path):  # also where the cache can only be read
        return path
    import requests
    from filelock import FileLock

    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_name(f".{path.name}.lock")), requests.Session() as session:
            if not is_there(path):  # another process may have brought it meanwhile
                _download(session, url, part, progress or (lambda done, total: None))
                _require_wanted(part, url, check)
                part.replace(path)
    except requests.RequestException as error:
        raise _failure(error, url) from error
    except OSError as error:
        fix = "Free some space, or set IFT_CACHE to another folder."
        raise DownloadError(f"The file can't be saved: {error.strerror}", where=str(path.parent), fix=fix) from error
    return path


def _require_wanted(part: Path, url: str, check: Callable[[Path], None]) -> None:
    try:
        with part.open("rb") as file:
            is_page = file.read(512).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")
        if is_page:
            fix = "Use the address of the file itself (on GitHub and the Hub: raw or download)."
            fix += " Or a proxy or a login page stands in between: open the address in a browser."
            raise DownloadError("A web page came instead of a data file", where=url, fix=fix)
        check(part)
    except DownloadError:
        part.unlink()
        raise


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
            if reply.ok or (headers and reply.status_code == _NO_REST):
                return reply
            reply.close()
            reply.raise_for_status()
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

    again = "Check the network and try again: what has arrived is kept where the server allows it."
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return DownloadError("The download broke off", where=url, fix=again)
    if error.response is not None:
        return DownloadError(f"The server answered {error.response.status_code}", where=url, fix=_BY_HAND)
    fix = f"{again} Or work with the starter set or a file of your own."
    what = f"The server can't be reached, or does not go on ({type(error).__name__})"
    return DownloadError(what, where=url, fix=fix)
