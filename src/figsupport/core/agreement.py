"""Do the client's words agree to what is offered, and to nothing else? Pure.

Every word of the accepting sentences must be understood: phrases that accept, courtesy, the
contact's name, the object and the price of the quote. A sentence beside them may also tell
something that changes nothing (« Désolée pour le retard, nous étions en montage ») when it
begins like one or is about what people talk about beside quotes, when its words are all known,
and when none of them objects or touches the quote. The words are in `reponses.md`; tenses and
signs are here.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

from figsupport.core.rules import DECIDING, ReplyWords, Tile
from figsupport.core.words import fold, words

#: `whole`: an acceptance says what it accepts; `bare`: a yes and nothing else.
Grade = Literal["whole", "bare"]
Piece = Tile | Literal["small", "plain", "unknown"]

AMOUNT = re.compile(r"\d ?(?:%|€|eur)|\b(?:remise|rabais|ristourne|geste|discount)\b")
MEASURE = re.compile(
    r"(?:\d|\b(?:un|deux|trois|quatre)) ?(?:cm|mm|m|kg|metres?|pouces|inch|inches)\b"
    r"|\d ?x ?\d|\d par \d|\d by \d"
    r"|\b(?:hauteur|largeur|longueur|profondeur|diametre|height|width|depth) \d"
)
_YES_SIGNS = str.maketrans(dict.fromkeys("👍👌✅✔🆗", " ok "))
_DOUBTING_SIGNS = frozenset("👎😂🤣🤔🙄😒😡😠🤨😕🙁☹❌🚫⛔🤷🤦😤🙃😬😭💩❓❔🤡😱😨😳😏🧐✖")
_PICTURES = frozenset({"So", "Sk", "Cf", "Mn"})
_HARMLESS_SIGNS = re.compile(r"[\s.,!;:()'\"*«»“”…/+&°–—-]")
_LINK = re.compile(r"https?://|www\.|[a-z0-9]\.(?:com|fr|net|org|io|example)\b")
_GREETING = re.compile(
    r"(?i:(?:re)?bonjour|bonsoir|hello|hi|dear|salut|ch[eè]re?|coucou|bjr|merci|thanks|thank you)"
    r"(?: (?i:madame|monsieur|mme|mlle|mr?s?|ms|miss)\.?)?"
    r"((?:[ -][A-ZÀ-Ý][\w'’-]{1,30}){1,3}) ?[,!.]{0,3}"
)
_HAIL = re.compile(r"[A-Za-zÀ-ÿ'’ -]{2,24}?(?: [A-ZÀ-Ý][\w'’-]{1,20})? ?[,!.]{1,3}")
_NAME = r"(?:[A-ZÀ-Ý][\w'’-]{0,20}\.?-?)"
_SIGNED = re.compile(
    rf"[.!,\n]\s{{0,9}}({_NAME}(?: (?:(?:de|du|des|la|le|van|von|&|et) ){{0,2}}{_NAME}){{0,3}}"
    rf"(?:, {_NAME}(?: {_NAME})?)?)"
    r"[.\s]{0,9}$"
)
#: A name inside a sentence, after a word that brings one in.
_INSIDE = re.compile(
    r"(?P<before>(?:^|[\s'’(])(?i:à|de|d|avec|chez|et|par|pour|est|merci|bonjour|mme|m\.|mr|mlle"
    r"|monsieur|madame|maître|dr|société|maison|cabinet|atelier|from|with|and|by|to|is|for)"
    r"[ '’]|, )"
    r"(?P<name>[A-ZÀ-Ý][\w'’-]{0,30}[a-zà-ÿ](?: (?:[A-ZÀ-Ý][\w'’-]{1,30}|de|du|van|von)){0,3})"
)
#: « Bon pour accord, le 14/05/2025 »: the day of a signature is no deadline.
_SIGNED_ON = re.compile(
    r"(?i)\b(bon pour accord|lu et approuvé),? le \d{1,2}[/. ]"
    r"(?:\d{1,2}|[a-zûé]{3,9})(?:[/. ]\d{2,4})?"
)
_PHONE = re.compile(r"(?:\+\d{1,3}[ .]?)?\b\d{1,4}(?:[ .-]\d{2,4}){3,5}\b")
_CREDITS = re.compile(r"\b(\d{1,3}|un|deux|trois|one|two|three) (?:credits?|creds?|crs?)\b")
_NUMBER = {"un": 1, "deux": 2, "trois": 3, "one": 1, "two": 2, "three": 3}
_SENTENCE = re.compile(r"[.!?…;]{1,9}(?:\s|$)|\n\s*\n|\n(?=\W{0,3}[A-ZÀ-Ý])")
_CLAUSE = re.compile(r"[,:()–—]| - ")
_AND = re.compile(r"[\s,](?:et|donc|and|so)\s", re.IGNORECASE)
_DRAWN_OUT = re.compile(r"([a-z])\1{2,}")
#: What asks for something without a question mark: « merci de m'envoyer la facture », “please …”,
#: or says how something is to be: « il faudrait deux versions ».
_WISH = re.compile(
    r"\bmerci (?:de|d) (?!votre|vos|cette|ces|avoir|m avoir|nous avoir|tout|ta|ton|ne pas)"
    r"|\b(?:please|pls|veuillez|priere|faut|faudra|faudrait|voudrais|voudrions|aimerais|aimerions"
    r"|souhaite|souhaitons|souhaiterais|besoin|prevoir|doit|doivent|devra|devront|sera|seront|serait"
    r"|need|want|must|should|would)\b"
)
#: More than one, or another.
_MORE = re.compile(
    r"\b(?:deux|trois|quatre|cinq|six|huit|dix|douze|vingt|plusieurs|autre|autres|deuxieme|second"
    r"|two|three|four|five|six|another)\b"
)
#: An imperative: a verb in -ez that no « vous » stands before.
_ORDER = re.compile(
    r"(?<!vous )(?<!vous y )(?<!vous l )\b(?!chez\b|assez\b|rez\b|nez\b)[a-z]{2,20}ez\b"
)
#: What was: an auxiliary and a participle, an imperfect.
_WAS = re.compile(
    r"\b(?:ai|avons|avez|ont|a|avait|avais|avions|avaient|est|sont|suis|sommes|avoir) "
    r"(?:[a-z]+ ){0,2}[a-z]+(?:e|es|i|is|it|u|us|ert)\b"
    r"|\b(?:etais|etait|etions|etiez|etaient|avais|avait|avions|[a-z]{3,}(?:aient|ait|ais))\b"
    r"|\b(?:was|were|has|had|have|ve) |\b[a-z]{3,}ed\b"
)
#: « on », but not the English “on”
_WE = re.compile(r"\b(?:je|j|nous|moi|me|i|we|on(?! (?:the|this|that|it|your|our|my|us)\b))\b")
_IS = re.compile(r"\b(?:est|sont|suis|sommes|etes|il y a|ai|avons|avez|ont|is|are|am|m|s)\b")
#: « à revoir », numbers.
_OPEN = re.compile(r"\b(?:est|sont|reste|restent|etait) (?:[a-z]+ )?a [a-z]+(?:er|ir|re|oir)\b|\d")
#: The future and the conditional; a few words only look so.
_FUTURE = re.compile(
    r"\b(?!vrai\b|frais\b|extra\b|camera\b|canada\b|francais)[a-z]{2,}"
    r"(?:rai|ras|ra|rons|rez|ront|rais|rait|rions|riez|raient)\b"
    r"|\b(?:will|ll|may|might|could|would|shall|to be|(?:has|have|had) to)\b"
)
_BUT = re.compile(r"[\s,]{1,9}(mais|but)\s", re.IGNORECASE)
#: Of these a clause is made that only says who signs: « la gérante de l'hôtel ».
_SIGNING = DECIDING | {*"general generale le la l du de des d votre une un".split()}
#: What only somebody else's doings begin with.
_OTHERS = re.compile(
    r"(?:et |car |puisque |que |because |and )?(?:il|elle|ils|elles|ca|le|la|les|l|mon|ma|mes|notre"
    r"|nos|un|une|tout|tous|toute|m|mme|my|our|the|he|she|they|everyone|it|[a-z]{1,20} et moi)\b"
)
#: A header above a mail that somebody forwards.
_FORWARDED = re.compile(r"(?im)^\W{0,5}(?:de|from|à|to|objet|subject) ?:")
#: « dès validation », which folds to the article « des »; « dès maintenant » waits for nothing.
_AS_SOON = re.compile(
    r"\bdès\b(?! (?:que (?:possible|vous)|maintenant|aujourd|à présent|cette|ce |lors|demain))",
    re.IGNORECASE,
)
_MOST_WORDS = 60
_MOST_FILLERS = 2
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


class Offer(NamedTuple):
    """What is offered, and to whom: the price in credits, what it is called, the client's names."""

    credits: int | None
    about: frozenset[tuple[str, ...]]
    names: frozenset[str]


def agrees(text: str, offer: Offer, phrases: ReplyWords) -> Grade | None:
    """Tell whether a text agrees to an offer: every word understood, and some of them accept."""
    text = _PHONE.sub(" ", _without_name(_without_greeting(text, phrases), offer, phrases))
    text = _without_names(_SIGNED_ON.sub(r"\1", text), phrases).translate(_YES_SIGNS)
    if _FORWARDED.search(text) or _AS_SOON.search(text):
        return None
    if _is_disguised(text) or "?" in text or _DOUBTING_SIGNS & {*text}:
        return None
    text = _without_pictures(text)
    said = fold(text)
    amounts = _CREDITS.findall(said)
    if _LINK.search(said) or not _only_words(text) or len(words(said)) > _MOST_WORDS:
        return None
    if other_amount(said, offer.credits):
        return None
    found = Counter(pieces(_spoken(text), offer, phrases))
    told = bool(found["unknown"] + found["plain"])
    trails = "…" in text or ".." in text  # « je valide bien sûr... » means something else
    if told:
        found = _beside_what_is_told(text, offer, phrases)
    if found["unknown"] or (told and trails) or not found["accept"] + found["yes"]:
        return None
    if found["accept"] or ((found["about"] or amounts) and not found["receipt"]):
        return "whole"
    return None if told or trails or found["receipt"] + found["small"] else "bare"


def other_amount(said: str, price: int | None) -> bool:
    """Tell whether a folded text names a number of credits that is not the price."""
    amounts = _CREDITS.findall(said)
    return any(_NUMBER.get(amount, amount) not in (price, str(price)) for amount in amounts)


def objection(
    text: str, price: int | None, phrases: ReplyWords, ignored: frozenset[str] = frozenset()
) -> str | None:
    """Return what contradicts in a text: a question, a but, another price; None when nothing."""
    if "?" in text:
        return "?"
    said = fold(text)
    if (found := AMOUNT.search(said)) or other_amount(said, price):
        return found[0] if found else "credits"
    objections = phrases.objections.find(text)
    return next((phrase for phrase in objections if phrase not in ignored), None)


def without_courtesy(text: str, offer: Offer, phrases: ReplyWords) -> str:
    """Return a text without the lines that are courtesy and names, and nothing else."""
    return "\n".join(
        line
        for line in text.split("\n")
        if "?" in line or {*pieces(_spoken(line), offer, phrases)} - {"courtesy"}
    )


def pieces(spoken: Sequence[str], offer: Offer, phrases: ReplyWords) -> Iterator[Piece]:
    """Yield the use of each piece of a text, the longest pieces that are known.

    Names and fillers have none.
    """
    spoken = _corrected(spoken, offer, phrases)
    place, longest = 0, max(phrases.tiles.longest, *map(len, offer.about), 1) + _MOST_FILLERS
    while place < len(spoken):
        for length in range(min(longest, len(spoken) - place), 0, -1):
            kind = _use(tuple(spoken[place : place + length]), offer, phrases)
            if kind is not None:
                yield kind
                break
        else:
            length = 1
            if spoken[place] in phrases.small_words:
                yield "small"
            elif spoken[place] in phrases.plain_words:
                yield "plain"
            elif spoken[place] not in offer.names | phrases.fillers:
                yield "unknown"
        place += length


def _use(piece: tuple[str, ...], offer: Offer, phrases: ReplyWords) -> Tile | None:
    """Return the use of a piece, also when fillers stand inside it."""
    kind = phrases.tiles.use(piece)
    if kind is None and piece in offer.about:
        return "about"
    if kind is None and not {piece[0], piece[-1]} & phrases.fillers:
        bare = tuple(word for word in piece if word not in phrases.fillers)
        return phrases.tiles.use(bare)
    return kind


def _spoken(text: str) -> Sequence[str]:
    return words(_CREDITS.sub(" credits ", fold(text)))


def _beside_what_is_told(text: str, offer: Offer, phrases: ReplyWords) -> Counter[Piece]:
    """Count the pieces of a text without what it only tells; something else unknown stays."""
    found: Counter[Piece] = Counter()
    for sentence in _SENTENCE.split(text):
        whole = Counter(pieces(_spoken(sentence), offer, phrases))
        if not whole["unknown"] + whole["plain"]:
            found += whole
            continue
        sentence = _until_but(sentence, found, offer, phrases)  # noqa: PLW2901
        telling = False
        for clause in _clauses(sentence, offer, phrases):
            said = Counter(pieces(_spoken(clause), offer, phrases))
            if not said["unknown"] + said["plain"]:
                found += said
            elif said["accept"] + said["yes"]:
                if not _tells_of_others(clause, offer, phrases):
                    return Counter[Piece]({"unknown": 1})
                telling = True
            elif not _tells(clause, said, offer, phrases, telling=telling):
                return Counter[Piece]({"unknown": 1})
            else:
                telling = telling or bool(said["unknown"])
    return found


def _clauses(sentence: str, offer: Offer, phrases: ReplyWords) -> Iterator[str]:
    """Yield the clauses of a sentence; one that is half told, half agreed gives its halves.

    « J'ai relu le devis et je valide », « on en a parlé donc c'est bon ».
    """
    for clause in _CLAUSE.split(sentence):
        for joint in _AND.finditer(clause):
            halves = clause[: joint.start()], clause[joint.end() :]
            said = [Counter(pieces(_spoken(half), offer, phrases)) for half in halves]
            known = [half for half in said if not half["unknown"] + half["plain"]]
            if len(known) == 1 and known[0]["accept"] + known[0]["yes"]:
                yield from halves
                break
        else:
            yield clause


def _tells_of_others(clause: str, offer: Offer, phrases: ReplyWords) -> bool:
    """Tell whether a clause tells of an acceptance that is somebody else's, and nothing more.

    « Mon associé a donné son accord hier, je valide »: it is the second clause that accepts.
    """
    said = " ".join(words(clause))
    if (
        _OTHERS.match(said)
        and _WAS.search(said)
        and not _WE.search(said)
        and _is_idle(clause, phrases)
    ):
        return _harmless(clause, offer, phrases, past=True)
    rest = _after_opening(clause, offer, phrases)
    if rest is None or not _harmless(rest, offer, phrases):
        return False
    return not {*pieces(_spoken(rest), offer, phrases)} & {"accept", "yes", "unknown"}


def _until_but(sentence: str, found: Counter[Piece], offer: Offer, phrases: ReplyWords) -> str:
    """Return what stands before a « but » that is followed by an acceptance and nothing else.

    « Je suis en déplacement, mais c'est d'accord »: the but objects to what is told.
    """
    if not _BUT.search(sentence):
        return sentence
    before, _, after = _BUT.split(sentence, maxsplit=1)
    told, said = (Counter(pieces(_spoken(half), offer, phrases)) for half in (before, after))
    tells = told["unknown"] + told["plain"] and not told["accept"] + told["yes"]
    if not tells or said["unknown"] + said["plain"] or not said["accept"]:
        return sentence
    found.update(said)
    return before


def _harmless(clause: str, offer: Offer, phrases: ReplyWords, *, past: bool = False) -> bool:
    """Tell whether nothing in a clause objects, describes or asks for something.

    What is past may name people and days that would be waited for otherwise.
    """
    said = " ".join(words(clause))
    ignored = phrases.bygone if past else frozenset[str]()
    return not (
        objection(clause, offer.credits, phrases, ignored)
        or phrases.facts.find(clause)
        or MEASURE.search(fold(clause))
        or _WISH.search(said)
        or (not past and _MORE.search(said))
        or _ORDER.search(said)
    )


def _tells(
    clause: str, said: Counter[Piece], offer: Offer, phrases: ReplyWords, *, telling: bool
) -> bool:
    """Tell whether a clause that does not accept tells something that changes nothing.

    It is made of plain words, goes on with what was told before it, is about a topic without
    danger, or opens as what tells does.
    """
    if not said["unknown"] + said["about"] and _harmless(clause, offer, phrases):
        return True
    if {*_corrected(_spoken(clause), offer, phrases)} <= _SIGNING:
        return True
    if telling and _is_innocent(clause, offer, phrases):
        return True
    past = bool(_WAS.search(" ".join(words(clause))))
    if _narrates(clause, phrases) and _is_innocent(clause, offer, phrases, past=past):
        return True
    rest = _after_opening(clause, offer, phrases)
    return rest is not None and _is_innocent(rest, offer, phrases, past=past)


def _is_innocent(clause: str, offer: Offer, phrases: ReplyWords, *, past: bool = False) -> bool:
    """Tell whether a clause, all of whose words are known, touches and leaves open nothing."""
    return (
        _is_idle(clause, phrases)
        and not _names_the_object(clause, offer)
        and _is_known(clause, offer, phrases)
        and _harmless(clause, offer, phrases, past=past)
    )


def _is_known(clause: str, offer: Offer, phrases: ReplyWords) -> bool:
    """Tell whether the directive knows every word of a clause, in whatever use."""
    spoken = _corrected(_spoken(clause), offer, phrases)
    return {*spoken} - offer.names <= phrases.innocent


def _names_the_object(clause: str, offer: Offer) -> bool:
    spoken = words(clause)
    return any((word,) in offer.about for word in spoken)


def _is_idle(clause: str, phrases: ReplyWords) -> bool:
    """Tell whether a clause leaves nothing open and touches nothing that a quote is about."""
    spoken = words(clause)
    said = " ".join(spoken)
    return not (phrases.matters & {*spoken} or _OPEN.search(said) or _FUTURE.search(said))


def _narrates(clause: str, phrases: ReplyWords) -> bool:
    """Tell whether a clause tells what is or was of what people talk about beside a quote."""
    spoken = words(clause)
    said = " ".join(spoken)
    return bool((_WAS.search(said) or _IS.search(said)) and phrases.topics & {*spoken})


def _after_opening(clause: str, offer: Offer, phrases: ReplyWords) -> str | None:
    """Return what follows the opening of a clause that tells, None when it opens otherwise.

    Nothing may object before it, nor in what it opens: « c'était » opens, « à facturer » objects.
    """
    spoken = _spoken(clause)
    said = " ".join(spoken)
    for place in phrases.tellings.places(said):
        if not place.exact and " " not in place.phrase:
            continue  # « recevrez » opens nothing as « recevez » does
        before = Counter(pieces(spoken[: place.start], offer, phrases))
        objects = any(
            found.start < place.end and not place.start <= found.start < found.end <= place.end
            for found in phrases.objections.places(said)
        )
        if not objects and not before["unknown"] + before["accept"] + before["yes"]:
            return " ".join(spoken[place.end :])
        break
    return None


def _corrected(spoken: Sequence[str], offer: Offer, phrases: ReplyWords) -> list[str]:
    """Return the words with slips of the finger undone, where only one word can be meant.

    The beginning and the ending of a word must stand: « validera » is no slip of « valide ».
    Abbreviations are written out, and drawn-out words (« ouiiii ») shortened.
    """
    return [word for one in spoken for word in _written_out(one, offer, phrases)]


def _written_out(word: str, offer: Offer, phrases: ReplyWords) -> tuple[str, ...]:
    if word in _words_of(offer.about):
        return (word,)
    if word in phrases.meanings:
        return phrases.meanings[word]
    if word in phrases.vocabulary:
        return (word,)
    short = _DRAWN_OUT.sub(r"\1", word)
    return (short if short in phrases.vocabulary else _meant(word, phrases),)


@lru_cache(maxsize=64)
def _words_of(about: frozenset[tuple[str, ...]]) -> frozenset[str]:
    return frozenset(word for name in about for word in name)


def _meant(word: str, phrases: ReplyWords) -> str:
    if len(word) < 5 or word.isdigit():
        return word
    meant = {
        other
        for other in _one_off(word)
        if other in phrases.agreeing and len(other) > 5 and other[0] == word[0]
    }
    return meant.pop() if len(meant) == 1 else word


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
    """Return a text without a line that only greets: somebody by name, or as nobody foresaw.

    « Demat ! » on a line of its own before anything else is a greeting.
    """
    lines = text.strip().split("\n")
    for number, line in enumerate(lines):
        found = _GREETING.fullmatch(line.strip())
        hail = _HAIL.fullmatch(line.strip()) if not number and lines[1:] else None
        said = words(found[1] if found else hail[0] if hail else "")
        if said and not {*said} & (phrases.vocabulary | phrases.matters):
            lines[number] = ""
    return "\n".join(lines)


def _without_names(text: str, phrases: ReplyWords) -> str:
    """Return a text without the names inside its sentences: « j'en ai parlé à Denis »."""

    def kept(name: re.Match[str]) -> str:
        known = any(
            word in phrases.vocabulary or word in phrases.meanings for word in words(name["name"])
        )
        return name[0] if known else f"{name['before']} "

    return text if text.isupper() else _INSIDE.sub(kept, text)


def _without_name(text: str, offer: Offer, phrases: ReplyWords) -> str:
    """Return a text without the name it ends with, whoever's: « Je valide. Damien R., Colmar »."""
    found = _SIGNED.search(text)
    if not found or text.isupper():
        return text
    name = found[1]
    agreed = {*pieces(_spoken(name), offer, phrases)} & {"accept", "yes", "about"}
    innocent = not agreed and _is_idle(name, phrases) and _harmless(name, offer, phrases)
    return text[: found.start(1)] if innocent else text


def _without_pictures(text: str) -> str:
    """Return a text whose emojis are points: they end a sentence and say nothing."""
    return "".join(
        ". " if sign != "°" and unicodedata.category(sign) in _PICTURES else sign for sign in text
    )


def _only_words(text: str) -> bool:
    """Tell whether a text is letters, digits and harmless signs, nothing else."""
    return all(sign.isalnum() for sign in _HARMLESS_SIGNS.sub("", text.replace("’", "'")))


def _is_disguised(text: str) -> bool:
    """Tell whether letters of other alphabets pass for ours."""
    letters = (sign for sign in text if sign.isalpha())
    return any("LATIN" not in unicodedata.name(sign, "") for sign in letters)
