"""SUPPORT or MODELISATION: the client's words decide, the source only hints. Pure."""

import re

from figsupport.core.model import Classification, Confidence, Language, Request, RequestType
from figsupport.core.rules import Directives, TypeWords, language_of

_TYPES: tuple[RequestType, RequestType] = ("SUPPORT", "MODELISATION")
_SENTENCES = re.compile(r"(?<=[.!?;])\s+|\n+")
_MOST_REASONS = 3

_REASONS = {
    "fr": {
        "SUPPORT": "le texte parle de support : {}",
        "MODELISATION": "le texte parle de modélisation : {}",
        "object": "le texte nomme un objet à modéliser : {}",
        "source": "le texte ne tranche pas ; la source « {} » indique {}",
        "nothing": "rien n'indique une modélisation : une personne doit lire la demande",
    },
    "en": {
        "SUPPORT": "the text is about support: {}",
        "MODELISATION": "the text is about modelling: {}",
        "object": "the text names an object to model: {}",
        "source": "the text does not decide; the source “{}” says {}",
        "nothing": "nothing tells of modelling: a person must read the request",
    },
}


def classify(request: Request, directives: Directives) -> Classification:
    """Return the type of a request, how sure that is, and which words said so.

    What is plainly support wins, then a wish for a new model in so many words, then what is
    said of a model delivered already, then other words of modelling; weak words are counted.
    """
    types, grid = directives.types, directives.grid
    text = without_orders(request.text, types)
    reasons = _REASONS[language(request)]
    support, modelling = (types.phrases[type_, "fort"].find(text) for type_ in _TYPES)
    wishes = types.wish_phrases.find(text)
    delivered = types.delivered_phrases.find(text)
    said: tuple[tuple[RequestType, list[str], bool], ...] = (
        ("SUPPORT", support, bool(wishes or modelling)),
        ("MODELISATION", wishes, bool(delivered)),
        ("SUPPORT", delivered, bool(modelling)),
        ("MODELISATION", modelling, False),
    )
    for type_, found, disputed in said:
        if found:
            confidence: Confidence = "medium" if disputed else "high"
            return _verdict(type_, confidence, reasons[type_].format(_quoted(found)))
    support, modelling = (types.phrases[type_, "faible"].find(text) for type_ in _TYPES)
    objects = grid.found.find(text)
    models = any(grid.kind_of(file.name) == "model3d" for file in request.fichiers)
    margin = len(modelling) + bool(objects) + models - len(support)
    if margin < 0:
        return _verdict("SUPPORT", "medium", reasons["SUPPORT"].format(_quoted(support)))
    if margin > 0:
        why = ("object", objects) if objects else ("MODELISATION", modelling or ["3D"])
        return _verdict("MODELISATION", "medium", reasons[why[0]].format(_quoted(why[1])))
    by_source = [
        type_ for type_, phrases in types.source_phrases.items() if phrases.find(request.source)
    ]
    if len(by_source) == 1:
        reason = reasons["source"].format(request.source, by_source[0])
        return _verdict(by_source[0], "medium", reason)
    return _verdict("SUPPORT", "low", reasons["nothing"])


def without_orders(text: str, types: TypeWords) -> str:
    """Return a text without the sentences that command the program: they say nothing."""
    sentences = _SENTENCES.split(text)
    return "\n".join(line for line in sentences if not types.order_phrases.find(line))


def language(request: Request) -> Language:
    """Return the language of our letters to this client."""
    return request.langue or language_of(request.text)


def _verdict(type_: RequestType, confidence: Confidence, reason: str) -> Classification:
    return Classification(type=type_, by="rules", confidence=confidence, reasons=(reason,))


def _quoted(phrases: list[str]) -> str:
    return ", ".join(f"« {phrase} »" for phrase in phrases[:_MOST_REASONS])
