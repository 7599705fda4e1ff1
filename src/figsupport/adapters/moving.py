"""Moving the embedded journal to PostgreSQL, all or nothing, once.

The file is frozen first (nobody can write to it, nobody goes on with it by mistake), then
copied in one transaction. Killed in between, it stays frozen, and moving again finishes the
work: what is there then is either everything or nothing.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from figsupport.adapters.cases import SAVE, LocalCases
from figsupport.adapters.database import FROZEN, MOVED
from figsupport.adapters.locks import anybody_works, busy, file_lock
from figsupport.adapters.postgres import PostgresCases
from figsupport.errors import NotAllowed, NotFound

_COLUMNS = """id, fingerprint, ticket_id, due, open, document, reference, contact, waiting,
    created_at, wake_at, kept_as, ended_at"""
_TABLES = ("cases", "inbox", "watermark", "kept")


class Moved(NamedTuple):
    """What was moved; `already`: it had been moved already, by an earlier run."""

    cases: int
    open: int
    messages: int
    already: bool


def move(folder: Path, target: PostgresCases, *, pretend: bool = False) -> Moved:
    """Move the embedded journal of a folder; `pretend`: only say what would be moved.

    Raises NotFound, Busy when somebody works with it, NotAllowed when the target holds other
    cases. Then the embedded journal is as it was.
    """
    path = folder / "cases.sqlite"
    if not path.is_file():
        raise NotFound(
            f"There is no embedded journal in {folder}",
            hint="Set FIGSUPPORT_HOME to the folder whose cases are to be moved. Without one, "
            "there is nothing to move: the fleet begins empty.",
        )
    with (
        file_lock(folder / "locks", "poll"),
        target.lock("poll"),
        closing(sqlite3.connect(path, timeout=30, isolation_level=None)) as source,
    ):
        source.row_factory = sqlite3.Row
        if _version(source) < MOVED:
            LocalCases(folder).close()  # bring it to its newest version
            if not pretend:
                _freeze(source, folder / "locks")
        try:
            return _copy(source, target, pretend=pretend)
        except NotAllowed:
            if not pretend:
                _thaw(source)
            raise


def _copy(source: sqlite3.Connection, target: PostgresCases, *, pretend: bool) -> Moved:
    cases = source.execute(f"SELECT {_COLUMNS} FROM cases ORDER BY number").fetchall()  # noqa: S608
    messages = source.execute(
        "SELECT id, ticket_id, sender, unread, document, received_at, aside FROM inbox "
        "ORDER BY number"
    )
    mails = messages.fetchall()
    watermark = source.execute("SELECT value FROM watermark").fetchone()
    kept = source.execute("SELECT name, value FROM kept").fetchall()
    moved = Moved(len(cases), sum(bool(row["open"]) for row in cases), len(mails), already=False)
    database = target.database
    with database.transaction():
        database.execute("LOCK TABLE cases IN EXCLUSIVE MODE")
        there = {row["id"] for row in database.execute("SELECT id FROM cases")}
        ours = {row["id"] for row in cases}
        if ours and ours <= there:
            return moved._replace(already=True)
        if there:
            raise NotAllowed(
                f"PostgreSQL already holds {len(there)} other cases",
                hint="Give FIGSUPPORT_DATABASE_URL of an empty database; nothing was moved.",
            )
        if pretend:
            return moved
        for row in cases:
            values = {**dict(row), "due": bool(row["due"]), "open": bool(row["open"])}
            database.execute(SAVE, tuple(values.values()))
        for row in mails:
            database.execute(
                """
                INSERT INTO inbox
                (id, ticket_id, sender, unread, document, received_at, aside)
                VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING
                """,
                tuple({**dict(row), "unread": bool(row["unread"])}.values()),
            )
        if watermark is not None:  # the older one: what comes again is known
            database.execute('DELETE FROM watermark WHERE "only" = 1')
            database.execute(
                'INSERT INTO watermark ("only", value) VALUES (1, ?)', tuple(watermark)
            )
        for name, value in kept:
            target.keep(name, value)
        _verify(target, ours, {row["id"] for row in mails})
    return moved


def _verify(target: PostgresCases, cases: set[str], messages: set[str]) -> None:
    """Look that everything arrived, before it counts."""
    for table, ids in (("cases", cases), ("inbox", messages)):
        arrived = {row["id"] for row in target.database.execute(f"SELECT id FROM {table}")}  # noqa: S608
        assert ids <= arrived, f"{len(ids - arrived)} rows of {table} did not arrive"  # noqa: S101


def _freeze(source: sqlite3.Connection, locks: Path) -> None:
    """Let nobody write to the file from now on; processes that have it open included."""
    with _transaction(source):
        if anybody_works(locks, "poll"):  # that one is ours
            raise busy()
        for table in _TABLES:
            for change in ("INSERT", "UPDATE", "DELETE"):
                source.execute(
                    f"CREATE TRIGGER moved_{table}_{change} BEFORE {change} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, '{FROZEN}'); END"
                )
        source.execute(f"PRAGMA user_version = {_version(source) + MOVED}")


def _thaw(source: sqlite3.Connection) -> None:
    with _transaction(source):
        for table in _TABLES:
            for change in ("INSERT", "UPDATE", "DELETE"):
                source.execute(f"DROP TRIGGER moved_{table}_{change}")
        source.execute(f"PRAGMA user_version = {_version(source) - MOVED}")


@contextmanager
def _transaction(source: sqlite3.Connection) -> Iterator[None]:
    source.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        source.execute("ROLLBACK")
        raise
    source.execute("COMMIT")


def _version(source: sqlite3.Connection) -> int:
    return int(source.execute("PRAGMA user_version").fetchone()[0])
