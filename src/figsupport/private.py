"""Folders and files that only we may read (unless told otherwise), brought safely to disk."""

import os
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


def private_folder(folder: Path) -> Path:
    """Create a folder and its missing parents, all of them 0700; return it."""
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    for place in reversed(missing):
        place.mkdir(mode=0o700, exist_ok=True)
    return folder


@contextmanager
def new_file(target: Path) -> Iterator[BinaryIO]:
    """Write a file, 0600, that appears under its name whole or not at all.

    Raises FileExistsError when there is one by then: nothing is written over.
    """
    descriptor, part = tempfile.mkstemp(prefix=".figsupport-", suffix=".part", dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        os.link(part, target)
    finally:
        Path(part).unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_file(path: Path, text: str, *, mode: int = 0o600) -> None:
    """Put a text in the place of a file at once: its reader never meets half of one."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    part = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            os.fchmod(descriptor, mode)
            file.write(text)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def trace_file(error: BaseException) -> Path:
    """Write the trace of a bug to a private file; return where it is."""
    descriptor, name = tempfile.mkstemp(prefix="figsupport-", suffix=".trace")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write("".join(traceback.format_exception(error)))
    return Path(name)
