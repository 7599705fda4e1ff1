"""Clauses that refuse by how they are built, whatever their words: no order, an object lost. Pure.

« on ne la commandera finalement pas », “we won't be needing this”: a negation, a verb of ordering
in the first person (or of somebody who decides), and no more than what is ordered around them.
« entre-temps j'ai revendu la chaise », « l'idée est abandonnée »: nothing is left to model. The
words are in `reponses.md`.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import takewhile

from figsupport.core.rules import DECIDING, ReplyWords
from figsupport.core.words import Place, singular

_NEGATIONS = frozenset(
    "pas plus jamais rien aucun aucune aucunement nullement point not never longer don"
    " dont won wont"
    " doesn didn aren isn wouldn ain nothing".split()
)
_SUBJECTS = frozenset("je j nous on i we jveux let lets".split())
#: What stands between a subject and its verb, or a negation and its verb.
_MODALS = frozenset(
    "vais va allons veux veut voulons voudrais souhaite souhaitons souhaitent compte"
    " comptons desire"
    " desirons tiens tenons ai avons a as decide choisi prefere preferons preferais envisage"
    " envisageons prevois prevoyons est sommes suis serai serons sera ferai ferons fais"
    " faisons fait"
    " faire devons aurai aurons will ll do does did am are is m re be been have ve has going gonna"
    " intention to want wish need decided chosen plan planning wanting looking".split()
)
_CLITICS = frozenset("n ne no le la l les me m lui t s se de d".split())
_ADVERBS = frozenset(
    "finalement donc malheureusement helas vraiment absolument strictement simplement franchement"
    " definitivement decidement bien certainement surement evidemment deja entre temps ete depuis"
    " du coup hier sadly unfortunately actually really definitely therefore simply just all after"
    " anymore any more tout afraid".split()
)
_AROUND = _NEGATIONS | _ADVERBS
_BETWEEN = _AROUND | _CLITICS
_LEAD = _NEGATIONS | _SUBJECTS | _MODALS | _CLITICS | _ADVERBS | frozenset("y en vous".split())
#: What ends one thought and begins the next inside a clause.
_JOINTS = frozenset(
    "car parce puisque mais et donc alors que qu because since but and so then as vu faute merci"
    " desole desolee thanks sorry thank ni nor or".split()
)
_ARTICLES = frozenset(
    "le la les l un une de du des d ce cet cette ces c votre vos notre nos mon ma mes pour a au aux"
    " avec chez par sur en dans vous the an this that these your our my for with from of at on in"
    " it any part cote fois la ci".split()
)
#: Beside these what is not ordered is a part, or not yet, or not so.
_LIMITS = re.compile(
    r"\b(?:encore|yet|now|maintenant|aujourd|immediatement|toute?s?|tous|souvent|toujours|seulement"
    r"|only|without|sans|avant|before|until|tant|moins|less|seul\w*|vite|twice|fast|soon|tot|si"
    r"|ligne|online|autre\w*|other|another|trop|comment|pourquoi|quand|how|why|when|what"
    r"|directe?s?|directement|deux fois|possible|sur de|sure|comptant|avance|advance"
    r"|exprime\w*|lundi|clic\w*"
    r"|bouton|retard|raison|peine|hate|risque\w*|mot|jour|moment|semaine|mois|week|month|day)\b"
)
#: What is lost or over besides is no object of ours.
_BESIDE = re.compile(
    r"\b(?:voiture|camion|telephones?|portable|ordi\w*|ordinateur|imprimante|appareil|cle|sac"
    r"|call|car|phone|computer|laptop|camera|train|vol|avion|reunion|rdv|rendez|appel|visio|match"
    r"|vitre|morceaux?|bout|cote|coin|partie|photo|image|plan|mail|message|lien|fichier|carte"
    r"|facture|colis|devis|quote|vis|verre|autres?|other|qui|que|dont|si|vous|peinture)\b"
)
_STOPS_AFTER = frozenset(
    "sans avec en au comme dans sous montee monte demontee seule seul sur separement depuis pour"
    " mais si cote niveau without with in at".split()
)
_IS = frozenset("est sont s a ete is was were has been got".split())
_HAVE = frozenset("ai avons a ont have ve".split())
_MOST_SUBJECT, _MOST_UNKNOWN, _MOST_REST = 5, 2, 5


def denies(spoken: Sequence[str], phrases: ReplyWords) -> str | None:
    """Return the words of a clause that order nothing, or that say that nothing is left."""
    for thought in _thoughts(spoken):
        if found := _orders_nothing(thought, phrases) or _is_lost(thought, phrases):
            return found
    return None


def _thoughts(spoken: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Yield what stands between the joints of a clause."""
    thought: list[str] = []
    for word in (*spoken, "et"):
        if word in _JOINTS:
            yield tuple(thought)
            thought = []
        else:
            thought.append(word)


def _orders_nothing(spoken: tuple[str, ...], phrases: ReplyWords) -> str | None:
    """Return the negated verb of ordering of a thought that is about nothing else."""
    if _NEGATIONS.isdisjoint(spoken):
        return None
    kept = [number for number, word in enumerate(spoken) if word not in _BETWEEN or word == "d"]
    plain = " ".join(spoken[number] for number in kept)
    for found, most in ((phrases.orderings, _MOST_UNKNOWN), (phrases.doings, 0)):
        for place in found.places(plain, sure=True):
            at = Place(kept[place.start], kept[place.end - 1] + 1, place.phrase, place.exact)
            if _is_refused(spoken, at, most, phrases):
                return " ".join(spoken)
    return None


def _is_refused(spoken: tuple[str, ...], at: Place, most: int, phrases: ReplyWords) -> bool:
    """Tell whether a verb is negated, ours, and followed by at most so many unknown words."""
    before, rest = spoken[: at.start], spoken[at.end :]
    lead = tuple(takewhile(_LEAD.__contains__, reversed(before)))
    tail = tuple(takewhile(_AROUND.__contains__, rest))
    if _NEGATIONS.isdisjoint((*lead, *spoken[at.start : at.end], *tail)):
        return False
    head = before[: len(before) - len(lead)]
    ours = not head or not _SUBJECTS.isdisjoint(lead) or _decides(head[-1], phrases)
    if not ours or not _NEGATIONS.isdisjoint(head) or _LIMITS.search(" ".join(spoken)):
        return False
    known = _ARTICLES | _LEAD | phrases.ordered_words
    return sum(word not in known for word in rest if not _decides(word, phrases)) <= most


def _decides(word: str, phrases: ReplyWords) -> bool:
    """Tell whether a word names somebody who decides, or the house one answers for."""
    return not DECIDING.isdisjoint(phrases.alike.get(word, (word,)))


def _is_lost(spoken: tuple[str, ...], phrases: ReplyWords) -> str | None:
    """Return a thought that says that the object is gone, or what it was for is over."""
    for number, word in enumerate(spoken):
        over = word in phrases.over_words
        if not over and word not in phrases.gone_words:
            continue
        before = [one for one in spoken[:number] if one not in _ADVERBS]
        rest = spoken[number + 1 :]
        if len(rest) > _MOST_REST or not _STOPS_AFTER.isdisjoint(rest):
            continue
        if _subject_is_ours(before, rest, phrases.project_words if over else None, phrases):
            return " ".join(spoken)
    return None


def _subject_is_ours(
    before: list[str], rest: Sequence[str], projects: frozenset[str] | None, phrases: ReplyWords
) -> bool:
    """Tell whether what is gone is the object, or what is over one of some projects."""
    told = bool(before and before[-1] in _HAVE | {"i", "we"} and _SUBJECTS & {*before})
    held = told and ("l" in before or (rest[:1] and rest[0] in _ARTICLES))
    subject = [word for word in before if word not in _IS]
    named = [*subject, *rest] if told else subject
    if told and not held:
        return False
    if not named or len(subject) > _MOST_SUBJECT or _BESIDE.search(" ".join((*subject, *rest))):
        return False
    if not _NEGATIONS.isdisjoint(before) or any(
        singular(word) in phrases.description for word in (*subject, *rest)
    ):
        return False
    if projects is not None:
        return not projects.isdisjoint(named)
    return told or not _SUBJECTS.intersection(subject)
