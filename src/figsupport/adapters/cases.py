"""The journal in SQL, and the embedded one: one SQLite file, with locks beside it."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from figsupport.adapters.database import Database, Sync
from figsupport.adapters.locks import file_lock
from figsupport.core.keeping import Kept, ended_at, kept_as
from figsupport.core.model import Case, Message, reference
from figsupport.core.plan import Waiting, waiting
from figsupport.ports import Census, News


def row_of(case: Case, unfinished: bool, wake_at: datetime | None) -> dict[str, object]:
    """Return the columns of a case, in the order of `SAVE`."""
    open_ = unfinished or waiting(case) is not Waiting.FINISHED
    return {
        "id": case.id,
        # only cases identified by their content are found again by it
        "fingerprint": None if case.request.request_id else case.fingerprint,
        "ticket_id": case.ticket.id if case.ticket else None,
        "due": unfinished,
        "open": open_,
        "document": case.model_dump_json(),
        "reference": case.reference,
        "contact": contact_of(case),
        "waiting": waiting(case).name,
        "created_at": instant(case.created_at),
        "wake_at": instant(wake_at) if wake_at else None,
        "kept_as": None if open_ else kept_as(case),
        "ended_at": None if open_ else instant(ended_at(case)),
    }


def contact_of(case: Case) -> str:
    """Return the client's address as cases are found by."""
    return case.request.user_email.lower()


def instant(time: datetime) -> str:
    """Return a time as text that sorts: UTC, to the second."""
    return time.astimezone(UTC).isoformat(timespec="seconds")


SAVE = """
    INSERT INTO cases (id, fingerprint, ticket_id, due, open, document, reference, contact,
        waiting, created_at, wake_at, kept_as, ended_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET ticket_id = excluded.ticket_id, due = excluded.due,
        open = excluded.open, document = excluded.document, contact = excluded.contact,
        waiting = excluded.waiting, wake_at = excluded.wake_at, kept_as = excluded.kept_as,
        ended_at = excluded.ended_at
"""


#: What becomes of a message that belongs to no case, once it is read: a person is to see to it,
#: or there is nothing to do.
_WAITS, _DONE = "waits", "done"
_OF_NO_CASE = """unread AND (ticket_id IS NULL OR NOT EXISTS
    (SELECT 1 FROM cases WHERE cases.ticket_id = inbox.ticket_id))"""


class Sql(Protocol):
    """A database: statements with `?` for values, transactions, rows by column name."""

    def execute(self, statement: str, values: Sequence[object] = ()) -> Any:
        """Run one statement; return its cursor."""
        ...

    def transaction(self, *, durable: bool = False) -> AbstractContextManager[None]:
        """Run the block as one transaction; `durable`: on disk before returning."""
        ...

    def close(self) -> None:
        """Close the database."""
        ...


class SqlCases:
    """The journal but for its locks, in the SQL that SQLite and PostgreSQL share."""

    _database: Sql

    def load(self, case_id: str) -> Case | None:
        """Return the case with this id, or None."""
        return self._one("SELECT document FROM cases WHERE id = ?", case_id)

    def newest(self, fingerprint: str) -> Case | None:
        """Return the newest case begun from this content without a request_id, or None."""
        return self._one(
            "SELECT document FROM cases WHERE fingerprint = ? ORDER BY number DESC LIMIT 1",
            fingerprint,
        )

    def by_ticket(self, ticket_id: str) -> Case | None:
        """Return the case of a ticket, or None."""
        return self._one("SELECT document FROM cases WHERE ticket_id = ?", ticket_id)

    def ticket_of(self, reference: str) -> str | None:
        """Return the ticket of the case with this reference, or None."""
        row = self._database.execute(
            "SELECT ticket_id FROM cases WHERE reference = ?", (reference,)
        ).fetchone()
        return row["ticket_id"] if row else None

    def save(
        self,
        case: Case,
        *,
        unfinished: bool,
        wake_at: datetime | None = None,
        durable: bool = False,
    ) -> None:
        """Save a case and mark the messages it has replies for as read."""
        row = row_of(case, unfinished, wake_at)
        with self._database.transaction(durable=durable):
            self._database.execute(SAVE, tuple(row.values()))
            for reply in case.replies:
                self._database.execute(
                    "UPDATE inbox SET unread = FALSE WHERE id = ? AND unread", (reply.message_id,)
                )

    def open_cases(self) -> list[Case]:
        """Return the cases that are not finished, oldest first."""
        rows = self._database.execute("SELECT document FROM cases WHERE open ORDER BY number")
        return [Case.model_validate_json(row["document"]) for row in rows]

    def due(self, now: datetime) -> list[str]:
        """Return the ids of cases that a step, a message or a date makes due, oldest first."""
        rows = self._database.execute(
            """
            SELECT id FROM cases WHERE number IN (
                SELECT number FROM cases WHERE due
                UNION SELECT number FROM cases WHERE wake_at <= ?
                UNION SELECT number FROM cases
                WHERE ticket_id IN (SELECT ticket_id FROM inbox WHERE unread)
            ) ORDER BY number
            """,
            (instant(now),),
        )
        return [row["id"] for row in rows]

    def of_contact(self, address: str) -> list[Case]:
        """Return every case of a client's address, oldest first."""
        rows = self._database.execute(
            "SELECT document FROM cases WHERE contact = ? ORDER BY number", (address.lower(),)
        )
        return [Case.model_validate_json(row["document"]) for row in rows]

    def census(self) -> tuple[Census, ...]:
        """Count the open cases by what they wait for."""
        rows = self._database.execute(
            """
            SELECT waiting, due, count(*) AS cases, min(created_at) AS oldest
            FROM cases WHERE open GROUP BY waiting, due
            """
        )
        return tuple(
            Census(
                Waiting[row["waiting"]],
                bool(row["due"]),
                row["cases"],
                datetime.fromisoformat(row["oldest"]),
            )
            for row in rows
        )

    def forget(self, case_id: str, leaving: Case | None = None) -> None:
        """Delete a case and the messages of its ticket; `leaving` stays in its place."""
        with self._database.transaction():
            self._database.execute(
                """
                DELETE FROM inbox WHERE ticket_id IN
                    (SELECT ticket_id FROM cases WHERE id = ? AND ticket_id IS NOT NULL)
                """,
                (case_id,),
            )
            self._database.execute("DELETE FROM cases WHERE id = ?", (case_id,))
            if leaving is not None:
                self._database.execute(SAVE, tuple(row_of(leaving, False, None).values()))

    def outdated(self, limits: Mapping[Kept, datetime], most: int) -> list[str]:
        """Return the ids of finished cases that ended before the limit of their kind."""
        found: list[str] = []
        for kind, limit in limits.items():
            rows = self._database.execute(
                """
                SELECT id FROM cases WHERE NOT open AND kept_as = ? AND ended_at < ?
                ORDER BY ended_at LIMIT ?
                """,
                (kind, instant(limit), most - len(found)),
            )
            found += [row["id"] for row in rows]
        return found

    def messages_from(self, address: str) -> tuple[Message, ...]:
        """Return every message of an address, read or not, oldest first."""
        rows = self._database.execute(
            "SELECT document FROM inbox WHERE sender = ? ORDER BY number", (address.lower(),)
        )
        return tuple(Message.model_validate_json(row["document"]) for row in rows)

    def forget_messages(self, address: str) -> None:
        """Delete every message of an address."""
        self._database.execute("DELETE FROM inbox WHERE sender = ?", (address.lower(),))

    def inbox(self, ticket_id: str) -> tuple[Message, ...]:
        """Return the unread messages of a ticket, oldest first."""
        rows = self._database.execute(
            "SELECT document FROM inbox WHERE unread AND ticket_id = ? ORDER BY number",
            (ticket_id,),
        )
        return tuple(Message.model_validate_json(row["document"]) for row in rows)

    def strangers(self) -> tuple[Message, ...]:
        """Return the unread messages that belong to no case we hold, oldest first."""
        rows = self._database.execute(
            f"SELECT document FROM inbox WHERE {_OF_NO_CASE} ORDER BY number"  # noqa: S608
        )
        return tuple(Message.model_validate_json(row["document"]) for row in rows)

    def set_aside(self, message_id: str, *, waits: bool = False) -> None:
        """Mark a message as read that belongs to no case; `waits`: a person is to see to it."""
        self._database.execute(
            "UPDATE inbox SET unread = FALSE, aside = ? WHERE id = ?",
            (_WAITS if waits else _DONE, message_id),
        )

    def waiting_mails(self) -> tuple[Message, ...]:
        """Return the messages that were set aside and wait for a person, oldest first."""
        rows = self._database.execute(
            "SELECT document FROM inbox WHERE aside = ? ORDER BY received_at, number", (_WAITS,)
        )
        return tuple(Message.model_validate_json(row["document"]) for row in rows)

    def outdated_messages(self, limit: datetime, most: int) -> list[str]:
        """Return the ids of messages that belong to no case and came before the limit."""
        rows = self._database.execute(
            f"""
            SELECT id FROM inbox WHERE number IN (
                SELECT number FROM inbox WHERE aside IN (?, ?) AND received_at < ?
                UNION SELECT number FROM inbox WHERE {_OF_NO_CASE} AND received_at < ?
            ) ORDER BY number LIMIT ?
            """,  # noqa: S608 — a constant
            (_WAITS, _DONE, instant(limit), instant(limit), most),
        )
        return [row["id"] for row in rows]

    def forget_message(self, message_id: str) -> None:
        """Delete a message."""
        self._database.execute("DELETE FROM inbox WHERE id = ?", (message_id,))

    def keep(self, name: str, value: str) -> None:
        """Keep a value under a name, on disk before returning."""
        with self._database.transaction(durable=True):
            self._database.execute(
                """
                INSERT INTO kept (name, value) VALUES (?, ?)
                ON CONFLICT (name) DO UPDATE SET value = excluded.value
                """,
                (name, value),
            )

    def recall(self, name: str) -> str | None:
        """Return the value that was last kept under a name, or None."""
        row = self._database.execute("SELECT value FROM kept WHERE name = ?", (name,)).fetchone()
        return row["value"] if row else None

    def watermark(self) -> str | None:
        """Return the watermark of the last `receive`, or None."""
        row = self._database.execute("SELECT value FROM watermark").fetchone()
        return row["value"] if row else None

    def receive(self, news: News, at: datetime) -> int:
        """Save messages and watermark in one transaction; return how many were new."""
        if not news.messages and news.watermark == self.watermark():
            return 0
        new = 0
        with self._database.transaction():
            for message in news.messages:
                new += self._database.execute(
                    """
                    INSERT INTO inbox (id, ticket_id, sender, document, received_at)
                    VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING
                    """,
                    (
                        message.id,
                        message.ticket_id,
                        message.sender.lower(),
                        message.model_dump_json(),
                        instant(at),
                    ),
                ).rowcount
            self._database.execute(
                """
                INSERT INTO watermark ("only", value) VALUES (1, ?)
                ON CONFLICT ("only") DO UPDATE SET value = excluded.value
                """,
                (news.watermark,),
            )
        return new

    def close(self) -> None:
        """Close the journal."""
        self._database.close()

    def _one(self, statement: str, value: str) -> Case | None:
        row = self._database.execute(statement, (value,)).fetchone()
        return Case.model_validate_json(row["document"]) if row else None


_MIGRATIONS = (
    """
    CREATE TABLE cases (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        fingerprint TEXT,
        ticket_id TEXT,
        due INTEGER NOT NULL,
        open INTEGER NOT NULL,
        document TEXT NOT NULL
    );
    CREATE INDEX cases_fingerprint ON cases (fingerprint) WHERE fingerprint IS NOT NULL;
    CREATE INDEX cases_ticket ON cases (ticket_id) WHERE ticket_id IS NOT NULL;
    CREATE INDEX cases_due ON cases (number) WHERE due;
    CREATE INDEX cases_open ON cases (number) WHERE open;
    CREATE TABLE inbox (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        ticket_id TEXT,
        unread INTEGER NOT NULL DEFAULT 1,
        document TEXT NOT NULL
    );
    CREATE INDEX inbox_unread ON inbox (ticket_id) WHERE unread;
    CREATE TABLE watermark (only INTEGER PRIMARY KEY CHECK (only = 1), value TEXT NOT NULL)
    """,
    """
    ALTER TABLE cases ADD COLUMN reference TEXT;
    UPDATE cases SET reference = reference_of(id);
    CREATE INDEX cases_reference ON cases (reference)
    """,
    """
    ALTER TABLE cases ADD COLUMN contact TEXT;
    ALTER TABLE cases ADD COLUMN waiting TEXT;
    ALTER TABLE cases ADD COLUMN created_at TEXT;
    ALTER TABLE cases ADD COLUMN wake_at TEXT;
    UPDATE cases SET contact = contact_of(document), waiting = waiting_of(document),
        created_at = created_of(document);
    CREATE INDEX cases_contact ON cases (contact);
    CREATE INDEX cases_waiting ON cases (waiting, created_at) WHERE open;
    CREATE INDEX cases_wake ON cases (wake_at) WHERE wake_at IS NOT NULL
    """,
    """
    ALTER TABLE cases ADD COLUMN kept_as TEXT;
    ALTER TABLE cases ADD COLUMN ended_at TEXT;
    UPDATE cases SET kept_as = kept_as_of(document), ended_at = ended_of(document) WHERE NOT open;
    CREATE INDEX cases_kept ON cases (kept_as, ended_at) WHERE NOT open
    """,
    "CREATE TABLE kept (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    """
    ALTER TABLE inbox ADD COLUMN sender TEXT;
    UPDATE inbox SET sender = sender_of(document);
    CREATE INDEX inbox_sender ON inbox (sender)
    """,
    """
    ALTER TABLE inbox ADD COLUMN received_at TEXT;
    ALTER TABLE inbox ADD COLUMN aside TEXT;
    UPDATE inbox SET received_at = strftime('%Y-%m-%dT%H:%M:%S+00:00', 'now');
    UPDATE inbox SET aside = 'done' WHERE NOT unread AND (ticket_id IS NULL OR NOT EXISTS
        (SELECT 1 FROM cases WHERE cases.ticket_id = inbox.ticket_id));
    CREATE INDEX inbox_aside ON inbox (aside, received_at) WHERE aside IS NOT NULL;
    CREATE INDEX inbox_new ON inbox (number) WHERE unread
    """,
)


def _of(value: Callable[[Case], str]) -> Callable[[str], str]:
    return lambda document: value(Case.model_validate_json(document))


#: What migrations compute from a case they find.
_FUNCTIONS: dict[str, Callable[[str], str]] = {
    "reference_of": reference,
    "contact_of": _of(contact_of),
    "waiting_of": _of(lambda case: waiting(case).name),
    "created_of": _of(lambda case: instant(case.created_at)),
    "kept_as_of": _of(kept_as),
    "ended_of": _of(lambda case: instant(ended_at(case))),
    "sender_of": lambda document: Message.model_validate_json(document).sender.lower(),
}


class LocalCases(SqlCases):
    """The journal on one machine. See `ports.Cases`."""

    def __init__(self, folder: Path, sync: Sync = "full") -> None:
        self._file = Database(folder / "cases.sqlite", _MIGRATIONS, sync, _FUNCTIONS)
        self._database = self._file
        self._locks = folder / "locks"

    def lock(self, name: str, wait: float = 0.0) -> AbstractContextManager[None]:
        """Hold a lock that dies with this process."""
        return file_lock(self._locks, name, wait)

    def scrub(self) -> None:
        """Rewrite the file without what was deleted from it."""
        self._file.scrub()
