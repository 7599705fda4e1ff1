"""What a client's mail means as an answer to ours. Pure; when in doubt, a person.

An acceptance is read only when every word the client wrote is understood: phrases that accept,
courtesy, the contact's name, the object and the price of the quote. The words are in
`reponses.md`.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from figsupport.core.machines import announces_absence, is_forged, is_machine
from figsupport.core.model import STAFF, Case, Confidence, Intent, Message, Reply, SentLetter
from figsupport.core.own_words import Own, from_html, from_text
from figsupport.core.rules import ReplyWords, Tile
from figsupport.core.words import fold, words

Asked = Literal["quote", "info", "nothing"]

#: What judged, for records that outlive this version; a change of the grammar changes it.
GRAMMAR = "rules-2"

_YES_SIGNS = str.maketrans(dict.fromkeys("👍👌✅✔🆗", " ok "))
_HARMLESS_SIGNS = re.compile(
    r"[\s.,!;:()'\"*«»“”…🙂😊🙏😀😉👋✨🎉🙌💪🤝😁☺❤🔥👏/+&°-]|[\ufe0f\u200d\U0001f3fb-\U0001f3ff]"
)
_LINK = re.compile(r"https?://|www\.|[a-z0-9]\.(?:com|fr|net|org|io|example)\b")
_ADDRESS = re.compile(r"(?:https?://|www\.)\S{1,500}")
_GREETING = re.compile(
    r"(?i:(?:re)?bonjour|bonsoir|hello|hi|dear|salut|ch[eè]re?|coucou|bjr|merci|thanks|thank you)"
    r"(?: (?i:madame|monsieur|mme|mlle|mr?s?|ms|miss)\.?)?"
    r"((?:[ -][A-ZÀ-Ý][\w'’-]{1,30}){1,3}) ?[,!.]{0,3}"
)
_MOST_WORDS = 60
_CREDITS = re.compile(r"\b(\d{1,3}|un|deux|trois|one|two|three) credits?\b")
_NUMBER = {"un": 1, "deux": 2, "trois": 3, "one": 1, "two": 2, "three": 3}
_AMOUNT = re.compile(r"\d ?(?:%|€|eur)|\b(?:remise|rabais|ristourne|geste|discount)\b")
_MEASURE = re.compile(
    r"\d ?(?:cm|mm|m|kg|metres?|pouces|inch|inches)\b|\d ?x ?\d|\d par \d|\d by \d"
    r"|\b(?:hauteur|largeur|longueur|profondeur|diametre|height|width|depth) \d"
)
_CONDITION = re.compile(r"\b(?:si|s'il|s'ils|sauf|sous reserve|a condition|if|unless|provided)\b")
_NOT = frozenset("plus pas ne n not t never jamais sans aucun".split())
_CLAUSE = re.compile(r"[.,;:!()\n]")
_NO = frozenset("non no nope nan".split())
_BUT = frozenset({"mais", "but", "plus"})
_SHORT = 6
_SENTENCE = re.compile(r"[^.!?\n…;]{1,2000}[.!?…;]{0,9}")


class Asking(NamedTuple):
    """The letter of ours that is being answered.

    `about`: what the quote says of itself (object, number, reference), as folded words.
    `bare`: whether a bare yes answers it; `sent`: every letter of ours to the client.
    """

    kind: Asked
    credits: int | None = None
    sent: tuple[str, ...] = ()
    about: frozenset[tuple[str, ...]] = frozenset()
    bare: bool = True


class Read(NamedTuple):
    """What a mail means, why, and the client's own words."""

    intent: Intent
    reason: str
    words: str = ""
    confidence: Confidence = "high"


def read_reply(message: Message, case: Case, phrases: ReplyWords, *, bare: bool = True) -> Reply:
    """Return what a client's message means as an answer to our last letter.

    `bare`: whether a bare « ok » may accept at all.
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
        _about(case, quote) if quote else frozenset(),
        bare and quote is not None and _is_direct(message, case, quote),
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
        at=message.sent_at,
    )


def read(message: Message, asking: Asking, email: str, name: str, phrases: ReplyWords) -> Read:
    """Return what a message means, as an answer to `asking`, from the contact `email`, `name`."""
    if reason := is_machine(message):
        return Read("auto_reply", reason)
    own, other = _own_words(message, asking.sent, name)
    text = own.text
    said = fold(text)
    accepts = _accepts(text, asking, f"{name} {email.partition('@')[0]}", phrases)
    if not accepts and announces_absence(text, phrases.absence):
        return Read("auto_reply", "the text announces an absence", text)
    if not words(said) and not accepts:
        if message.attachments and asking.kind == "info":
            return Read("more_info", "the client sends files")
        return Read("unclear", "the client wrote nothing new", text)
    if not accepts and (word := _refuses(text, said, phrases)):
        return Read("refuse", f"the client says « {word} »", text)
    if not accepts and (word := _asks(text, phrases)):
        return Read("question", f"the client asks: « {word} »", text)
    if accepts:
        return _acceptance(message, asking, email, own, other, accepts, phrases)
    return _information(message, asking, said, text, phrases)


Grade = Literal["whole", "bare"]


def _acceptance(
    message: Message,
    asking: Asking,
    email: str,
    own: Own,
    other: Own | None,
    grade: Grade,
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
    if own.hidden or (other is not None and other.hidden):
        return Read("unclear", "the mail holds words that are hidden or struck out", text)
    rest = f"{own.rest}\n{other.rest if other else ''}"
    if word := _objects(rest, asking, phrases):
        return Read("unclear", f"« {word} » stands under the quote or the signature", text)
    if message.attachments and any(not _is_image(file.name) for file in message.attachments):
        return Read("unclear", "files came with the acceptance", text)
    if grade == "bare" and not asking.bare:
        return Read("unclear", "a bare yes is left to a person here", text)
    if grade == "bare":
        return Read("accept", "a bare yes is all the client writes to the quote", text, "medium")
    return Read("accept", "every word of the client accepts the quote", text)


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


def _about(case: Case, quote: SentLetter) -> frozenset[tuple[str, ...]]:
    """Return what the quote says of itself: its object, its numbers, our reference, its date."""
    letter = f"{quote.subject}\n{quote.text}"
    named = [case.request.objet, *re.findall(r"[«“\"]\s?([^«»“”\"\n]{3,120}?)\s?[»”\"]", letter)]
    names = {words(name) for name in named} - {words("Je valide"), words("I accept"), ()}
    about = {(*before, *name) for name in names for before in _BEFORE}
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


_BEFORE = tuple(
    words(before)
    for before in (
        "", "pour", "pour le", "pour la", "pour l'", "pour les", "du", "de la", "de l'", "le", "la",
        "l'", "les", "for", "for the", "of the", "the", "pour ce", "pour cette", "pour mon",
        "pour ma",
    )
)  # fmt: skip
_MONTHS = (
    ("janvier", "january"), ("fevrier", "february"), ("mars", "march"), ("avril", "april"),
    ("mai", "may"), ("juin", "june"), ("juillet", "july"), ("aout", "august"),
    ("septembre", "september"), ("octobre", "october"), ("novembre", "november"),
    ("decembre", "december"),
)  # fmt: skip


def _accepts(text: str, asking: Asking, name: str, phrases: ReplyWords) -> Grade | None:
    """Tell whether every word of a text is understood, and some of them accept."""
    text = _without_greeting(text, phrases).translate(_YES_SIGNS)
    if _is_disguised(text) or "?" in text:
        return None
    said = fold(text)
    if _LINK.search(said) or not _only_words(text):
        return None
    said, amounts = _CREDITS.sub(" credits ", said), _CREDITS.findall(said)
    if _other_amount(amounts, asking):
        return None
    spoken = words(said)
    if len(spoken) > _MOST_WORDS:
        return None
    names = {word for word in words(name) if len(word) > 1 and not word.isdigit()}
    found = Counter(_tiles(_corrected(spoken, phrases), names, asking.about, phrases))
    if found["unknown"] or not found["accept"] + found["yes"]:
        return None
    if found["accept"] or found["about"] or amounts:
        return "whole"
    return None if found["receipt"] or "…" in text or ".." in text else "bare"


def _other_amount(amounts: Sequence[str], asking: Asking) -> bool:
    quoted = (asking.credits, str(asking.credits))
    return any(_NUMBER.get(amount, amount) not in quoted for amount in amounts)


def _tiles(
    spoken: list[str],
    names: set[str],
    about: frozenset[tuple[str, ...]],
    phrases: ReplyWords,
) -> Iterator[Tile | Literal["unknown"]]:
    """Yield the use of each piece of a text, the longest pieces that are known; names have none."""
    place, longest = 0, max(phrases.longest, *map(len, about), 1)
    while place < len(spoken):
        for length in range(min(longest, len(spoken) - place), 0, -1):
            piece = tuple(spoken[place : place + length])
            kind: Tile | None = phrases.tiles.get(piece) or ("about" if piece in about else None)
            if kind is not None:
                yield kind
                break
        else:
            length = 1
            if spoken[place] not in names:
                yield "unknown"
        place += length


def _corrected(spoken: Sequence[str], phrases: ReplyWords) -> list[str]:
    """Return the words with slips of the finger undone, where only one word can be meant.

    The beginning and the ending of a word must stand: « validera » is no slip of « valide ».
    """
    known = phrases.vocabulary
    return [word if word in known else _meant(word, phrases) for word in spoken]


def _meant(word: str, phrases: ReplyWords) -> str:
    if len(word) < 5 or word.isdigit():
        return word
    meant = {
        other
        for other in _one_off(word)
        if other in phrases.vocabulary and len(other) > 5 and other[0] == word[0]
    }
    return meant.pop() if len(meant) == 1 else word


_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def _one_off(word: str) -> Iterator[str]:
    """Yield what a word can be when one letter inside it is wrong, missing, extra or swapped."""
    end = len(word) - 2
    for place in range(1, end + 1):
        yield from (word[:place] + sign + word[place:] for sign in _LETTERS)
        if place < end:
            yield word[:place] + word[place + 1 :]
            yield from (word[:place] + sign + word[place + 1 :] for sign in _LETTERS)
        yield word[:place] + word[place + 1] + word[place] + word[place + 2 :]


def _without_greeting(text: str, phrases: ReplyWords) -> str:
    """Return a text without a line that only greets somebody by name."""
    lines = text.split("\n")
    for number, line in enumerate(lines):
        found = _GREETING.fullmatch(line.strip())
        if found and not any(word in phrases.vocabulary for word in words(found[1])):
            lines[number] = ""
    return "\n".join(lines)


def _only_words(text: str) -> bool:
    """Tell whether a text is letters, digits and harmless signs, nothing else."""
    return all(sign.isalnum() for sign in _HARMLESS_SIGNS.sub("", text.replace("’", "'")))


def _is_disguised(text: str) -> bool:
    """Tell whether letters of other alphabets pass for ours."""
    letters = (sign for sign in text if sign.isalpha())
    return any("LATIN" not in unicodedata.name(sign, "") for sign in letters)


def _refuses(text: str, said: str, phrases: ReplyWords) -> str | None:
    """Return what refuses: no question, nothing negated, and not beside an if or another price."""
    if phrases.delays.find(said) or _CONDITION.search(said) or _AMOUNT.search(said):
        return None
    for sentence in _SENTENCE.findall(text[:20_000]):
        if "?" in sentence:
            continue
        spoken = words(sentence)
        for place in phrases.refusals.places(sentence):
            before = spoken[max(0, place.start - 2) : place.start]
            if not _NOT & {*before} or _NOT & {*spoken[place.start : place.end]}:
                return place.phrase
    spoken = words(said)
    said_no = next((word for word in (spoken[0], spoken[-1]) if word in _NO), None)
    tiles = {*_tiles(list(spoken), set(), frozenset(), phrases)}
    doubted = "?" in text or _BUT & {*spoken} or tiles & {"accept", "yes"}
    return None if doubted or len(spoken) > _SHORT else said_no


def _asks(text: str, phrases: ReplyWords) -> str | None:
    if "?" in text:
        return next(line.strip() for line in text.split("\n") if "?" in line)[:120]
    places = (place for clause in _CLAUSE.split(text) for place in phrases.questions.places(clause))
    return next((place.phrase for place in places if place.phrase not in phrases.idle), None)


def _information(
    message: Message, asking: Asking, said: str, text: str, phrases: ReplyWords
) -> Read:
    """A mail that brings something: what we asked for, or what a person must look at."""
    promised = phrases.delays.find(said)
    measured = _MEASURE.search(said)
    if message.attachments or measured or (not promised and phrases.facts.find(said)):
        return Read("more_info", "the client brings what the object needs", text)
    if asking.kind != "info":
        return Read("unclear", "not every word is understood as an acceptance", text)
    unknown = sum(
        1 for kind in _tiles(_corrected(words(said), phrases), set(), frozenset(), phrases)
        if kind == "unknown"
    )  # fmt: skip
    if promised or unknown < 3 or phrases.objections.find(said):
        return Read("unclear", "the client brings nothing yet", text)
    return Read("more_info", "the client describes the object", text, "medium")


def _objects(text: str, asking: Asking, phrases: ReplyWords) -> str | None:
    """Return what contradicts in words that may be the client's: a question, a but, a price."""
    text = _ADDRESS.sub(" ", text)
    if "?" in text:
        return "?"
    said = fold(text)
    if (found := _AMOUNT.search(said)) or _other_amount(_CREDITS.findall(said), asking):
        return found[0] if found else "credits"
    objections = phrases.objections.find(text)
    return objections[0] if objections else None


def _is_image(name: str) -> bool:
    return name.lower().endswith((".png", ".jpg", ".jpeg", ".gif"))
