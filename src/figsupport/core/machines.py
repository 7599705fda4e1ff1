"""Did a machine write this, and is the sender who it says? Headers first, then words. Pure."""

import re
from collections.abc import Mapping

from figsupport.core.model import Message
from figsupport.core.words import fold, words

_ROBOTS = re.compile(
    r"^(?:mailer-daemon|postmaster|no-?reply|ne-?pas-?repondre|do-?not-?reply|bounces?"
    r"|notifications?|auto-?reply|daemon)\b",
    re.IGNORECASE,
)
_SUBJECTS = re.compile(
    r"^(?:reponse automatique|auto(?:matic)?[- ]?reply|out of office"
    r"|absence du bureau|absent du bureau|message d'absence|undeliver|undelivered|delivery status"
    r"|mail delivery|non remis|echec de (?:la )?remise|retour de mail|returned mail|failure notice"
    r"|lu ?:|read ?:|not read ?:|non lu ?:|accuse de (?:lecture|reception)|read receipt"
    r"|accepte ?:|accepted ?:|refuse ?:|declined ?:|provisoire ?:|tentative ?:"
    r"|votre (?:demande|ticket) a (?:bien )?ete (?:recu|enregistre|cree)"
    r"|ticket (?:received|created))"
)
_FROM_SYSTEM = re.compile(
    r"was undeliverable|delivery has failed|could not be delivered"
    r"|n'a pas pu etre (?:remis|delivre)"
    r"|^votre message\b.{0,400}\ba ete lu le\b|your message\b.{0,400}\bwas read on\b"
    r"|(?:message|mail|courriel|reponse) (?:genere |envoye |cree )?automatique"
    r"|this is an automat(?:ic|ed)|merci de ne pas y repondre"
    r"|ne pas repondre a ce (?:message|mail|courriel)|do not reply to this (?:e?-?mail|message)"
    r"|a bien ete (?:enregistre|recu|transmis|pris)e?(?: en compte)? sous le (?:numero|n)\b"
    r"|cette (?:adresse|boite)(?: e?-?mail)? n'est (?:plus|pas) (?:utilisee|valide|active|consultee"
    r"|surveillee|relevee)|this (?:address|mailbox|account) is (?:no longer|not) (?:in use|active"
    r"|monitored|valid)|no longer works (?:for|at|with)|ne (?:fait|font) plus partie d"
    r"|notification de lecture|read receipt|delivery (?:report|notification)"
    r"|^(?:accepte|refuse|provisoire|accepted|declined|tentative) ?: [\s\S]{1,300}"
    r"\b(?:quand|when) ?:"
)
_PERSON = re.compile(
    r"\b(?:mais|vous pouvez|j accepte"
    r"|je (?:le |vous )?(?:valide|regarde|reponds|refuse|voudrais|confirme)"
    r"|votre devis|le devis|your quote|the quote|i (?:accept|will look|ll look|approve)|but i)\b"
)
_FAILED = re.compile(r"\bdmarc=(?:fail|permerror)\b")
_UNKNOWN_RELAY = re.compile(r"\bspf=(?:fail|permerror)\b")


def is_machine(message: Message) -> str | None:
    """Return why a message was not written by a person, or None.

    Sources: RFC 3834 (Auto-Submitted), RFC 3464 and RFC 8098 (reports), and what mail programs
    add. « Auto-Submitted: no » is a person; X-Auto-Response-Suppress alone says nothing.
    """
    headers = message.headers
    if reason := _by_headers(headers):
        return reason
    if _ROBOTS.match(message.sender):
        return f"sent by {message.sender.partition('@')[0]}"
    subject = fold(
        re.sub(r"^(?:\s*(?:re|tr|fw|fwd)\s*:)+", "", message.subject, flags=re.IGNORECASE)
    )
    if _SUBJECTS.match(subject):
        return "the subject is a machine's"
    text = fold(message.text[:2_000] or re.sub(r"<[^>]{0,500}>", " ", (message.html or "")[:8_000]))
    if _FROM_SYSTEM.search(text):
        return "the text is a machine's"
    return None


def announces_absence(text: str, absence: tuple[str, ...]) -> bool:
    """Tell whether a text is an answer of an absent person's machine.

    A person who mentions an absence says something else too: what they want or will do.
    """
    said = " ".join(words(text[:2_000]))
    found = sum(1 for phrase in absence if f" {phrase} " in f" {said[:400]} ")
    return found > 1 or (found == 1 and not _PERSON.search(said))


def is_forged(message: Message) -> bool:
    """Tell whether our own server found that the sender is not who it says.

    DMARC decides where it passes (RFC 7489: SPF or DKIM aligned is enough); SPF alone fails for
    every mail that was forwarded.
    """
    results = message.headers.get("authentication-results", "").lower()[:5_000]
    if _FAILED.search(results):
        return True
    return bool(_UNKNOWN_RELAY.search(results)) and "dmarc=pass" not in results


def _by_headers(headers: Mapping[str, str]) -> str | None:
    submitted = headers.get("auto-submitted", "no").split(";")[0].strip().lower()
    if submitted != "no":
        return f"Auto-Submitted: {submitted}"
    kind = headers.get("content-type", "").lower()
    if "multipart/report" in kind or "disposition-notification" in kind:
        return "a report of a mail system"
    if headers.get("precedence", "").strip().lower() in {"bulk", "junk", "list", "auto_reply"}:
        return "Precedence of a machine"
    if {"x-autoreply", "x-autorespond", "x-autoresponder", "x-ms-exchange-inbox-rules-loop"} & {
        name for name, value in headers.items() if value.strip().lower() not in {"", "no"}
    }:
        return "a header of an automatic answer"
    if headers.get("return-path", "").strip() == "<>":
        return "no address to return to"
    return None
