"""The price grid: `grille_credits_modelisation.md` → Grid."""

import math
import re
from typing import get_args

from figsupport.core.letters import NAME
from figsupport.core.model import Complexity, Kind
from figsupport.core.rules import Grid, Missing
from figsupport.core.words import words
from figsupport.directives.document import Document

_HIGHEST_CREDITS = 20
#: what may be missing, and whether the sentence names files
_MISSING_CODES = {
    "fichier": False,
    "inutilisable": True,
    "fichier3d": True,
    "accompagnent": True,
    "photos": True,
    "angles": True,
    "objet": False,
}
_SIZES = "Tailles plausibles"
_ANY_OBJECT = "tout autre objet"


def read_grid(document: Document) -> Grid:
    """Return the price grid; its problems are added to the document."""
    lists = (
        "Travail ornementé",
        "Plusieurs objets",
        "Noms que l'on compte",
        "Parties d'un objet",
        "Mots qui ne disent pas l'objet",
    )
    document.expect(["Objets", *lists, "Fichiers utilisables", "Ce qui peut manquer", _SIZES])
    objects, credits_, adjustment = _objects(document)
    sizes = _sizes(document)
    return Grid(
        objects=objects,
        credits=credits_,
        adjustment_credits=adjustment,
        ornaments=document.phrases(lists[0]),
        several=document.phrases(lists[1]),
        counted=document.phrases(lists[2]),
        parts=document.phrases(lists[3]),
        generic=document.phrases(lists[4]),
        extensions=_extensions(document),
        missing=_missing(document),
        any_size=sizes.pop(_ANY_OBJECT, (0.0, math.inf)),
        sizes=sizes,
    )


def _objects(
    document: Document,
) -> tuple[dict[Complexity, tuple[str, ...]], dict[Complexity, int | None], int]:
    levels: tuple[Complexity, ...] = get_args(Complexity)
    names: dict[str, list[str]] = {level: [] for level in levels}
    credits_: dict[str, int | None] = {}
    seen: dict[tuple[str, ...], int] = {}
    for row in document.table("Objets", ("Objets", "Complexité", "Crédits", "À savoir")):
        listed, level, price, _ = row.cells
        if level not in (*levels, "ajustement"):
            expected = ", ".join((*levels, "ajustement"))
            document.problem(row.number, f"complexity « {level} »; expected {expected}")
            continue
        amount = _price(document, row.number, level, price)
        if credits_.setdefault(level, amount) != amount:
            document.problem(row.number, f"« {level} » has another price in a line above")
        if level == "ajustement":
            continue
        for name in (part.strip() for part in listed.split(",")):
            parts = words(name)
            if not parts:
                document.problem(row.number, "an empty object name (two commas?)")
            elif parts in seen:
                document.problem(row.number, f"« {name} » stands already in line {seen[parts]}")
            else:
                names[level].append(name)
            seen.setdefault(parts, row.number)
    for level in (*levels, "ajustement"):
        if level not in credits_:
            document.problem(1, f"no line of « Objets » has the complexity « {level} »")
    prices = {level: credits_.get(level) for level in levels}
    named = {level: tuple(names[level]) for level in levels}
    return named, prices, credits_.get("ajustement") or 1


def _price(document: Document, number: int, level: str, price: str) -> int | None:
    if level == "complex":
        if price != "Admin":
            document.problem(number, f"price « {price} »; a complex object has the price « Admin »")
        return None
    if not price.isdecimal() or not 1 <= int(price) <= _HIGHEST_CREDITS:
        document.problem(
            number, f"price « {price} »; expected a number from 1 to {_HIGHEST_CREDITS}"
        )
        return None
    return int(price)


def _extensions(document: Document) -> dict[str, Kind]:
    kinds: dict[str, Kind] = {kind: kind for kind in get_args(Kind) if kind != "other"}
    found: dict[str, Kind] = {}
    for row in document.table("Fichiers utilisables", ("Nature", "Extensions")):
        if row.text not in kinds:
            document.problem(row.number, f"« {row.text} »; expected one of {', '.join(kinds)}")
            continue
        for extension in (part.strip().lower() for part in row.cells[1].split(",")):
            if not re.fullmatch(r"[a-z0-9]{1,8}", extension):
                document.problem(row.number, f"« {extension} » is no extension such as « jpg »")
            elif extension in found:
                document.problem(row.number, f"« {extension} » stands twice")
            else:
                found[extension] = kinds[row.text]
    return found


def _missing(document: Document) -> dict[str, Missing]:
    found: dict[str, Missing] = {}
    for row in document.table("Ce qui peut manquer", ("Code", "Français", "English")):
        code, french, english = row.cells
        if code not in _MISSING_CODES:
            document.problem(row.number, f"code « {code} »; expected {', '.join(_MISSING_CODES)}")
        elif not french or not english:
            document.problem(row.number, f"« {code} » needs a sentence in both languages")
        found[code] = Missing(french, english)
        for text in (french, english):
            for name in NAME.findall(text):
                if name != "noms" or not _MISSING_CODES.get(code):
                    document.problem(row.number, f"unknown name « ${name} »")
    for code in _MISSING_CODES:
        if code not in found:
            document.problem(1, f"« Ce qui peut manquer » has no line « {code} »")
    return found


def _sizes(document: Document) -> dict[str, tuple[float, float]]:
    """Return the least and the most metres of the longest side, by the object's name."""
    found: dict[str, tuple[float, float]] = {}
    for row in document.table(_SIZES, ("Objets", "Au moins (m)", "Au plus (m)")):
        try:
            low, high = (float(cell.replace(",", ".")) for cell in row.cells[1:])
        except ValueError:
            low, high = 0.0, 0.0
        if not 0 < low < high < math.inf:
            document.problem(row.number, "two numbers of metres are expected, the smaller first")
            continue
        for name in (part.strip() for part in row.text.split(",")):
            if not words(name):
                document.problem(row.number, "an empty object name (two commas?)")
            elif name in found:
                document.problem(row.number, f"« {name} » stands twice")
            found[name] = low, high
    if _ANY_OBJECT not in found:
        document.problem(1, f"« {_SIZES} » has no line « {_ANY_OBJECT} »")
    return found
