"""The way back of a backup: verified, brought to today's form, and put in place.

A restored case asks before each effect (`adopted`): the world may have gone on since.
"""

import errno
import hashlib
import json
import os
import shutil
import sqlite3
import tarfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import UTC, datetime
from itertools import chain, count
from pathlib import Path, PurePosixPath
from typing import IO, Any, NamedTuple

from figsupport.adapters.backup import (
    DATABASES,
    FOLDERS,
    MANIFEST,
    SINGLE,
    STATE,
    VERSION,
    Entry,
    staging_in,
)
from figsupport.adapters.cases import LocalCases
from figsupport.adapters.database import HALF, Database
from figsupport.adapters.deliveries import Deliveries
from figsupport.adapters.local_desk import open_desk
from figsupport.adapters.locks import anybody_works, file_lock
from figsupport.errors import Busy, InvalidBackup, NotAllowed, NotFound, Unavailable
from figsupport.private import new_file, private_folder, sync_folder

_BLOCK = 1024 * 1024
_MOST_MANIFEST = 100_000_000
_UNREADABLE = (tarfile.TarError, EOFError, zlib.error, OSError)
#: What the system says of a folder that cannot be moved: something is mounted there, the folder
#: above is not ours or is on another disk.
_IMMOVABLE = {errno.EBUSY, errno.EXDEV, errno.EACCES, errno.EPERM, errno.EROFS}
#: Where the old state is while it leaves a home that cannot be moved.
_LEAVING = ".before"
#: What of a home is its state, and what must go with it.
_PARTS = (
    *(f"{name}{end}" for name in (*DATABASES, "metrics.sqlite") for end in ("", "-wal", "-shm")),
    "hubspot.json",
    *FOLDERS,
)


class Restored(NamedTuple):
    """What came back: the manifest, and where the state that was there before is kept."""

    manifest: dict[str, Any]
    before: Path | None


def restore(archive: Path, home: Path, now: datetime, *, force: bool) -> Restored:
    """Put the state of a backup into a home, all of it or nothing.

    Everything is unpacked and verified before the state that is there is touched. Then the
    folders change places; in a home that cannot be moved (a volume is mounted there), what is in
    them does. Raises NotFound, InvalidBackup, NotAllowed when there is a state already and
    `force` does not say to move it aside, Busy when somebody works on it.
    """
    if not archive.is_file():
        raise NotFound(f"There is no file {archive}", hint="Give the file that `backup` wrote.")
    begun = (home / HALF).exists()
    taken = any((home / name).exists() for name in STATE)
    if taken and not (force or begun):
        raise NotAllowed(
            f"There is a state in {home} already",
            hint="Restore into another FIGSUPPORT_HOME, or move this one aside: --force.",
        )
    if not (begun or home.is_mount()):
        with suppress(_Immovable):
            return _beside(archive, home, now, taken=taken)
    return _inside(archive, home, now)


class _Immovable(Exception):
    """The home cannot change its place."""


def _beside(archive: Path, home: Path, now: datetime, *, taken: bool) -> Restored:
    """Unpack beside the home, and let the folders change places. Raises _Immovable."""
    parent = private_folder(home.absolute().parent)
    before = _free(home.with_name(f"{home.name}.before-{now:%Y%m%d-%H%M%S}"))
    with _movable(home), staging_in(parent, f".{home.name}-restore-") as staging:
        manifest = _unpacked(archive, staging, home)
        with ExitStack() as locks:
            if home.exists():
                locks.enter_context(_nobody_works(home))
                if (home / ".env").is_file():
                    shutil.copy2(home / ".env", staging / ".env")
                home.rename(before)
            try:
                staging.rename(home)
            except OSError:
                if before.exists():
                    before.rename(home)
                raise
    sync_folder(parent)
    if not taken:
        shutil.rmtree(before, ignore_errors=True)
    return Restored(manifest, before if taken else None)


@contextmanager
def _movable(home: Path) -> Iterator[None]:
    """Raise _Immovable where the system refuses to move a home that is there."""
    try:
        yield
    except OSError as error:
        if error.errno in _IMMOVABLE and home.is_dir():
            raise _Immovable from error
        raise


def _inside(archive: Path, home: Path, now: datetime) -> Restored:
    """Unpack in the home, and move what is in the folders, one by one.

    A file says that this has begun: nothing opens the home as long as it is there. Killed while
    the old state is on its way out, the next run goes on with that; once it is out, its folder
    has its last name, and what there is of a new state goes for another.
    """
    leaving = home / _LEAVING
    with _nobody_works(home), staging_in(home, ".restore-") as staging:
        manifest = _unpacked(archive, staging, home)
        if not (home / HALF).exists():
            leaving.mkdir(mode=0o700, exist_ok=True)
            with new_file(home / HALF) as out:
                out.write(_free(home / f"before-{now:%Y%m%d-%H%M%S}").name.encode())
            sync_folder(home)
        before = home / (home / HALF).read_text("utf-8")
        if leaving.exists():
            _move(home, leaving, _PARTS)
            sync_folder(leaving)
            leaving.rename(before)
        else:
            for path in _there(home, _PARTS):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        _move(staging, home, _PARTS)
        sync_folder(home)
        taken = any((before / name).exists() for name in STATE)
        if not taken:
            shutil.rmtree(before, ignore_errors=True)
        (home / HALF).unlink()
        sync_folder(home)
    return Restored(manifest, before if taken else None)


def _there(folder: Path, names: Iterable[str]) -> list[Path]:
    return [folder / name for name in names if (folder / name).exists()]


def _move(source: Path, target: Path, names: Iterable[str]) -> None:
    for path in _there(source, names):
        path.rename(target / path.name)


@contextmanager
def _nobody_works(home: Path) -> Iterator[None]:
    """Keep others from a home. Raises Busy when somebody works on it."""
    with file_lock(home / "locks", "poll"):
        if anybody_works(home / "locks", "poll"):
            raise Busy(
                "Another figsupport process is working on this state",
                hint="Stop cron, `poll --interval` and `serve`, then run it again.",
            )
        yield


def _unpacked(archive: Path, staging: Path, home: Path) -> dict[str, Any]:
    """Unpack an archive into an empty folder, and make of it the state of a home."""
    manifest = unpack(archive, staging)
    for name in DATABASES:
        if (staging / name).is_file():
            _settle(staging, name, str(manifest.get("home", "")), home)
    return manifest


def _free(path: Path) -> Path:
    """Return the first name that nothing bears: this one, this one with -2, -3 …"""
    names = (path.with_name(f"{path.name}-{number}") for number in count(2))
    return next(name for name in chain([path], names) if not name.exists())


def unpack(archive: Path, staging: Path) -> dict[str, Any]:
    """Unpack an archive into an empty folder and verify it; return its manifest.

    Nothing in it is trusted: only regular files under our own names, as many bytes as there is
    room for, each with the hash that the manifest says. Raises InvalidBackup.
    """
    found: dict[str, Entry] = {}
    room = shutil.disk_usage(staging).free
    try:
        with tarfile.open(archive, "r:*") as tar:
            for member in tar:
                name = _checked(member, found)
                room -= member.size
                if room < 0 or (name == MANIFEST and member.size > _MOST_MANIFEST):
                    raise InvalidBackup(f"{archive.name} holds more than there is room for")
                content = tar.extractfile(member)
                assert content is not None  # noqa: S101 — a regular file has content
                found[name] = _put(content, staging / name)
        manifest = _manifest(staging / MANIFEST)
    except _UNREADABLE as error:
        raise InvalidBackup(f"{archive.name} cannot be read as a backup: {error}") from None
    del found[MANIFEST]
    _compare(found, manifest)
    (staging / MANIFEST).unlink()
    return manifest


def _checked(member: tarfile.TarInfo, found: Mapping[str, Entry]) -> str:
    """Return the name of a member that may be in a backup."""
    name = member.name
    parts = PurePosixPath(name).parts
    inside = name in SINGLE or (len(parts) > 1 and parts[0] in FOLDERS)
    plain = name == "/".join(parts) and ".." not in parts and "\\" not in name and "\0" not in name
    if (
        not (member.isreg() and not member.issparse() and inside and plain and name.isprintable())
        or name in found
    ):
        raise InvalidBackup(f"The archive holds « {name[:100]!a} », which no backup of ours does")
    return name


def _put(content: IO[bytes], target: Path) -> Entry:
    private_folder(target.parent)
    size, sha256 = 0, hashlib.sha256()
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW
    with os.fdopen(os.open(target, flags, 0o600), "wb") as out:
        while block := content.read(_BLOCK):
            size += len(block)
            sha256.update(block)
            out.write(block)
        out.flush()
        os.fsync(out.fileno())
    return Entry(size, sha256.hexdigest())


def _manifest(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise InvalidBackup("The archive has no manifest: it is no backup, or it was cut off")
    try:
        manifest = json.loads(path.read_bytes())
        version = manifest["figsupport_backup"]
        entries = {str(name): Entry(**about) for name, about in manifest["files"].items()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise InvalidBackup("The archive's manifest cannot be read") from None
    if version != VERSION:
        raise InvalidBackup(
            f"The backup was written by figsupport {manifest.get('figsupport')}, in a form this "
            "version does not know"
        )
    return {**manifest, "files": entries}


def _compare(found: Mapping[str, Entry], manifest: Mapping[str, Any]) -> None:
    expected = manifest["files"]
    wrong = [name for name in {**expected, **found} if found.get(name) != expected.get(name)]
    if wrong:
        shown = ", ".join(sorted(wrong)[:5])
        raise InvalidBackup(f"{len(wrong)} files of the backup are damaged: {shown}")


#: What opens each database of a folder.
_OPEN: dict[str, Callable[[Path], LocalCases | Database | Deliveries]] = {
    "cases.sqlite": LocalCases,
    "desk.sqlite": open_desk,
    "deliveries.sqlite": lambda folder: Deliveries(folder, lambda: datetime.now(UTC)),
}


def _settle(staging: Path, name: str, old_home: str, home: Path) -> None:
    """Bring a database to today's form and to its new place, and every case in doubt."""
    try:
        with closing(sqlite3.connect(staging / name)) as database:
            (sound,) = database.execute("PRAGMA quick_check(1)").fetchone()
        if sound != "ok":
            raise InvalidBackup(f"{name} is damaged: {sound}")
        _OPEN[name](staging).close()  # migrations; a newer form is refused
        with closing(sqlite3.connect(staging / name)) as database, database:
            if old_home and old_home != str(home.absolute()):
                _relocate(database, Path(old_home), home.absolute())
            if name == "cases.sqlite":
                database.execute(
                    "UPDATE cases SET document = json_set(document, '$.adopted', json('true'))"
                )
    except (
        sqlite3.DatabaseError,
        Unavailable,
    ) as error:  # room enough was made, nobody else is there
        raise InvalidBackup(f"{name} is damaged: {error}") from None


def _relocate(database: sqlite3.Connection, old: Path, new: Path) -> None:
    """Let every path and link into the old home lead into the new one."""
    pairs = [(f"{old.as_uri()}/", f"{new.as_uri()}/"), (_in_json(old), _in_json(new))]
    tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    for (table,) in tables:
        columns = database.execute(f"PRAGMA table_info({table})").fetchall()
        for column in (about[1] for about in columns if about[2] == "TEXT"):
            for was, is_ in pairs:
                database.execute(
                    f"UPDATE {table} SET {column} = replace({column}, ?, ?) "  # noqa: S608
                    f"WHERE instr({column}, ?)",
                    (was, is_, was),
                )


def _in_json(path: Path) -> str:
    return json.dumps(f"{path}/", ensure_ascii=False)[1:-1]
