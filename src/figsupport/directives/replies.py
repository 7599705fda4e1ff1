"""The words of answers: `reponses.md` → ReplyWords."""

import math
import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from figsupport.core.rules import ReplyWords
from figsupport.core.wordings import Wording, spelled_out, words_of
from figsupport.core.words import fold, words
from figsupport.directives.document import Document, Line

#: What is left as it is written until a text needs it.
_WORDINGS = {
    "Accepter": "accept",
    "Oui": "yes",
    "Ce qu'on accepte": "about",
    "Accuser réception": "receipt",
    "Politesse": "courtesy",
    "Raconter": "telling",
    "Refuser": "refuse",
    "Remettre à plus tard": "later",
    "Objecter": "objection",
    "Demander": "ask",
    "Fausses pistes": "idle",
    "Apporter des informations": "inform",
    "Commander": "ordering",
    "Faire": "doing",
}
_PHRASES = {
    "Refuser tout court": "curt_refusals",
    "Sans importance au passé": "bygone",
    "Absence": "absence",
}
_WORDS = {
    "Mots qui ne changent rien": "fillers",
    "Petits mots": "small_words",
    "Mots sans danger": "plain_words",
    "Sujets sans danger": "topics",
    "Mots qui comptent": "matters",
    "Mots qui décrivent": "describing",
    "Ce qu'on commande": "ordered_words",
    "Objets partis": "gone_words",
    "Projets finis": "over_words",
    "Projets": "project_words",
}
_MEANINGS = {"Abréviations": "abbreviations", "Mots qui se valent": "alike"}
_BLOCKING = frozenset({"refuse", "later", "objection", "ask"})
_CHOICE = re.compile(r"\[([^\[\]()]*)\]|\(([^\[\]()]*)\)")
_CHOICE_SIGN = re.compile(r"[\[\]()|]")
_MOST_VARIANTS = 5_000


def read_replies(document: Document) -> ReplyWords:
    """Return the words of answers; their problems are added to the document."""
    document.expect([*_WORDINGS, *_PHRASES, *_WORDS, *_MEANINGS])
    read = {field: _lines(document, section) for section, field in _WORDINGS.items()}
    agreeing = _Agreeing([wording for _, wording in (*read["accept"], *read["yes"])])
    for field in _BLOCKING:
        for line, wording in read[field]:
            for phrase in agreeing.shared(wording):
                document.problem(line.number, f"« {phrase} » accepts and objects at once")
    wordings = {field: tuple(wording for _, wording in lines) for field, lines in read.items()}
    phrases = {
        field: frozenset(
            " ".join(words)
            for _, wording in _lines(document, section)
            for words in spelled_out(wording)
        )
        for section, field in _PHRASES.items()
    }
    single = {
        field: frozenset(word for line in document.phrases(section) for word in words(line))
        for section, field in _WORDS.items()
    }
    meanings = {field: _meanings(document, section) for section, field in _MEANINGS.items()}
    named: dict[str, Any] = {**wordings, **phrases, **single, **meanings}
    return ReplyWords(**named)


class _Agreeing:
    """Finds what wordings that agree have in common with others."""

    def __init__(self, wordings: Sequence[Wording]) -> None:
        self._holding: dict[str, list[Wording]] = {}
        for wording in wordings:
            for word in words_of([wording]):
                self._holding.setdefault(word, []).append(wording)

    def shared(self, wording: Wording) -> Iterator[str]:
        """Yield the phrases of a wording that agree. Most have a word that never agrees."""
        known = tuple(
            tuple(words for words in choices if self._holding.keys() >= {*words})
            for choices in wording
        )
        if all(known):
            yield from (" ".join(spoken) for spoken in spelled_out(known) if self._holds(spoken))

    def _holds(self, spoken: tuple[str, ...]) -> bool:
        holding = min((self._holding[word] for word in spoken), key=len)
        return any(spoken in spelled_out(wording, spoken[0]) for wording in holding)


def _lines(document: Document, section: str) -> list[tuple[Line, Wording]]:
    """Return the lines of a section that are well formed, each with its wording."""
    document.phrases(section)
    found = []
    for line in document.lines(section):
        wording = _wording(line.text)
        if wording is None:
            document.problem(line.number, f"« {line.text} » has a bracket too many, or choices")
        elif not any(map(all, wording)):
            document.problem(line.number, f"« {line.text} » can be nothing at all")
        else:
            found.append((line, wording))
    return found


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


def _wording(line: str) -> Wording | None:
    """Return what may stand at each place of a line; « [a|b] » may be missing, « (a|b) » chooses.

    None when a bracket has no partner, or when the choices are too many.
    """
    line = fold(line)
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
        return None
    wording = (tuple(_folded(piece) for piece in pieces) for pieces in options)
    return tuple(choices for choices in wording if any(choices))


@cache  # a few thousand pieces stand in many lines
def _folded(piece: str) -> tuple[str, ...]:
    """Return the words of a folded piece, and « … » where others may stand between."""
    gap = ("…",)
    return sum((gap + words(part) for part in piece.split("...")), ())[1:]
