"""The journal of a fleet, on PostgreSQL: the same SQL, and locks that die with their session.

A lock and what is saved under it share one session. Whoever loses the session has lost the
lock and can save nothing more under it: the next intent, and so the next effect, is refused.
Sessions must be direct: behind a pooler they belong to nobody.
"""

import hashlib
import os
import re
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from figsupport.adapters.cases import SqlCases
from figsupport.adapters.locks import busy
from figsupport.errors import Credentials, Misconfigured, Unavailable
from figsupport.ports import Health

try:
    import psycopg
    from psycopg import errors
    from psycopg.conninfo import conninfo_to_dict
    from psycopg.rows import DictRow, dict_row
except ImportError as missing:
    raise Misconfigured(
        f"FIGSUPPORT_DATABASE_URL needs what is not installed here: {missing}",
        hint="Install it with: pip install 'figsupport[fleet]'",
    ) from missing

#: Both ends notice within seconds that the other is gone: a dead process holds no lock for long.
KEEPALIVES = {
    "connect_timeout": 10,
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
_SERVER = {
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "10s",
    "client_connection_check_interval": "5s",
    "lock_timeout": "30s",
    "search_path": "figsupport",
}
_PAUSE = 0.1
_REFUSED = re.compile(
    r"authentication failed|does not exist|pg_hba|permission denied|not permitted"
)

_VERSION = """
    CREATE SCHEMA IF NOT EXISTS figsupport;
    CREATE TABLE IF NOT EXISTS figsupport.version (
        "only" INTEGER PRIMARY KEY CHECK ("only" = 1), number INTEGER NOT NULL
    )
"""
_MIGRATIONS = (
    """
    CREATE TABLE figsupport.cases (
        number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        fingerprint TEXT,
        ticket_id TEXT,
        due BOOLEAN NOT NULL,
        open BOOLEAN NOT NULL,
        document TEXT NOT NULL,
        reference TEXT NOT NULL,
        contact TEXT NOT NULL,
        waiting TEXT NOT NULL,
        created_at TEXT COLLATE "C" NOT NULL,
        wake_at TEXT COLLATE "C",
        kept_as TEXT,
        ended_at TEXT COLLATE "C"
    );
    CREATE INDEX ON figsupport.cases (fingerprint) WHERE fingerprint IS NOT NULL;
    CREATE INDEX ON figsupport.cases (ticket_id) WHERE ticket_id IS NOT NULL;
    CREATE INDEX ON figsupport.cases (number) WHERE due;
    CREATE INDEX ON figsupport.cases (waiting, created_at) WHERE open;
    CREATE INDEX ON figsupport.cases (reference);
    CREATE INDEX ON figsupport.cases (contact);
    CREATE INDEX ON figsupport.cases (wake_at) WHERE wake_at IS NOT NULL;
    CREATE INDEX ON figsupport.cases (kept_as, ended_at) WHERE NOT open;
    CREATE TABLE figsupport.inbox (
        number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        ticket_id TEXT,
        sender TEXT NOT NULL,
        unread BOOLEAN NOT NULL DEFAULT TRUE,
        document TEXT NOT NULL
    );
    CREATE INDEX ON figsupport.inbox (ticket_id) WHERE unread;
    CREATE INDEX ON figsupport.inbox (sender);
    CREATE TABLE figsupport.watermark (
        "only" INTEGER PRIMARY KEY CHECK ("only" = 1), value TEXT NOT NULL
    );
    CREATE TABLE figsupport.kept (name TEXT PRIMARY KEY, value TEXT NOT NULL)
    """,
    """
    ALTER TABLE figsupport.inbox ADD COLUMN received_at TEXT COLLATE "C", ADD COLUMN aside TEXT;
    UPDATE figsupport.inbox SET
        received_at = to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"+00:00"'),
        aside = CASE WHEN NOT unread AND NOT EXISTS
            (SELECT 1 FROM figsupport.cases WHERE cases.ticket_id = inbox.ticket_id)
            THEN 'done' END;
    CREATE INDEX ON figsupport.inbox (aside, received_at) WHERE aside IS NOT NULL;
    CREATE INDEX ON figsupport.inbox (number) WHERE unread
    """,
)


class Postgres:
    """One session at a time, opened again when it is lost and nothing hung on it."""

    def __init__(self, url: str, *, rehearsing: bool = False) -> None:
        """`rehearsing`: nothing is ever committed, and nobody is kept waiting by locks."""
        self._url, self._rehearsing = url, rehearsing
        self._guard = threading.RLock()
        self._held: set[str] = set()
        self._connection = self._connect()

    def execute(self, statement: str, values: Sequence[object] = ()) -> psycopg.Cursor[DictRow]:
        """Run one statement; outside of `transaction` it is a transaction of its own."""
        with self._guard, self._telling():
            return self._session().execute(statement.replace("?", "%s").encode(), values or None)

    @contextmanager
    def transaction(self, *, durable: bool = False) -> Iterator[None]:
        """Run the block as one transaction. What PostgreSQL commits is on disk anyway."""
        with self._guard, self._telling(), self._session().transaction():
            yield

    @contextmanager
    def lock(self, name: str, wait: float = 0.0) -> Iterator[None]:
        """Hold a lock of the session while the block runs. Raises Busy after `wait` seconds."""
        until = time.monotonic() + wait
        while not self._take(name):
            if time.monotonic() >= until:
                raise busy()
            time.sleep(_PAUSE)
        try:
            yield
        finally:
            self._release(name)

    def scrub(self) -> None:
        """Rewrite the tables that hold what clients wrote; who reads them waits meanwhile."""
        if not self._rehearsing:
            self.execute("VACUUM (FULL) cases, inbox")

    def close(self) -> None:
        """End the session, and with it its locks."""
        self._connection.close()

    def _take(self, name: str) -> bool:
        with self._guard:
            if name in self._held:  # the session would grant it again
                return False
            if not self._rehearsing:
                self._look()
                row = self.execute("SELECT pg_try_advisory_lock(?) AS taken", (lock_key(name),))
                if not (row.fetchone() or {})["taken"]:
                    return False
            self._held.add(name)
            return True

    def _look(self) -> None:
        """Notice, before anything hangs on the session, that it was lost while it was idle."""
        if not self._held and not self._connection.closed:
            try:
                self._connection.execute("SELECT 1")
            except psycopg.Error:
                self._connection.close()

    def _release(self, name: str) -> None:
        with self._guard:
            self._held.discard(name)
            try:
                if not self._rehearsing:
                    self._connection.execute("SELECT pg_advisory_unlock(%s)", (lock_key(name),))
            except psycopg.Error:
                self._connection.close()  # then it is free for certain

    def _session(self) -> psycopg.Connection[DictRow]:
        if self._connection.closed:
            if self._held:
                raise Unavailable(
                    "The session with PostgreSQL was lost, and the lock on the case with it",
                    hint="Nothing was done since. Run the same command again: it goes on from "
                    "what was saved.",
                )
            self._connection = self._connect()
        return self._connection

    def _connect(self) -> psycopg.Connection[DictRow]:
        with self._telling():
            own = conninfo_to_dict(self._url).get("options") or ""
            options = " ".join([str(own), *(f"-c {name}={_SERVER[name]}" for name in _SERVER)])
            parameters: dict[str, Any] = {**KEEPALIVES, "options": options.strip()}
            connection = psycopg.connect(
                self._url, autocommit=not self._rehearsing, row_factory=dict_row,
                application_name=f"figsupport {os.getpid()}", client_encoding="utf8", **parameters,
            )  # fmt: skip
            try:
                _prepare(connection)
            except BaseException:
                connection.close()
                raise
            return connection

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Say what psycopg's errors mean to people; never the password."""
        try:
            yield
        except (psycopg.OperationalError, psycopg.InterfaceError, errors.ReadOnlySqlTransaction) as error:  # fmt: skip # noqa: E501
            said = str(error).strip().partition("\n")[0]
            if "startup parameter" in said:  # PostgreSQL knows those that we set
                raise _pooler() from None
            if _REFUSED.search(said):
                raise _refused(said) from None
            raise Unavailable(
                f"PostgreSQL does not answer: {said}",
                hint="Check that it runs and that FIGSUPPORT_DATABASE_URL leads there, then run "
                "the same command again: it is safe.",
            ) from None
        except errors.InsufficientPrivilege as error:
            raise _refused(str(error).strip().partition("\n")[0]) from None


def _refused(said: str) -> Credentials:
    return Credentials(
        f"PostgreSQL refuses us: {said}",
        hint="Check user, password and database in FIGSUPPORT_DATABASE_URL; on its first use "
        "the user needs the right to create a schema there.",
    )


def _pooler() -> Misconfigured:
    return Misconfigured(
        "FIGSUPPORT_DATABASE_URL leads to a connection pooler, not to PostgreSQL itself",
        hint="Give PostgreSQL's own address and port: our locks live in its sessions, and a "
        "pooler hands sessions to others.",
    )


def _prepare(connection: psycopg.Connection[DictRow]) -> None:
    """Refuse a pooler; bring the schema `figsupport` to its newest version, one at a time."""
    row: Any = connection.execute(
        "SELECT pg_backend_pid() AS pid, to_regclass('figsupport.version') IS NOT NULL AS made"
    ).fetchone()
    if row["pid"] != connection.info.backend_pid:
        raise _pooler()
    if row["made"] and _version(connection) == len(_MIGRATIONS):
        return
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (lock_key("migrations"),))
        connection.execute(_VERSION)
        version = _version(connection)
        if version > len(_MIGRATIONS):
            raise Misconfigured(
                f"The database was written by a newer figsupport (version {version})",
                hint="Install that version again: an older one would damage the data.",
            )
        for statements in _MIGRATIONS[version:]:
            connection.execute(statements.encode())
        connection.execute(
            """
            INSERT INTO figsupport.version ("only", number) VALUES (1, %s)
            ON CONFLICT ("only") DO UPDATE SET number = excluded.number
            """,
            (len(_MIGRATIONS),),
        )


def _version(connection: psycopg.Connection[DictRow]) -> int:
    row = connection.execute("SELECT number FROM figsupport.version").fetchone()
    return int(row["number"]) if row else 0


def lock_key(name: str) -> int:
    """Return the number of an advisory lock: 64 bits, signed."""
    digest = hashlib.sha256(f"figsupport:{name}".encode()).digest()
    return int.from_bytes(digest[:8], signed=True)


class PostgresCases(SqlCases):
    """The journal of a fleet. See `ports.Cases`."""

    def __init__(self, url: str, *, rehearsing: bool = False) -> None:
        self.database = Postgres(url, rehearsing=rehearsing)
        self._database = self.database

    def lock(self, name: str, wait: float = 0.0) -> AbstractContextManager[None]:
        """Hold a lock that dies with this process, or with its way to the database."""
        return self.database.lock(name, wait)

    def scrub(self) -> None:
        """Rewrite the tables without what was deleted from them."""
        self.database.scrub()

    def check(self) -> Health:
        """Ask the database for its version."""
        row: Any = self.database.execute("SHOW server_version").fetchone()
        return Health(True, f"PostgreSQL {row['server_version']}")
