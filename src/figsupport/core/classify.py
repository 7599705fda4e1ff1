"""SUPPORT or MODELISATION: the client's words decide, the source only hints. Pure."""

import re

from figsupport.core.model import Classification, Confidence, Language, Request, RequestType
from figsupport.core.rules import Directives, TypeWords, language_of

_STRONG = {"SUPPORT": 4, "MODELISATION": 3}
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
    """Return the type of a request, how sure that is, and which words said so."""
    types = directives.types
    text = without_orders(request.text, types)
    reasons = _REASONS[request.langue or language_of(request.text)]
    scores: dict[RequestType, int] = {"SUPPORT": 0, "MODELISATION": 0}
    said: dict[RequestType, list[str]] = {"SUPPORT": [], "MODELISATION": []}
    for (type_, strength), phrases in types.phrases.items():
        found = phrases.find(text)
        scores[type_] += len(found) * (_STRONG[type_] if strength == "fort" else 1)
        said[type_] += found
    objects = directives.grid.found.find(text)
    scores["MODELISATION"] += min(len(objects), 1)
    support, modelling = scores["SUPPORT"], scores["MODELISATION"]
    if support != modelling:
        type_ = "SUPPORT" if support > modelling else "MODELISATION"
        named = said[type_][:_MOST_REASONS]
        reason = (
            reasons[type_].format(_quoted(named)) if named else reasons["object"].format(objects[0])
        )
        return _verdict(type_, _sure(abs(support - modelling)), reason)
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


def _sure(margin: int) -> Confidence:
    return "high" if margin >= 3 else "medium"


def _verdict(type_: RequestType, confidence: Confidence, reason: str) -> Classification:
    return Classification(type=type_, by="rules", confidence=confidence, reasons=(reason,))


def _quoted(phrases: list[str]) -> str:
    return ", ".join(f"« {phrase} »" for phrase in phrases)
