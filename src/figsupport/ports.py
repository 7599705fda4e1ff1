"""What figsupport needs from the world, in the support desk's words.

Each port's meaning is a contract test class in `tests/contracts.py` that every adapter
inherits. Any method may raise `Unavailable` (in doubt: the work may have been done),
`Refused` or `Credentials` (it was not done); other errors are listed at the method.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol

from figsupport.core.keeping import Kept
from figsupport.core.model import (
    Analysis,
    Case,
    Classification,
    FileFact,
    Letter,
    Message,
    Reply,
    Request,
    SentLetter,
    SubtaskRef,
    Ticket,
    TicketRef,
    Way,
)
from figsupport.core.plan import Waiting

#: The ticket of the case we hold with this reference, or None.
Known = Callable[[str], str | None]


def nobody(_: str) -> None:
    """Know no reference: the desk is asked about each."""


class TicketDraft(NamedTuple):
    """A ticket to open. `key` is unique on the desk; `properties` are absolute values."""

    key: str
    reference: str
    subject: str
    content: str
    contact_id: str
    properties: dict[str, str]


class SubtaskDraft(NamedTuple):
    """A production subtask. `key` becomes a visible marker in its name."""

    key: str
    marker: str
    name: str
    body: str


class StoredFile(NamedTuple):
    """A file in the store: its link, its size in bytes, its SHA-256 in hexadecimal."""

    url: str
    size: int
    sha256: str


class News(NamedTuple):
    """New incoming messages and the watermark to ask with next time."""

    messages: tuple[Message, ...]
    watermark: str


class Census(NamedTuple):
    """How many open cases wait for the same, and since when the oldest of them is there.

    `unfinished`: a step is due; the state is then what they wait for afterwards.
    """

    waiting: Waiting
    unfinished: bool
    cases: int
    oldest: datetime


class Health(NamedTuple):
    """Whether a provider is usable; `detail` says what to do when it is not."""

    ok: bool
    detail: str


class Desk(Protocol):
    """Contacts, tickets, notes and messages."""

    def find_contact(self, email: str) -> str | None:
        """Return the id of the contact with this address (case-insensitive), or None."""
        ...

    def create_contact(self, email: str, name: str) -> str:
        """Create a contact and return its id. Raises Conflict when the address is taken."""
        ...

    def find_ticket(self, key: str) -> TicketRef | None:
        """Return the ticket that was created under this key, or None."""
        ...

    def create_ticket(self, draft: TicketDraft) -> TicketRef:
        """Open a ticket. Raises Conflict when the key is taken."""
        ...

    def get_ticket(self, ticket_id: str) -> Ticket:
        """Return a ticket. Raises NotFound."""
        ...

    def update_ticket(self, ticket_id: str, properties: dict[str, str]) -> None:
        """Set properties to absolute values: safe to repeat. Raises NotFound."""
        ...

    def has_note(self, ticket_id: str, key: str) -> bool:
        """Tell whether the note or letter record with this key is on the ticket."""
        ...

    def add_note(self, ticket_id: str, key: str, text: str) -> None:
        """Write an internal note (plain text). The key is kept with it as a marker."""
        ...

    def record_letter(self, ticket_id: str, letter: SentLetter, key: str) -> None:
        """Write a letter that was sent elsewhere into the ticket's messages."""
        ...

    def get_messages_for_ticket(self, ticket_id: str) -> tuple[Message, ...]:
        """Return the mails of a ticket, ours and the client's, oldest first. Raises NotFound."""
        ...

    def new_messages(self, watermark: str | None, known: Known = nobody) -> News:
        """Return incoming messages since the watermark (None: all), oldest first.

        `known` tells the ticket of a reference without asking anybody. A message may come
        again (the caller drops known ids); none may be left out.
        """
        ...

    def tickets_of(self, contact_id: str) -> tuple[str, ...]:
        """Return the ids of a contact's tickets, oldest first; those of others than us, too."""
        ...

    def get_notes(self, ticket_id: str) -> tuple[str, ...]:
        """Return the notes of a ticket, oldest first. Raises NotFound."""
        ...

    def erase_ticket(self, ticket_id: str) -> tuple[str, ...]:
        """Delete a ticket with its notes and mails; safe to repeat.

        Returns what stays where, as sentences for the person who must see to it.
        """
        ...

    def erase_messages(self, message_ids: Sequence[str]) -> tuple[str, ...]:
        """Delete messages that belong to no ticket; safe to repeat.

        Returns what stays where, as sentences.
        """
        ...

    def erase_contact(self, email: str) -> tuple[str, ...]:
        """Delete a contact and all that came from this address; safe to repeat.

        Tickets that are left may stay. Returns what stays where, as sentences.
        """
        ...

    def check(self) -> Health:
        """Probe the desk without changing anything."""
        ...


class Mail(Protocol):
    """Letters to clients and to the administrator."""

    def send(self, letter: Letter) -> Way:
        """Send a letter once more under its own name; return how it left, or « draft »."""
        ...

    def was_sent(self, letter: Letter) -> Way | None:
        """Return how the letter with this name surely left; None when it did not, or unknown."""
        ...

    def erase(self, reference: str) -> tuple[str, ...]:
        """Delete the letters of the case with this reference; safe to repeat.

        Returns what stays where, as sentences.
        """
        ...

    def check(self) -> Health:
        """Probe the mail system without sending."""
        ...


class Board(Protocol):
    """The production board where modellers find their subtasks."""

    #: Seconds after a lost answer during which the board may still apply the call.
    settle: float

    def find_subtask(self, marker: str) -> SubtaskRef | None:
        """Return the subtask whose name ends with the marker, or None."""
        ...

    def create_subtask(self, draft: SubtaskDraft) -> SubtaskRef:
        """Create a subtask. The board does not refuse a second one with the same marker."""
        ...

    def check(self) -> Health:
        """Probe the board without changing anything."""
        ...


class Store(Protocol):
    """Clients' files, kept under deterministic keys and never overwritten."""

    #: How many files of a request it takes at once; above one, threads call `put`.
    at_once: int

    def put(self, key: str, source: Path, name: str) -> StoredFile:
        """Store a local file under a key; a key that is there already stays as it is.

        `name` is the client's own file name, offered on download.
        """
        ...

    def get(self, key: str) -> bytes:
        """Return what is stored under a key, a small file. Raises NotFound."""
        ...

    def keys(self, folder: str) -> tuple[str, ...]:
        """Return the keys in a folder (the first segment of keys), sorted."""
        ...

    def fetch(self, key: str, into: BinaryIO) -> None:
        """Write what is stored under a key, of any size, into a file. Raises NotFound."""
        ...

    def remove(self, folder: str, keep: Sequence[str] = ()) -> int:
        """Delete what is in a folder but the keys to keep; return how many there were.

        Safe to repeat; what was sent in part only goes as well.
        """
        ...

    def secret_folder(self, case_id: str) -> str:
        """Return the unguessable first segment (≥128 bits) of the keys of a case."""
        ...

    def check(self) -> Health:
        """Probe the store without changing anything."""
        ...


class Judge(Protocol):
    """Judgement on requests and replies. Never raises into the flow."""

    def classify(self, request: Request) -> Classification:
        """Return SUPPORT or MODELISATION and why."""
        ...

    def analyze(self, request: Request, files: Sequence[FileFact]) -> Analysis:
        """Return completeness, complexity and credits."""
        ...

    def read(self, message: Message, case: Case) -> Reply:
        """Return what a client's message means as an answer to our last letter."""
        ...


class Cases(Protocol):
    """The journal: cases, the inbox, and the locks that die with their process."""

    def lock(self, name: str, wait: float = 0.0) -> AbstractContextManager[None]:
        """Hold the lock of a case (or "poll"). Raises Busy after `wait` seconds."""
        ...

    def load(self, case_id: str) -> Case | None:
        """Return the case with this id, or None."""
        ...

    def newest(self, fingerprint: str) -> Case | None:
        """Return the newest case begun from this content without a request_id, or None."""
        ...

    def by_ticket(self, ticket_id: str) -> Case | None:
        """Return the case of a ticket, or None."""
        ...

    def ticket_of(self, reference: str) -> str | None:
        """Return the ticket of the case with this reference, or None."""
        ...

    def save(
        self,
        case: Case,
        *,
        unfinished: bool,
        wake_at: datetime | None = None,
        durable: bool = False,
    ) -> None:
        """Save a case and mark as read the messages it has replies for, at once.

        `unfinished`: a step is due. `wake_at`: when the next one will be, without any news.
        `durable`: on disk before returning.
        """
        ...

    def open_cases(self) -> list[Case]:
        """Return the cases that are not finished, oldest first."""
        ...

    def due(self, now: datetime) -> list[str]:
        """Return the ids of cases with a step due, an unread message, or a date that has come."""
        ...

    def of_contact(self, address: str) -> list[Case]:
        """Return every case of a client's address (case-insensitive), oldest first."""
        ...

    def census(self) -> tuple[Census, ...]:
        """Count the open cases by what they wait for."""
        ...

    def forget(self, case_id: str, leaving: Case | None = None) -> None:
        """Delete a case and the messages of its ticket, at once; unknown ids are none.

        `leaving` is finished and stays in the case's place.
        """
        ...

    def outdated(self, limits: Mapping[Kept, datetime], most: int) -> list[str]:
        """Return the ids of finished cases, at most so many, that ended before their limit."""
        ...

    def messages_from(self, address: str) -> tuple[Message, ...]:
        """Return every message of an address (case-insensitive), read or not, oldest first."""
        ...

    def forget_messages(self, address: str) -> None:
        """Delete every message of an address (case-insensitive)."""
        ...

    def inbox(self, ticket_id: str) -> tuple[Message, ...]:
        """Return the unread messages of a ticket, oldest first."""
        ...

    def strangers(self) -> tuple[Message, ...]:
        """Return the unread messages that belong to no case we hold."""
        ...

    def set_aside(self, message_id: str, *, waits: bool = False) -> None:
        """Mark a message as read that belongs to no case; `waits`: a person is to see to it."""
        ...

    def waiting_mails(self) -> tuple[Message, ...]:
        """Return the messages that were set aside and wait for a person, oldest first."""
        ...

    def outdated_messages(self, limit: datetime, most: int) -> list[str]:
        """Return the ids of messages, at most so many, of no case that came before the limit.

        Whether they were read or not.
        """
        ...

    def forget_message(self, message_id: str) -> None:
        """Delete a message; unknown ids are none."""
        ...

    def keep(self, name: str, value: str) -> None:
        """Keep a value under a name, on disk before returning."""
        ...

    def recall(self, name: str) -> str | None:
        """Return the value that was last kept under a name, or None."""
        ...

    def watermark(self) -> str | None:
        """Return the watermark of the last `receive`, or None."""
        ...

    def receive(self, news: News, at: datetime) -> int:
        """Save messages (known ids dropped) and watermark in one transaction; count the new."""
        ...


class Deliveries(Protocol):
    """Which webhook deliveries came, and with which body."""

    def remember(self, delivery_id: str, body: bytes) -> None:
        """Remember a delivery. Raises NotAllowed when the id came with another body before."""
        ...
