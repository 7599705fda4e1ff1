"""What a client's words refuse, ask or bring, where they accept nothing. Pure.

Refusals and questions are found clause by clause, in words with their abbreviations written out.
A false refusal closes a ticket: beside a doubt, a delay, a condition or another price, a person
reads. The words are in `reponses.md`.
"""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import dropwhile, takewhile
from typing import Literal, NamedTuple

from figsupport.core.agreement import AMOUNT, MEASURE, Offer, other_amount, pieces
from figsupport.core.denials import denies
from figsupport.core.model import Confidence, Intent
from figsupport.core.rules import ReplyWords
from figsupport.core.words import Phrases, Place, fold, singular, words

Asked = Literal["quote", "info", "nothing"]

#: « si rapide », « même si » and « s'il vous plaît » set no condition, nor what may come later.
_CONDITION = re.compile(
    r"(?<!meme )(?<!comme )(?<!even )(?<!as )\b(?:si|s'ils?|if)\b"
    r"(?! (?:vous plait|te plait|vous (?:le )?voulez bien|rapide|vite|bien|cher|longtemps|gentil"
    r"|bon|beau|besoin|(?:un jour )?le projet re|un jour|nous changeons|je change|we change"
    r"|i change|we ever|(?:things|anything|that) changes|i may|possible|you don't mind"
    r"|(?:c'est|c est|ca prend) (?:si|aussi)|complique|je ne (?:vous )?reponds pas|j'ose"
    r"|(?:je n'ai|nous n'avons|on n'a) pas (?:encore )?repondu))"
    r"|\b(?:sauf|sinon|sous reserve|a condition|a moins|unless|otherwise|provided)\b"
)
#: Who asks who we are wants an answer first.
_WHO = re.compile(r"\b(?:c est qui|qui etes vous|vous etes qui|who are you|who is this)\b")
_HAGGLE = re.compile(
    r"\d ?%|\b(?:remise|rabais|ristourne|geste|discount|maximum|max|au lieu|un seul|alignez"
    r"|baissez|negocier|(?:je|on) compare|comparons|comparing)\b"
)
#: « même à un crédit, non » names no price one would pay.
_EVEN_SO = re.compile(
    r"\b(?:meme|even) (?:a|avec|pour|at|with|for) [^,.;]{0,25}?"
    r"(?:credits?|remise|rabais|%|gratuit\w*|discount|euros?)"
)
#: Who is not sure yet has refused nothing: « je vais peut-être annuler », “I think I will cancel”.
_MAYBE = re.compile(
    r"\b(?:(?<!fois )(?<!prochaine )peut etre(?! une autre| un jour| la prochaine)"
    r"|envisag\w+|risqu\w+"
    r"|probable\w*|sans doute(?! mais)|serait (?:etonnant|surprenant|dommage)|il se peut"
    r"|hesit\w+|tente de"
    r"|(?<!destinataire )(?<!personne )(?:je|on|nous)"
    r" (?:pense|pensons|crois|croyons|songe|songeons)(?! pas| que vous vous tromp)"
    r"|maybe|perhaps|might|may have|probably|likely|considering|tempted"
    r"|(?<!don t )(?<!not )(?:think|guess|leaning))\b"
)
#: Somebody who agrees and refuses at once says neither; « je valide l'annulation » refuses.
_AGREES = re.compile(
    r"(?<!que )(?<!si )\b(?:j'|(?:je|nous|on|i|we) (?:le |la |vous )?)(?:valid|accept|approv)"
    r"(?:e|ons)?"
    r"(?: (?:le|votre|ce|la|cette|the|your|this) (?:devis|proposition|offre|quote|offer))?"
    r"(?: mais\b| but\b| et (?:je|j'|on|nous)| (?:je|i)\b| ?[,;:!]| ?\.(?!\.)|$)"
    r"|\bje dis oui\b|\bmoi (?:si|oui|pour)\b"
)
#: What is refused until something happens is only delayed; what was refused once is past.
_UNTIL = re.compile(
    r"\b(?:(?<!plus )avant|tant que|jusqu\w*|sans (?:relire|voir|avoir|savoir|ma|mon|notre"
    r"|l)|a la place d\w*|without|tout de suite|until|till|before"
    r"|yet|l an(?:nee)? derni\w+|autrefois|a l epoque|last year)\b"
)
#: What else is refused, annulled or over is not the quote.
_OTHER = re.compile(
    r"\b(?:anciens?|anciennes?|precedente?s?|old|former|previous|reunions?|meetings?|trains?|vols?"
    r"|flights?|(?:our|the|my|\w*day) call|visio|livraisons?|delivery|rendez vous|rdv"
    r"|appointment|paiements?|payment)\b"
)
#: Who does without these still wants the rest: « je ne prends pas l'option animation ».
_PARTIAL = re.compile(
    r"\b(?:textures?|options?|animations?|versions?|variantes?|variants?|couleurs?|colou?rs?"
    r"|questions?|factures?|invoices?|photos?|plans?|remise|discount|deuxieme"
    r"|seconde?|second|troisieme|cartes?|cards?|virement|cookies|permis|colis|salon|number"
    r"|changes?|rayures?|logo|details?|exemplaires?|delais?|dates?|formats?|bouton|lien"
    r"|clique\w*|link|button|deadline)\b"
)
#: A no that is a sentence of its own is one, whatever is asked after it.
_FLATLY = frozenset({("non",), ("non", "merci"), ("no", "thanks"), ("no", "thank", "you")})
_JOINTS = frozenset("donc mais et alors so but and then".split())
_AFTER_NO = frozenset("i we it that this not no sorry thank thanks too".split())
_PRICE = frozenset("credit credits prix tarif euros eur price".split())
_SIGHS = frozenset(
    "ah oh eh ben bah bon euh aie bof hum bonjour bonsoir hello hi salut merci desole desolee"
    " thanks sorry well".split()
)
#: What stands around a refusal of one breath and changes nothing of it.
_PADDING = re.compile(
    r"\b(?:en fait|du coup|s il (?:vous|te) plait|quand meme|bonne (?:journee|continuation|soiree)"
    r"|i m (?:afraid|sorry)|de (?:ma|notre) part|de (?:mon|notre) cote|au revoir|a vous"
    r"|ah|oh|eh|ben|bah|bon|bonjour|bonsoir|hello|hi|salut|merci|desolee?s?|ok|svp|stp|donc|alors"
    r"|finalement|malheureusement|helas|vraiment|monsieur|madame|cordialement|beaucoup"
    r"|please|thank you|thanks|sorry|then|sadly|unfortunately|actually)\b"
)
#: Words that refuse whatever else is said; lack of money is a reason.
_FIRM = frozenset(
    "annule annulez annuler annulons annulation refuse refusons refuser refus cancel"
    " cancelled laisse"
    " laissez laissons laisser tomber non oublie oubliez oublions renonce renoncer"
    " renoncons decline"
    " declinons decliner abandonne abandonner abandonnons stop stoppez arrete arretez"
    " arretons suite"
    " pas plus jamais rien no not never longer drop withdraw pass t passe".split()
)
_AGREED = re.compile(
    r"\b(?:valide|validee|acceptee?|approuve|feu vert|mon accord|lancer|ok pour (?:nous|moi)"
    r"|accepted|approved|go ahead)\b|\bje prends ?[,.;]"
)
_MONEY = frozenset("sous argent budget moyens fonds tresorerie money funds".split())
#: A line that a mail program broke goes on in lower case.
_WRAPPED = re.compile(r"\n(?=[a-zà-ÿ])")
_OPENS_QUESTION = re.compile(
    r"(?:(?:bonjour|et|mais|alors|donc|ok) )*"
    r"(?:(?:ou (?:je|on) (?:clique|signe|paie|paye|valide|envoie|reponds|vois|depose))"
    r"|(?:qui|ou)(?: en)? (?:est|sont|paie|paye|s|se|puis|dois|faut|vais|trouve|signe|clique)"
    r"|(?:lequel|laquelle|lesquels|lesquelles) (?:est|sont|dois|faut|choisir|prendre))\b"
)
#: « les crédits on les achète où »
_ENDS_QUESTION = re.compile(r"\b(?:où|combien|comment|pourquoi)\W{0,9}$", re.IGNORECASE)
_EXCLAIMS = re.compile(
    r"\W{0,9}(?:quelles?|quels?|what an?)\b(?! est| sont| sera)[^?]{1,80}!", re.IGNORECASE
)
_NOT = frozenset("plus pas ne n not t never jamais sans aucun rien".split())
_CLAUSE = re.compile(r"[.,;:!()\n]")
_NO = frozenset("non no nope nan stop".split())
_BUT = frozenset("mais but plus plutot instead".split())
_SHORT = 6
#: So many words before and after a refusal say what is refused.
_NEARBY = 3
#: So many words that are no usual phrase describe something; beside a « ne … pas », so many.
_MENTION, _DESCRIPTION = 3, 7
_SENTENCE = re.compile(r"[^.!?\n…;]{1,2000}[.!?…;]{0,9}")
_LETTERS = re.compile(r"[^\W_]{1,40}")
#: Sizes and colours as the trade writes them: « H 82 L 40 », « diam. 30 », « RAL 9005 ».
_CODE = re.compile(
    r"\b(?:ral|pantone|ncs|pms) ?[a-z]?\d|\b(?:h|l|p|d|ø|diam|haut|larg|prof|long|ep)\.? ?[:=]? ?\d"
    r"|\b(?:annees?|circa|date de|datee? de|fabriquee? en|made in|of) (?:les )?"
    r"(?:1[6-9]\d\d|20[0-3]\d|\d0s?\b)|\bvers 1[5-9]\d\d|\d ?(?:cm|mm)\b|\d et (?:non"
    r"|pas) \d|#[0-9a-f]{6}\b"
)
#: What a thing is, has or shows, as somebody says who describes it.
_STATES = re.compile(
    r"\b(?:est|sont|etait|a|ont|n a|n ont|fait|font|mesure|pese|comporte|possede|c|il y a|y a"
    r"|se rapproche|ressemble|tire|compte|is|are|was|has|have|s|comes)\b"
)
#: What comes with a mail is brought, whatever is said beside it.
_BRINGS = re.compile(
    r"\b(?:voici(?! le devis)|voila|cette fois|ci-?\s?joint\w*|ci-?\s?(?:dessous"
    r"|apres) (?:les|des|le plan|la photo|nos|mes|une)|pj|p\.j|pieces? jointes?"
    r"|(?<!bon )(?<!signe )(?<!avoir )jointe?s?|vous joins|vous trouverez|comme demande"
    r"|dans le (?:pdf|zip)"
    r"|(?:photos?|cotes|images|plans?|vues) sont (?:la|dans|a la fin|en bas|au bas)"
    r"|je vous (?:transmets?|envoie|remets?|renvoie|adresse|mets|fais (?:suivre|passer)|glisse)"
    r" (?:la|les|le|l'|des|une|un|tout|mes|nos|quelques|\d)"
    r"|j'ai (?:rajoute|ajoute|mis|refait|repris|scanne|joint) (?:les|des|une|la|le|deux|trois)"
    r"|here (?:is|are|you go|they are)|attached|please find|enclosed|in the (?:pdf|zip)"
    r"|(?:i've|i have|we've) (?:added|attached|included|uploaded)|at the bottom of)\b|https?://"
)
#: Sizes in words: « 42 centimètres », « 18 de large », « 46/40/88 » (no date has a 40th month).
_SIZE = re.compile(
    r"\d ?(?:centimetres?|millimetres?|metres?|pouces?|inch(?:es)?|cms?)\b"
    r"|\d (?:de|en) (?:large|haut|long|profond|diametre|hauteur|largeur|profondeur|epaisseur)"
    r"|\b\d{1,4} ?[x*] ?\d{1,4}\b|\b\d{1,3}/(?:1[3-9]|[2-9]\d|\d{3})/\d{1,3}\b"
)
#: Beside a quote, who wants something else, or says yes or no, describes nothing.
_WANTS = re.compile(
    r"^(?:non|oui|no|yes|ok|d accord)\b|\b(?:plutot|finalement|prefere\w*|veux|voulons|voudrai\w*"
    r"|voudrions|aimerai\w*|aimerions|souhait\w+|faudrait|faudra|partez|partons|prenez|prends"
    r"|prenons|faites|mettez|ajoutez|changez|remplacez|gardez|envoyez|supprimez|enlevez|retirez"
    r"|refaites|oubliez|annulez|valid\w+|rather|instead|want"
    r"|would|prefer|please|make|change|add|could|can|approve|accept|etude|abandonne|si|sans doute"
    r"|serait|seraient|mieux|meme chose|dropped|tomber|retien\w+|jolie?|belle|beau|superbe"
    r"|moche|gardons|garde|annul\w+|retenu\w*"
    r"|accepte\w*|cher|chere|devis|credits?|prix|tarif|bargain|facture|rib|signee?|bon de|accord)\b"
)
_GREEN_LIGHT = re.compile(r"\b(?:feu vert|green light|carte blanche|nuit blanche|liste rouge)\b")
#: Who speaks of people, and names nothing of the object, describes nothing.
_PEOPLE = frozenset(
    "je j on nous me m mon ma mes notre nos vous votre i we my our you your jvou jvous".split()
)


class Brought(NamedTuple):
    """What a mail that neither accepts, refuses nor asks brings, and why."""

    intent: Intent
    reason: str
    confidence: Confidence = "high"


_NO_OFFER = Offer(None, frozenset(), frozenset())


def refuses(text: str, asked: Asked, price: int | None, phrases: ReplyWords) -> str | None:
    """Return what refuses: not asked, denied, delayed, nor beside a doubt or another price."""
    text = _written_out(_WRAPPED.sub(" ", text), phrases)
    said = _EVEN_SO.sub(" ", fold(text))
    if _is_open(said, asked, price, phrases):
        return None
    sentences = _sentences(text)
    stated = [one for one in sentences if "?" not in one and not _MAYBE.search(_plain(one))]
    if stated and words(stated[0]) in _FLATLY:
        return stated[0].strip()
    for sentence in stated:
        if word := _refusal(sentence, text, phrases) or _curt(sentence, phrases):
            return word
    for sentence in stated:
        if word := _denial(sentence, text, phrases):
            return word
    echoes = all(_echoes(sentence, phrases) for sentence in sentences if "?" in sentence)
    return _bare_no(" ".join(stated), asked, phrases) if echoes else None


def asks(text: str, phrases: ReplyWords) -> str | None:
    """Return what asks for an answer, with or without a question mark."""
    if text.count("?") > 1 and not words(text):
        return text.strip()[:120]
    for sentence in _sentences(text):
        if "?" in sentence and words(sentence):
            return sentence.strip()[:120]
    for clause in _clauses(_EXCLAIMS.sub(" ", _written_out(_WRAPPED.sub(" ", text), phrases))):
        for place in _meant(phrases.questions, clause, phrases):
            return place.phrase
        if _OPENS_QUESTION.match(_plain(clause)) or _ENDS_QUESTION.search(clause):
            return clause.strip()[:120]
    return None


def brings(text: str, asked: Asked, *, files: bool, phrases: ReplyWords) -> Brought:
    """Return what a mail brings: what the object needs, or what a person must look at."""
    said = fold(_written_out(text, phrases))
    promised = _meant(phrases.delays, said, phrases)
    objects = phrases.objections.find(said)
    found = Counter(pieces(words(said), _NO_OFFER, phrases))
    if asked == "quote" and found["accept"] and not files:
        return Brought("unclear", "the client accepts something else than the quote")
    agreed = bool(found["accept"] + found["yes"])
    brought = bool(_BRINGS.search(said))
    described = brought or _tells(said, phrases) or _names(said, asked, phrases)
    sized = MEASURE.search(said) or _SIZE.search(said)
    if asked != "info" and not (brought and _tells(said, phrases)):
        described = described and not agreed and not _WANTS.search(_plain(said))
    if files or sized or (not promised and described):
        return Brought("more_info", "the client brings what the object needs")
    if asked != "info":
        return Brought("unclear", "not every word is understood as an acceptance")
    few = found["unknown"] < (_DESCRIPTION if objects else _MENTION)
    if promised or few or _PEOPLE & {*words(said)}:
        return Brought("unclear", "the client brings nothing yet")
    return Brought("more_info", "the client describes the object", "medium")


def _is_open(said: str, asked: Asked, price: int | None, phrases: ReplyWords) -> bool:
    """Tell whether a text leaves open what it may refuse: later, under a condition, for less."""
    return bool(
        _meant(phrases.delays, said, phrases, sure=True)
        or _CONDITION.search(said)
        or _WHO.search(_plain(said))
        or _AGREES.search(said)
        or (asked == "quote" and other_amount(said, price))
        or (asked == "info" and MEASURE.search(said))
        or _haggles(said, phrases)
    )


def _refusal(sentence: str, text: str, phrases: ReplyWords) -> str | None:
    """Return the phrase of a sentence, or of one of its clauses, that refuses."""
    for part in (sentence, *_clauses(sentence)):
        spoken = words(part)
        for place in _meant(phrases.refusals, part, phrases, sure=True):
            if _is_limited(spoken, place, phrases):
                continue
            if _NOT & {*place.phrase.split()} or not _is_denied(spoken, place):
                return None if _is_only_a_reason(place.phrase, text, phrases) else place.phrase
    return None


def _is_only_a_reason(phrase: str, text: str, phrases: ReplyWords) -> bool:
    """Tell whether a text that accepts only names what others would refuse for: no money."""
    said = {*phrase.split()}
    firm = bool(_FIRM & said) and not _MONEY & said
    return not firm and _agrees(text, phrases)


def _agrees(text: str, phrases: ReplyWords) -> bool:
    """Tell whether a text accepts in so many words, whatever it says beside."""
    return bool(_AGREED.search(fold(text))) and _accepts_something(text, phrases)


def _accepts_something(text: str, phrases: ReplyWords) -> bool:
    """Tell whether words that may accept stand in a text, if only « vous pouvez »."""
    return "accept" in pieces(words(text), _NO_OFFER, phrases)


def _denial(sentence: str, text: str, phrases: ReplyWords) -> str | None:
    """Return the clause of a sentence that orders nothing, beside nothing that accepts."""
    for clause in _clauses(sentence):
        said = _plain(clause)
        if _UNTIL.search(said) or _PARTIAL.search(said) or _OTHER.search(said):
            continue
        if any(singular(word) in phrases.description for word in said.split()):
            continue
        if denies(said.split(), phrases):
            besides = text.replace(clause, " ")
            firm = bool(_NOT & {*said.split()})
            agreed = _agrees(besides, phrases) if firm else _accepts_something(besides, phrases)
            return None if agreed else clause.strip()
    return None


def _is_limited(spoken: Sequence[str], place: Place, phrases: ReplyWords) -> bool:
    """Tell whether what is refused is a part, or was, or only waits: « plus du fronton »."""
    before, after = spoken[: place.start], spoken[place.end :]
    near = (*before[-_NEARBY:], *after[:_NEARBY])
    return bool(
        _UNTIL.search(" ".join(spoken[place.start :]))
        or _OTHER.search(" ".join((*before, *after[:_NEARBY])))
        or _PARTIAL.search(" ".join(after[:_NEARBY]))
        or any(singular(word) in phrases.description for word in near)
    )


def _curt(sentence: str, phrases: ReplyWords) -> str | None:
    """Return the clause that refuses because it says nothing more: « Stop, merci. »."""
    for part in (sentence, *_clauses(sentence)):
        if " ".join(_PADDING.sub("", _plain(part)).split()) in phrases.curt_refusals:
            return part.strip()
    return None


def _written_out(text: str, phrases: ReplyWords) -> str:
    """Return a text with its abbreviations written out; its signs and lines stay."""
    short = phrases.abbreviations
    return _LETTERS.sub(lambda found: " ".join(short.get(fold(found[0]), (found[0],))), text)


def _plain(text: str) -> str:
    return " ".join(words(text))


def _sentences(text: str) -> list[str]:
    return _SENTENCE.findall(text)


def _clauses(text: str) -> list[str]:
    return _CLAUSE.split(text)


def _is_denied(spoken: Sequence[str], place: Place) -> bool:
    """Tell whether a negation stands in a refusal, or close before it in the same breath."""
    before = spoken[max(0, place.start - 3) : place.start]
    breath = list(takewhile(lambda word: word not in _JOINTS, reversed(before)))
    return bool(_NOT & {*breath, *spoken[place.start : place.end]})


def _meant(found: Phrases, text: str, phrases: ReplyWords, *, sure: bool = False) -> list[Place]:
    """Return the places of phrases that stand in a text and in which no false trail begins."""
    places = found.places(text, sure=sure)
    trails = {place.start for place in places if place.phrase in phrases.trails}
    return [place for place in places if trails.isdisjoint(range(place.start, place.end))]


def _haggles(said: str, phrases: ReplyWords) -> bool:
    """Tell whether a text names what the client would pay; a price may also only explain a no."""
    agreed = {*pieces(words(said), _NO_OFFER, phrases)} & {"accept", "yes"}
    return bool(_HAGGLE.search(said) or (agreed and AMOUNT.search(said)))


def _echoes(question: str, phrases: ReplyWords) -> bool:
    """Tell whether a question only repeats the price: « Deux crédits ? Non. »."""
    spoken = words(question)
    return (
        len(spoken) <= _SHORT and bool(_PRICE & {*spoken}) and not phrases.questions.find(question)
    )


def _bare_no(text: str, asked: Asked, phrases: ReplyWords) -> str | None:
    """Return the no that begins or ends a short text; to questions of ours it may be an answer."""
    spoken = tuple(dropwhile(_SIGHS.__contains__, words(text)))
    most = _SHORT if asked != "info" else 2
    if (
        not spoken
        or len(spoken) > most
        or {*pieces(spoken, _NO_OFFER, phrases)} & {"accept", "yes"}
    ):
        return None
    *before, last = spoken
    thing = spoken[0] == "no" and before and spoken[1] not in _AFTER_NO  # “no news yet”
    if spoken[0] in _NO and not thing and not _BUT & {*spoken}:
        return spoken[0]
    if before[1:] and before[-1] in _BUT:
        before.pop()
    return last if last in _NO and not (_BUT | _NOT) & {*before} else None


def _tells(said: str, phrases: ReplyWords) -> bool:
    """Tell whether a text brings facts: « pour info » alone announces some and brings none."""
    return bool(_meant(phrases.news, said, phrases)) and len(words(said)) >= _MENTION


def _names(said: str, asked: Asked, phrases: ReplyWords) -> bool:
    """Tell whether a text names parts of the object, what it is made of, colours, shapes, sizes.

    Beside a quote, a word alone says too little: it takes a statement or several.
    """
    plain = _GREEN_LIGHT.sub(" ", _plain(said))
    named = sum(singular(word) in phrases.description for word in plain.split())
    enough = named > 1 or asked == "info" or bool(_STATES.search(plain))
    return bool(_CODE.search(said)) or bool(named and enough)
