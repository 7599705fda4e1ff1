"""What a result changes: case + outcome of a step → the next state of the case. Pure."""

from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256

from figsupport.core.acceptance import record, record_name
from figsupport.core.assets import joined
from figsupport.core.calendar import Delays
from figsupport.core.dates import coming, reminder, was_reminded
from figsupport.core.machines import is_forged
from figsupport.core.model import (
    REMINDERS,
    STAFF,
    TIMED,
    Analysis,
    Case,
    Classification,
    ContactRef,
    Decision,
    FileFact,
    FileRef,
    Guard,
    LetterKind,
    Message,
    Post,
    PostKind,
    Proof,
    Reply,
    SentLetter,
    SubtaskRef,
    TicketRef,
)
from figsupport.core.references import references

#: After so many letters that ask for what is missing, a person takes over.
MAX_ROUNDS = 3


def classified(case: Case, classification: Classification, now: datetime) -> Case:
    """The type is known; when it is not sure, the administrator is told."""
    case = case.with_(classification=classification)
    case = case.told(f"classified {classification.type}", now, classification.by)
    if classification.confidence == "low":
        return _tell_administrator(case, "type")
    return case


def uploaded(case: Case, files: tuple[FileFact, ...], now: datetime) -> Case:
    """The files of the request are stored, or known to be missing and why."""
    stored = sum(1 for file in files if file.url)
    case = case.with_(files=joined((*case.files, *files), case.language))
    return case.told(f"{stored} of {len(files)} files stored", now)


def contact_found(case: Case, contact: ContactRef, now: datetime) -> Case:
    """The contact is on the desk."""
    return case.with_(contact=contact).told(f"contact {contact.id}", now)


def ticket_opened(case: Case, ticket: TicketRef, properties: dict[str, str], now: datetime) -> Case:
    """The ticket is on the desk with these properties."""
    return case.with_(ticket=ticket, properties=properties).told(f"ticket {ticket.id}", now)


def analyzed(case: Case, analysis: Analysis, now: datetime) -> Case:
    """The request is judged: ask for what is missing, quote, or ask the administrator."""
    case = case.with_(analysis=analysis, credits_estimes=analysis.credits)
    case = case.told(f"analysed {analysis.outcome}", now, analysis.by)
    match analysis.outcome:
        case "COMPLET":
            return quoted(case)
        case "COMPLEXE":
            return _tell_administrator(case.with_(validation_status="pending_admin"), "complex")
        case _ if case.rounds >= MAX_ROUNDS:
            return _tell_administrator(case.with_(validation_status="pending_admin"), "rounds")
        case _:
            rounds = case.rounds + 1
            case = case.with_(validation_status="pending_info", rounds=rounds)
            return post_letter(case, "info", f"mail:info:{rounds}")


def updated(case: Case, properties: dict[str, str], now: datetime) -> Case:
    """The ticket says what it must."""
    status = properties.get("validation_status")
    case = case.with_(properties={**case.properties, **properties})
    return case.told(f"ticket marked {status}", now) if status else case


def proof_stored(case: Case, proof: Proof, now: datetime) -> Case:
    """The record of the acceptance is in the store; the case keeps its hash."""
    return case.with_(proof=proof).told(f"acceptance recorded {proof.sha256}", now)


def subtask_created(case: Case, subtask: SubtaskRef, now: datetime) -> Case:
    """The modellers have their subtask: the request is validated, the client is told."""
    case = case.with_(subtask=subtask, validation_status="validated")
    return post_letter(case.told(f"subtask {subtask.id}", now), "confirmation", "mail:confirmation")


def letter_sent(case: Case, letter: SentLetter, now: datetime) -> Case:
    """The first letter of the outbox left, or is a draft on the ticket.

    A mail to the client is recorded on the ticket; a conversation holds its own letters.
    """
    rest = case.outbox[1:]
    if letter.kind not in STAFF and letter.way == "mail":
        rest = (_record(case, letter), *rest)
    case = case.with_(mails=(*case.mails, letter), outbox=rest)
    if letter.kind not in STAFF | TIMED and letter.way != "draft":
        case = case.with_(asked=None)
    if letter.way == "draft":
        return case.told(f"letter {letter.kind} NOT SENT: a draft on the ticket", now)
    return case.told(f"letter {letter.kind} sent", now)


def marked_sent(case: Case, now: datetime) -> Case:
    """A person sent the drafts: from now on they are letters like any other.

    The record on the ticket is what says so to whoever reads the desk alone.
    """
    records = tuple(_record(case, draft) for draft in case.drafts)
    mails = tuple(
        mail.model_copy(update={"way": "mail", "sent_at": now}) if mail in case.drafts else mail
        for mail in case.mails
    )
    case = case.with_(mails=mails, outbox=(*case.outbox, *records), asked=None)
    return case.told(f"{len(records)} drafts marked as sent", now, "person")


def answered_by_hand(case: Case, now: datetime) -> Case:
    """A person has answered the client: reminders count from now on."""
    return case.with_(asked=None, spoken=now).told("answered by hand", now, "person")


def woken(case: Case, others: Iterable[Case], now: datetime, delays: Delays) -> Case:
    """A date has come: remind the client, or end the case.

    `others`: the cases of the same client, who gets one reminder a day at most.
    """
    found, post = coming(case, now, delays), reminder(case)
    assert found is not None and post is not None  # noqa: S101, PT018 — the plan has looked
    if found.what == "expiry":
        return _expired(case, now)
    today = delays.day(now)
    if any(was_reminded(other, today, delays) for other in others if other.id != case.id):
        case = case.with_(held_until=delays.next_opening(now))
        return case.told("reminder held back: the client gets another one today", now)
    return case.with_(outbox=(*case.outbox, post), held_until=None)


def put_back(case: Case) -> Case:
    """A letter that was begun waits for working hours; whether it left is asked then."""
    letter, *rest = case.outbox
    outbox = (letter.model_copy(update={"begun": True}), *rest)
    return case.with_(doing=None, outbox=outbox)


def withdrawn(case: Case, now: datetime) -> Case:
    """The first letter of the outbox makes no sense any more, and did not leave."""
    return case.with_(outbox=case.outbox[1:]).told("a reminder was withdrawn", now)


def _expired(case: Case, now: datetime) -> Case:
    number = 1 + sum(1 for mail in case.mails if mail.kind == "expiry")
    decision = Decision(verdict="reject", by="delay", at=now)
    case = case.with_(decision=decision, validation_status="rejected")
    case = case.told("ended: no answer in time", now)
    return post_letter(case, "expiry", f"mail:expiry:{number}")


def _record(case: Case, letter: SentLetter) -> Post:
    key = letter.key.removeprefix(f"{case.id}:").replace("mail:", "record:", 1)
    return Post(kind=PostKind.RECORD, key=key, letter=letter.kind)


def noted(case: Case, now: datetime) -> Case:
    """The first note (or record of a letter) of the outbox is on the ticket."""
    post = case.outbox[0]
    case = case.with_(outbox=case.outbox[1:])
    return case.told("note on the ticket", now) if post.kind is PostKind.NOTE else case


def answered(case: Case, message: Message, reply: Reply, now: datetime) -> Case:
    """A client's message was read: act on it, or leave it to a person."""
    guard = stops(case, message) if reply.intent == "accept" else reply.guard
    reply = reply.model_copy(update={"guard": guard})
    case = case.with_(replies=(*case.replies, reply))
    case = case.told(f"reply read: {reply.intent}", now, reply.by)
    if reply.intent == "auto_reply":
        return case
    ours = from_contact(case, message)
    if ours and message.thread is not None:
        case = case.with_(thread=message.thread)
    waits = case.decision is None and case.validation_status in ("pending_info", "pending_credits")
    if reply.intent == "accept" and guard is None:
        return _accepted(case, message, reply, now)
    if reply.intent == "refuse" and ours and waits:
        return _refused(case, message, now)
    if reply.intent == "more_info" and ours and waits and case.validation_status == "pending_info":
        return _completed(case, message, reply)
    return _left_to_person(case, reply, reply.intent if waits else "late", now)


def stops(case: Case, message: Message) -> Guard | None:
    """Return what stops this message from accepting whatever it says, or None when nothing does.

    It needs an open quote, the contact's own address, and to be about this quote, not an older
    one. What the words mean is judged elsewhere; these keys are needed beside it.
    """
    quote = case.open_quote
    if quote is None or case.decision is not None:
        return "no_quote"
    if not from_contact(case, message):
        return "forged" if is_forged(message) else "sender"
    named = references(message)
    if named and case.reference not in named:  # tickets were merged: it answers another request
        return "reference"
    place = case.mails.index(quote)
    older, current = (
        {mail.message_id for mail in mails if mail.kind == "quote" or mail.kind in REMINDERS}
        for mails in (case.mails[:place], case.mails[place:])
    )
    answered_to = _answers(message)
    named_older = older & answered_to and not current & answered_to
    if named_older or (older and message.sent_at < quote.sent_at):
        return "older_quote"
    return None


def from_contact(case: Case, message: Message) -> bool:
    """Tell whether the exact From address is the contact's own, and nobody doubts it."""
    return message.sender.lower() == case.request.user_email.lower() and not is_forged(message)


def _answers(message: Message) -> set[str]:
    names = ("in-reply-to", "references")
    return {word for name in names for word in message.headers.get(name, "").split()}


def _accepted(case: Case, message: Message, reply: Reply, now: datetime) -> Case:
    quote = case.open_quote
    assert quote is not None  # noqa: S101 — `accepts` has looked
    decision = Decision(
        verdict="accept",
        by="client",
        at=now,
        credits=quote.credits,
        message_id=message.id,
    )
    text = record(case, quote, message, reply, now)
    proof = Proof(name=record_name(message.id), text=text)
    return case.with_(decision=decision, proof=proof).told("accepted by the client", now, "client")


def _refused(case: Case, message: Message, now: datetime) -> Case:
    decision = Decision(verdict="reject", by="client", at=now, message_id=message.id)
    case = case.with_(decision=decision, validation_status="rejected")
    return post_letter(case.told("refused by the client", now, "client"), "refusal", "mail:refusal")


def _completed(case: Case, message: Message, reply: Reply) -> Case:
    """The request is completed by what the client sent, and judged again."""
    request = case.request
    files = tuple(
        FileRef(name=file.name, url=file.url, path=file.path) for file in message.attachments
    )
    description = f"{request.description}\n\n{reply.words}".strip()
    request = request.model_copy(
        update={"description": description, "fichiers": (*request.fichiers, *files)}
    )
    return case.with_(request=request, analysis=None, validation_status=None)


def _left_to_person(case: Case, reply: Reply, why: str, now: datetime) -> Case:
    about = sha256(reply.message_id.encode()).hexdigest()[:12]
    note = Post(kind=PostKind.NOTE, key=f"note:{about}", about=reply.message_id, why=why)
    case = case.with_(outbox=(*case.outbox, note), asked=case.asked or now)
    return _tell_administrator(case, why, about=reply.message_id, key=about)


def quoted(case: Case) -> Case:
    """A new quote is due: from now on the only open one."""
    quotes = case.quotes + 1
    case = case.with_(validation_status="pending_credits", quotes=quotes)
    return post_letter(case, "quote", f"mail:quote:{quotes}")


def _tell_administrator(
    case: Case, why: str, *, about: str | None = None, key: str | None = None
) -> Case:
    post = Post(
        kind=PostKind.LETTER,
        key=f"mail:administrator:{key or why}",
        letter="administrator",
        about=about,
        why=why,
    )
    return case.with_(outbox=(*case.outbox, post))


def post_letter(case: Case, kind: LetterKind, key: str) -> Case:
    """A letter to the client is due."""
    post = Post(kind=PostKind.LETTER, key=key, letter=kind)
    return case.with_(outbox=(*case.outbox, post))
