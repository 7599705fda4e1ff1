"""Did a machine write this, and is the sender who it says? Headers first, then words. Pure."""

import re
from collections.abc import Iterable, Mapping

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
    r"was undeliverable|^undeliverable\b|delivery status notification|delivery to the following"
    r"|wasn't delivered|(?:message|remise)[^.]{0,60}\b(?:n'a pas ete distribue|est retardee)"
    r"|\b5\d\d[ -]5\.\d\.\d|\b550\b.{0,40}(?:user|mailbox|recipient)|user unknown|no such user"
    r"|permanent fatal errors|(?:quota|boite) (?:depasse|pleine)|mailbox (?:is )?full"
    r"|^notification de remise|a ete (?:remis aux destinataires|depose dans la boite)"
    r"|^\W{0,3}accuse de lecture|ceci est un accuse de reception|a ete supprime sans etre lu"
    r"|was deleted without being read|^lu ?: .{3,200}\ble \w+ \d|a ete lu le \d"
    r"|^(?:accepte|refuse|provisoire|accepted|declined|tentative) ?: .{3,300}?"
    r"(?:\b\d{1,2} ?[:h] ?\d{0,2}\b|\b\d{1,2}[ap]m\b)"
    r"|a (?:accepte|refuse|decline) (?:votre|l')\s?invitation"
    r"|has (?:accepted|declined) (?:your|the) invitation|accepted your invitation"
    r"|\b(?:ticket|demande|requete) ?(?:n[o°]?)? ?[#(\[]?[\w-]*\d[\w-]*[\])]?"
    r"[^.]{0,40}(?:a (?:bien )?ete (?:cree|recue?|enregistree?)|vient d'etre cree)"
    r"|\[ticket ?#?\d|^\W{0,2}ticket #?\d+ (?:created|received|cree|recu)"
    r"|bien recu votre (?:message|e-?mail|mail|courriel|demande)[^.]{0,30}"
    r"\b(?:repondrons|traiterons|reviendrons)\b[^.]{0,40}delais"
    r"|(?:travaille|fais) plus (?:chez|pour|dans|au|a la) [\s\S]{0,160}(?:@|adressez"
    r"|ecrivez|contactez)"
    r"|depasse son quota|undelivered mail returned|(?:enregistree?"
    r"|pris en compte) sous le (?:numero de )?(?:ticket|numero|n)"
    r"|repondez au-dessus de cette ligne|reply above this line"
    r"|your (?:request|ticket|case) \(?#?\w*\d+\)? (?:has been|was) (?:received|created|logged)"
    r"|accusons reception de votre (?:courriel|mail|message|e-mail|demande)[^.]{0,60}"
    r"(?:\. ?un conseiller|\. ?il sera|$)"
    r"|un conseiller (?:vous repondra|va la traiter|traitera|prendra contact|reviendra)"
    r"|mailinblack|protege[er]? (?:par|contre) .{0,30}(?:spam|mailinblack)"
    r"|attend l'approbation du moderateur|message du robot|is awaiting moderat"
    r"|(?:expediteur|message)[^.]{0,60}en attente de (?:validation|moderation) ?:"
    r"|expediteur n'est pas encore autorise|vous avez ete desinscrit"
    r"|(?:mailbox|inbox|address) is (?:automated|not monitored|unmonitored)"
    r"|ce message est (?:genere )?automatique|messages? ne sont pas releves"
    r"|delivery has failed|could not be delivered"
    r"|n'a pas pu etre (?:remis|delivre)"
    r"|^votre message\b.{0,400}\ba ete lu le\b|your message\b.{0,400}\bwas read on\b"
    r"|(?:message|mail|courriel|reponse) (?:genere |envoye |cree )?automatique"
    r"|this is an automat(?:ic|ed)|merci de ne pas y repondre"
    r"|ne pas repondre a ce (?:message|mail|courriel)|do not reply to this (?:e?-?mail|message)"
    r"|a bien ete (?:enregistre|recu|transmis|pris)e?(?: en compte)? sous le (?:numero|n)\b"
    r"|cette (?:adresse|boite)(?: e?-?mail)? n'est (?:plus|pas) (?:utilisee|valide|active|consultee"
    r"|surveillee|relevee)|this (?:address|mailbox|account) is (?:no longer|not) (?:in use|active"
    r"|monitored|valid)|no longer works (?:for|at|with)"
    r"|(?:fais|fait|font) plus partie (?:de (?:la|notre) (?:societe|entreprise|maison|equipe)"
    r"|des effectifs|du personnel)[\s\S]{0,120}"
    r"(?:adresse[rz]|ecri(?:re|vez)|contacte[rz]|transmis|redirige|transfere|@)"
    r"|notification de lecture|read receipt|delivery (?:report|notification)"
    r"|^(?:accepte|refuse|provisoire|accepted|declined|tentative) ?: [\s\S]{1,300}"
    r"\b(?:quand|when) ?:"
)
_PERSON = re.compile(
    r"\b(?:mais|vous pouvez|j accepte"
    r"|je (?:le |vous )?(?:valide|regarde|reponds|refuse|voudrais|confirme)"
    r"|votre devis|le devis|(?:votre|la) relance|your quote|the quote"
    r"|i (?:accept|will look|ll look|approve)"
    r"|but i|will look at|(?:il|elle) vous repondra)\b"
    r"|^(?:bonjour )?(?:mon|ma|notre|la|le) (?:collegue|signataire|associee?|patron|directrice"
    r"|directeur|mari|femme|gerante?|chef|comptable|responsable|client|cliente)\b"
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


def announces_absence(text: str, absence: Iterable[str]) -> bool:
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
