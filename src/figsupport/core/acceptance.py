"""The record of an acceptance: what was offered, what was answered, who judged. Pure.

It stands on its own beside the client's files, for whoever asks later what was agreed.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple

from figsupport import __version__
from figsupport.core.model import Case, Message, Reply, SentLetter

RECORD_VERSION = 1


class Check(NamedTuple):
    """One thing that must hold of a record, and whether it does."""

    what: str
    holds: bool


def record(case: Case, quote: SentLetter, message: Message, reply: Reply, at: datetime) -> str:
    """Return the record as a JSON document; the same facts give the same bytes."""
    answer = message.model_dump(mode="json", include=_ANSWER)
    return _json(
        {
            "figsupport_acceptance": RECORD_VERSION,
            "case": case.id,
            "reference": case.reference,
            "ticket": case.ticket.id if case.ticket else None,
            "client": {"email": case.request.user_email, "name": case.request.user_name},
            "accepted_at": at.isoformat(),
            "quote": {
                **quote.model_dump(mode="json", include=_QUOTE),
                "sha256": digest(quote.text),
            },
            "reply": {**answer, "sha256": digest(_json(answer))},
            "words": reply.words,
            "judged": {
                "by": reply.by,
                "figsupport": __version__,
                "confidence": reply.confidence,
                "reasons": list(reply.reasons),
            },
        }
    )


def record_name(message_id: str) -> str:
    """Return the record's file name, which follows from the answer alone."""
    return f"acceptance-{digest(message_id)[:16]}.json"


def digest(text: str) -> str:
    """Return the SHA-256 of a text in UTF-8: 64 hexadecimal characters."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def check(stored: bytes, case: Case) -> Iterator[Check]:
    """Yield what a stored record must agree with: its own hashes, and what the case knows."""
    if case.proof is not None:
        whole = sha256(stored).hexdigest() == case.proof.sha256
        yield Check("the record is the one whose hash the case keeps", whole)
    document = _parsed(stored)
    quote, answer = _part(document, "quote"), _part(document, "reply")
    yield Check(
        "the quote's text has its hash", digest(str(quote.get("text"))) == quote.get("sha256")
    )
    named = {name: value for name, value in answer.items() if name != "sha256"}
    yield Check("the client's answer has its hash", digest(_json(named)) == answer.get("sha256"))
    yield Check("the record is of this case", document.get("case") == case.id)
    sent = [mail.text for mail in case.mails if mail.message_id == quote.get("message_id")]
    yield Check("the quote is the one that was sent", bool(sent) and sent[-1] == quote.get("text"))
    if case.decision is not None:
        agreed = case.decision.credits == quote.get("credits")
        yield Check("the price agreed is the quote's", agreed)


_QUOTE = {"message_id", "to", "subject", "text", "sent_at", "credits"}
_ANSWER = {
    "id",
    "sender",
    "sender_name",
    "subject",
    "text",
    "html",
    "headers",
    "sent_at",
    "attachments",
}


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True)


def _parsed(stored: bytes) -> dict[str, Any]:
    try:
        document = json.loads(stored)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _part(document: dict[str, Any], name: str) -> dict[str, Any]:
    part = document.get(name)
    return part if isinstance(part, dict) else {}
