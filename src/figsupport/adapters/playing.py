"""Playing the client on the embedded desk: a mail as a mail program would write it."""

from datetime import datetime
from email import message_from_bytes
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from pathlib import Path

from figsupport.adapters.maildir import Inbox
from figsupport.core.model import Case, Message, SentLetter
from figsupport.core.references import references
from figsupport.errors import NotFound


def as_mail(case: Case, now: datetime, office: str, text: str | None, eml: Path | None) -> bytes:
    """Return the client's answer to our last letter: a text of theirs, or a mail file.

    A mail file is delivered as it is; when it names no case, it is made an answer to our
    last letter, as if the client had used the answer button. Raises NotFound.
    """
    if eml is None:
        return _answer(case, now, office, text or "").as_bytes()
    if not eml.is_file():
        raise NotFound(f"There is no file {eml}", hint="--eml takes a mail file (.eml).")
    raw = eml.read_bytes()
    letter = _last_letter(case)
    headers = message_from_bytes(raw[:100_000], policy=SMTP)
    names = Message(
        id="",
        sender="",
        subject=str(headers.get("Subject", "")),
        headers={"in-reply-to": str(headers.get("In-Reply-To", ""))},
        sent_at=now,
    )
    if case.reference in references(names) or letter is None:
        return raw
    return f"In-Reply-To: {letter.message_id}\r\n".encode() + raw


def deliver(raw: bytes, mail_folder: Path, now: datetime) -> Message:
    """Put a mail into the inbox, and return it as it will be read."""
    inbox = Inbox(mail_folder)
    return inbox.read(inbox.deliver(raw), now)


def _answer(case: Case, now: datetime, office: str, text: str) -> EmailMessage:
    letter = _last_letter(case)
    name, address = parseaddr(office)
    subject = letter.subject if letter else f"[#{case.reference}]"
    mime = EmailMessage(policy=SMTP)
    mime["From"] = Address(case.request.user_name, addr_spec=case.request.user_email)
    mime["To"] = Address(name, addr_spec=address)
    mime["Subject"] = f"Re: {subject}"
    mime["Date"] = format_datetime(now)
    mime["Message-ID"] = f"<{now.timestamp():.6f}.client@localhost>"
    quoted = ""
    if letter is not None:
        mime["In-Reply-To"] = letter.message_id
        mime["References"] = letter.message_id
        lines = "\n".join(f"> {line}".rstrip() for line in letter.text.splitlines())
        when = letter.sent_at.strftime("%d/%m/%Y à %H:%M")
        quoted = f"\n\nLe {when}, {name or address} <{address}> a écrit :\n\n{lines}\n"
    mime.set_content(f"{text}{quoted}")
    return mime


def _last_letter(case: Case) -> SentLetter | None:
    letters = [mail for mail in case.mails if mail.to == case.request.user_email]
    return letters[-1] if letters else None
