"""Where bytes come from: a local file by ranges, bytes in memory, and the files beside a model.

Nothing is opened by a name that a client's file contains: names are only looked up among
the side files that came with it. Symbolic links, FIFOs and devices are refused.
"""

import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol, Self
from urllib.parse import unquote

from figsupport.files.model3d.facts import Unreadable, damaged, too_large, truncated

MIB = 1024 * 1024
MAX_READ = 64 * MIB
MAX_TEXT = 64 * MIB
MAX_LINES = 3_000_000
MAX_NAMES = 100


class Source(Protocol):
    """Something of a known `size` that is read by ranges."""

    @property
    def size(self) -> int:
        """Return the number of bytes."""

    def read(self, offset: int, count: int) -> bytes:
        """Return exactly `count` bytes from `offset`, or raise Unreadable."""


class Folder(Protocol):
    """The files that came with a model, by name."""

    def find(self, name: str) -> Source | None:
        """Return the file of that name (or of that last part of a name), or None."""


class Memory:
    """Bytes in memory."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.size = len(data)

    def read(self, offset: int, count: int) -> bytes:
        """Return exactly `count` bytes from `offset`, or raise Unreadable."""
        if offset < 0 or count < 0 or offset + count > self.size:
            raise truncated(self.size, offset + count)
        return self.data[offset : offset + count]


class Part:
    """A range of another source."""

    def __init__(self, whole: Source, offset: int, size: int) -> None:
        if offset < 0 or size < 0 or offset + size > whole.size:
            raise truncated(whole.size, offset + size)
        self.whole, self.offset, self.size = whole, offset, size

    def read(self, offset: int, count: int) -> bytes:
        """Return exactly `count` bytes from `offset`, or raise Unreadable."""
        if offset < 0 or count < 0 or offset + count > self.size:
            raise truncated(self.size, offset + count)
        return self.whole.read(self.offset + offset, count)


class LocalFile:
    """A regular file on disk, read by ranges; raises Unreadable for anything else."""

    def __init__(self, path: Path) -> None:
        self._fd = open_regular(path)
        self.size = os.fstat(self._fd).st_size

    def read(self, offset: int, count: int) -> bytes:
        """Return exactly `count` bytes from `offset`, or raise Unreadable."""
        if offset < 0 or count < 0 or offset + count > self.size:
            raise truncated(self.size, offset + count)
        if count > MAX_READ:
            raise too_large("bloc trop grand", "a block is too large")
        data = os.pread(self._fd, count, offset)
        if len(data) != count:
            raise truncated(offset + len(data), offset + count)
        return data

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)


class SideFiles:
    """The files of the same request: name as the client gave it → where it is stored."""

    def __init__(self, files: Mapping[str, Path], opened: ExitStack) -> None:
        self._files = {key.replace("\\", "/"): path for key, path in files.items()}
        self._opened = opened

    def find(self, name: str) -> Source | None:
        """Return the file of that name (or of that last part of a name), or None."""
        key = find_name(name, self._files)
        if key is None:
            return None
        try:
            return self._opened.enter_context(LocalFile(self._files[key]))
        except Unreadable:
            return None


def find_name(name: str, names: Mapping[str, object]) -> str | None:
    """Return the key that `name` means: the same name, else the same last part in any case.

    Clients send loose files, so `textures/wood.png` is also found as `Wood.PNG`.
    """
    if name in names:
        return name
    wanted = last_part(name)
    return next((key for key in names if last_part(key) == wanted), None)


def last_part(name: str) -> str:
    """Return a name without folders, case folded."""
    return base_name(name).casefold()


def base_name(name: str) -> str:
    """Return the last part of a POSIX or Windows name."""
    return name.replace("\\", "/").rstrip("/").rpartition("/")[2]


def relative_name(uri: str) -> str | None:
    """Return the relative file name that a URI means, or None when it may not be followed.

    Schemes, absolute names, UNC names, drive letters and `..` (also percent-encoded) are
    not followed.
    """
    return plain_name(unquote(uri))


def plain_name(name: str) -> str | None:
    """Return a relative name without `.`, or None for one that leads out of its folder."""
    if not name or len(name) > 1000 or name.startswith(("/", "\\")) or "\\" in name:
        return None
    if ":" in name.split("/", 1)[0] or any(ord(c) < 32 for c in name):
        return None
    parts = [part for part in name.split("/") if part not in ("", ".")]
    return None if ".." in parts or not parts else "/".join(parts)


def head(source: Source, count: int) -> bytes:
    """Return the first `count` bytes, or as many as there are."""
    return source.read(0, min(count, source.size))


def whole(source: Source, limit: int) -> bytes:
    """Return all bytes; raises OnlyRecognised beyond `limit`."""
    if source.size > limit:
        raise too_large(f"plus de {limit // MIB} Mo", f"more than {limit // MIB} MB")
    return source.read(0, source.size)


def line_batches(source: Source, start: int = 0) -> Iterator[list[bytes]]:
    """Yield the lines of a text file from `start`, about 1 MiB at a time, stripped.

    Raises Unreadable for a line of more than 1 MiB, OnlyRecognised beyond 64 MiB or
    3 million lines.
    """
    if source.size > MAX_TEXT:
        raise too_large("plus de 64 Mo de texte", "more than 64 MB of text")
    rest, lines_read = b"", 0
    for offset in range(start, source.size, MIB):
        text = rest + source.read(offset, min(MIB, source.size - offset))
        last = offset + MIB >= source.size
        cut = len(text) if last else max(text.rfind(b"\n"), text.rfind(b"\r")) + 1
        if cut == 0 and len(text) > MIB:
            raise damaged("une ligne de texte sans fin", "an endless line of text")
        rest = text[cut:]
        lines = [*map(bytes.strip, text[:cut].splitlines())]
        lines_read += len(lines)
        if lines_read > MAX_LINES:
            raise too_large("trop de lignes", "too many lines")
        yield lines


def open_regular(path: Path) -> int:
    """Return a descriptor of a regular file; raises Unreadable for links, FIFOs, devices."""
    # O_NONBLOCK: opening a FIFO must not wait for a writer.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags)
    except OSError as error:
        raise _not_a_file() from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _not_a_file()
    return descriptor


def _not_a_file() -> Unreadable:
    return Unreadable("ce n'est pas un fichier ordinaire", "this is not a regular file")
