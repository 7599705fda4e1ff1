"""The words of answers: `reponses.md` → ReplyWords."""

import math
import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from figsupport.core.rules import ReplyWords
from figsupport.core.wordings import Wording, spelled_out, words_of
from figsupport.core.words import words
from figsupport.directives.document import Document, Line

#: What an acceptance is made of; left as it is written until a text needs it.
_TILES = {
    "Accepter": "accept",
    "Oui": "yes",
    "Ce qu'on accepte": "about",
    "Accuser réception": "receipt",
    "Politesse": "courtesy",
}
_PHRASES = {
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
_MEANINGS = {"Abréviations": "abbreviations", "Mots qui se valent": "alike"}
_BLOCKING = frozenset({"refuse", "later", "objection", "ask"})
_CHOICE = re.compile(r"\[([^\[\]()]*)\]|\(([^\[\]()]*)\)")
_CHOICE_SIGN = re.compile(r"[\[\]()|]")
_MOST_VARIANTS = 5_000


def read_replies(document: Document) -> ReplyWords:
    """Return the words of answers; their problems are added to the document."""
    document.expect([*_TILES, *_PHRASES, *_WORDS, *_MEANINGS])
    tiles = {field: _wordings(document, section) for section, field in _TILES.items()}
    agreeing = _Agreeing((*tiles["accept"], *tiles["yes"]))
    lists: dict[str, tuple[str, ...]] = {}
    for section, field in _PHRASES.items():
        found: dict[str, None] = {}
        for line, options in _lines(document, section):
            for phrase in _variants(options):
                if field in _BLOCKING and phrase in agreeing:
                    document.problem(line.number, f"« {phrase} » accepts and objects at once")
                found[phrase] = None
        lists[field] = tuple(found)
    single = {
        field: tuple(word for line in document.phrases(section) for word in words(line))
        for section, field in _WORDS.items()
    }
    meanings = {field: _meanings(document, section) for section, field in _MEANINGS.items()}
    named: dict[str, Any] = {**tiles, **lists, **single, **meanings}
    return ReplyWords(**named)


class _Agreeing:
    """Tells of a folded phrase whether it is one of some wordings, by its rarest word."""

    def __init__(self, wordings: Sequence[Wording]) -> None:
        self._holding: dict[str, list[Wording]] = {}
        for wording in wordings:
            for word in words_of([wording]):
                self._holding.setdefault(word, []).append(wording)

    def __contains__(self, phrase: str) -> bool:
        spoken = tuple(phrase.split())
        holding = min((self._holding.get(word, []) for word in spoken), key=len)
        return any(spoken in spelled_out(wording, spoken[0]) for wording in holding)


def _wordings(document: Document, section: str) -> tuple[Wording, ...]:
    return tuple(
        tuple(tuple(tuple(piece.split()) for piece in pieces) for pieces in options if any(pieces))
        for _, options in _lines(document, section)
    )


def _lines(document: Document, section: str) -> Iterator[tuple[Line, list[list[str]]]]:
    """Yield the lines of a section that are well formed, each with its folded choices."""
    document.phrases(section)
    for line in document.lines(section):
        options = _options(line.text)
        if not options:
            document.problem(line.number, f"« {line.text} » has a bracket too many, or choices")
        elif all("" in pieces for pieces in options):
            document.problem(line.number, f"« {line.text} » can be nothing at all")
        else:
            yield line, options


def _meanings(document: Document, section: str) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for row in document.table(section, ("Écrit", "Veut dire")):
        for written in row.text.split(","):
            if len(words(written)) != 1 or not words(row.cells[1]):
                document.problem(row.number, "a word, and what it means, are expected")
            elif words(written)[0] in found:
                document.problem(row.number, f"« {written.strip()} » stands twice")
            else:
                found[words(written)[0]] = words(row.cells[1])
    return found


def _options(line: str) -> list[list[str]]:
    """Return what may stand at each place of a line, folded: « [a|b] » may be missing, « (a|b) »
    is a choice.

    Nothing when a bracket has no partner, or when the choices are too many.
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
    return [[_folded(piece) for piece in pieces] for pieces in options]


def _variants(options: list[list[str]]) -> list[str]:
    """Return the phrases that choices allow."""
    variants = [""]
    for pieces in options:  # beginnings are shared: quicker than joining each variant whole
        if any(pieces):
            variants = [begun + piece for begun in variants for piece in pieces]
    return [variant[1:] for variant in variants]


@cache  # a few thousand pieces make tens of thousands of phrases
def _folded(piece: str) -> str:
    """Return a piece folded, with a space before it; nothing of nothing."""
    folded = " … ".join(" ".join(words(part)) for part in piece.split("…")).strip(" ")
    return f" {folded}" if folded else ""
