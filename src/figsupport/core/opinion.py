"""A model's opinion: what may come back, what is believed of it, what follows. Pure.

A model gives opinions, never a price and never an acceptance. Whatever does not fit is
`Unsure`, and the rules' judgement stands.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, get_args

from figsupport.core.classify import language
from figsupport.core.model import (
    Analysis,
    Classification,
    Complexity,
    Confidence,
    Cost,
    FileFact,
    Intent,
    Reply,
    Request,
    RequestType,
)
from figsupport.core.pricing import Seen, price
from figsupport.core.rules import Directives, Grid, Tariff
from figsupport.core.words import printable, singular, words

Guess = Literal["simple", "standard", "complex", "unknown"]
#: What a model may say of a reply; that a machine wrote it is a matter of headers.
Label = Literal["accept", "refuse", "more_info", "question", "unclear"]

_LONGEST_QUOTE = 300
_CACHE_WRITE, _CACHE_READ = 1.25, 0.1
_MOST_TOKENS = 10_000_000


class Unsure(NamedTuple):
    """Why there is no opinion, in French; `outage` when the service is to blame."""

    reason: str
    outage: bool = False


class Usage(NamedTuple):
    """Tokens of one call: read afresh, written to and read from the cache, and answered."""

    fresh: int = 0
    written: int = 0
    cached: int = 0
    out: int = 0


class RequestOpinion(NamedTuple):
    """What a model sees in a request; `quote` and `object` are the client's own words."""

    type: RequestType
    quote: str
    object: str
    complexity: Guess
    ornate: bool
    several: bool
    confidence: Confidence


class ReplyOpinion(NamedTuple):
    """What a model reads in a reply; `quote` is in the client's own words."""

    label: Label
    quote: str
    confidence: Confidence


def _closed(**properties: Mapping[str, Any]) -> dict[str, object]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _one_of(values: object) -> dict[str, object]:
    return {"type": "string", "enum": list(get_args(values))}


_TEXT: dict[str, object] = {"type": "string"}
_BOOLEAN: dict[str, object] = {"type": "boolean"}
REQUEST_SCHEMA = _closed(
    quote=_TEXT,
    type=_one_of(RequestType),
    object=_TEXT,
    complexity=_one_of(Guess),
    ornate=_BOOLEAN,
    several=_BOOLEAN,
    confidence=_one_of(Confidence),
)
REPLY_SCHEMA = _closed(quote=_TEXT, label=_one_of(Label), confidence=_one_of(Confidence))


# --- what came back ------------------------------------------------------------------------


def read_answer(raw: bytes) -> tuple[str | Unsure, Usage]:
    """Return the text of a Messages API answer, and what it used even when it is unusable."""
    document = _json(raw)
    if not isinstance(document, dict):
        return Unsure("la réponse n'est pas du JSON", outage=True), Usage()
    usage = _usage(document.get("usage"))
    if (stop := document.get("stop_reason")) != "end_turn":
        return Unsure(_STOPS.get(str(stop), "la réponse n'est pas finie")), usage
    content = document.get("content")
    blocks = content if isinstance(content, list) else []
    kinds = [block.get("type") if isinstance(block, dict) else None for block in blocks]
    said = [block for block, kind in zip(blocks, kinds, strict=True) if kind not in _THOUGHTS]
    if len(said) != 1 or not isinstance(said[0], dict) or said[0].get("type") != "text":
        return Unsure("la réponse n'est pas un seul texte"), usage
    text = said[0].get("text")
    return (text if isinstance(text, str) else Unsure("la réponse est vide")), usage


_THOUGHTS = ("thinking", "redacted_thinking")
_STOPS = {
    "refusal": "le modèle refuse de répondre",
    "max_tokens": "la réponse est coupée",
}


def request_opinion(answer: str, text: str) -> RequestOpinion | Unsure:
    """Return the opinion in an answer on a request whose client wrote `text`."""
    found = _fields(answer, REQUEST_SCHEMA, text)
    if isinstance(found, Unsure):
        return found
    if found["object"] and not _is_said(found["object"], text):
        return Unsure("l'objet cité n'est pas dans le texte du client")
    return RequestOpinion(**found)


def reply_opinion(answer: str, text: str) -> ReplyOpinion | Unsure:
    """Return the opinion in an answer on a reply whose own words are `text`."""
    found = _fields(answer, REPLY_SCHEMA, text)
    return found if isinstance(found, Unsure) else ReplyOpinion(**found)


def _fields(answer: str, schema: Mapping[str, Any], text: str) -> dict[str, Any] | Unsure:
    """Return the fields of an answer, every one of them allowed, its quote the client's."""
    document = _json(answer)
    properties: dict[str, Any] = schema["properties"]
    if not isinstance(document, dict) or document.keys() != properties.keys():
        return Unsure("la réponse n'a pas la forme demandée")
    for name, allowed in properties.items():
        value = document[name]
        if "enum" in allowed:
            fits = isinstance(value, str) and value in allowed["enum"]
        elif allowed is _BOOLEAN:
            fits = isinstance(value, bool)
        else:
            fits = isinstance(value, str) and len(value) <= _LONGEST_QUOTE
        if not fits:
            return Unsure(f"« {name} » n'a pas une valeur permise")
    if not _is_said(document["quote"], text):
        return Unsure("la citation n'est pas dans le texte du client")
    if document["confidence"] == "low":
        return Unsure("le modèle n'est pas sûr")
    return {
        name: _clean(value) if isinstance(value, str) else value for name, value in document.items()
    }


def _clean(quote: str) -> str:
    """Return a quote on one line, without the signs that nobody sees: it is kept and shown."""
    return " ".join(printable(quote).split())


def _is_said(quote: str, text: str) -> bool:
    """Tell whether the client wrote these words, accents, signs and spaces set aside."""
    quoted = words(quote)
    telling = any(len(word) > 1 for word in quoted)
    return telling and f" {' '.join(quoted)} " in f" {' '.join(words(text))} "


def _json(raw: str | bytes) -> object:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


def _usage(given: object) -> Usage:
    known = given if isinstance(given, dict) else {}
    names = ("input", "cache_creation_input", "cache_read_input", "output")
    counts = (known.get(f"{name}_tokens") for name in names)
    return Usage(*(_count(count) for count in counts))


def _count(given: object) -> int:
    if isinstance(given, bool) or not isinstance(given, int):
        return 0
    return given if 0 <= given <= _MOST_TOKENS else 0


def cost_of(usage: Usage, tariff: Tariff | None) -> Cost:
    """Return what one call cost; without a tariff only its tokens are known."""
    dollars = 0.0
    if tariff is not None:
        weighed = usage.fresh + usage.written * _CACHE_WRITE + usage.cached * _CACHE_READ
        dollars = (weighed * tariff.input + usage.out * tariff.output) / 1_000_000
    tokens_in = usage.fresh + usage.written + usage.cached
    return Cost(calls=1, tokens_in=tokens_in, tokens_out=usage.out, dollars=round(dollars, 8))


# --- what follows from it ------------------------------------------------------------------


def needs_second(opinion: RequestOpinion, grid: Grid) -> bool:
    """Tell whether a stronger model must look too: not simple, not sure, or not in the grid.

    What the grid does not know a model prices: one that was talked round must not do so alone.
    """
    plain = opinion.type == "SUPPORT" or (
        opinion.complexity == "simple"
        and not opinion.ornate
        and not opinion.several
        and bool(grid.found.find(opinion.object))
    )
    return not plain or opinion.confidence != "high"


def agreed(first: RequestOpinion, second: RequestOpinion | Unsure) -> RequestOpinion | Unsure:
    """Return what two models hold together: the harder of two, nothing when types differ.

    Where the second says nothing the first may still warn of a complex object, and prices none.
    """
    if isinstance(second, Unsure):
        level: Guess = "complex" if first.complexity == "complex" else "unknown"
        return first._replace(complexity=level, confidence="medium")
    if first.type != second.type:
        return Unsure("deux modèles ne sont pas d'accord sur le type")
    return second._replace(
        object=second.object or first.object,
        complexity=max(first.complexity, second.complexity, key=_GUESSES.index),
        ornate=first.ornate or second.ornate,
        several=first.several or second.several,
    )


_GUESSES: tuple[Guess, ...] = ("simple", "standard", "complex", "unknown")


def typed(found: Classification, opinion: RequestOpinion | Unsure) -> Classification:
    """Return the type of a request that the rules are not sure of."""
    if isinstance(opinion, Unsure):
        return found.model_copy(update={"reasons": (*found.reasons, _fell_back(opinion))})
    reason = f"Claude lit une demande de {_TYPES[opinion.type]} : « {opinion.quote} »"
    return Classification(
        type=opinion.type, by="claude", confidence=opinion.confidence, reasons=(reason,)
    )


_TYPES = {"SUPPORT": "support", "MODELISATION": "modélisation"}


def is_settled(found: Analysis, files: Sequence[FileFact]) -> bool:
    """Tell whether nothing is left to an opinion: incomplete, a 3D file, or surely complex."""
    adjusts = any(file.kind == "model3d" and file.problem is None for file in files)
    surely_complex = found.outcome == "COMPLEXE" and found.confidence == "high"
    return found.outcome == "INCOMPLET" or adjusts or surely_complex


def priced(
    found: Analysis,
    opinion: RequestOpinion | Unsure,
    request: Request,
    usable: int,
    directives: Directives,
) -> Analysis:
    """Return the judgement on a request that the rules' facts do not settle.

    The price is the grid's, by `pricing.price`. Where the rules know a price, an opinion may
    call a person for what a photo shows, and never names another; an object that the grid
    does not know may get the grid's price of its complexity, unless the client's text gives
    orders to the program: then no opinion prices it.
    """
    grid = directives.grid
    if isinstance(opinion, Unsure):
        return found.model_copy(update={"reasons": (*found.reasons, _fell_back(opinion))})
    if opinion.type == "SUPPORT":
        reason = f"Claude lit une demande de support : « {opinion.quote} »"
        return _for_person(None, reason, found)
    known: Complexity | None = None if opinion.complexity == "unknown" else opinion.complexity
    named = _names_something(opinion.object, grid)
    price_ = price(Seen(usable, 0, named, known, opinion.ornate, opinion.several), grid)
    if found.outcome == "COMPLET" and price_.why not in _FOR_PERSON:
        return found.model_copy(
            update={"reasons": (*found.reasons, "l'avis de Claude ne change rien au prix")}
        )
    if price_.lacks:
        missing = tuple(getattr(grid.missing[code], language(request)) for code in price_.lacks)
        return Analysis(outcome="INCOMPLET", missing=missing, by="claude", reasons=missing)
    reason = f"Claude : {_WHY[price_.why]} « {opinion.object} »"
    orders = directives.types.order_phrases.find(request.text)
    if price_.credits is not None and orders:
        reason = f"le texte donne des consignes au programme : « {orders[0]} »"
        return _for_person(None, reason, found)
    if price_.credits is None:
        return _for_person(price_.complexity, reason, found)
    return Analysis(
        outcome="COMPLET",
        complexity=price_.complexity,
        credits=price_.credits,
        by="claude",
        confidence=opinion.confidence,
        reasons=(reason,),
    )


def _names_something(said: str, grid: Grid) -> bool:
    """Tell whether words name an object: « vase », « zibulon », but not « un objet en 3D »."""
    long = (singular(word) for word in words(said) if len(word) > 3)
    return bool(grid.found.find(said)) or not grid.generic_words.issuperset(long)


_FOR_PERSON = ("complex", "ornate", "several")
_WHY = {
    "simple": "objet simple",
    "standard": "objet standard",
    "complex": "objet très complexe",
    "ornate": "travail ornementé",
    "several": "plusieurs objets ou un volume",
    "unknown": "rien ne permet de chiffrer",
}


def _for_person(complexity: Complexity | None, reason: str, found: Analysis) -> Analysis:
    return Analysis(
        outcome="COMPLEXE",
        complexity=complexity,
        by="claude",
        confidence="high" if complexity else "low",
        reasons=(reason, *found.reasons),
    )


def weighed(read: Reply, opinion: ReplyOpinion | Unsure) -> Reply:
    """Return a reply once a model has read it as well. A model alone never accepts.

    It may take an acceptance back, and name what the grammar did not understand (a refusal,
    which ends the work, only when it is sure); what else the grammar understood stands.
    """
    if isinstance(opinion, Unsure):
        return read.model_copy(update={"reasons": (*read.reasons, _fell_back(opinion))})
    intent: Intent = read.intent
    if read.intent == "accept" and opinion.label != "accept":
        intent = "unclear"
    elif read.intent == "unclear" and _may_name(opinion):
        intent = opinion.label
    reason = f"Claude y lit « {opinion.label} » : « {opinion.quote} »"
    update: dict[str, object] = {"intent": intent, "reasons": (*read.reasons, reason)}
    if intent != read.intent:
        update |= {"by": "claude", "confidence": opinion.confidence}
    if read.intent == "accept" and intent != "accept":
        update["guard"] = "judge"
    return read.model_copy(update=update)


def _may_name(opinion: ReplyOpinion) -> bool:
    sure = opinion.label != "refuse" or opinion.confidence == "high"
    return opinion.label != "accept" and sure


def _fell_back(why: Unsure) -> str:
    return f"sans l'avis de Claude : {why.reason}"
