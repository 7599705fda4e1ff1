"""Locks between processes of one machine that die with their process (flock)."""

import fcntl
import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from figsupport.errors import Busy
from figsupport.private import private_folder

_PAUSE = 0.05


@contextmanager
def file_lock(folder: Path, name: str, wait: float = 0.0) -> Iterator[None]:
    """Hold the lock `name` while the block runs. Raises Busy after `wait` seconds.

    The lock file is removed on release; a lock got on a file that was removed meanwhile
    is no lock, hence the look at the inode.
    """
    path = _lock_file(private_folder(folder), name)
    until = time.monotonic() + wait
    while True:
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _same_file(descriptor, path):
                break
        except BlockingIOError:
            if time.monotonic() >= until:
                os.close(descriptor)
                raise busy() from None
            time.sleep(_PAUSE)
        os.close(descriptor)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def busy() -> Busy:
    """Return the error of whoever does not get a lock."""
    return Busy(
        "Another figsupport process is working on this",
        hint="Wait for it to finish, then run the same command again: it is safe.",
    )


def anybody_works(folder: Path, but: str) -> bool:
    """Tell whether any lock is held, other than the one of this name."""
    ours = _lock_file(folder, but)
    for path in folder.glob("*.lock"):
        if path == ours:
            continue
        with suppress(FileNotFoundError), path.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
    return False


def _lock_file(folder: Path, name: str) -> Path:
    return folder / f"{hashlib.sha256(name.encode()).hexdigest()[:32]}.lock"


def _same_file(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
