"""What a client's mail means as an answer to ours. Pure; when in doubt, a person.

An acceptance is read only when every word the client wrote is understood: phrases that accept,
courtesy, the contact's name, the price of the quote. The words are in `reponses.md`.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

from figsupport.core.machines import is_forged, is_machine
from figsupport.core.model import Case, Confidence, Intent, Message, Reply
from figsupport.core.own_words import Own, from_html, from_text
from figsupport.core.rules import ReplyWords
from figsupport.core.words import fold, words

Asked = Literal["quote", "info", "nothing"]

_YES_SIGNS = {"👍": " ok ", "👌": " ok ", "✅": " ok ", "✔": " ok "}
_HARMLESS_SIGNS = re.compile(r"[\s.,!;:()'\"\-*«»“”…🙂😊🙏😀😉👋✨\ufe0f\U0001f3fb-\U0001f3ff]+")
_LINK = re.compile(r"https?://|www\.|\b[a-z0-9-]+\.(?:com|fr|net|org|io)\b")
_MOST_WORDS = 60
_CREDITS = re.compile(r"(?:a |pour |de |at |for )?(\d{1,3}|un|deux|trois|one|two|three) credits?")
_NUMBER = {"un": 1, "deux": 2, "trois": 3, "one": 1, "two": 2, "three": 3}
_DELAYED = re.compile(
    r"\b(?:pour le moment|pour l'instant|pas encore|tout de suite|not yet|for now|for the moment)\b"
)


class Asking(NamedTuple):
    """The letter of ours that is being answered."""

    kind: Asked
    credits: int | None = None
    sent: tuple[str, ...] = ()


class Read(NamedTuple):
    """What a mail means, why, and the client's own words."""

    intent: Intent
    reason: str
    words: str = ""
    confidence: Confidence = "high"


def read_reply(message: Message, case: Case, phrases: ReplyWords) -> Reply:
    """Return what a client's message means as an answer to our last letter."""
    quote = case.open_quote
    kind: Asked = "nothing"
    if quote is not None:
        kind = "quote"
    elif case.validation_status == "pending_info":
        kind = "info"
    asking = Asking(
        kind,
        quote.credits if quote else None,
        tuple(m.text for m in case.mails if m.kind != "administrator"),
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
    )


def read(message: Message, asking: Asking, email: str, name: str, phrases: ReplyWords) -> Read:
    """Return what a message means, as an answer to `asking`, from the contact `email`, `name`."""
    if reason := is_machine(message, phrases.absence):
        return Read("auto_reply", reason)
    own, other = _own_words(message, asking.sent, name)
    text = own.text
    said = fold(text)
    accepts = _accepts(text, asking.credits, name, phrases)
    if not words(said) and not accepts:
        if message.attachments and asking.kind == "info":
            return Read("more_info", "the client sends files")
        return Read("unclear", "the client wrote nothing new", text)
    if not accepts and (word := _refuses(said, phrases)):
        return Read("refuse", f"the client says « {word} »", text)
    if not accepts and (word := _asks(text, said, phrases)):
        return Read("question", f"the client asks: « {word} »", text)
    if accepts:
        return _acceptance(message, asking, email, own, other, phrases)
    if asking.kind == "info" or message.attachments or _has_facts(said, phrases):
        return _information(message, said, text, phrases)
    return Read("unclear", "not every word is understood as an acceptance", text)


def _acceptance(
    message: Message,
    asking: Asking,
    email: str,
    own: Own,
    other: Own | None,
    phrases: ReplyWords,
) -> Read:
    """Give an acceptance its other keys; the first that is missing leaves it to a person."""
    text = own.text
    if asking.kind != "quote":
        return Read("unclear", "there is no open quote to accept", text)
    if message.sender.lower() != email.lower():
        return Read("unclear", f"written by {message.sender or 'nobody'}, not the contact", text)
    if is_forged(message):
        return Read("unclear", "our mail server doubts the sender (DMARC or SPF)", text)
    if other is not None and words(other.text) != words(text):
        return Read("unclear", "the text and the HTML of the mail differ", text)
    rest = f"{own.rest}\n{other.rest if other else ''}"
    if word := _objects(rest, phrases):
        return Read("unclear", f"« {word} » stands under the quote or the signature", text)
    if message.attachments and any(not _is_image(file.name) for file in message.attachments):
        return Read("unclear", "files came with the acceptance", text)
    return Read("accept", "every word of the client accepts the quote", text)


def _own_words(message: Message, sent: Sequence[str], name: str) -> tuple[Own, Own | None]:
    """Return the words of the text, and of the HTML when there are both."""
    html = from_html(message.html, sent, name) if message.html else None
    if message.text.strip():
        return from_text(message.text, sent, name), html
    return html or Own("", ""), None


def _accepts(text: str, credits_: int | None, name: str, phrases: ReplyWords) -> bool:
    """Tell whether every word of a text is understood, and some of them accept."""
    for sign, word in _YES_SIGNS.items():
        text = text.replace(sign, word)
    if _is_disguised(text) or "?" in text:
        return False
    said = fold(text)
    if _LINK.search(said) or not _only_words(text):
        return False
    said, amounts = _CREDITS.sub(" ", said), _CREDITS.findall(said)
    if any(_NUMBER.get(amount, 0) != credits_ and amount != str(credits_) for amount in amounts):
        return False
    rest = list(words(said))
    if len(rest) > _MOST_WORDS:
        return False
    accepting, courteous = _by_length(phrases.accept), _by_length(phrases.courtesy)
    names = set(words(name))
    accepted = False
    place = 0
    while place < len(rest):
        if length := _longest(rest, place, accepting):
            accepted = True
        else:
            length = _longest(rest, place, courteous) or (1 if rest[place] in names else 0)
        if not length:
            return False
        place += length
    return accepted


def _only_words(text: str) -> bool:
    """Tell whether a text is letters, digits and harmless signs, nothing else."""
    return all(sign.isalnum() for sign in _HARMLESS_SIGNS.sub("", text.replace("’", "'")))


def _is_disguised(text: str) -> bool:
    """Tell whether letters of other alphabets pass for ours."""
    letters = (sign for sign in text if sign.isalpha())
    return any("LATIN" not in unicodedata.name(sign, "") for sign in letters)


@lru_cache(maxsize=8)
def _by_length(phrases: tuple[str, ...]) -> dict[int, frozenset[tuple[str, ...]]]:
    found: dict[int, set[tuple[str, ...]]] = {}
    for phrase in phrases:
        parts = words(phrase)
        found.setdefault(len(parts), set()).add(parts)
    return {length: frozenset(found[length]) for length in sorted(found, reverse=True)}


def _longest(rest: list[str], place: int, phrases: dict[int, frozenset[tuple[str, ...]]]) -> int:
    return next((n for n, known in phrases.items() if tuple(rest[place : place + n]) in known), 0)


def _refuses(said: str, phrases: ReplyWords) -> str | None:
    if _DELAYED.search(said):
        return None
    if word := _first(said, phrases.refuse):
        return word
    spoken = words(said)
    accepting = _by_length(phrases.accept)
    alone = spoken[0] in ("non", "no", "nope") and not any(
        _longest(list(spoken), place, accepting) for place in range(len(spoken))
    )
    return spoken[0] if alone else None


def _asks(text: str, said: str, phrases: ReplyWords) -> str | None:
    if "?" in text:
        return next(line.strip() for line in text.split("\n") if "?" in line)[:120]
    return _first(said, phrases.ask)


def _information(message: Message, said: str, text: str, phrases: ReplyWords) -> Read:
    """A mail that brings something: what we asked for, or what a person must look at."""
    if message.attachments or _has_facts(said, phrases):
        return Read("more_info", "the client brings what the object needs", text)
    spoken = words(said)
    empty = _accepts(text, None, "", phrases) or not _beyond_courtesy(spoken, phrases)
    if empty or len(spoken) < 3 or _first(said, phrases.objection):
        return Read("unclear", "the client brings nothing yet", text)
    return Read("more_info", "the client describes the object", text, "medium")


def _has_facts(said: str, phrases: ReplyWords) -> bool:
    measured = re.search(r"\d ?(?:cm|mm|m|kg|pouces|inch|inches)\b|\d ?x ?\d", said)
    return bool(measured) or _first(said, phrases.inform) is not None


def _beyond_courtesy(spoken: Sequence[str], phrases: ReplyWords) -> bool:
    known, rest = _by_length(phrases.courtesy), list(spoken)
    place = 0
    while place < len(rest):
        length = _longest(rest, place, known)
        if not length:
            return True
        place += length
    return False


def _objects(text: str, phrases: ReplyWords) -> str | None:
    """Return what contradicts in words that may be the client's: a question, a no, a but."""
    said = fold(text)
    if not said:
        return None
    if "?" in text:
        return "?"
    return _first(said, (*phrases.objection, *phrases.refuse, *phrases.ask))


def _first(said: str, phrases: tuple[str, ...]) -> str | None:
    """Return the phrase that stands in a folded text, the longest, or None."""
    spoken = list(words(said))
    by_length = _by_length(phrases)
    for place in range(len(spoken)):
        if length := _longest(spoken, place, by_length):
            return " ".join(spoken[place : place + length])
    return None


def _is_image(name: str) -> bool:
    return name.lower().endswith((".png", ".jpg", ".jpeg", ".gif"))
