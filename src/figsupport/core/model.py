"""The words of the work: requests, cases, letters, messages. All values, all frozen.

Field names of the French system (`objet`, `fichiers`, `credits_estimes` …) stay as they are.
"""

import base64
import hashlib
import json
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, Literal, Self
from urllib.parse import urlsplit, urlunsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator

CASE_VERSION = 1

RequestType = Literal["SUPPORT", "MODELISATION"]
Confidence = Literal["high", "medium", "low"]
Judged = Literal["rules", "claude", "facts", "person"]
Language = Literal["fr", "en"]
Kind = Literal["photo", "plan", "model3d", "other"]
Outcome = Literal["INCOMPLET", "COMPLEXE", "COMPLET"]
Complexity = Literal["simple", "standard", "complex"]
Status = Literal["pending_info", "pending_credits", "pending_admin", "validated", "rejected"]
Intent = Literal["accept", "refuse", "more_info", "question", "auto_reply", "unclear"]
#: What stopped a mail whose words accept: its sender, what it answers, or something else in it.
Guard = Literal[
    "machine", "sender", "forged", "no_quote", "older_quote", "reference", "disagreement", "hidden",
    "objection", "files", "bare", "judge",
]  # fmt: skip
LetterKind = Literal[
    "info", "quote", "administrator", "confirmation", "refusal", "rejection",
    "reminder", "info_reminder", "expiry", "digest",
]  # fmt: skip
#: Letters to our own staff; all others go to the client.
STAFF: frozenset[LetterKind] = frozenset({"administrator", "digest"})
#: Letters that repeat what the client has not answered.
REMINDERS: frozenset[LetterKind] = frozenset({"reminder", "info_reminder"})
#: Letters that a date makes due: they leave in working hours only.
TIMED: frozenset[LetterKind] = REMINDERS | {"expiry"}
#: How a letter left: as a mail, on a conversation of the desk, or not yet: a draft on the ticket.
Way = Literal["mail", "thread", "draft"]


class Value(BaseModel):
    """A frozen value; unknown fields of a newer document are ignored.

    An error says what does not fit, not what the client wrote: it may be logged.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class FileRef(Value):
    """A file as the client names it: by `url`, by `path`, or by name alone (not fetchable)."""

    name: str
    url: str | None = None
    path: str | None = None


class Request(Value):
    """What a client asks for. Unknown fields of the document are kept."""

    model_config = ConfigDict(frozen=True, extra="allow", hide_input_in_errors=True)

    source: str = ""
    objet: str = ""
    description: str = ""
    user_email: str
    user_name: str = ""
    fichiers: tuple[FileRef, ...] = ()
    request_id: str | None = None
    langue: Language | None = None

    @property
    def text(self) -> str:
        """Return everything the client wrote about the object."""
        return f"{self.objet}\n{self.description}".strip()

    def fingerprint(self) -> str:
        """Return the identity of the content: 32 hexadecimal characters.

        URL queries are left out (signed links change) and so are folders of local paths
        (the same document read from elsewhere is the same request).
        """
        content = {
            "source": _folded(self.source),
            "objet": _folded(self.objet),
            "description": _folded(self.description),
            "user_email": self.user_email.lower(),
            "user_name": _folded(self.user_name),
            "fichiers": [_file_identity(file) for file in self.fichiers],
        }
        canonical = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:32]


class Classification(Value):
    """SUPPORT or MODELISATION, who said so, and why (in words a client could be told)."""

    type: RequestType
    by: Judged
    confidence: Confidence
    reasons: tuple[str, ...] = ()


class FileFact(Value):
    """What is known of a client's file; `problem` says why it cannot be used, to the client."""

    name: str
    kind: Kind = "other"
    url: str | None = None
    size: int | None = None
    sha256: str | None = None
    facts: dict[str, Any] = Field(default_factory=dict)
    problem: str | None = None
    thumbnail: str | None = None


class Analysis(Value):
    """Is the request complete, how complex is it, what does it cost.

    `missing` holds sentences in the client's language; `credits` is set when and only
    when `outcome` is COMPLET.
    """

    outcome: Outcome
    missing: tuple[str, ...] = ()
    complexity: Complexity | None = None
    credits: int | None = None
    by: Judged = "rules"
    confidence: Confidence = "high"
    reasons: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _priced_when_complete(self) -> Self:
        if (self.outcome == "COMPLET") != (self.credits is not None):
            raise ValueError("credits go with the outcome COMPLET, and only with it")
        if self.credits is not None and self.credits < 1:
            raise ValueError("credits start at 1")
        return self


class Letter(Value):
    """A letter of ours, ready to send. `key` names the effect, `message_id` follows from it.

    `thread` is the conversation on the desk that it answers, when the client has written there.
    """

    kind: LetterKind
    key: str
    message_id: str
    to: str
    to_name: str = ""
    subject: str
    text: str
    html: str
    references: tuple[str, ...] = ()
    ticket_id: str | None = None
    thread: str | None = None


class SentLetter(Value):
    """A letter that left, or a draft: what was said, to whom, when; `credits` of a quote."""

    kind: LetterKind
    key: str
    message_id: str
    to: str
    subject: str
    text: str
    sent_at: datetime
    credits: int | None = None
    way: Way = "mail"


class Attachment(Value):
    """A file that came with a message: a link, or a file of the embedded desk."""

    name: str
    url: str | None = None
    path: str | None = None


class Message(Value):
    """A mail on a ticket. `sender` is the exact From address; header names are lower case.

    `thread` is the conversation on the desk that it came in.
    """

    id: str
    direction: Literal["in", "out"] = "in"
    ticket_id: str | None = None
    thread: str | None = None
    sender: str
    sender_name: str = ""
    subject: str = ""
    text: str = ""
    html: str | None = None
    headers: dict[str, str] = Field(default_factory=dict)
    sent_at: datetime
    attachments: tuple[Attachment, ...] = ()


class Reply(Value):
    """A client's message, read: its own new words, what they mean, who judged and why.

    `guard`: its words accept, and this is why it is no acceptance all the same.
    """

    message_id: str
    intent: Intent
    sender: str = ""
    words: str = ""
    by: Judged = "rules"
    confidence: Confidence = "high"
    reasons: tuple[str, ...] = ()
    guard: Guard | None = None
    at: datetime | None = None


class Decision(Value):
    """The one final word on a modelling request: an acceptance or a rejection.

    The word of a delay is final for the client only: an administrator may take the work up.
    """

    verdict: Literal["accept", "reject"]
    by: Literal["client", "administrator", "delay"]
    at: datetime
    credits: int | None = None
    notes: str = ""
    message_id: str | None = None


class Proof(Value):
    """The record of the client's acceptance: `text` until it is in the store, then its `sha256`."""

    name: str
    text: str | None = None
    url: str | None = None
    sha256: str | None = None


class ContactRef(Value):
    """The contact on the desk."""

    id: str


class TicketRef(Value):
    """The ticket on the desk and its link for staff."""

    id: str
    url: str = ""


class Ticket(Value):
    """A ticket as the desk holds it; `properties` are strings, as desks give them."""

    ref: TicketRef
    key: str
    subject: str
    content: str
    contact: ContactRef
    contact_email: str
    contact_name: str = ""
    properties: dict[str, str] = Field(default_factory=dict)
    created_at: datetime


class SubtaskRef(Value):
    """The production subtask on the board."""

    id: str
    url: str = ""


class PostKind(StrEnum):
    """What can wait in the outbox of a case."""

    LETTER = "letter"
    RECORD = "record"
    NOTE = "note"


class Post(Value):
    """Something decided and not yet said: a letter, its record on the ticket, or a note.

    `key` ends the effect's key; `letter` is the kind of letter; `about` is the id of the
    message that led to it; `why` names the occasion of a letter to the administrator.
    `begun`: it may have left already, although it still waits here.
    """

    kind: PostKind
    key: str
    letter: LetterKind | None = None
    about: str | None = None
    why: str = ""
    begun: bool = False


class Step(StrEnum):
    """The steps of the flow, in the words of the desk."""

    CLASSIFY = "classify"
    UPLOAD = "upload"
    CONTACT = "contact"
    TICKET = "ticket"
    ANALYZE = "analyze"
    PROOF = "proof"
    SUBTASK = "subtask"
    UPDATE = "update"
    POST = "post"
    READ = "read"
    WAKE = "wake"


class Doing(Value):
    """The intent, saved before the effect: which step, under which key, with what payload."""

    step: Step
    key: str
    payload: dict[str, Any] = Field(default_factory=dict)
    since: datetime


class Event(Value):
    """One line of the case's story; a log, never read to decide."""

    at: datetime
    event: str
    by: str = "figsupport"


class Cost(Value):
    """What judging by a model cost: calls, tokens in and out, US dollars."""

    calls: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    dollars: float = 0.0

    def __add__(self, other: "Cost") -> "Cost":
        """Return the sum of two costs."""
        return Cost(
            calls=self.calls + other.calls,
            tokens_in=self.tokens_in + other.tokens_in,
            tokens_out=self.tokens_out + other.tokens_out,
            dollars=round(self.dollars + other.dollars, 8),
        )


class Case(Value):
    """The whole state of the work on one request, saved after each step.

    `asked`: since when a message of the client waits for a person; `spoken`: when a person
    last answered by hand; `held_until`: no reminder before.
    """

    figsupport: int = CASE_VERSION
    id: str
    fingerprint: str
    created_at: datetime
    request: Request
    language: Language = "fr"
    classification: Classification | None = None
    files: tuple[FileFact, ...] = ()
    analysis: Analysis | None = None
    contact: ContactRef | None = None
    ticket: TicketRef | None = None
    thread: str | None = None
    validation_status: Status | None = None
    credits_estimes: int | None = None
    mails: tuple[SentLetter, ...] = ()
    replies: tuple[Reply, ...] = ()
    decision: Decision | None = None
    proof: Proof | None = None
    subtask: SubtaskRef | None = None
    outbox: tuple[Post, ...] = ()
    properties: dict[str, str] = Field(default_factory=dict)
    rounds: int = 0
    quotes: int = 0
    asked: datetime | None = None
    spoken: datetime | None = None
    held_until: datetime | None = None
    adopted: bool = False
    cost: Cost | None = None
    #: when the client was to be forgotten: nothing more is done on the case
    erased: datetime | None = None
    doing: Doing | None = None
    history: tuple[Event, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _upgrade(cls, data: object) -> object:
        if isinstance(data, dict):
            version = data.get("figsupport", CASE_VERSION)
            if not isinstance(version, int) or not 1 <= version <= CASE_VERSION:
                raise ValueError(f"the case was saved by a newer figsupport (version {version})")
        return data

    @property
    def reference(self) -> str:
        """Return the reference shown to people: 10 characters, our own hash of the identity."""
        return reference(self.id)

    @property
    def open_quote(self) -> SentLetter | None:
        """Return the newest quote while it waits for an answer; there is only ever one.

        A draft is none: nobody has offered it yet.
        """
        if self.validation_status != "pending_credits" or self.decision is not None:
            return None
        quotes = [mail for mail in self.mails if mail.kind == "quote"]
        if not quotes or len(quotes) != self.quotes or quotes[-1].way == "draft":
            return None
        return quotes[-1]

    @property
    def drafts(self) -> tuple[SentLetter, ...]:
        """Return the letters to the client that a person must still send."""
        return tuple(mail for mail in self.mails if mail.way == "draft" and mail.kind not in STAFF)

    def with_(self, **changes: object) -> Self:
        """Return a copy with the given fields replaced."""
        return self.model_copy(update=changes)

    def told(self, event: str, at: datetime, by: str = "figsupport") -> Self:
        """Return a copy whose story has one more line."""
        return self.with_(history=(*self.history, Event(at=at, event=event, by=by)))


@lru_cache(maxsize=1024)
def reference(case_id: str) -> str:
    """Return the short reference of a case: 10 base32 characters (50 bits)."""
    digest = hashlib.sha256(f"reference:{case_id}".encode()).digest()
    return base64.b32encode(digest)[:10].decode("ascii")


def _folded(text: str) -> str:
    return " ".join(text.split())


def _file_identity(file: FileRef) -> list[str]:
    if file.url is not None:
        parts = urlsplit(file.url)
        return [file.name, urlunsplit((parts.scheme, parts.netloc, parts.path, "", ""))]
    if file.path is not None:
        return [file.name, file.path.replace("\\", "/").rpartition("/")[2]]
    return [file.name]
