"""The embedded support desk and production board, in one SQLite file.

Every call is a transaction of its own, as it would be with a desk on the network. Like
such desks it keeps contacts' addresses and tickets' keys unique, and nothing else: a note
or a subtask created twice is there twice.
"""

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from sqlite3 import IntegrityError, Row

from figsupport.adapters.database import Database, Sync
from figsupport.adapters.maildir import Inbox
from figsupport.core.model import ContactRef, Message, SentLetter, SubtaskRef, Ticket, TicketRef
from figsupport.core.references import references
from figsupport.errors import Conflict, NotFound
from figsupport.ports import Health, Known, News, SubtaskDraft, TicketDraft, nobody

_MIGRATIONS = (
    """
    CREATE TABLE contacts (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        email TEXT NOT NULL COLLATE NOCASE UNIQUE,
        name TEXT NOT NULL,
        created_at TEXT NOT NULL
    );
    CREATE TABLE tickets (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        key TEXT NOT NULL UNIQUE,
        reference TEXT NOT NULL,
        subject TEXT NOT NULL,
        content TEXT NOT NULL,
        contact_id INTEGER NOT NULL REFERENCES contacts,
        properties TEXT NOT NULL,
        created_at TEXT NOT NULL
    );
    CREATE INDEX tickets_reference ON tickets (reference);
    CREATE TABLE notes (
        id INTEGER PRIMARY KEY,
        ticket_id INTEGER NOT NULL REFERENCES tickets,
        key TEXT NOT NULL,
        text TEXT NOT NULL,
        created_at TEXT NOT NULL
    );
    CREATE INDEX notes_key ON notes (ticket_id, key);
    CREATE TABLE messages (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL,
        ticket_id INTEGER REFERENCES tickets,
        direction TEXT NOT NULL,
        key TEXT NOT NULL,
        document TEXT NOT NULL
    );
    CREATE INDEX messages_ticket ON messages (ticket_id);
    CREATE UNIQUE INDEX messages_in ON messages (id) WHERE direction = 'in';
    CREATE TABLE subtasks (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        marker TEXT NOT NULL,
        name TEXT NOT NULL,
        body TEXT NOT NULL,
        created_at TEXT NOT NULL
    );
    CREATE INDEX subtasks_marker ON subtasks (marker);
    INSERT INTO sqlite_sequence (name, seq) VALUES
        ('contacts', 100), ('tickets', 1000), ('subtasks', 500)
    """,
)

_TICKET = """
    SELECT tickets.*, contacts.email AS contact_email, contacts.name AS contact_name
    FROM tickets JOIN contacts ON contacts.id = contact_id WHERE tickets.id = ?
"""

Clock = Callable[[], datetime]


def open_desk(folder: Path, sync: Sync = "full") -> Database:
    """Open the file that desk and board share."""
    return Database(folder / "desk.sqlite", _MIGRATIONS, sync)


class LocalDesk:
    """Contacts, tickets, notes and mails on one machine. See `ports.Desk`."""

    def __init__(self, database: Database, inbox: Inbox, clock: Clock) -> None:
        self._database = database
        self._inbox = inbox
        self._clock = clock

    def find_contact(self, email: str) -> str | None:
        """Return the id of the contact with this address, or None."""
        row = self._row("SELECT id FROM contacts WHERE email = ?", email)
        return str(row["id"]) if row else None

    def create_contact(self, email: str, name: str) -> str:
        """Create a contact and return its id. Raises Conflict when the address is taken."""
        return self._insert(
            f"A contact with the address {email} is there already",
            "INSERT INTO contacts (email, name, created_at) VALUES (?, ?, ?)",
            email,
            name,
        )

    def find_ticket(self, key: str) -> TicketRef | None:
        """Return the ticket that was created under this key, or None."""
        row = self._row("SELECT id FROM tickets WHERE key = ?", key)
        return _ticket_ref(row["id"]) if row else None

    def create_ticket(self, draft: TicketDraft) -> TicketRef:
        """Open a ticket. Raises Conflict when the key is taken."""
        ticket_id = self._insert(
            f"A ticket with the key {draft.key} is there already",
            """
            INSERT INTO tickets
            (key, reference, subject, content, contact_id, properties, created_at)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            """,
            draft.key,
            draft.reference,
            draft.subject,
            draft.content,
            draft.contact_id,
            json.dumps(draft.properties),
        )
        return _ticket_ref(ticket_id)

    def get_ticket(self, ticket_id: str) -> Ticket:
        """Return a ticket. Raises NotFound."""
        row = self._row(_TICKET, ticket_id)
        if row is None:
            raise _no_ticket(ticket_id)
        return Ticket(
            ref=_ticket_ref(row["id"]),
            key=row["key"],
            subject=row["subject"],
            content=row["content"],
            contact=ContactRef(id=str(row["contact_id"])),
            contact_email=row["contact_email"],
            contact_name=row["contact_name"],
            properties=json.loads(row["properties"]),
            created_at=datetime.fromisoformat(row["created_at"]),
        )

    def update_ticket(self, ticket_id: str, properties: dict[str, str]) -> None:
        """Set properties to absolute values. Raises NotFound."""
        changed = self._database.execute(
            "UPDATE tickets SET properties = json_patch(properties, ?) WHERE id = ?",
            (json.dumps(properties), ticket_id),
        )
        if not changed.rowcount:
            raise _no_ticket(ticket_id)

    def has_note(self, ticket_id: str, key: str) -> bool:
        """Tell whether the note or letter record with this key is on the ticket."""
        noted = self._row("SELECT 1 FROM notes WHERE ticket_id = ? AND key = ?", ticket_id, key)
        recorded = self._row(
            "SELECT 1 FROM messages WHERE ticket_id = ? AND key = ?", ticket_id, key
        )
        return noted is not None or recorded is not None

    def add_note(self, ticket_id: str, key: str, text: str) -> None:
        """Write an internal note. Raises NotFound."""
        self._insert_for(
            ticket_id,
            "INSERT INTO notes (ticket_id, key, text, created_at) VALUES (?, ?, ?, ?)",
            key,
            text,
            self._stamp(),
        )

    def record_letter(self, ticket_id: str, letter: SentLetter, key: str) -> None:
        """Write a letter that was sent into the ticket's messages. Raises NotFound."""
        message = Message(
            id=letter.message_id,
            direction="out",
            ticket_id=ticket_id,
            sender="",
            subject=letter.subject,
            text=letter.text,
            sent_at=letter.sent_at,
        )
        self._insert_for(
            ticket_id,
            "INSERT INTO messages (ticket_id, direction, id, key, document) "
            "VALUES (?, 'out', ?, ?, ?)",
            letter.message_id,
            key,
            message.model_dump_json(),
        )

    def get_messages_for_ticket(self, ticket_id: str) -> tuple[Message, ...]:
        """Return the mails of a ticket, ours and the client's, oldest first."""
        self.get_ticket(ticket_id)
        rows = self._database.execute(
            "SELECT document FROM messages WHERE ticket_id = ? ORDER BY number", (ticket_id,)
        )
        return tuple(Message.model_validate_json(row["document"]) for row in rows)

    def new_messages(self, watermark: str | None, known: Known = nobody) -> News:
        """Take in what lies in the inbox, and return what came since the watermark."""
        for path in self._inbox.waiting():
            self._receive(self._inbox.read(path, self._clock()))
            self._inbox.archive(path)
        rows = self._database.execute(
            "SELECT number, document FROM messages WHERE direction = 'in' AND number > ? "
            "ORDER BY number",
            (int(watermark or 0),),
        ).fetchall()
        messages = tuple(Message.model_validate_json(row["document"]) for row in rows)
        return News(messages, str(rows[-1]["number"]) if rows else watermark or "0")

    def tickets_of(self, contact_id: str) -> tuple[str, ...]:
        """Return the ids of a contact's tickets, oldest first."""
        rows = self._database.execute(
            "SELECT id FROM tickets WHERE contact_id = ? ORDER BY id", (contact_id,)
        )
        return tuple(str(row["id"]) for row in rows)

    def get_notes(self, ticket_id: str) -> tuple[str, ...]:
        """Return the notes of a ticket, oldest first."""
        self.get_ticket(ticket_id)
        rows = self._database.execute(
            "SELECT text FROM notes WHERE ticket_id = ? ORDER BY id", (ticket_id,)
        )
        return tuple(row["text"] for row in rows)

    def erase_ticket(self, ticket_id: str) -> tuple[str, ...]:
        """Delete a ticket, its notes and mails; the mails' files first, for rows name them."""
        rows = self._database.execute("SELECT id FROM messages WHERE ticket_id = ?", (ticket_id,))
        mails = {row["id"] for row in rows}
        self._inbox.erase(lambda identity, raw: identity in mails)
        with self._database.transaction():
            self._forget_messages("ticket_id = ?", ticket_id)
            self._database.execute("DELETE FROM notes WHERE ticket_id = ?", (ticket_id,))
            self._database.execute("DELETE FROM tickets WHERE id = ?", (ticket_id,))
        return ()

    def erase_messages(self, message_ids: Sequence[str]) -> tuple[str, ...]:
        """Delete messages; their files first, for rows name them."""
        gone = frozenset(message_ids)
        self._inbox.erase(lambda identity, raw: identity in gone)
        with self._database.transaction():
            for message_id in message_ids:
                self._forget_messages("id = ?", message_id)
        return ()

    def erase_contact(self, email: str) -> tuple[str, ...]:
        """Delete a contact, the tickets that are left, and every mail of this address."""
        contact = self.find_contact(email)
        for ticket_id in self.tickets_of(contact) if contact else ():
            self.erase_ticket(ticket_id)
        self._inbox.erase(lambda identity, raw: _sender(raw) == email.lower())
        with self._database.transaction():
            self._forget_messages("lower(json_extract(document, '$.sender')) = ?", email.lower())
            self._database.execute("DELETE FROM contacts WHERE email = ?", (email,))
        return ()

    def check(self) -> Health:
        """Count what is on the desk."""
        row = self._row("SELECT COUNT(*) AS tickets FROM tickets")
        return Health(True, f"{row['tickets'] if row else 0} tickets in {self._database.path}")

    def _forget_messages(self, condition: str, value: str) -> None:
        """Delete messages; the newest of all is emptied, for its number is a watermark's."""
        newest = "number = (SELECT max(number) FROM messages)"
        emptied = "id = '', ticket_id = NULL, direction = '', key = '', document = '{}'"
        for statement in (
            f"UPDATE messages SET {emptied} WHERE {newest} AND {condition}",  # noqa: S608
            f"DELETE FROM messages WHERE {condition}",  # noqa: S608
        ):
            self._database.execute(statement, (value,))

    def _receive(self, message: Message) -> None:
        row = None
        for reference in references(message):
            row = self._row("SELECT id FROM tickets WHERE reference = ?", reference)
            if row:
                break
        ticket_id = str(row["id"]) if row else None
        message = message.model_copy(update={"ticket_id": ticket_id})
        self._database.execute(
            "INSERT OR IGNORE INTO messages (ticket_id, direction, id, key, document) "
            "VALUES (?, 'in', ?, '', ?)",
            (ticket_id, message.id, message.model_dump_json()),
        )

    def _insert(self, conflict: str, statement: str, *values: object) -> str:
        try:
            cursor = self._database.execute(statement, (*values, self._stamp()))
        except IntegrityError as error:
            if "UNIQUE" not in str(error):
                raise NotFound("No such contact", hint="Run `figsupport poll`.") from error
            raise Conflict(conflict) from error
        return str(cursor.lastrowid)

    def _insert_for(self, ticket_id: str, statement: str, *values: object) -> None:
        try:
            self._database.execute(statement, (ticket_id, *values))
        except IntegrityError as error:
            raise _no_ticket(ticket_id) from error

    def _row(self, statement: str, *values: object) -> Row | None:
        row: Row | None = self._database.execute(statement, values).fetchone()
        return row

    def _stamp(self) -> str:
        return self._clock().isoformat()


class LocalBoard:
    """Production subtasks on one machine. See `ports.Board`."""

    settle = 0.0

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def find_subtask(self, marker: str) -> SubtaskRef | None:
        """Return the oldest subtask with this marker, or None."""
        row = self._database.execute(
            "SELECT id FROM subtasks WHERE marker = ? ORDER BY id", (marker,)
        ).fetchone()
        return _subtask_ref(row["id"]) if row else None

    def create_subtask(self, draft: SubtaskDraft) -> SubtaskRef:
        """Create a subtask."""
        cursor = self._database.execute(
            "INSERT INTO subtasks (marker, name, body, created_at) VALUES (?, ?, ?, ?)",
            (draft.marker, draft.name, draft.body, self._clock().isoformat()),
        )
        return _subtask_ref(cursor.lastrowid)

    def check(self) -> Health:
        """Count what is on the board."""
        count = self._database.execute("SELECT COUNT(*) FROM subtasks").fetchone()[0]
        return Health(True, f"{count} subtasks in {self._database.path}")


def _ticket_ref(ticket_id: object) -> TicketRef:
    return TicketRef(id=str(ticket_id), url=f"local://tickets/{ticket_id}")


def _subtask_ref(subtask_id: object) -> SubtaskRef:
    return SubtaskRef(id=str(subtask_id), url=f"local://subtasks/{subtask_id}")


def _sender(raw: bytes) -> str:
    from figsupport.core.mail import parse_mail  # email takes 20 ms to import

    return parse_mail(raw).sender.lower()


def _no_ticket(ticket_id: str) -> NotFound:
    return NotFound(
        f"There is no ticket {ticket_id}",
        hint="`figsupport tickets` lists the open ones.",
    )
