"""Files that others read while they are written: a line, or the whole text, is there complete or not at all."""

import os
from contextlib import suppress
from pathlib import Path

from ift.errors import RunError


def append_line(path: Path, line: str) -> None:
    """Write one line, whole, at once; the file is made where it is absent.

    Raises:
        RunError: it can't be written, for want of space say; no part of it stays.
    """
    rest = memoryview(f"{line}\n".encode())
    with path.open("ab", buffering=0) as file:
        size = file.seek(0, os.SEEK_END)
        try:
            while rest:  # a disk that is nearly full takes a part
                rest = rest[file.write(rest) :]
        except OSError as error:
            with suppress(OSError):
                file.truncate(size)
            fix = "Free some space, or check the disk; then resume the run."
            raise RunError(f"The log can't be written: {error.strerror}", where=str(path), fix=fix) from error


def whole_lines(path: Path) -> list[bytes]:
    """The complete lines of a file, without the half one that a killed process may have left; none where it is absent.

    Bytes, as text has other line ends: U+2028 is one.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return []
    return raw[: raw.rfind(b"\n") + 1].split(b"\n")[:-1]


def write_text(path: Path, text: str) -> None:
    """Write a file so that a reader sees all of it or none, and a power cut leaves the old one."""
    part = path.with_name(f".{path.name}.part")
    with part.open("w", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())  # else a power cut may leave the new name with nothing behind it
    os.replace(part, path)
