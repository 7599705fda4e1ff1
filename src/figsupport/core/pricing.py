"""Completeness, complexity and credits: facts and the grid decide, nothing else. Pure."""

import re
from collections.abc import Sequence
from itertools import pairwise
from string import Template
from typing import NamedTuple

from figsupport.core.classify import language, without_orders
from figsupport.core.model import Analysis, Complexity, FileFact, Kind, Language, Request
from figsupport.core.rules import Directives, Grid
from figsupport.core.words import printable, singular, words

_USABLE: frozenset[Kind] = frozenset({"photo", "plan", "model3d"})
_SENTENCES = re.compile(r"[.!?;\n]+")
_AND = re.compile(r"[+&/]")
_JOINS = frozenset({"et", "and", "plus", "ainsi", "puis"})
_SAME = frozenset("identique identiques pareils pareilles identical same".split())
_NUMBERS = frozenset(
    """plusieurs deux trois quatre cinq six sept huit neuf dix douze quinze vingt trente quarante
    cinquante cent several multiple many two three four five seven eight nine ten twelve fifteen
    twenty thirty fifty hundred""".split()
)
_OF = frozenset("de d du des en a au aux avec sur pour dans par of for on in with from".split())
_ELSEWHERE = frozenset("pour sur dans chez for on in at".split())
_ONE = frozenset("un une a an one".split())
_ITS = frozenset("son sa ses leur leurs its their".split())
_LINK = re.compile(r"(?:https?://|www\.)\S+")


class Seen(NamedTuple):
    """What the judgement rests on, and all of it."""

    usable: int
    models: int
    named: bool
    known: Complexity | None
    ornate: bool
    several: bool


class Price(NamedTuple):
    """What follows: INCOMPLET and why, COMPLEXE and why, or credits."""

    credits: int | None
    complexity: Complexity | None
    lacks: tuple[str, ...] = ()
    why: str = ""


def price(seen: Seen, grid: Grid) -> Price:
    """Return the price: the only place that knows one. Anything unsure is for a person.

    The result is incomplete (`lacks` says why), for an administrator (`credits` is None), or
    one of the credits of the grid.
    """
    if seen.models and seen.usable:
        if seen.models > 1 and seen.several:
            return Price(None, "complex", why="several")
        return Price(grid.adjustment_credits, "simple", why="adjustment")
    lacks = () if seen.usable else ("fichier",)
    if not seen.named:
        lacks = (*lacks, "objet")
    if lacks:
        return Price(None, None, lacks)
    if seen.several:
        return Price(None, "complex", why="several")
    if seen.ornate:
        return Price(None, "complex", why="ornate")
    if seen.known is None:
        return Price(None, None, why="unknown")
    return Price(grid.credits[seen.known], seen.known, why=seen.known)


def analyze(request: Request, files: Sequence[FileFact], directives: Directives) -> Analysis:
    """Return completeness, complexity and credits, with reasons in the client's language."""
    grid, tongue = directives.grid, language(request)
    text = without_orders(request.text, directives.types)
    usable = [file for file in files if file.problem is None and file.kind in _USABLE]
    objects = _objects(text, grid)
    ornaments = grid.ornamented.find(text)
    many = grid.many.find(text)
    seen = Seen(
        usable=len(usable),
        models=sum(1 for file in usable if file.kind == "model3d"),
        named=bool(objects) or _names_something(text, grid),
        known=_hardest([grid.complexity_of[name] for name in objects]),
        ornate=bool(ornaments),
        several=bool(many) or _several(text, grid),
    )
    found = price(seen, grid)
    if found.lacks:
        missing = _missing(found.lacks, files, grid, tongue)
        return Analysis(outcome="INCOMPLET", missing=missing, reasons=missing)
    names = ornaments if found.why == "ornate" else many if many else objects
    reason = _REASONS[tongue][found.why].format(", ".join(f"« {name} »" for name in names[:3]))
    if found.credits is None:
        confidence = "low" if found.why == "unknown" else "high"
        return Analysis(
            outcome="COMPLEXE",
            complexity=found.complexity,
            confidence=confidence,
            reasons=(reason.replace("  ", " "),),
        )
    return Analysis(
        outcome="COMPLET",
        complexity=found.complexity,
        credits=found.credits,
        reasons=(reason.replace("  ", " "),),
    )


def kind_of(name: str, grid: Grid) -> Kind:
    """Return what a file's name promises it is; only its last extension counts."""
    return grid.extensions.get(name.rpartition(".")[2].strip().lower(), "other")


_REASONS = {
    "fr": {
        "adjustment": "un fichier 3D est fourni : il s'agit de l'ajuster",
        "simple": "objet simple : {}",
        "standard": "modélisation complète avec textures d'un objet standard : {}",
        "complex": "objet très complexe : {}",
        "ornate": "travail ornementé : {}",
        "several": "plusieurs objets ou un volume : {}",
        "unknown": "l'objet n'est pas dans la grille : une personne doit le chiffrer",
    },
    "en": {
        "adjustment": "a 3D file is supplied: it is to be adjusted",
        "simple": "simple object: {}",
        "standard": "full modelling with textures of a standard object: {}",
        "complex": "very complex object: {}",
        "ornate": "ornate work: {}",
        "several": "several objects or a volume: {}",
        "unknown": "the object is not in the grid: a person must price it",
    },
}
_ORDER: tuple[Complexity, ...] = ("complex", "standard", "simple")


def _hardest(levels: list[Complexity]) -> Complexity | None:
    return next((level for level in _ORDER if level in levels), None)


def _objects(text: str, grid: Grid) -> list[str]:
    """The objects to model that a text names, without what they are part of or made for."""
    names: dict[str, None] = {}
    others: dict[str, None] = {}
    exact = any(place.exact for place in grid.found.places(text))
    for sentence in _SENTENCES.split(text):
        parts = words(sentence)
        end = -9
        for place in grid.found.places(sentence):
            if exact and not place.exact:
                continue  # « berbère » is no slip for « bergère » beside a known « tapis »
            before = parts[max(0, place.start - 2) : place.start]
            between = parts[end : place.start] if end >= 0 else ()
            complement = 0 < len(between) <= 3 and any(part in _OF for part in between)
            aside = any(part in _ELSEWHERE or part in _ITS for part in before)
            (others if complement or aside else names)[place.phrase] = None
            end = place.end
    return list(names) or list(others)


def _several(text: str, grid: Grid) -> bool:
    """Tell whether a text counts objects, or joins two: « une table et un buffet »."""
    for sentence in _SENTENCES.split(text):
        parts = words(sentence)
        if not _SAME.intersection(parts) and _counts(parts, grid):
            return True
        joined = _AND.sub(" et ", sentence).replace(",", " virgule ")
        parts = words(joined)
        places = [place for place in grid.found.places(joined) if place.exact]
        for one, other in pairwise(places):
            is_part = words(other.phrase) in grid.part_names
            apart = _joined(parts[one.end : other.start], is_part)
            if apart and not _alike(one.phrase, other.phrase):
                return True
    return False


def _counts(parts: Sequence[str], grid: Grid) -> bool:
    """« 30 références », « trois produits », « plusieurs beaux meubles »."""
    return any(
        (part in _NUMBERS or (part.isdecimal() and 1 < int(part) < 10_000))
        and any(singular(near) in grid.counted_words for near in parts[place + 1 : place + 3])
        for place, part in enumerate(parts)
    )


def _joined(between: Sequence[str], is_part: bool) -> bool:
    """Tell whether the words between two objects make them two, and not one of the other."""
    if any(word in _OF or word in _ITS for word in between[-2:]):
        return False
    if is_part:
        return bool(_ONE.intersection(between) and _JOINS.intersection(between))
    return bool(_JOINS.intersection(between)) or "virgule" in between


def _alike(one: str, other: str) -> bool:
    """« table » and « table basse » may well be the same thing said twice."""
    first, second = ({singular(word) for word in words(name)} for name in (one, other))
    return first <= second or second <= first


def _names_something(text: str, grid: Grid) -> bool:
    """Tell whether a text has a word that may name an object the grid does not know."""
    rest = _LINK.sub(" ", text)
    return any(
        len(word) >= 4 and not word.isdigit() and singular(word) not in grid.generic_words
        for word in words(rest)
        if word not in _EMPTY
    )


_EMPTY = frozenset(
    """avec pour dans cette celui celle vous nous votre notre mais plus tres bien faire faites fait
    avoir etre suis sommes voudrais voudrait souhaite souhaitons souhaiterais aimerais besoin cela
    comme tout toute tous toutes voici voila joint jointe joints jointes svp stp merci bonjour
    bonsoir salut cordialement possible rapidement urgent vite ici quel quelle dont leur meme aussi
    with this that have from your need want would like could please make into some thing here there
    attached hello thanks thank very soon possible what which about than them they will shall
    realite augmentee augmented reality voir mettre passer transformer convertir creer create
    creation realiser realisation reproduire""".split()
)


def _missing(
    lacks: tuple[str, ...], files: Sequence[FileFact], grid: Grid, tongue: Language
) -> tuple[str, ...]:
    """Say exactly what is missing, in the client's language."""
    said = [getattr(grid.missing[code], tongue) for code in lacks]
    bad = [file for file in files if file.problem is not None or file.kind not in _USABLE]
    if "fichier" in lacks and bad:
        names = ", ".join(_with_reason(file) for file in bad)
        sentence = getattr(grid.missing["inutilisable"], tongue)
        said.append(Template(sentence).safe_substitute(noms=names))
    return tuple(said)


def _with_reason(file: FileFact) -> str:
    name = printable(" ".join(file.name.split()))
    return f"{name} ({file.problem})" if file.problem else name
