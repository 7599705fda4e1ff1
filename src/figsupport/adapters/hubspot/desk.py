"""The support desk on HubSpot: contacts, tickets, notes, records of letters, clients' replies.

No call knows an idempotency key: a ticket is created once by its unique property
`figsupport_key`; notes and letter records carry their key as a discreet marker.
"""

import hashlib
import html
import json
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote

from figsupport.adapters.http import Http
from figsupport.adapters.hubspot import erase, setup
from figsupport.adapters.hubspot.api import CRM, Account, Pages, moment
from figsupport.adapters.hubspot.threads import Threads
from figsupport.core.model import ContactRef, Message, SentLetter, Ticket, TicketRef, reference
from figsupport.core.references import letter_name, references
from figsupport.errors import Conflict, FigsupportError, NotFound, Refused, TryLater, Unavailable
from figsupport.ports import Health, Known, News, TicketDraft, nobody

T = TypeVar("T")

_OVERLAP = timedelta(minutes=5)
_NET = timedelta(hours=1)
_FIRST = timedelta(days=30)
_PROPERTIES = (
    "subject", "content", "figsupport_key", "figsupport_thread_id", "validation_status",
    "credits_estimes", "clickup_subtask_id", "fichiers_urls",
)  # fmt: skip
_TICKET_TO_CONTACT, _NOTE_TO_TICKET = 16, 228
_EMAIL_TO_CONTACT, _EMAIL_TO_TICKET = 198, 224
_WAITING = ("pending_info", "pending_credits")
_FINISHED = ("validated", "rejected")


class Portal(NamedTuple):
    """Where tickets go: the account's number, the pipeline, the stages of new and done ones."""

    hub_id: str
    pipeline: str
    stage: str
    done: str = ""


class HubSpotDesk:
    """See `ports.Desk`."""

    def __init__(
        self, http: Http, clock: Callable[[], datetime], portal: Portal, account: Account
    ) -> None:
        self._http, self._clock = http, clock
        self._portal, self._account = portal, account
        self._threads = Threads(http)
        self._contacts: dict[str, str] = {}

    @property
    def calls(self) -> int:
        """Return how many calls were made."""
        return self._http.calls

    @property
    def threads(self) -> Threads:
        """Return the conversations, where letters may leave too."""
        return self._threads

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def find_contact(self, email: str) -> str | None:
        """Return the id of the contact with this address: a direct read, no stale search."""
        found = self._find("contacts", email, "email")
        return str(found["id"]) if found else None

    def create_contact(self, email: str, name: str) -> str:
        """Create a contact and return its id. Raises Conflict when the address is taken."""
        first, _, last = name.partition(" ")
        body = {"properties": {"email": email, "firstname": first, "lastname": last}}
        return self._once(
            lambda: str(self._create("contacts", body)["id"]), lambda: self.find_contact(email)
        )

    def find_ticket(self, key: str) -> TicketRef | None:
        """Return the ticket that was created under this key, or None."""
        found = self._find("tickets", key, "figsupport_key")
        return self._ref(found["id"]) if found else None

    def create_ticket(self, draft: TicketDraft) -> TicketRef:
        """Open a ticket with its contact in one call. Raises Conflict when the key is taken."""
        properties = {
            **{name: value for name, value in draft.properties.items() if value},
            "subject": draft.subject,
            "content": draft.content,
            "hs_pipeline": self._portal.pipeline,
            "hs_pipeline_stage": self._portal.stage,
            "figsupport_key": draft.key,
        }
        links = [_link(draft.contact_id, _TICKET_TO_CONTACT)]
        body = {"properties": properties, "associations": links}
        ref = self._once(
            lambda: self._ref(self._create("tickets", body)["id"]),
            lambda: self.find_ticket(draft.key),
        )
        self._contacts[ref.id] = draft.contact_id
        return ref

    def get_ticket(self, ticket_id: str) -> Ticket:
        """Return a ticket and its contact; a merged one answers under its new id.

        Raises NotFound, for a ticket in HubSpot's recycle bin too.
        """
        found = self._ticket(ticket_id, "contacts")
        contact_id = next(iter(_near(found, "contacts")), "")
        contact: dict[str, Any] = {}
        if contact_id:
            wanted = {"properties": "email,firstname,lastname"}
            contact = self._http.get(f"{CRM}/contacts/{contact_id}", **wanted)["properties"]
        properties = {key: str(value) for key, value in found["properties"].items() if value}
        names = (contact.get("firstname"), contact.get("lastname"))
        return Ticket(
            ref=self._ref(found["id"]),
            key=properties.pop("figsupport_key", ""),
            subject=properties.pop("subject", ""),
            content=properties.pop("content", ""),
            contact=ContactRef(id=contact_id),
            contact_email=str(contact.get("email") or ""),
            contact_name=" ".join(str(name) for name in names if name),
            properties=properties,
            created_at=moment(found["createdAt"]),
        )

    def update_ticket(self, ticket_id: str, properties: dict[str, str]) -> None:
        """Set properties to absolute values; a finished request moves to the done stage."""
        _check_id(ticket_id)
        if self._portal.done and properties.get("validation_status") in _FINISHED:
            properties = {**properties, "hs_pipeline_stage": self._portal.done}
        path = f"{CRM}/tickets/{ticket_id}"
        self._told(
            lambda: self._http.send("PATCH", path, {"properties": properties}, repeatable=True),
            ticket_id,
        )

    def has_note(self, ticket_id: str, key: str) -> bool:
        """Look for the marker of this key in the ticket's notes and mail records."""
        marker = _marker(key)
        found = self._ticket(ticket_id, "notes", "emails")
        notes = self._read("notes", _near(found, "notes"), "hs_note_body")
        mails = self._read("emails", _near(found, "emails"), "hs_email_headers")
        bodies = [*notes, *mails]
        return any(marker in str(body["properties"].get(name) or "") for body in bodies
                   for name in ("hs_note_body", "hs_email_headers"))  # fmt: skip

    def add_note(self, ticket_id: str, key: str, text: str) -> None:
        """Write an internal note; its key is a pale line at the end. Raises NotFound."""
        _check_id(ticket_id)
        lines = "<br>".join(html.escape(line) for line in text[:20_000].split("\n"))
        body = f'<p>{lines}</p><p style="color:#bbb;font-size:9px">{_marker(key)}</p>'
        properties = {"hs_timestamp": self._clock().isoformat(), "hs_note_body": body}
        links = [_link(ticket_id, _NOTE_TO_TICKET)]
        self._create("notes", {"properties": properties, "associations": links})

    def record_letter(self, ticket_id: str, letter: SentLetter, key: str) -> None:
        """Write a letter that was sent as an e-mail record of ticket and contact."""
        _check_id(ticket_id)
        headers = {
            "to": [{"email": letter.to}],
            "messageId": letter.message_id,
            "key": _marker(key),
        }
        properties = {
            "hs_timestamp": letter.sent_at.isoformat(),
            "hs_email_direction": "EMAIL",
            "hs_email_status": "SENT",
            "hs_email_subject": letter.subject,
            "hs_email_text": letter.text,
            "hs_email_headers": json.dumps(headers),
        }
        contact = self._contacts.get(ticket_id) or self._contact_of(ticket_id)
        links = [_link(ticket_id, _EMAIL_TO_TICKET)]
        links += [_link(contact, _EMAIL_TO_CONTACT)] if contact else []
        self._create("emails", {"properties": properties, "associations": links})

    def get_messages_for_ticket(self, ticket_id: str) -> tuple[Message, ...]:
        """Return the mails of a ticket, ours and the client's, oldest first."""
        found = self._ticket(ticket_id, "emails")
        wanted = ("hs_timestamp", "hs_email_subject", "hs_email_text", "hs_email_headers")
        records = self._read("emails", _near(found, "emails"), *wanted)
        mails = [_our_message(ticket_id, record["properties"]) for record in records]
        thread = str(found["properties"].get("figsupport_thread_id") or "")
        if thread:
            mails += self._threads.letters(thread, ticket_id)
            mails += self._threads.incoming(thread, ticket_id, None)
        return tuple(sorted(mails, key=lambda message: message.sent_at))

    def new_messages(self, watermark: str | None, known: Known = nobody) -> News:
        """Return what came since the watermark: one call, and one a thread that moved.

        The watermark is overlapped by five minutes, the threads read there are remembered in
        it, and ids that come again are dropped by the journal. A thread without a ticket is
        matched by the reference in its subject; one that names no ticket is none of ours.
        Without a watermark the last 30 days are read. Once an hour the tickets that wait are
        searched for what the conversations did not show.
        """
        mark = _Mark.of(watermark, self._clock())
        messages: list[Message] = []
        since, newest = moment(mark.at) - _OVERLAP, mark.at
        read: list[tuple[str, str, str]] = []
        for thread in self._threads.moved(since):
            name, moved, received = _stamps(thread)
            read.append((name, moved, received))
            newest = max(newest, moved, key=moment)
            if mark.seen.get(name) != received:
                messages += self._arrived(thread, since, known)
        net = mark.net
        if self._clock() - moment(net) >= _NET:
            messages += self._overlooked(moment(net) - _OVERLAP)
            net = self._clock().isoformat()
        limit = moment(newest) - _OVERLAP
        seen = {name: received for name, moved, received in read if moment(moved) >= limit}
        messages.sort(key=lambda message: message.sent_at)
        return News(tuple(messages), _Mark(newest, net, seen).text())

    def tickets_of(self, contact_id: str) -> tuple[str, ...]:
        """Return the ids of a contact's tickets, oldest first."""
        near = self._http.get(f"{CRM}/contacts/{contact_id}", associations="tickets")
        return tuple(sorted(_near(near, "tickets"), key=int))

    def get_notes(self, ticket_id: str) -> tuple[str, ...]:
        """Return the notes of a ticket as plain text, oldest first."""
        ids = _near(self._ticket(ticket_id, "notes"), "notes")
        notes = self._read("notes", ids, "hs_note_body", "hs_timestamp")
        notes.sort(key=lambda note: str(note["properties"].get("hs_timestamp") or ""))
        return tuple(_plain(str(note["properties"].get("hs_note_body") or "")) for note in notes)

    def erase_ticket(self, ticket_id: str) -> tuple[str, ...]:
        """Archive the ticket's notes and mail records, then delete it, for good where allowed."""
        try:
            found = self._ticket(ticket_id, "notes", "emails")
        except NotFound:
            return ()
        for kind in ("notes", "emails"):
            erase.archive(self._http, kind, _near(found, kind))
        return erase.erase_record(self._http, "tickets", str(found["id"]))

    def erase_messages(self, message_ids: Sequence[str]) -> tuple[str, ...]:
        """Delete nothing: conversations without a ticket are HubSpot's own."""
        return ("HubSpot keeps the conversations that belong to no ticket of ours.",)

    def erase_contact(self, email: str) -> tuple[str, ...]:
        """Archive the contact's conversations, then delete it, for good where allowed."""
        contact = self.find_contact(email)
        if contact is None:
            return ()
        stays = erase.archive_threads(self._threads, contact)
        return (*stays, *erase.erase_record(self._http, "contacts", contact))

    def check(self) -> Health:
        """Read the account, the key's scopes, the pipeline's stages, the ticket properties."""
        try:
            wrong = setup.problems(self._http, self._portal, self._account)
        except FigsupportError as error:
            return Health(False, f"{error.message} — {error.hint}")
        if wrong:
            return Health(False, "; ".join(wrong))
        return Health(True, f"portal {self._portal.hub_id} at {self._account.domain}")

    def setup(self, *, dry_run: bool) -> list[tuple[str, str]]:
        """Create the ticket properties that are missing; return (name, « made » or « there »)."""
        return setup.prepare(self._http, self._portal, self._account, dry_run=dry_run)

    def _arrived(self, thread: dict[str, Any], since: datetime, known: Known) -> list[Message]:
        """What the client wrote on a thread that moved, with the ticket it belongs to."""
        arrived = self._threads.incoming(str(thread["id"]), None, since)
        if not arrived:
            return []
        # what a mail names comes before HubSpot's own association, for tickets are merged; a
        # later mail of the same thread may name nothing
        wanted = [name for one in reversed(arrived) for name in references(one)]
        ticket = next((found for name in wanted if (found := known(name))), "")
        ticket = ticket or _ticket_of(thread) or self._named(thread, wanted)
        return [one.model_copy(update={"ticket_id": ticket}) for one in arrived] if ticket else []

    def _named(self, thread: dict[str, Any], wanted: list[str]) -> str:
        """The ticket of the thread's contact that a reference names, or that knows the thread."""
        contact = str(thread.get("associatedContactId") or "")
        if not contact:
            return ""
        try:
            near = self._http.get(f"{CRM}/contacts/{contact}", associations="tickets")
        except NotFound:
            return ""
        names = ("figsupport_key", "figsupport_thread_id")
        for ticket in self._read("tickets", _near(near, "tickets"), *names):
            key, known = (str(ticket["properties"].get(name) or "") for name in names)
            if key and (reference(key) in wanted or known == str(thread["id"])):
                return str(ticket["id"])
        return ""

    def _overlooked(self, since: datetime) -> Iterator[Message]:
        """What came to tickets that wait and no conversation showed. Search lags by seconds.

        An account whose tickets lack the property is left without this net; `health` says so.
        """
        try:
            found = list(self._waiting_tickets(since))
        except Refused:
            return
        for ticket in found:
            ident = str(ticket["id"])
            thread = str(ticket["properties"].get("figsupport_thread_id") or "")
            threads = [thread] if thread else self._threads_of(ident)
            for one in threads:
                yield from self._threads.incoming(one, ident, since)

    def _waiting_tickets(self, since: datetime) -> Iterator[dict[str, Any]]:
        filters = [
            {"propertyName": "validation_status", "operator": "IN", "values": list(_WAITING)},
            {"propertyName": "hs_last_message_received_at", "operator": "GTE",
             "value": str(int(since.timestamp() * 1000))},
        ]  # fmt: skip
        after = ""
        while True:
            body = {
                "filterGroups": [{"filters": filters}],
                "properties": ["figsupport_thread_id"],
                "limit": 200,
                **({"after": after} if after else {}),
            }
            page = Pages.of(self._http.send("POST", f"{CRM}/tickets/search", body, repeatable=True))
            yield from page.results
            after = page.after
            if not after:
                return

    def _threads_of(self, ticket: str) -> list[str]:
        contact = self._contact_of(ticket)
        threads = self._threads.of_contact(contact) if contact else []
        return [str(thread["id"]) for thread in threads if _ticket_of(thread) == ticket]

    def _contact_of(self, ticket_id: str) -> str:
        return next(iter(_near(self._ticket(ticket_id, "contacts"), "contacts")), "")

    def _ticket(self, ticket_id: str, *associations: str) -> dict[str, Any]:
        _check_id(ticket_id)
        query = {"properties": ",".join(_PROPERTIES), "associations": ",".join(associations)}
        path = f"{CRM}/tickets/{ticket_id}"
        found: dict[str, Any] = self._told(lambda: self._http.get(path, **query), ticket_id)
        return found

    @staticmethod
    def _told(call: Callable[[], T], ticket_id: str) -> T:
        """Make a call about a ticket; say what it means that HubSpot has none."""
        try:
            return call()
        except NotFound as error:
            raise NotFound(
                f"There is no ticket {ticket_id} in HubSpot ({error.message})",
                hint="If it was deleted, restore it there (Tickets › Actions › Restore records).",
            ) from None

    def _find(self, kind: str, value: str, field: str) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = self._http.get(
                f"{CRM}/{kind}/{quote(value, safe='')}", idProperty=field
            )
        except NotFound:
            return None
        return found

    @staticmethod
    def _once(create: Callable[[], T], find: Callable[[], T | None]) -> T:
        """Create an object with a unique value; when the answer is lost, look, then try again."""
        try:
            return create()
        except TryLater:
            raise
        except Unavailable:
            found = find()
            return create() if found is None else found

    def _create(self, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        """Create an object: never repeated blindly. Raises Conflict for a unique value taken."""
        try:
            made: dict[str, Any] = self._http.send("POST", f"{CRM}/{kind}", body, repeatable=False)
        except Refused as error:
            if "already has that value" in error.message or "CONFLICTING_UNIQUE" in error.message:
                raise Conflict(error.message, hint=error.hint) from None
            if "associations are not valid" in error.message:
                raise NotFound(error.message, hint="Does the ticket still exist?") from None
            raise
        return made

    def _read(self, kind: str, ids: list[str], *properties: str) -> list[dict[str, Any]]:
        """Read objects by their ids, a hundred a call; what is gone is left out.

        Whatever the status, the answer may name errors: only « not found » is an answer.
        """
        found: list[dict[str, Any]] = []
        for start in range(0, len(ids), 100):
            inputs = [{"id": one} for one in ids[start : start + 100]]
            body = {"inputs": inputs, "properties": list(properties)}
            answer = self._http.send("POST", f"{CRM}/{kind}/batch/read", body, repeatable=True)
            wrong = [one for one in answer.get("errors") or [] if not _is_gone(one)]
            if wrong:
                raise Unavailable(
                    f"HubSpot could not read all {kind}: {wrong[0].get('message')}",
                    hint="Run the same command again later: it is safe.",
                )
            found += answer.get("results") or []
        return found

    def _ref(self, ticket_id: object) -> TicketRef:
        link = f"https://{self._account.domain}/contacts/{self._portal.hub_id}/ticket/{ticket_id}"
        return TicketRef(id=str(ticket_id), url=link)


class _Mark(NamedTuple):
    """The watermark: the newest message processed, the last net, the threads just read."""

    at: str
    net: str
    seen: dict[str, str]

    @classmethod
    def of(cls, text: str | None, now: datetime) -> "_Mark":
        if not text:
            return cls((now - _FIRST).isoformat(), now.isoformat(), {})
        if not text.startswith("["):  # of an earlier version
            return cls(text, now.isoformat(), {})
        at, net, seen = json.loads(text)
        return cls(at, net, seen)

    def text(self) -> str:
        return json.dumps(self)


def _stamps(thread: dict[str, Any]) -> tuple[str, str, str]:
    """A thread's id, when it moved, when the client last wrote: our own answers move it, too."""
    moved = str(thread["latestMessageTimestamp"])
    return str(thread["id"]), moved, str(thread.get("latestMessageReceivedTimestamp") or moved)


def _ticket_of(thread: dict[str, Any]) -> str:
    return str((thread.get("threadAssociations") or {}).get("associatedTicketId") or "")


def _is_gone(error: dict[str, Any]) -> bool:
    return "NOT_FOUND" in f"{error.get('category')} {error.get('subCategory')}".upper()


def _near(found: dict[str, Any], kind: str) -> list[str]:
    results = ((found.get("associations") or {}).get(kind) or {}).get("results") or []
    return list(dict.fromkeys(str(one["id"]) for one in results))


def _link(to: str, kind: int) -> dict[str, Any]:
    types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": kind}]
    return {"to": {"id": to}, "types": types}


def _plain(body: str) -> str:
    lines = re.sub(r"<br\s*/?>|</p>", "\n", body)
    return html.unescape(re.sub(r"<[^>]*>", "", lines)).strip()


def _marker(key: str) -> str:
    return f"figsupport-{hashlib.sha256(key.encode()).hexdigest()[:20]}"


def _check_id(ticket_id: str) -> None:
    if not re.fullmatch(r"[0-9]{1,20}", ticket_id):
        raise NotFound(f"There is no ticket {ticket_id}", hint="`figsupport tickets` lists them.")


def _our_message(ticket_id: str, properties: dict[str, Any]) -> Message:
    try:
        message_id = str(json.loads(properties.get("hs_email_headers") or "{}").get("messageId"))
    except (ValueError, AttributeError):
        message_id = ""
    return Message(
        id=message_id if letter_name(message_id) else "",
        direction="out",
        ticket_id=ticket_id,
        sender="",
        subject=str(properties.get("hs_email_subject") or ""),
        text=str(properties.get("hs_email_text") or ""),
        sent_at=moment(str(properties["hs_timestamp"])),
    )
