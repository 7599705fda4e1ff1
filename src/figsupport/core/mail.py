"""An Internet message as values (RFC 5322, MIME). Pure: any bytes give a mail, none raise."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

if TYPE_CHECKING:
    from email.message import EmailMessage

T = TypeVar("T")

_SIZE = 60_000_000
_TEXT = 200_000
_PARTS = 200
_HEADERS = 300
_HEADER = 20_000
_PART = r"[^\s<>()\"',;:@]"
#: begins only where a word does, and never looks at a word twice: a long line costs once
_ADDRESS = re.compile(rf"(?<!{_PART}){_PART}++@{_PART}+")
_FIRST_ONLY = frozenset({"authentication-results", "return-path"})


class ParsedMail(NamedTuple):
    """A mail: the exact From address (empty when there is not exactly one), bodies, files.

    `headers` has lower-case names; of Authentication-Results only the topmost is kept, which
    is the last server's. `attachments` are (name, content).
    """

    sender: str
    sender_name: str
    subject: str
    text: str
    html: str | None
    headers: dict[str, str]
    sent_at: datetime | None
    attachments: tuple[tuple[str, bytes], ...]


def parse_mail(raw: bytes) -> ParsedMail:
    """Return the mail in these bytes; what cannot be read is left out."""
    from email import message_from_bytes
    from email.policy import default

    nothing: Any = message_from_bytes(b"", policy=default)
    message = _tried(lambda: message_from_bytes(raw[:_SIZE], policy=default), nothing)
    headers = _headers(message)
    sender, name = _sender(message)
    text, html, attachments = _parts(message)
    return ParsedMail(
        sender=sender,
        sender_name=name,
        subject=" ".join(headers.get("subject", "").split()),
        text=text,
        html=html,
        headers=headers,
        sent_at=_date(headers.get("date", "")),
        attachments=attachments,
    )


def _tried(read: Callable[[], T], otherwise: T) -> T:
    """Return what the library reads, or `otherwise`: on broken input it raises almost anything."""
    try:
        return read()
    except Exception:
        return otherwise


def _headers(message: "EmailMessage") -> dict[str, str]:
    found: dict[str, str] = {}
    for name in list(message.keys())[:_HEADERS]:
        low = name.lower()
        if low in found:
            continue
        values = _tried(partial(message.get_all, name), None) or []
        kept = values[:1] if low in _FIRST_ONLY else values
        found[low] = "\n".join(str(value) for value in kept)[:_HEADER]
    return found


def _sender(message: "EmailMessage") -> tuple[str, str]:
    """Return the one From address, lower case, and its name; nothing when it is not one."""
    senders: Any = _tried(partial(message.get_all, "From"), None) or []
    addresses = _tried(lambda: senders[0].addresses, ()) if len(senders) == 1 else ()
    if len(addresses) != 1:
        return "", ""
    address, name = addresses[0].addr_spec.lower(), str(addresses[0].display_name)
    # « client@x <other@y> » is read as the first by the library, as the second by servers
    raw = [str(value) for head, value in message.raw_items() if head.lower() == "from"]
    named = set(_ADDRESS.findall(f"{name} {raw[0]}"[:_HEADER].lower()))
    return (address if named == {address} else ""), name


def _date(value: str) -> datetime | None:
    from email.utils import parsedate_to_datetime

    try:
        date = parsedate_to_datetime(value)
        date = date if date.tzinfo else date.replace(tzinfo=UTC)
        return date.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _parts(message: "EmailMessage") -> tuple[str, str | None, tuple[tuple[str, bytes], ...]]:
    """Return all that is shown as text, all as HTML, and the files.

    Some programs cut one letter into several texts around its pictures: each of them counts.
    """
    texts: list[str] = []
    pages: list[str] = []
    files = []
    for number, part in enumerate(_walk(message)):
        if number >= _PARTS:
            break
        if part.get_content_maintype() == "multipart":
            continue
        kind, name = part.get_content_type(), _file_name(part)
        shown = part.get_content_disposition() != "attachment" and name is None
        if shown and kind == "text/plain":
            texts.append(_text(part))
        elif shown and kind == "text/html":
            pages.append(_text(part))
        elif name is not None or not kind.startswith("text/"):
            files.append((name or f"piece-{number}", _content(part)))
    html = "\n".join(pages)[:_TEXT] if pages else None
    return "\n".join(texts)[:_TEXT], html, tuple(files)


def _walk(message: "EmailMessage") -> Iterator["EmailMessage"]:
    """Yield the parts of a mail, not those of a mail attached to it: those are another's words."""
    waiting = [message]
    while waiting:
        part = waiting.pop(0)
        yield part
        pieces: Any = part.get_payload() if part.get_content_maintype() == "multipart" else None
        if isinstance(pieces, list):
            waiting[:0] = pieces


def _file_name(part: "EmailMessage") -> str | None:
    name = _tried(part.get_filename, None)
    return str(name).replace("\\", "/").rpartition("/")[2][:255] if name else None


def _content(part: "EmailMessage") -> bytes:
    if part.is_multipart():  # a mail attached to the mail
        return _tried(part.as_bytes, b"")
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _text(part: "EmailMessage") -> str:
    content = _content(part)[: 4 * _TEXT]
    charset = part.get_content_charset() or "utf-8"
    for name in (charset, "utf-8", "cp1252"):
        try:
            text = content.decode(name)
            break
        except (LookupError, ValueError):
            continue
    else:
        text = content.decode("latin-1")
    return text.replace("\r\n", "\n").replace("\r", "\n")[:_TEXT]
