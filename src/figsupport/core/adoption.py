"""A case rebuilt from what the desk holds: local state lost, another machine, an older ticket.

The rebuilt case is marked `adopted`: before each effect the provider is asked whether it
was done already. Pure.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import get_args

from figsupport.core.model import (
    Case,
    Classification,
    Decision,
    FileFact,
    FileRef,
    Message,
    Post,
    PostKind,
    Reply,
    Request,
    SentLetter,
    Status,
    SubtaskRef,
    Ticket,
)
from figsupport.core.references import letter_name


def adopted(
    ticket: Ticket, messages: Sequence[Message], now: datetime, case: Case | None = None
) -> Case:
    """Return the case of a ticket; `case` is what is known of it here, if anything.

    Incoming messages older than our newest letter count as read: they were answered by it.
    """
    case = case or _new(ticket)
    known = ticket.properties
    status = _status(known)
    mails = _mails(ticket, messages, case, now)
    quotes = [mail for mail in mails if mail.kind == "quote"]
    credits_ = int(float(known.get("credits_estimes") or 0)) or None
    type_ = "MODELISATION" if status else "SUPPORT"
    subtask = known.get("clickup_subtask_id")
    newest = max((mail.sent_at for mail in mails), default=None)
    case = case.with_(
        classification=case.classification
        or Classification(type=type_, by="person", confidence="high", reasons=("desk",)),
        contact=ticket.contact,
        ticket=ticket.ref,
        thread=known.get("figsupport_thread_id"),
        validation_status=status,
        credits_estimes=credits_,
        mails=mails,
        replies=_read(messages, newest),
        quotes=len(quotes),
        rounds=sum(1 for mail in mails if mail.kind == "info"),
        subtask=SubtaskRef(id=subtask) if subtask else None,
        decision=_decision(status, credits_, mails, now),
        properties={"fichiers_urls": "", **known},
        outbox=(),
        doing=None,
        adopted=True,
    )
    return _letters_owed(case).told("rebuilt from the desk", now)


def case_id_of(ticket: Ticket) -> str:
    """Return the id of the case of a ticket; an older system's ticket has no key."""
    return ticket.key or f"ticket-{ticket.ref.id}"


def _new(ticket: Ticket) -> Case:
    urls = [url for url in ticket.properties.get("fichiers_urls", "").splitlines() if url]
    names = [url.rpartition("/")[2] for url in urls]
    request = Request(
        objet=ticket.subject,
        description=ticket.content,
        user_email=ticket.contact_email,
        user_name=ticket.contact_name,
        fichiers=tuple(FileRef(name=name) for name in names),
    )
    return Case(
        id=case_id_of(ticket),
        fingerprint=request.fingerprint(),
        created_at=ticket.created_at,
        request=request,
        files=tuple(FileFact(name=name, url=url) for name, url in zip(names, urls, strict=True)),
    )


def _status(properties: dict[str, str]) -> Status | None:
    value = properties.get("validation_status")
    return next((status for status in get_args(Status) if status == value), None)


def _mails(
    ticket: Ticket, messages: Sequence[Message], case: Case, now: datetime
) -> tuple[SentLetter, ...]:
    """Our letters on the ticket, known by their Message-IDs; the newest quote has the price."""
    credits_ = int(float(ticket.properties.get("credits_estimes") or 0)) or None
    found = []
    for message in messages:
        name = letter_name(message.id) if message.direction == "out" else None
        if name is None:
            continue
        found.append(
            SentLetter(
                kind=name.kind,
                key=f"{case.id}:mail:{name.key}",
                message_id=message.id,
                to=ticket.contact_email,
                subject=message.subject,
                text=message.text,
                sent_at=message.sent_at,
                credits=credits_ if name.kind == "quote" else None,
            )
        )
    return tuple(found)


def _read(messages: Sequence[Message], newest: datetime | None) -> tuple[Reply, ...]:
    return tuple(
        Reply(
            message_id=message.id, intent="unclear", reasons=("read before the case was rebuilt",)
        )
        for message in messages
        if message.direction == "in" and newest is not None and message.sent_at <= newest
    )


def _decision(
    status: Status | None, credits_: int | None, mails: Sequence[SentLetter], now: datetime
) -> Decision | None:
    if status == "validated":
        return Decision(verdict="accept", by="administrator", at=now, credits=credits_)
    if status == "rejected":
        expired = bool(mails) and mails[-1].kind == "expiry"
        return Decision(verdict="reject", by="delay" if expired else "administrator", at=now)
    return None


def _letters_owed(case: Case) -> Case:
    """The letter that goes with the status, unless it is on the ticket."""
    if case.validation_status == "pending_credits" and not case.quotes:
        post = Post(kind=PostKind.LETTER, key="mail:quote:1", letter="quote")
        return case.with_(outbox=(post,), quotes=1)
    if case.validation_status == "pending_info" and not case.rounds:
        post = Post(kind=PostKind.LETTER, key="mail:info:1", letter="info")
        return case.with_(outbox=(post,), rounds=1)
    if case.validation_status == "validated" and not _has(case, "confirmation"):
        post = Post(kind=PostKind.LETTER, key="mail:confirmation", letter="confirmation")
        return case.with_(outbox=(post,))
    return case


def _has(case: Case, kind: str) -> bool:
    return any(mail.kind == kind for mail in case.mails)
