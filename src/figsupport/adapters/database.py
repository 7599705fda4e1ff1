"""Opening an embedded SQLite file: write-ahead log, foreign keys, migrations, privacy.

A local disk is assumed; SQLite's locks are not safe on network file systems.
"""

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from figsupport.errors import Misconfigured, Unavailable
from figsupport.private import private_folder

#: `full`: every commit is on disk before it returns. `normal`: safe against a killed
#: process; the last commits may be lost when the machine loses power.
Sync = Literal["full", "normal"]

#: Added to the version of a file whose content lives in PostgreSQL now.
MOVED = 1_000_000
#: What its triggers say to whoever had it open.
FROZEN = "moved to PostgreSQL"

#: The file in a home that says that a restore has begun there and has not ended.
HALF = ".restoring"

_BUSY_SECONDS = 30.0
_PAUSE = 0.02
#: Whose turn it is to write a file, among the threads of this process. SQLite alone lets them
#: sleep and try again: sixteen threads were half as fast, the unlucky five times as slow.
_TURNS: dict[str, threading.Lock] = {}


def moved(path: Path) -> Misconfigured:
    """Return the error of whoever would go on with a file that was moved to PostgreSQL."""
    return Misconfigured(
        f"What was in {path} lives in PostgreSQL now",
        hint="Set FIGSUPPORT_DATABASE_URL as it was when it was moved. Was the move interrupted? "
        "`figsupport migrate` finishes it.",
    )


def refuse_half(folder: Path) -> None:
    """Refuse to work in a home whose restore was interrupted. Raises Misconfigured."""
    if (folder / HALF).exists():
        raise Misconfigured(
            f"A restore into {folder} was interrupted: half of its state is there",
            hint="Run `figsupport restore` again with the same file; nothing is lost.",
        )


class Database:
    """One SQLite file, brought to its newest version by numbered migrations."""

    def __init__(
        self,
        path: Path,
        migrations: Sequence[str],
        sync: Sync = "full",
        functions: Mapping[str, Callable[[str], str]] = MappingProxyType({}),
    ) -> None:
        """`functions`: those that migrations call, by name."""
        private_folder(path.parent)
        refuse_half(path.parent)
        self.path = path
        self._sync = sync
        self._turn = _TURNS.setdefault(str(path), threading.Lock())
        try:
            if not path.exists():
                os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            self._connection = sqlite3.connect(
                path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
        except (OSError, sqlite3.OperationalError) as error:
            raise self._unusable(error) from error
        self._connection.row_factory = sqlite3.Row
        for name, function in functions.items():
            self._connection.create_function(name, 1, function, deterministic=True)
        try:
            self._prepare(migrations)
        except sqlite3.DatabaseError as error:
            raise Misconfigured(
                f"The file {path} is not a figsupport database: {error}",
                hint="Restore it from a backup, or move it away to begin anew.",
            ) from error

    def _prepare(self, migrations: Sequence[str]) -> None:
        self.execute("PRAGMA foreign_keys = ON")
        self.execute(f"PRAGMA synchronous = {self._sync}")
        if self._version() == len(migrations):
            return
        self._write_ahead()
        with self.transaction():
            version = self._version()  # again: another process may have migrated meanwhile
            if version >= MOVED:
                raise moved(self.path)
            if version > len(migrations):
                raise Misconfigured(
                    f"{self.path.name} was written by a newer figsupport (version {version})",
                    hint="Install that version again: an older one would damage the data.",
                )
            for statements in migrations[version:]:
                for statement in statements.split(";"):
                    self.execute(statement)
            self.execute(f"PRAGMA user_version = {len(migrations)}")

    def _write_ahead(self) -> None:
        """Switch to the write-ahead log; here SQLite does not wait for others by itself."""
        until = time.monotonic() + _BUSY_SECONDS
        while True:
            try:
                self._connection.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                if time.monotonic() > until:
                    raise self._unusable(error) from error
                time.sleep(_PAUSE)
            else:
                return

    def _version(self) -> int:
        return int(self.execute("PRAGMA user_version").fetchone()[0])

    def _unusable(self, error: Exception) -> Unavailable:
        return Unavailable(
            f"The file {self.path.name} cannot be used: {error}",
            hint=f"Check that {self.path.parent} is a writable folder on a local disk with room "
            "left, then run the same command again: it is safe.",
        )

    def execute(self, statement: str, values: Sequence[object] = ()) -> sqlite3.Cursor:
        """Run one statement; outside of `transaction` it is a transaction of its own.

        Raises Unavailable when the file is locked for long, or the disk is full.
        """
        try:
            return self._connection.execute(statement, values)
        except sqlite3.OperationalError as error:
            raise self._unusable(error) from error
        except sqlite3.IntegrityError as error:
            if str(error) == FROZEN:  # while we had it open
                raise moved(self.path) from None
            raise

    @contextmanager
    def transaction(self, *, durable: bool = False) -> Iterator[None]:
        """Run the block as one transaction; `durable` syncs it to disk whatever the setting."""
        if durable and self._sync != "full":
            self.execute("PRAGMA synchronous = full")
        with self._turn:
            self.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self.execute("ROLLBACK")
                raise
            else:
                self.execute("COMMIT")
            finally:
                if durable and self._sync != "full":
                    self.execute(f"PRAGMA synchronous = {self._sync}")

    def scrub(self) -> None:
        """Rewrite the file, and empty its write-ahead log, so that nothing deleted is left in it.

        While others read, the log is emptied by whoever closes the file last.
        """
        self.execute("VACUUM")
        self.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
