"""Clients' files in a private folder: written atomically, never overwritten."""

import hashlib
import hmac
import os
import secrets
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from figsupport.adapters.database import Sync
from figsupport.errors import NotFound, Unavailable
from figsupport.ports import Health, StoredFile
from figsupport.private import private_folder, sync_folder

_BLOCK = 1024 * 1024


class LocalStore:
    """A folder of files, 0700/0600. See `ports.Store`."""

    #: One disk gains nothing from several files at once.
    at_once = 1

    def __init__(self, folder: Path, sync: Sync = "full") -> None:
        self._folder = folder
        self._sync = sync

    def put(self, key: str, source: Path, name: str) -> StoredFile:
        """Store a file under a key, unless the key is there already."""
        target = self._inside(key)
        try:
            if not target.exists():
                private_folder(target.parent)
                self._copy(source, target)
            return StoredFile(target.as_uri(), target.stat().st_size, _sha256(target))
        except FileNotFoundError:
            raise
        except OSError as error:
            raise Unavailable(
                f"The file « {name} » could not be stored: {error.strerror}",
                hint=f"Check the space and the rights of {self._folder}.",
            ) from error

    def get(self, key: str) -> bytes:
        """Return what is stored under a key."""
        try:
            return self._inside(key).read_bytes()
        except FileNotFoundError:
            raise NotFound(f"Nothing is stored under {key}") from None

    def keys(self, folder: str) -> tuple[str, ...]:
        """Return the keys in a folder, sorted."""
        place = self._inside(folder)
        found = place.iterdir() if place.is_dir() else ()
        return tuple(sorted(f"{folder}/{path.name}" for path in found if path.name[0] != "."))

    def fetch(self, key: str, into: BinaryIO) -> None:
        """Write what is stored under a key into a file, block by block."""
        try:
            with self._inside(key).open("rb") as read:
                shutil.copyfileobj(read, into, _BLOCK)
        except FileNotFoundError:
            raise NotFound(f"Nothing is stored under {key}") from None

    def remove(self, folder: str, keep: Sequence[str] = ()) -> int:
        """Delete what is in a folder but the keys to keep, and the folder when it is empty."""
        place = self._inside(folder)
        count = len(set(self.keys(folder)) - set(keep))
        if place.is_dir():
            for path in place.iterdir():
                if f"{folder}/{path.name}" not in keep:
                    path.unlink(missing_ok=True)
            with suppress(OSError):  # something is kept
                place.rmdir()
        return count

    def secret_folder(self, case_id: str) -> str:
        """Return 32 hexadecimal characters that only the holder of the secret can guess."""
        return hmac.new(self._secret(), case_id.encode(), hashlib.sha256).hexdigest()[:32]

    def check(self) -> Health:
        """Look whether the folder can be written."""
        place = self._folder if self._folder.exists() else self._folder.parent
        if os.access(place, os.W_OK):
            return Health(True, str(self._folder))
        return Health(False, f"{self._folder} is not writable: change its rights")

    def _inside(self, key: str) -> Path:
        target = self._folder / key
        inside = target != self._folder and target.is_relative_to(self._folder)
        if not inside or ".." in target.parts:
            raise ValueError(f"a key stays inside the store: {key}")
        return target

    def _copy(self, source: Path, target: Path) -> None:
        """Copy beside the target, then link: a name appears whole or not at all."""
        descriptor, spool = tempfile.mkstemp(prefix=".", suffix=".part", dir=target.parent)
        try:
            with source.open("rb") as read, os.fdopen(descriptor, "wb") as write:
                while block := read.read(_BLOCK):
                    write.write(block)
                write.flush()
                if self._sync == "full":
                    os.fsync(write.fileno())
            with suppress(FileExistsError):  # another process stored the same key first
                os.link(spool, target)
            if self._sync == "full":
                sync_folder(target.parent)
        finally:
            Path(spool).unlink(missing_ok=True)

    def _secret(self) -> bytes:
        path = self._folder / ".secret"
        if not path.exists():
            private_folder(self._folder)
            descriptor, spool = tempfile.mkstemp(prefix=".", dir=self._folder)
            with os.fdopen(descriptor, "wb") as write:
                write.write(secrets.token_bytes(32))
                write.flush()
                os.fsync(write.fileno())
            with suppress(FileExistsError):  # another process was first: its secret counts
                os.link(spool, path)
            Path(spool).unlink()
        return path.read_bytes()


def _sha256(path: Path) -> str:
    with path.open("rb") as read:
        return hashlib.file_digest(read, "sha256").hexdigest()
