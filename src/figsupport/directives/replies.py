"""The words of answers: `reponses.md` → ReplyWords."""

import math
import re
from functools import cache

from figsupport.core.rules import ReplyWords
from figsupport.core.words import words
from figsupport.directives.document import Document

_REPLIES = {
    "Accepter": "accept",
    "Oui": "yes",
    "Ce qu'on accepte": "about",
    "Accuser réception": "receipt",
    "Politesse": "courtesy",
    "Raconter": "telling",
    "Refuser": "refuse",
    "Refuser tout court": "curt",
    "Remettre à plus tard": "later",
    "Objecter": "objection",
    "Sans importance au passé": "past",
    "Demander": "ask",
    "Fausses pistes": "idle",
    "Apporter des informations": "inform",
    "Absence": "absence",
}
_WORDS = {
    "Mots qui ne changent rien": "filler",
    "Petits mots": "small",
    "Mots sans danger": "plain",
    "Sujets sans danger": "topic",
    "Mots qui comptent": "matter",
    "Mots qui décrivent": "describing",
}
_SHORT = "Abréviations"
_BLOCKING = frozenset({"refuse", "later", "objection", "ask"})
_CHOICE = re.compile(r"\[([^\[\]()]*)\]|\(([^\[\]()]*)\)")
_CHOICE_SIGN = re.compile(r"[\[\]()|]")
_MOST_VARIANTS = 5_000


def read_replies(document: Document) -> ReplyWords:
    """Return the words of answers; their problems are added to the document."""
    document.expect([*_REPLIES, *_WORDS, _SHORT])
    found: dict[str, dict[str, None]] = {field: {} for field in _REPLIES.values()}
    for section, field in _REPLIES.items():
        document.phrases(section)
        for line in document.lines(section):
            variants = _variants(line.text)
            if not variants:
                document.problem(line.number, f"« {line.text} » has a bracket too many, or choices")
            for phrase in variants:
                if not phrase:
                    document.problem(line.number, f"« {line.text} » can be nothing at all")
                elif field in _BLOCKING and (phrase in found["accept"] or phrase in found["yes"]):
                    document.problem(line.number, f"« {phrase} » accepts and objects at once")
                found[field][phrase] = None
    lists = {field: tuple(phrases) for field, phrases in found.items()}
    single = {
        field: tuple(word for line in document.phrases(section) for word in words(line))
        for section, field in _WORDS.items()
    }
    return ReplyWords(**lists, **single, abbreviations=_abbreviations(document))


def _abbreviations(document: Document) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for row in document.table(_SHORT, ("Écrit", "Veut dire")):
        for short in row.text.split(","):
            if len(words(short)) != 1 or not words(row.cells[1]):
                document.problem(row.number, "a word, and what it means, are expected")
            elif words(short)[0] in found:
                document.problem(row.number, f"« {short.strip()} » stands twice")
            else:
                found[words(short)[0]] = words(row.cells[1])
    return found


def _variants(line: str) -> list[str]:
    """Return the phrases of a line, folded: « [a|b] » may be missing, « (a|b) » is a choice.

    Nothing when a bracket has no partner, or when they are too many.
    """
    options: list[list[str]] = []
    place = 0
    for found in _CHOICE.finditer(line):
        optional, choice = found.groups()
        options.append([line[place : found.start()]])
        options.append((choice or optional or "").split("|") + ([] if optional is None else [""]))
        place = found.end()
    options.append([line[place:]])
    broken = _CHOICE_SIGN.search(" ".join(piece for pieces in options for piece in pieces))
    if broken or math.prod(map(len, options)) > _MOST_VARIANTS:
        return []
    variants = [""]
    for pieces in options:  # beginnings are shared: quicker than joining each variant whole
        folded = [_folded(piece) for piece in pieces]
        if any(folded):
            variants = [begun + piece for begun in variants for piece in folded]
    return [variant[1:] for variant in variants]


@cache  # a few thousand pieces make tens of thousands of phrases
def _folded(piece: str) -> str:
    """Return a piece folded, with a space before it; nothing of nothing."""
    folded = " … ".join(" ".join(words(part)) for part in piece.split("…")).strip(" ")
    return f" {folded}" if folded else ""
