"""SUPPORT or MODELISATION: the client's words decide, the source only hints. Pure."""

import re

from figsupport.core.model import Classification, Confidence, Language, Request, RequestType
from figsupport.core.rules import Directives, Grid, TypeWords, language_of
from figsupport.core.words import Phrases, words

_TYPES: tuple[RequestType, RequestType] = ("SUPPORT", "MODELISATION")
_SENTENCES = re.compile(r"(?<=[.!?;])\s+|\n+")
_MARKUP = re.compile(r"<[^<>]{1,300}>")
_MOST_REASONS = 3
#: What the word of the rules counts for beside the scorer's, in log-odds; fitted on the
#: training requests, each scored by a model that had not seen it.
_PLAIN, _HINTED, _SILENT = 2.25, 0.75, 1.0
_OWN_FILE = 2.0
_UNDECIDED = 0.1
#: Below so many words a text is like everything and nothing.
_FEW_WORDS = 3

_REASONS = {
    "fr": {
        "SUPPORT": "le texte parle de support : {}",
        "MODELISATION": "le texte parle de modélisation : {}",
        "object": "le texte nomme un objet à modéliser : {}",
        "source": "le texte ne tranche pas ; la source « {} » indique {}",
        "nothing": "rien n'indique une modélisation : une personne doit lire la demande",
        "torn": "le texte tient du support et de la modélisation : une personne doit le lire",
        "like SUPPORT": "le texte ressemble à des demandes de support",
        "like MODELISATION": "le texte ressemble à des demandes de modélisation",
    },
    "en": {
        "SUPPORT": "the text is about support: {}",
        "MODELISATION": "the text is about modelling: {}",
        "object": "the text names an object to model: {}",
        "source": "the text does not decide; the source “{}” says {}",
        "nothing": "nothing tells of modelling: a person must read the request",
        "torn": "the text is about support and modelling alike: a person must read it",
        "like SUPPORT": "the text is like requests for support",
        "like MODELISATION": "the text is like requests for modelling",
    },
}


def classify(request: Request, directives: Directives) -> Classification:
    """Return the type of a request, how sure that is, and which words said so.

    The rules come first, the scorer second: it confirms them, or outweighs them where they
    are less sure than it is. Where the two cancel each other out, a person reads the request.
    """
    ruled, held = by_rules(request, directives)
    if ruled.type == "MODELISATION" and _has_model(request, directives.grid):
        held += _OWN_FILE
    text = without_orders(request.text, directives.types)
    spoken = words(text)
    scored = directives.scorer.odds(text, "support") if len(spoken) >= _FEW_WORDS else 0.0
    for_support = scored + (held if ruled.type == "SUPPORT" else -held)
    type_: RequestType = "SUPPORT" if for_support > 0 else "MODELISATION"
    reasons = _REASONS[language(request)]
    if abs(for_support) < _UNDECIDED:
        return _verdict("SUPPORT", "low", reasons["torn"])
    if type_ != ruled.type:
        return _verdict(type_, "medium", reasons[f"like {type_}"])
    return ruled


def by_rules(request: Request, directives: Directives) -> tuple[Classification, float]:
    """Return what the words of the directives say, and what that counts for in log-odds.

    What is plainly support wins, then a wish for a new model in so many words, then what is
    said of a model delivered already, then other words of modelling; weak words are counted.
    """
    types, grid = directives.types, directives.grid
    text = without_orders(request.text, types)
    reasons = _REASONS[language(request)]
    support, modelling = (_find(types.phrases[type_, "fort"], text) for type_ in _TYPES)
    wishes = _find(types.wish_phrases, text)
    delivered = _find(types.delivered_phrases, text)
    said: tuple[tuple[RequestType, list[str], bool], ...] = (
        ("SUPPORT", support, bool(wishes or modelling)),
        ("MODELISATION", wishes, bool(delivered)),
        ("SUPPORT", delivered, bool(modelling)),
        ("MODELISATION", modelling, False),
    )
    for type_, found, disputed in said:
        if found:
            reason = reasons[type_].format(_quoted(found))
            confidence: Confidence = "medium" if disputed else "high"
            return _verdict(type_, confidence, reason), _HINTED if disputed else _PLAIN
    support, modelling = (_find(types.phrases[type_, "faible"], text) for type_ in _TYPES)
    objects = _find(grid.found, text)
    margin = len(modelling) + bool(objects) + _has_model(request, grid) - len(support)
    if margin < 0:
        return _verdict("SUPPORT", "medium", reasons["SUPPORT"].format(_quoted(support))), _HINTED
    if margin > 0:
        why = ("object", objects) if objects else ("MODELISATION", modelling or ["3D"])
        return _verdict("MODELISATION", "medium", reasons[why[0]].format(_quoted(why[1]))), _HINTED
    by_source = [
        type_ for type_, phrases in types.source_phrases.items() if phrases.find(request.source)
    ]
    if len(by_source) == 1:
        reason = reasons["source"].format(request.source, by_source[0])
        return _verdict(by_source[0], "medium", reason), _SILENT
    return _verdict("SUPPORT", "low", reasons["nothing"]), _SILENT


def _find(phrases: Phrases, text: str) -> list[str]:
    """The phrases that stand within a line of a text, each once."""
    return list(dict.fromkeys(found for line in text.splitlines() for found in phrases.find(line)))


def _has_model(request: Request, grid: Grid) -> bool:
    return any(grid.kind_of(file.name) == "model3d" for file in request.fichiers)


def without_orders(text: str, types: TypeWords) -> str:
    """Return a text without markup and sentences that command the program: they say nothing."""
    sentences = _SENTENCES.split(_MARKUP.sub(" ", text))
    return "\n".join(line for line in sentences if not types.order_phrases.find(line))


def language(request: Request) -> Language:
    """Return the language of our letters to this client."""
    return request.langue or language_of(request.text)


def _verdict(type_: RequestType, confidence: Confidence, reason: str) -> Classification:
    return Classification(type=type_, by="rules", confidence=confidence, reasons=(reason,))


def _quoted(phrases: list[str]) -> str:
    return ", ".join(f"« {phrase} »" for phrase in phrases[:_MOST_REASONS])
