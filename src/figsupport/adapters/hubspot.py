"""The support desk on HubSpot: CRM objects (dated API) and conversations (v3).

No call knows an idempotency key: a ticket is created once by its unique property
`figsupport_key`; notes and letter records carry their key as a discreet marker.
"""

import hashlib
import html
import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import quote

from figsupport.adapters.http import TIMEOUT, Http, Speech
from figsupport.adapters.hubspot_setup import make_properties, wrong_properties
from figsupport.core.model import (
    Attachment,
    ContactRef,
    Message,
    SentLetter,
    Ticket,
    TicketRef,
    reference,
)
from figsupport.core.references import letter_name, references
from figsupport.errors import Conflict, FigsupportError, NotFound, Refused, Unavailable
from figsupport.ports import Health, News, TicketDraft

_CRM = "crm/objects/2026-09"
_THREADS = "conversations/v3/conversations/threads"
_OVERLAP = timedelta(minutes=5)
_FIRST = timedelta(days=30)
_PAGE = 500
_PROPERTIES = (
    "subject", "content", "figsupport_key", "figsupport_thread_id", "validation_status",
    "credits_estimes", "clickup_subtask_id", "fichiers_urls",
)  # fmt: skip
_TICKET_TO_CONTACT, _NOTE_TO_TICKET = 16, 228
_EMAIL_TO_CONTACT, _EMAIL_TO_TICKET = 198, 224
_REMEDY = {
    401: "Check HUBSPOT_API_KEY: a private-app token or a service key of this account.",
    403: "Grant the key the scopes for contacts, tickets and conversations in HubSpot's settings.",
    429: "HubSpot's limit is reached; `figsupport poll` goes on by itself.",
}


class Portal(NamedTuple):
    """Where tickets go: the account's number, the pipeline, the stage of a new ticket."""

    hub_id: str
    pipeline: str
    stage: str


class HubSpotDesk:
    """See `ports.Desk`."""

    def __init__(
        self,
        key: str,
        clock: Callable[[], datetime],
        portal: Portal,
        *,
        base_url: str,
        sleep: Callable[[float], None] | None = None,
        timeout: float = TIMEOUT,
    ) -> None:
        named = {"sleep": sleep} if sleep else {}
        self._http = Http(
            "HubSpot", base_url, {"Authorization": f"Bearer {key}"}, _heard,
            remedy=_REMEDY, timeout=timeout, **named,
        )  # fmt: skip
        self._portal = portal
        self._clock = clock
        self._contacts: dict[str, str] = {}

    @property
    def calls(self) -> int:
        """Return how many calls were made."""
        return self._http.calls

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
        properties = {"email": email, "firstname": first, "lastname": last}
        made = self._create("contacts", {"properties": properties})
        return str(made["id"])

    def find_ticket(self, key: str) -> TicketRef | None:
        """Return the ticket that was created under this key, or None."""
        found = self._find("tickets", key, "figsupport_key")
        return self._ref(found["id"]) if found else None

    def create_ticket(self, draft: TicketDraft) -> TicketRef:
        """Open a ticket with its contact in one call. Raises Conflict when the key is taken.

        When the answer is lost the ticket is looked for at once, by its unique key.
        """
        properties = {
            **{name: value for name, value in draft.properties.items() if value},
            "subject": draft.subject,
            "content": draft.content,
            "hs_pipeline": self._portal.pipeline,
            "hs_pipeline_stage": self._portal.stage,
            "figsupport_key": draft.key,
        }
        links = [_link(draft.contact_id, _TICKET_TO_CONTACT)]
        try:
            made = self._create("tickets", {"properties": properties, "associations": links})
            ref = self._ref(made["id"])
        except Unavailable:
            found = self.find_ticket(draft.key)
            if found is None:
                raise
            ref = found
        self._contacts[ref.id] = draft.contact_id
        return ref

    def get_ticket(self, ticket_id: str) -> Ticket:
        """Return a ticket and its contact. Raises NotFound."""
        found = self._ticket(ticket_id, "contacts")
        contact_id = next(iter(_near(found, "contacts")), "")
        contact: dict[str, Any] = {}
        if contact_id:
            wanted = {"properties": "email,firstname,lastname"}
            contact = self._http.get(f"{_CRM}/contacts/{contact_id}", **wanted)["properties"]
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
            created_at=_moment(found["createdAt"]),
        )

    def update_ticket(self, ticket_id: str, properties: dict[str, str]) -> None:
        """Set properties to absolute values. Raises NotFound."""
        _check_id(ticket_id)
        body = {"properties": properties}
        self._http.send("PATCH", f"{_CRM}/tickets/{ticket_id}", body, repeatable=True)

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
        lines = "<br>".join(html.escape(line) for line in text.split("\n"))
        body = f'<p>{lines}</p><p style="color:#bbb;font-size:9px">{_marker(key)}</p>'
        properties = {"hs_timestamp": self._clock().isoformat(), "hs_note_body": body[:65_000]}
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
        contact = self._contacts.get(ticket_id) or self.get_ticket(ticket_id).contact.id
        links = [_link(ticket_id, _EMAIL_TO_TICKET), _link(contact, _EMAIL_TO_CONTACT)]
        self._create("emails", {"properties": properties, "associations": links})

    def get_messages_for_ticket(self, ticket_id: str) -> tuple[Message, ...]:
        """Return the mails of a ticket, ours and the client's, oldest first."""
        found = self._ticket(ticket_id, "emails")
        wanted = ("hs_timestamp", "hs_email_subject", "hs_email_text", "hs_email_headers")
        records = self._read("emails", _near(found, "emails"), *wanted)
        ours = [_our_message(ticket_id, record["properties"]) for record in records]
        thread = found["properties"].get("figsupport_thread_id")
        theirs = list(self._incoming(str(thread), ticket_id)) if thread else []
        return tuple(sorted((*ours, *theirs), key=lambda message: message.sent_at))

    def new_messages(self, watermark: str | None) -> News:
        """Return what came since the watermark: one call, and one a thread that moved.

        The watermark is overlapped by five minutes; ids that come again are dropped by the
        journal. A thread without a ticket is matched by the reference in its subject, and the
        ticket remembers it; one that names no ticket is none of ours. Without a watermark the
        last 30 days are read.
        """
        since = _moment(watermark) if watermark else self._clock() - _FIRST
        messages: list[Message] = []
        newest = watermark or since.isoformat()
        for thread in self._moved(since - _OVERLAP):
            ticket = str((thread.get("threadAssociations") or {}).get("associatedTicketId") or "")
            arrived = list(self._incoming(str(thread["id"]), ticket or None))
            if arrived and not ticket:
                ticket = self._ticket_of(thread, arrived[-1])
                arrived = [one.model_copy(update={"ticket_id": ticket}) for one in arrived]
            messages += arrived if ticket else ()
            newest = max(newest, str(thread["latestMessageTimestamp"]))
        return News(tuple(sorted(messages, key=lambda message: message.sent_at)), newest)

    def check(self) -> Health:
        """Read the account, the pipeline's stages and the ticket properties."""
        try:
            account = self._http.get("account-info/2026-09/details")
            wrong = [*self._wrong_stage(), *wrong_properties(self._http)]
        except FigsupportError as error:
            return Health(False, f"{error.message} — {error.hint}")
        if wrong:
            return Health(False, "; ".join(wrong) + " — run `figsupport setup`")
        return Health(True, f"portal {account.get('portalId')}")

    def setup(self, *, dry_run: bool) -> list[tuple[str, str]]:
        """Create the ticket properties that are missing; return (name, « made » or « there »)."""
        return make_properties(self._http, dry_run=dry_run)

    def _wrong_stage(self) -> list[str]:
        pipelines = self._http.get("crm/pipelines/2026-09/tickets").get("results") or []
        pipeline = next((p for p in pipelines if str(p["id"]) == self._portal.pipeline), None)
        if pipeline is None:
            known = ", ".join(f"{one['id']} ({one.get('label')})" for one in pipelines)
            return [f"HUBSPOT_PIPELINE_ID={self._portal.pipeline} is none of {known}"]
        stages = pipeline.get("stages") or []
        if self._portal.stage not in {str(stage["id"]) for stage in stages}:
            known = ", ".join(f"{one['id']} ({one.get('label')})" for one in stages)
            return [f"HUBSPOT_STAGE_NEW={self._portal.stage} is no stage of it: {known}"]
        return []

    def _moved(self, since: datetime) -> Iterator[dict[str, Any]]:
        """The threads that moved since a moment; equal timestamps never stall it."""
        seen: set[str] = set()
        while True:
            query = {
                "sort": "latestMessageTimestamp",
                "latestMessageTimestampAfter": since.isoformat(),
                "association": "TICKET",
                "limit": str(_PAGE),
            }
            page = self._http.get(_THREADS, **query).get("results") or []
            fresh = [thread for thread in page if str(thread["id"]) not in seen]
            yield from fresh
            seen.update(str(thread["id"]) for thread in fresh)
            if len(page) < _PAGE or not fresh:
                return
            since = _moment(page[-1]["latestMessageTimestamp"]) - timedelta(milliseconds=1)

    def _incoming(self, thread: str, ticket_id: str | None) -> Iterator[Message]:
        for message in self._http.get(f"{_THREADS}/{thread}/messages").get("results") or []:
            if message.get("type") == "MESSAGE" and message.get("direction") == "INCOMING":
                yield _their_message(message, ticket_id)

    def _ticket_of(self, thread: dict[str, Any], message: Message) -> str:
        """The ticket whose reference a contact's mail names; the ticket remembers the thread."""
        wanted = references(message)
        contact = str(thread.get("associatedContactId") or "")
        if not wanted or not contact:
            return ""
        try:
            near = self._http.get(f"{_CRM}/contacts/{contact}", associations="tickets")
        except NotFound:
            return ""
        for ticket in self._read("tickets", _near(near, "tickets"), "figsupport_key"):
            key = str(ticket["properties"].get("figsupport_key") or "")
            if key and reference(key) in wanted:
                self.update_ticket(str(ticket["id"]), {"figsupport_thread_id": str(thread["id"])})
                return str(ticket["id"])
        return ""

    def _ticket(self, ticket_id: str, *associations: str) -> dict[str, Any]:
        _check_id(ticket_id)
        query = {"properties": ",".join(_PROPERTIES), "associations": ",".join(associations)}
        found: dict[str, Any] = self._http.get(f"{_CRM}/tickets/{ticket_id}", **query)
        return found

    def _find(self, kind: str, value: str, field: str) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = self._http.get(
                f"{_CRM}/{kind}/{quote(value, safe='')}", idProperty=field
            )
        except NotFound:
            return None
        return found

    def _create(self, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        """Create an object, once: never repeated. Raises Conflict for a unique value taken."""
        try:
            made: dict[str, Any] = self._http.send("POST", f"{_CRM}/{kind}", body, repeatable=False)
        except Refused as error:
            if "already has that value" in error.message or "CONFLICTING_UNIQUE" in error.message:
                raise Conflict(error.message, hint=error.hint) from None
            if "associations are not valid" in error.message:
                raise NotFound(error.message, hint="Does the ticket still exist?") from None
            raise
        return made

    def _read(self, kind: str, ids: list[str], *properties: str) -> list[dict[str, Any]]:
        """Read objects by their ids, a hundred a call; what is gone is left out."""
        found: list[dict[str, Any]] = []
        for start in range(0, len(ids), 100):
            inputs = [{"id": one} for one in ids[start : start + 100]]
            body = {"inputs": inputs, "properties": list(properties)}
            answer = self._http.send("POST", f"{_CRM}/{kind}/batch/read", body, repeatable=True)
            found += answer.get("results") or []
        return found

    def _ref(self, ticket_id: object) -> TicketRef:
        link = f"https://app.hubspot.com/contacts/{self._portal.hub_id}/ticket/{ticket_id}"
        return TicketRef(id=str(ticket_id), url=link)


def _heard(body: Any) -> Speech:
    codes = [str(one.get("code") or "") for one in body.get("errors") or []]
    code = " ".join(part for part in (str(body.get("category") or ""), *codes) if part)
    return Speech(code, str(body.get("message") or ""), str(body.get("correlationId") or ""))


def _near(found: dict[str, Any], kind: str) -> list[str]:
    results = ((found.get("associations") or {}).get(kind) or {}).get("results") or []
    return list(dict.fromkeys(str(one["id"]) for one in results))


def _link(to: str, kind: int) -> dict[str, Any]:
    types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": kind}]
    return {"to": {"id": to}, "types": types}


def _marker(key: str) -> str:
    return f"figsupport-{hashlib.sha256(key.encode()).hexdigest()[:20]}"


def _check_id(ticket_id: str) -> None:
    if not re.fullmatch(r"[0-9]{1,20}", ticket_id):
        raise NotFound(f"There is no ticket {ticket_id}", hint="`figsupport tickets` lists them.")


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


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
        sent_at=_moment(str(properties["hs_timestamp"])),
    )


def _their_message(message: dict[str, Any], ticket_id: str | None) -> Message:
    senders = message.get("senders") or [{}]
    sender = str((senders[0].get("deliveryIdentifier") or {}).get("value") or "")
    files = message.get("attachments") or []
    return Message(
        id=str(message["id"]),
        ticket_id=ticket_id,
        sender=sender.lower(),
        subject=str(message.get("subject") or ""),
        text=str(message.get("text") or ""),
        html=message.get("richText"),
        sent_at=_moment(str(message["createdAt"])),
        attachments=tuple(
            Attachment(name=str(file.get("name") or "fichier"), url=file["url"])
            for file in files
            if file.get("url")
        ),
    )
