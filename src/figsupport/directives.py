"""The directives as values: `directives/*.md`, read strictly, every problem in one error."""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import NamedTuple, get_args

from figsupport.core.letters import ACCEPT_WORDS, NAME, NAMES
from figsupport.core.model import Complexity, Kind, Language, LetterKind, RequestType
from figsupport.core.rules import (
    Briefing,
    Directives,
    Grid,
    Missing,
    ReplyWords,
    Tariff,
    Template,
    TypeWords,
)
from figsupport.core.words import words
from figsupport.errors import InvalidDirectives, Problem

#: The second opinion's weights, trained from `training/requests.txt`.
_WEIGHTS = Path(__file__).parent / "scorer.json"
_CAP = 500_000
_HIGHEST_CREDITS = 20
_DOLLARS = re.compile(r"[0-9]{1,6}(?:[.,][0-9]{1,6})?")
_PROSE = frozenset({"Principes", "Limites"})
_REPLIES = {
    "Accepter": "accept",
    "Oui": "yes",
    "Ce qu'on accepte": "about",
    "Accuser réception": "receipt",
    "Politesse": "courtesy",
    "Refuser": "refuse",
    "Remettre à plus tard": "later",
    "Objecter": "objection",
    "Demander": "ask",
    "Ne demande rien": "idle",
    "Apporter des informations": "inform",
    "Absence": "absence",
}
_BLOCKING = frozenset({"refuse", "later", "objection", "ask"})
_CHOICE = re.compile(r"\[([^\[\]()]*)\]|\(([^\[\]()]*)\)")
_MOST_VARIANTS = 5_000
_DELIVERED = "SUPPORT : modèle déjà livré ou commandé"
_WISHES = "MODELISATION : demande nouvelle"
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


class Line(NamedTuple):
    """One line that the program reads: its number and its text or cells."""

    number: int
    cells: tuple[str, ...]

    @property
    def text(self) -> str:
        """The first cell."""
        return self.cells[0]


def default_folder() -> Path:
    """Return the repository's `directives/`, or the copy that travels in the wheel."""
    root = Path(__file__).parents[2]
    if (root / "pyproject.toml").is_file() and (root / "directives").is_dir():
        return root / "directives"
    return Path(__file__).parent / "_directives"


def load(folder: Path) -> Directives:
    """Read a folder of directives. Raises InvalidDirectives naming every file and line."""
    problems: list[Problem] = []
    types = _types(_Document(folder / "classification.md", problems))
    grid = _grid(_Document(folder / "grille_credits_modelisation.md", problems))
    replies = _replies(_Document(folder / "reponses.md", problems))
    briefing = _briefing(_Document(folder / "claude.md", problems))
    templates = _templates(folder / "emails", problems)
    if problems:
        raise InvalidDirectives(
            f"The directives in {folder} cannot be used ({len(problems)} problems): "
            + "; ".join(f"{problem.field}: {problem.message}" for problem in problems),
            hint="Correct the lines named; nothing was sent. The copy in the program's own "
            "repository shows how each file is written.",
            problems=problems,
        )
    return Directives(
        types=types,
        grid=grid,
        replies=replies,
        briefing=briefing,
        templates=templates,
        weights=_WEIGHTS.read_text(encoding="utf-8"),
    )


class _Document:
    """One Markdown file: lists and tables under `##` headings; prose is for people."""

    def __init__(self, path: Path, problems: list[Problem]) -> None:
        self.name = path.name
        self._problems = problems
        self._sections: dict[str, list[Line]] = {}
        self._headings: dict[str, int] = {}
        self._texts: dict[str, list[str]] = {}
        section = ""
        lines = _lines(path, path.name, problems)
        self._readable = bool(lines)
        for number, line in enumerate(lines, 1):
            if line.startswith("## "):
                section = line[3:].strip()
                if section in self._headings:
                    self.problem(number, f"the section « {section} » stands twice")
                self._headings[section] = number
                self._sections[section] = []
                self._texts[section] = []
                continue
            self._texts.setdefault(section, []).append(line)
            if section and line.lstrip().startswith(("* ", "+ ", "• ", "-\u00a0")):
                self.problem(number, f"« {line.strip()} »: a line of a list starts with « - »")
            elif section and line.startswith("- "):
                self._sections[section].append(Line(number, (line[2:].strip(),)))
            elif section and line.startswith("|") and not _is_rule(line):
                cells = tuple(cell.strip() for cell in line.strip().strip("|").split("|"))
                self._sections[section].append(Line(number, cells))

    def problem(self, number: int, message: str) -> None:
        """Add a problem of this file, unless that it cannot be read is said already."""
        if not self._readable:
            return
        self._problems.append(Problem(f"{self.name}:{number}", message))

    def opposed(self, one: str, other: str, message: str) -> None:
        """Name the lines of a section that stand in another one too."""
        said = {words(line.text) for line in self._sections.get(one, [])}
        for line in self._sections.get(other, []):
            if words(line.text) in said:
                self.problem(line.number, f"« {line.text} » {message}")

    def expect(self, names: Iterable[str]) -> None:
        """Name the sections that are missing, and those nobody reads."""
        wanted = set(names)
        for name in sorted(wanted - self._headings.keys()):
            self.problem(1, f"the section « ## {name} » is missing")
        for name, number in self._headings.items():
            if name not in wanted | _PROSE:
                known = ", ".join(f"« {one} »" for one in sorted(wanted))
                self.problem(number, f"unknown section « {name} »; expected one of {known}")

    def lines(self, section: str) -> Sequence[Line]:
        """Return the lines of a section, none when it is missing."""
        return self._sections.get(section, ())

    def phrases(self, section: str) -> tuple[str, ...]:
        """Return the list of a section; it must not be empty or say a thing twice."""
        lines = self._sections.get(section, [])
        if section in self._headings and not lines:
            self.problem(self._headings[section], f"« {section} » has no line starting with « - »")
        seen: dict[tuple[str, ...], int] = {}
        for line in lines:
            parts = words(line.text)
            if not parts:
                self.problem(line.number, f"« {line.text} » has no word")
            elif parts in seen:
                self.problem(line.number, f"« {line.text} » stands already in line {seen[parts]}")
            seen.setdefault(parts, line.number)
        return tuple(line.text for line in lines)

    def prose(self, section: str) -> str:
        """Return the whole text of a section; it must not be empty."""
        text = "\n".join(self._texts.get(section, [])).strip()
        if section in self._headings and not text:
            self.problem(self._headings[section], f"« {section} » is empty")
        return text

    def table(self, section: str, header: Sequence[str]) -> list[Line]:
        """Return the rows of a section's table, whose columns must be as named."""
        rows = self._sections.get(section, [])
        if section not in self._headings:
            return []
        if not rows or rows[0].cells != tuple(header):
            number = rows[0].number if rows else self._headings[section]
            self.problem(number, f"a table with the columns {' | '.join(header)} is expected")
            return []
        good = []
        for row in rows[1:]:
            if len(row.cells) != len(header):
                self.problem(row.number, f"{len(row.cells)} cells; expected {len(header)}")
            else:
                good.append(row)
        return good


def _lines(path: Path, name: str, problems: list[Problem]) -> list[str]:
    try:
        if path.stat().st_size > _CAP:
            problems.append(Problem(name, f"is larger than {_CAP} bytes"))
            return []
        lines = path.read_text(encoding="utf-8-sig").splitlines()
        if any(line.strip() for line in lines):
            return lines
        problems.append(Problem(name, "is empty"))
    except FileNotFoundError:
        problems.append(Problem(name, "is missing"))
    except (OSError, UnicodeDecodeError) as error:
        problems.append(Problem(name, f"cannot be read as UTF-8 text: {error}"))
    return []


def _is_rule(line: str) -> bool:
    return not line.strip("|-: \t")


def _types(document: _Document) -> TypeWords:
    kinds: tuple[RequestType, ...] = get_args(RequestType)
    document.expect(
        [
            *(
                f"{kind} : indices {strength}"
                for kind in kinds
                for strength in ("forts", "faibles")
            ),
            *(f"Sources {kind}" for kind in kinds),
            _DELIVERED,
            _WISHES,
            "Consignes à écarter",
        ]
    )
    found = TypeWords(
        strong={kind: document.phrases(f"{kind} : indices forts") for kind in kinds},
        weak={kind: document.phrases(f"{kind} : indices faibles") for kind in kinds},
        sources={kind: document.phrases(f"Sources {kind}") for kind in kinds},
        delivered=document.phrases(_DELIVERED),
        wishes=document.phrases(_WISHES),
        orders=document.phrases("Consignes à écarter"),
    )
    for title in ("{} : indices forts", "{} : indices faibles", "Sources {}"):
        one, other = (title.format(kind) for kind in kinds)
        document.opposed(one, other, "stands for SUPPORT and MODELISATION")
    document.opposed(_DELIVERED, _WISHES, "stands for SUPPORT and MODELISATION")
    return found


def _grid(document: _Document) -> Grid:
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
    document: _Document,
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


def _price(document: _Document, number: int, level: str, price: str) -> int | None:
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


def _extensions(document: _Document) -> dict[str, Kind]:
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


def _missing(document: _Document) -> dict[str, Missing]:
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


def _sizes(document: _Document) -> dict[str, tuple[float, float]]:
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


def _replies(document: _Document) -> ReplyWords:
    document.expect(_REPLIES)
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
    return ReplyWords(**{field: tuple(phrases) for field, phrases in found.items()})


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
    broken = any(sign in piece for pieces in options for piece in pieces for sign in "[]()|")
    if broken or math.prod(map(len, options)) > _MOST_VARIANTS:
        return []
    folded = [[_folded(piece) for piece in pieces] for pieces in options]
    return [" ".join(filter(None, parts)) for parts in product(*folded)]


def _folded(piece: str) -> str:
    return " … ".join(" ".join(words(part)) for part in piece.split("…")).strip(" ")


def _briefing(document: _Document) -> Briefing:
    document.expect(["Demandes", "Réponses", "Tarifs"])
    tariffs: dict[str, Tariff] = {}
    for row in document.table("Tarifs", ("Modèle", "Entrée", "Sortie")):
        model, *prices = row.cells
        if all(_DOLLARS.fullmatch(price) for price in prices):
            tariffs[model] = Tariff(*(float(price.replace(",", ".")) for price in prices))
        else:
            document.problem(row.number, "a price is a number of dollars, such as 0.10")
    return Briefing(document.prose("Demandes"), document.prose("Réponses"), tariffs)


def _templates(
    folder: Path, problems: list[Problem]
) -> Mapping[tuple[LetterKind, Language], Template]:
    found: dict[tuple[LetterKind, Language], Template] = {}
    known = set()
    for kind in get_args(LetterKind):
        for language in get_args(Language):
            if kind == "administrator" and language == "en":
                continue  # the administrator reads French
            path = folder / (f"{kind}.md" if language == "fr" else f"{kind}.{language}.md")
            known.add(path.name)
            lines = _lines(path, f"emails/{path.name}", problems)
            if lines:
                found[kind, language] = _template(path, lines, kind, language, problems.append)
    if folder.is_dir():
        for path in sorted(folder.iterdir()):
            if path.suffix == ".md" and path.name not in known:
                expected = ", ".join(sorted(known))
                problems.append(
                    Problem(f"emails/{path.name}", f"unknown letter; expected {expected}")
                )
    return found


def _template(
    path: Path,
    lines: list[str],
    kind: LetterKind,
    language: Language,
    complain: Callable[[Problem], None],
) -> Template:
    subject, body = lines[0].strip(), "\n".join(lines[2:]).strip()
    name = f"emails/{path.name}"
    if "[#$reference]" not in subject:
        complain(Problem(f"{name}:1", "the subject must hold [#$reference], so that answers match"))
    if len(lines) < 3 or lines[1].strip():
        complain(Problem(f"{name}:2", "an empty line is expected after the subject"))
    allowed, required = NAMES[kind]
    for number, line in enumerate(lines, 1):
        for word in NAME.findall(line):
            if word != "$" and word not in allowed:
                expected = ", ".join(f"${one}" for one in sorted(allowed))
                complain(Problem(f"{name}:{number}", f"unknown name ${word}; expected {expected}"))
        if re.search(r"\$(?![a-z_$])", line.replace("$$", "")):
            complain(Problem(f"{name}:{number}", "a « $ » alone; write « $$ » for the sign"))
    used = {"reference", *NAME.findall(body)}  # the subject's is checked above
    for word in sorted(required - used):
        complain(Problem(f"{name}:1", f"the name ${word} is missing in the text"))
    if kind == "quote" and ACCEPT_WORDS[language] not in body:
        complain(
            Problem(
                f"{name}:1", f"the words « {ACCEPT_WORDS[language]} » are missing: how to accept"
            )
        )
    return Template(subject, body)
