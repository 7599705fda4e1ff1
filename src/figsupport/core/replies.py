"""What a client's mail means as an answer to ours. Pure; when in doubt, a person.

An acceptance needs all its keys: words that agree and nothing else (`agreement`), an open quote,
the contact's own address, a text and a page that say the same. The words are in `reponses.md`.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from figsupport.core.agreement import Grade, Offer, agrees, objection, pieces, without_courtesy
from figsupport.core.intents import Asked, asks, brings, refuses
from figsupport.core.machines import announces_absence, is_forged, is_machine
from figsupport.core.model import (
    STAFF,
    Case,
    Confidence,
    Guard,
    Intent,
    Message,
    Reply,
    SentLetter,
)
from figsupport.core.own_words import Own, from_html, from_text
from figsupport.core.rules import ReplyWords, language_of
from figsupport.core.words import fold, words

_ADDRESS = re.compile(r"(?:https?://|www\.)\S{1,500}")
_SIGNED = re.compile(
    r"^(?=.*\.(?:pdf|tiff?|heic)$)"
    r".*(?:sign|bon.?pour.?accord|\bbpa|accord|\bbdc|bon.?de.?commande|\bpo\b|order|accept|valid)"
)
_REVISED = re.compile(r"modif|corrig|annot|chang|revis|\bv\d|non.?sign|a.?signer|unsigned|to.?sign")
_QUOTED = re.compile(r"[«“\"]\s?([^«»“”\"\n]{3,120}?)\s?[»”\"]")
#: A mail of so many signs is for a person; what follows them is not looked at.
_MOST_SIGNS = 20_000


class Asking(NamedTuple):
    """The letter of ours that is being answered.

    `about`: what the quote says of itself (object, number, reference), as folded words;
    `english`: the same of its object, as English speaks of it.
    `bare`: whether a bare yes answers it; `sent`: every letter of ours to the client.
    """

    kind: Asked
    credits: int | None = None
    sent: tuple[str, ...] = ()
    about: frozenset[tuple[str, ...]] = frozenset()
    bare: bool = True
    english: frozenset[tuple[str, ...]] = frozenset()


class Read(NamedTuple):
    """What a mail means, why, and the client's own words."""

    intent: Intent
    reason: str
    words: str = ""
    confidence: Confidence = "high"
    guard: Guard | None = None


def read_reply(
    message: Message,
    case: Case,
    phrases: ReplyWords,
    *,
    bare: bool = True,
    things: frozenset[tuple[str, ...]] = frozenset(),
) -> Reply:
    """Return what a client's message means as an answer to our last letter.

    `bare`: whether a bare « ok » may accept at all; `things`: what a quote that names no object
    may be about, as `spoken_of` gives it.
    """
    quote = case.open_quote
    kind: Asked = "nothing"
    if quote is not None:
        kind = "quote"
    elif case.validation_status == "pending_info":
        kind = "info"
    asking = Asking(
        kind,
        quote.credits if quote else None,
        tuple(mail.text for mail in case.mails if mail.kind not in STAFF),
        _about(case, quote, things) if quote else frozenset(),
        bare and quote is not None and _is_direct(message, case, quote),
        spoken_of(_named(case, quote), english=True) if quote else frozenset(),
    )
    email, name = case.request.user_email, case.request.user_name
    found = read(message, asking, email, name, phrases)
    return Reply(
        message_id=message.id,
        intent=found.intent,
        sender=message.sender,
        words=found.words,
        by="rules",
        confidence=found.confidence,
        reasons=(found.reason,),
        guard=found.guard,
        at=message.sent_at,
    )


def read(message: Message, asking: Asking, email: str, name: str, phrases: ReplyWords) -> Read:
    """Return what a message means, as an answer to `asking`, from the contact `email`, `name`."""
    written = _own_words(message, asking.sent, name)
    text = written[0].text
    seen = text[:_MOST_SIGNS]
    about = asking.about | asking.english if language_of(text) == "en" else asking.about
    offer = Offer(asking.credits, about, _names(name, email))
    accepts = agrees(text, offer, phrases)
    if reason := is_machine(message):
        return Read("auto_reply", reason, guard="machine" if accepts else None)
    if accepts:
        return _acceptance(message, asking, email, written, accepts, offer, phrases)
    if announces_absence(text, phrases.absence):
        return Read("auto_reply", "the text announces an absence", text)
    found = brings(seen, asking.kind, files=bool(message.attachments), phrases=phrases)
    spoken = [word for word in words(seen) if len(word) > 1]  # initials say nothing
    polite = not {*pieces(spoken, offer, phrases)} - {"courtesy"} and seen.count("?") < 2
    if polite and not (asking.kind == "info" and found.intent == "more_info"):
        return Read("unclear", "the client wrote nothing new but courtesy", text)
    if word := refuses(seen, asking.kind, asking.credits, phrases):
        return Read("refuse", f"the client says « {word} »", text)
    if word := asks(seen, phrases):
        return Read("question", f"the client asks: « {word} »", text)
    return Read(found.intent, found.reason, text, found.confidence)


def _acceptance(
    message: Message,
    asking: Asking,
    email: str,
    written: tuple[Own, Own | None],
    grade: Grade,
    offer: Offer,
    phrases: ReplyWords,
) -> Read:
    """Give an acceptance its other keys; the first that is missing leaves it to a person."""
    own, other = written
    text = own.text
    if (stopped := _stopped(message, asking, email, own, other)) is not None:
        return Read("unclear", stopped.reason, text, guard=stopped.guard)
    rest = without_courtesy(f"{own.rest}\n{other.rest if other else ''}", offer, phrases)
    if word := objection(_ADDRESS.sub(" ", rest), asking.credits, phrases):
        reason = f"« {word} » stands under the quote or the signature"
        return Read("unclear", reason, text, guard="objection")
    if grade == "bare" and not asking.bare:
        return Read("unclear", "a bare yes is left to a person here", text, guard="bare")
    if grade == "bare":
        return Read("accept", "a bare yes is all the client writes to the quote", text, "medium")
    return Read("accept", "every word of the client accepts the quote", text)


class _Stopped(NamedTuple):
    """The key that an acceptance misses, for counting and for people."""

    guard: Guard
    reason: str


def _stopped(
    message: Message, asking: Asking, email: str, own: Own, other: Own | None
) -> _Stopped | None:
    """Return which key of an acceptance the mail misses, whatever its words; None: none."""
    if asking.kind != "quote":
        return _Stopped("no_quote", "there is no open quote to accept")
    if message.sender.lower() != email.lower():
        return _Stopped("sender", f"written by {message.sender or 'nobody'}, not the contact")
    if is_forged(message):
        return _Stopped("forged", "our mail server doubts the sender (DMARC or SPF)")
    if other is not None and words(other.text) != words(own.text):
        return _Stopped("disagreement", "the text and the HTML of the mail differ")
    if own.hidden or (other is not None and other.hidden):
        return _Stopped("hidden", "the mail holds words that are hidden or struck out")
    if any(not _is_image(file.name) and not _is_signed(file.name) for file in message.attachments):
        return _Stopped("files", "files came with the acceptance")
    return None


def _own_words(message: Message, sent: Sequence[str], name: str) -> tuple[Own, Own | None]:
    """Return the words of the text, and of the HTML when there are both."""
    html = from_html(message.html, sent, name) if message.html else None
    if message.text.strip():
        return from_text(message.text, sent, name), html
    return html or Own("", ""), None


def _is_direct(message: Message, case: Case, quote: SentLetter) -> bool:
    """Tell whether a message can only answer the quote: nothing else was said since.

    A question that a person may have answered elsewhere makes an « ok » an answer to that.
    """
    letters = [mail for mail in case.mails if mail.to == quote.to]
    named = message.headers.get("in-reply-to", "")
    others = any(mail.message_id in named for mail in letters if mail is not quote)
    talked = any(
        reply.intent != "auto_reply" and reply.at is not None and reply.at >= quote.sent_at
        for reply in case.replies
    )
    return letters[-1] is quote and not others and not talked


def _names(name: str, email: str) -> frozenset[str]:
    """Return the words of a contact's name and address; initials and numbers say too little."""
    spoken = words(f"{name} {email.partition('@')[0]}")
    return frozenset(word for word in spoken if len(word) > 1 and not word.isdigit())


def spoken_of(names: Iterable[str], *, english: bool = False) -> frozenset[tuple[str, ...]]:
    """Return how objects are spoken of: « fauteuil club » gives fauteuil, le fauteuil club …"""
    spoken = {words(name) for name in names} - {words("Je valide"), words("I accept"), ()}
    short = {short for name in spoken for short in _short_names(name, english)}
    return frozenset((*before, *name) for name in short for before in _BEFORE)


def _named(case: Case, quote: SentLetter) -> list[str]:
    """Return what the quote calls its object."""
    letter = f"{quote.subject}\n{quote.text}"
    return [case.request.objet, *_QUOTED.findall(letter)]


def _about(
    case: Case, quote: SentLetter, things: frozenset[tuple[str, ...]]
) -> frozenset[tuple[str, ...]]:
    """Return what the quote says of itself: its object, its numbers, our reference, its date."""
    letter = f"{quote.subject}\n{quote.text}"
    about = spoken_of(_named(case, quote)) or things
    numbers = {*re.findall(r"\b\d{3,12}\b", letter), case.reference}
    for number in numbers:
        about |= {(*mark, *words(number)) for mark in ((), ("n",), ("no",), ("numero",), ("ref",))}
    day, month = quote.sent_at.day, quote.sent_at.month
    for name in _MONTHS[month - 1]:
        about |= {("du", str(day), name), ("du", str(day), name, str(quote.sent_at.year))}
    about |= {
        ("du", f"{day:02}", f"{month:02}"),
        ("du", f"{day:02}", f"{month:02}", str(quote.sent_at.year)),
    }
    return frozenset(about)


def _short_names(name: tuple[str, ...], english: bool) -> Iterator[tuple[str, ...]]:
    """Yield a name and what is short for it, unless it joins two.

    The noun comes first in French, last in English: « fauteuil » for « fauteuil club », “lamp”
    for “brass lamp”.
    """
    joined = bool(_JOINS & {*name}) or name[:1] < ("a",) or bool(_NUMBERS & {*name[:1]})
    for length in range(len(name) if joined else 1, len(name) + 1):
        yield name[-length:] if english else name[:length]
    if english:  # “desk lamp” for « lampe de bureau », word by word
        yield tuple(word for word in reversed(name) if word not in _OF)


_JOINS = frozenset("et and ou or avec with plus".split())
_OF = frozenset("de d du des en a au aux la le".split())
_NUMBERS = frozenset("deux trois quatre cinq two three four five".split())
_BEFORE = tuple(
    words(before)
    for before in (
        "", "pour", "pour le", "pour la", "pour l'", "pour les", "du", "de la", "de l'", "le", "la",
        "l'", "les", "for", "for the", "of the", "the", "on the", "with the", "about the", "your",
        "our", "my", "this", "on this", "for our", "for my", "pour ce", "pour cette", "pour mon",
        "pour ma",
    )
)  # fmt: skip
_MONTHS = (
    ("janvier", "january"), ("fevrier", "february"), ("mars", "march"), ("avril", "april"),
    ("mai", "may"), ("juin", "june"), ("juillet", "july"), ("aout", "august"),
    ("septembre", "september"), ("octobre", "october"), ("novembre", "november"),
    ("decembre", "december"),
)  # fmt: skip


def _is_signed(name: str) -> bool:
    """Tell whether a file can be our quote come back signed, or the order that goes with it."""
    said = fold(name)
    return bool(_SIGNED.search(said)) and not _REVISED.search(said)


def _is_image(name: str) -> bool:
    return name.lower().endswith((".png", ".jpg", ".jpeg", ".gif"))
