"""Files that a model names: which names are harmless, and reading no more than a regular file."""

import os
import re
import stat
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

from figsupport.files.model3d import images

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
#: a dot, slash, backslash or NUL that was encoded twice: for whoever decodes once more
_TRICK = re.compile(r"%(?:2e|2f|5c|00|25)", re.IGNORECASE)


class Span(NamedTuple):
    """Bytes that a model may use: a part of a file, or data that it holds itself."""

    path: Path | None
    start: int
    length: int
    data: bytes = b""

    def read(self, start: int, length: int) -> bytes:
        """Return at most `length` bytes from `start` on, nothing outside. Raises OSError."""
        length = max(0, min(length, self.length - start))
        if self.path is None:
            return self.data[self.start + start : self.start + start + length]
        return read_part(self.path, self.start + start, length)

    def part(self, start: int, length: int) -> "Span":
        """Return a part of it."""
        return self._replace(start=self.start + start, length=min(length, self.length - start))


def safe_name(reference: str, *, encoded: bool = False) -> str | None:
    """Return a reference as a relative name with slashes, or None when nobody may follow it.

    Schemes, absolute paths, drives, UNC, backslashes, `..` and control characters are refused;
    `encoded` says that it is a URI. Source: RFC 3986, 4.1 and 5.2.4.
    """
    name = unquote(reference) if encoded else reference
    if _SCHEME.match(reference) or _SCHEME.match(name) or _CONTROL.search(name):
        return None
    if name.startswith("/") or "\\" in name or _TRICK.search(name):
        return None
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if not parts or ".." in parts or len(name) > 1_024:
        return None
    return "/".join(parts)


def shown(reference: str) -> str:
    """Return a reference as people may see it: one short line."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", reference)[:200]


def read_part(path: Path, start: int, length: int) -> bytes:
    """Return at most `length` bytes of a regular file; no link, pipe or device is opened.

    Raises OSError.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb", buffering=0):
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(f"{path.name} is no regular file")
        return os.pread(descriptor, length, start)


def size_of_file(path: Path) -> int | None:
    """Return a regular file's size in bytes; None for all else, links too."""
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_size if stat.S_ISREG(found.st_mode) else None


def size_in(span: Span) -> tuple[int, int] | None:
    """Return a picture's width and height, reading as little of it as that takes."""
    for most in (64, 4_096, images.HEAD):
        if size := images.size_of(span.read(0, most)):
            return size
        if span.length <= most:
            break
    return None
