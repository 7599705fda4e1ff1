"""A copy of the embedded state in one tar, taken while others work.

What makes a copy a state that could have been: for a moment nobody can commit to any database
(their write locks are held), all snapshots are pinned, and the mails and the files of forms are
linked: these go once their case has stored them. Whatever others do outside of the databases in
that moment has its intent in the journal's copy: it is in doubt there, as after a killed process.
Stored files never change and are named by the journal, so they are copied afterwards, at leisure.

The counts of `metrics.sqlite` are no state: they tell what this machine did, and a counter that
jumps back to an older number would count all of it once more.
"""

import hashlib
import json
import os
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import IO, Any, NamedTuple

from figsupport import __version__
from figsupport.adapters.database import refuse_half
from figsupport.adapters.locks import file_lock
from figsupport.errors import NotFound, Unavailable
from figsupport.forms import ARRIVING, FORMS
from figsupport.private import new_file, private_folder

VERSION = 1
MANIFEST = "MANIFEST.json"
DATABASES = ("cases.sqlite", "desk.sqlite", "deliveries.sqlite")
FOLDERS = ("mail", "files", FORMS)
#: What makes a folder a home with a state: nobody writes over it by mistake.
STATE = (*DATABASES, *FOLDERS)
SINGLE = (*DATABASES, "hubspot.json", MANIFEST)
_MAIL = ("outbox", "inbox", "archive", "attachments")
_WAIT = 30.0


class Entry(NamedTuple):
    """One file of a backup."""

    size: int
    sha256: str


def write(home: Path, target: Path, taken_at: datetime) -> dict[str, Any]:
    """Copy the state of a home into a tar (`.gz`: packed); return its manifest.

    It appears whole or not at all, private (0600). Raises NotFound, FileExistsError.
    """
    refuse_half(home)
    if not any((home / name).is_file() for name in DATABASES):
        raise NotFound(f"There is nothing to back up in {home}", hint="Check FIGSUPPORT_HOME.")
    with file_lock(home / "locks", "backup"), staging_in(home, ".backup-") as staging:
        _freeze(home, staging)
        with new_file(target) as out, _tar(out, target) as tar:
            entries: dict[str, Entry] = {}
            for name, path in (*_files(staging, ""), *_files(home / "files", "files/")):
                with suppress(FileNotFoundError):  # erased meanwhile
                    entries[name] = _add(tar, name, path)
            manifest = {
                "figsupport_backup": VERSION,
                "figsupport": __version__,
                "taken_at": taken_at.isoformat(),
                "home": str(home.absolute()),
                "files": {name: entry._asdict() for name, entry in entries.items()},
            }
            content = json.dumps(manifest, ensure_ascii=False, indent=1).encode()
            info = _info(MANIFEST, len(content), taken_at.timestamp())
            tar.addfile(info, BytesIO(content))
    return manifest


@contextmanager
def staging_in(place: Path, prefix: str) -> Iterator[Path]:
    """A private folder for what is not finished; what a killed run left there goes first."""
    for left in place.glob(f"{prefix}*"):
        shutil.rmtree(left, ignore_errors=True)
    staging = Path(tempfile.mkdtemp(prefix=prefix, dir=place))
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _freeze(home: Path, staging: Path) -> None:
    """Copy the databases as of one moment, and link what lies there then and may go."""
    paths = [home / name for name in DATABASES if (home / name).is_file()]
    with ExitStack() as pinned:
        with ExitStack() as stopped:
            for path in paths:
                _begin(stopped.enter_context(closing(_connect(path))), "BEGIN IMMEDIATE")
            readers = [pinned.enter_context(closing(_connect(path))) for path in paths]
            for reader in readers:
                _begin(reader, "BEGIN")
                reader.execute("SELECT count(*) FROM sqlite_master").fetchone()
            _link_mails(home / "mail", staging / "mail")
            _link_forms(home / FORMS, staging / FORMS)
            if (home / "hubspot.json").is_file():
                shutil.copyfile(home / "hubspot.json", staging / "hubspot.json")
        for path, reader in zip(paths, readers, strict=True):
            with closing(sqlite3.connect(staging / path.name)) as copy:
                reader.backup(copy)


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=_WAIT, isolation_level=None)


def _begin(connection: sqlite3.Connection, statement: str) -> None:
    try:
        connection.execute(statement)
    except sqlite3.OperationalError as error:
        raise Unavailable(
            f"The databases cannot be stopped for a moment: {error}",
            hint="Run the same command again: it is safe.",
        ) from error


def _link_mails(mail: Path, staging: Path) -> None:
    """Link every mail; one that moves from the inbox to the archive meanwhile is there once."""
    linked: dict[int, Path] = {}
    for box in _MAIL:  # the archive after the inbox: nothing moves the other way
        for folder, _, names in os.walk(mail / box):
            if Path(folder).name == "tmp":
                continue
            for name in names:
                path = Path(folder) / name
                if name.startswith(".") or path.is_symlink():
                    continue
                copy = private_folder((staging / path.relative_to(mail)).parent) / name
                with suppress(FileNotFoundError):  # archived just now: it is found there
                    number = path.stat().st_ino
                    _link(path, copy)
                    if number in linked:
                        linked[number].unlink()
                    linked[number] = copy


def _link_forms(forms: Path, staging: Path) -> None:
    """Link the files of forms that have arrived; a folder whose case is done may be going."""
    with suppress(FileNotFoundError):
        for place in forms.iterdir():
            if place.name.startswith(ARRIVING) or not place.is_dir():
                continue
            with suppress(FileNotFoundError):
                for path in place.iterdir():
                    _link(path, private_folder(staging / place.name) / path.name)


def _link(path: Path, copy: Path) -> None:
    try:
        os.link(path, copy)
    except FileNotFoundError:
        raise
    except OSError:  # a file system without links
        shutil.copyfile(path, copy)


def _files(folder: Path, prefix: str) -> Iterator[tuple[str, Path]]:
    """Every file of a folder and its name in the tar; of hidden ones only the store's secret."""
    for place, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(place) / name
            if (not name.startswith(".") or name == ".secret") and not path.is_symlink():
                yield f"{prefix}{path.relative_to(folder).as_posix()}", path


def _tar(out: IO[bytes], target: Path) -> tarfile.TarFile:
    packed = target.suffix in (".gz", ".tgz")
    return tarfile.open(fileobj=out, mode="w:gz" if packed else "w")


def _info(name: str, size: int, mtime: float) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.mtime = size, 0o600, int(mtime)
    return info


def _add(tar: tarfile.TarFile, name: str, path: Path) -> Entry:
    with path.open("rb") as read:
        about = os.fstat(read.fileno())
        hashed = _Hashed(read)
        tar.addfile(_info(name, about.st_size, about.st_mtime), hashed)
    return Entry(about.st_size, hashed.sha256.hexdigest())


class _Hashed:
    """Reads through, and knows what was read."""

    def __init__(self, read: IO[bytes]) -> None:
        self._read, self.sha256 = read, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        block = self._read.read(size)
        self.sha256.update(block)
        return block
