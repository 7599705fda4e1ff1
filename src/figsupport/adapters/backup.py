"""A copy of the embedded state in one tar, taken while others work, and its way back.

What makes a copy a state that could have been: for a moment nobody can commit to any database
(their write locks are held), all snapshots are pinned, and the mails and the files of forms are
linked: these go once their case has stored them. Whatever others do outside of the databases in
that moment has its intent in the journal's copy: it is in doubt there, as after a killed process.
Stored files never change and are named by the journal, so they are copied afterwards, at leisure.

The counts of `metrics.sqlite` are no state: they tell what this machine did, and a counter that
jumps back to an older number would count all of it once more.

A restored case asks before each effect (`adopted`): the world may have gone on since.
"""

import hashlib
import json
import os
import shutil
import sqlite3
import tarfile
import tempfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import UTC, datetime
from io import BytesIO
from itertools import chain, count
from pathlib import Path, PurePosixPath
from typing import IO, Any, NamedTuple

from figsupport import __version__
from figsupport.adapters.cases import LocalCases
from figsupport.adapters.database import Database
from figsupport.adapters.deliveries import Deliveries
from figsupport.adapters.local_desk import open_desk
from figsupport.adapters.locks import anybody_works, file_lock
from figsupport.errors import Busy, InvalidBackup, NotAllowed, NotFound, Unavailable
from figsupport.forms import ARRIVING, FORMS
from figsupport.private import new_file, private_folder, sync_folder

VERSION = 1
MANIFEST = "MANIFEST.json"
_DATABASES = ("cases.sqlite", "desk.sqlite", "deliveries.sqlite")
_FOLDERS = ("mail", "files", FORMS)
#: What makes a folder a home with a state: nobody writes over it by mistake.
STATE = (*_DATABASES, *_FOLDERS)
_SINGLE = (*_DATABASES, "hubspot.json", MANIFEST)
_MAIL = ("outbox", "inbox", "archive", "attachments")
_BLOCK = 1024 * 1024
_MOST_MANIFEST = 100_000_000
_WAIT = 30.0
_UNREADABLE = (tarfile.TarError, EOFError, zlib.error, OSError)


class Entry(NamedTuple):
    """One file of a backup."""

    size: int
    sha256: str


# --- taking it -------------------------------------------------------------------------------


def write(home: Path, target: Path, taken_at: datetime) -> dict[str, Any]:
    """Copy the state of a home into a tar (`.gz`: packed); return its manifest.

    It appears whole or not at all, private (0600). Raises NotFound, FileExistsError.
    """
    if not any((home / name).is_file() for name in _DATABASES):
        raise NotFound(f"There is nothing to back up in {home}", hint="Check FIGSUPPORT_HOME.")
    with file_lock(home / "locks", "backup"), _staging(home, ".backup-") as staging:
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
def _staging(place: Path, prefix: str) -> Iterator[Path]:
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
    paths = [home / name for name in _DATABASES if (home / name).is_file()]
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


# --- the way back ----------------------------------------------------------------------------


class Restored(NamedTuple):
    """What came back: the manifest, and where the state that was there before is kept."""

    manifest: dict[str, Any]
    before: Path | None


def restore(archive: Path, home: Path, now: datetime, *, force: bool) -> Restored:
    """Put the state of a backup into a home, all of it or nothing.

    Everything is unpacked beside the home and verified before the home is touched; then the
    folders change places. Raises NotFound, InvalidBackup, NotAllowed when there is a state
    already and `force` does not say to move it aside, Busy when somebody works on it.
    """
    if not archive.is_file():
        raise NotFound(f"There is no file {archive}", hint="Give the file that `backup` wrote.")
    taken = any((home / name).exists() for name in STATE)
    if taken and not force:
        raise NotAllowed(
            f"There is a state in {home} already",
            hint="Restore into another FIGSUPPORT_HOME, or move this one aside: --force.",
        )
    parent = private_folder(home.absolute().parent)
    before = _free(home.with_name(f"{home.name}.before-{now:%Y%m%d-%H%M%S}"))
    with _staging(parent, f".{home.name}-restore-") as staging:
        manifest = unpack(archive, staging)
        for name in _DATABASES:
            if (staging / name).is_file():
                _settle(staging, name, str(manifest.get("home", "")), home)
        _change_places(staging, home, before)
    sync_folder(parent)
    if not taken:
        shutil.rmtree(before, ignore_errors=True)
    return Restored(manifest, before if taken else None)


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
    inside = name in _SINGLE or (len(parts) > 1 and parts[0] in _FOLDERS)
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


def _change_places(staging: Path, home: Path, before: Path) -> None:
    """Let the new state take the home's place; what was there stays beside it."""
    with ExitStack() as locks:
        if home.exists():
            locks.enter_context(file_lock(home / "locks", "poll"))
            if anybody_works(home / "locks", "poll"):
                raise Busy(
                    "Another figsupport process is working on this state",
                    hint="Stop cron, `poll --interval` and `serve`, then run it again.",
                )
            if (home / ".env").is_file():
                shutil.copy2(home / ".env", staging / ".env")
            try:
                home.rename(before)
            except OSError as error:
                raise Unavailable(
                    f"{home} cannot be moved aside: {error.strerror}",
                    hint="Restore into another FIGSUPPORT_HOME.",
                ) from error
        try:
            staging.rename(home)
        except OSError:
            if before.exists():
                before.rename(home)
            raise
