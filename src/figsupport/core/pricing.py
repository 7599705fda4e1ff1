"""Completeness, complexity and credits: facts and the grid decide, nothing else. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby, pairwise, takewhile, zip_longest
from string import Template
from typing import NamedTuple

from figsupport.core import assets
from figsupport.core.classify import language, without_orders
from figsupport.core.dimensions import doubt
from figsupport.core.model import Analysis, Complexity, FileFact, Kind, Language, Request
from figsupport.core.rules import Directives, Grid, language_of
from figsupport.core.words import COLON, Phrases, Place, printable, singular, words

_SENTENCES = re.compile(r"[.!?;\n]+")
_AND = re.compile(r"[+&/]")
_JOINS = frozenset({"et", "and", "plus", "ainsi", "puis"})
_SAME = frozenset(
    """identique identiques pareil pareils pareille pareilles identical same lot paire pair set
    serie jeu""".split()
)
_UNLIKE = frozenset("different differents differente differentes distinct distincts".split())
_NUMBERS = frozenset(
    """plusieurs deux trois quatre cinq six sept huit neuf dix douze quinze vingt trente quarante
    cinquante cent several multiple many two three four five seven eight nine ten twelve fifteen
    twenty thirty fifty hundred""".split()
)
_OF = frozenset("de d du des en a au aux avec sur pour dans par of for on in with from".split())
_ELSEWHERE = frozenset("pour sur dans chez autour devant for on in at around".split())
_WITH = frozenset({"avec", "with"})
_ONE = frozenset("un une a an one".split())
_ITS = frozenset("son sa ses leur leurs its their".split())
_ARTICLES = _ONE | frozenset("le la les l mon ma mes notre nos ce cet the my our".split())
_THE = frozenset("le la les l the".split())
_BREAKS = _JOINS | {"virgule"}
_LIST, _ITEM = 3, 3
_MEASURES = _NUMBERS | frozenset(
    """seat seater place places person personne personnes pers wheel tier level arm leg step speed
    light panel""".split()
)
_NOT = frozenset("sans ni no not without pas aucun aucune".split())
_CODED = frozenset("ref reference n no numero photo modele model code commande order".split())
_LINK = re.compile(r"(?:https?://|www\.)\S+")


class Seen(NamedTuple):
    """What the judgement rests on, and all of it."""

    usable: int
    models: int
    named: bool
    known: Complexity | None
    ornate: bool
    several: bool
    lacking: tuple[str, ...] = ()  # codes of what files leave out although some came


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
    if seen.models and seen.usable and not seen.lacking:
        if seen.models > 1 and seen.several:
            return Price(None, "complex", why="several")
        return Price(grid.adjustment_credits, "simple", why="adjustment")
    lacks = seen.lacking or (() if seen.usable else ("fichier",))
    if not seen.named and assets.OF_MODELS.isdisjoint(lacks):
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
    text = _LINK.sub(" ", without_orders(request.text, directives.types))
    usable, lacking = assets.usable(files), assets.lacking(files, grid)
    objects = _objects(text, grid)
    ornaments = [place.phrase for place in _meant(grid.ornamented, text)]
    many = grid.many.find(text)
    several = bool(many) or _several(text, grid)
    likely = directives.scorer.complexity(text)
    graded = _hardest([grid.complexity_of[name] for name in objects])
    known = likely if likely == "complex" else graded or likely
    seen = Seen(
        usable=len(usable),
        models=sum(1 for file in usable if file.kind == "model3d"),
        named=bool(objects) or several or _names_something(text, directives),
        known=known,
        ornate=bool(ornaments),
        several=several,
        lacking=tuple(lack.code for lack in lacking),
    )
    found = price(seen, grid)
    if found.lacks:
        missing = _missing(found.lacks, dict(lacking), files, grid, tongue)
        return Analysis(outcome="INCOMPLET", missing=missing, reasons=missing)
    names = ornaments if found.why == "ornate" else many if many else objects
    why = f"like {found.why}" if found.why == known != graded else found.why
    reason = _REASONS[tongue][why].format(", ".join(f"« {name} »" for name in names[:3]))
    reasons = (reason.replace("  ", " "), *_about_models(usable, text, grid, tongue))
    if found.credits is None:
        confidence = "low" if found.why == "unknown" else "high"
        return Analysis(
            outcome="COMPLEXE",
            complexity=found.complexity,
            confidence=confidence,
            reasons=reasons,
        )
    return Analysis(
        outcome="COMPLET",
        complexity=found.complexity,
        credits=found.credits,
        reasons=reasons,
    )


def _about_models(
    files: Sequence[FileFact], text: str, grid: Grid, tongue: Language
) -> Iterator[str]:
    """Yield what must be adjusted in the 3D files, and dimensions that make no sense."""
    for file in files:
        if file.kind == "model3d":
            doubtful = doubt(file.facts.get("dimensions_m"), text, grid, tongue)
            for finding in (*assets.adjustments(file, tongue), *filter(None, (doubtful,))):
                yield f"{printable(file.name)}{COLON[tongue]}{finding}"


def kind_of(name: str, grid: Grid) -> Kind:
    """Return what a file's name promises it is; only its last extension counts."""
    return grid.kind_of(name)


_REASONS = {
    "fr": {
        "adjustment": "un fichier 3D est fourni : il s'agit de l'ajuster",
        "simple": "objet simple : {}",
        "standard": "modélisation complète avec textures d'un objet standard : {}",
        "complex": "objet très complexe : {}",
        "ornate": "travail ornementé : {}",
        "several": "plusieurs objets ou un volume : {}",
        "like complex": "le texte décrit un travail très complexe",
        "like simple": "objet simple, comme d'autres déjà chiffrés",
        "like standard": "modélisation complète avec textures, comme d'autres objets déjà chiffrés",
        "unknown": "l'objet n'est pas dans la grille : une personne doit le chiffrer",
    },
    "en": {
        "adjustment": "a 3D file is supplied: it is to be adjusted",
        "simple": "simple object: {}",
        "standard": "full modelling with textures of a standard object: {}",
        "complex": "very complex object: {}",
        "ornate": "ornate work: {}",
        "several": "several objects or a volume: {}",
        "like complex": "the text describes very complex work",
        "like simple": "simple object, like others priced before",
        "like standard": "full modelling with textures, like other objects priced before",
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
    english = language_of(text) == "en"
    exact = any(place.exact for place in grid.found.places(text))
    for sentence in _SENTENCES.split(text):
        parts = words(sentence)
        end = 0
        places = _meant(grid.found, sentence)
        for place, after in zip_longest(places, places[1:]):
            if english and after and after.start == place.end:
                continue  # “bathroom cabinet” is a cabinet
            if exact and not place.exact:
                continue  # « berbère » is no slip for « bergère » beside a known « tapis »
            if not end and _only_places(parts, place, grid, english=english):
                continue
            between = parts[end : place.start]
            complement = end and 0 < len(between) <= 3 and not _OF.isdisjoint(between)
            aside = not _ELSEWHERE.isdisjoint(between) or not _ITS.isdisjoint(between[-2:])
            (others if complement or aside else names)[place.phrase] = None
            end = place.end
    return list(names) or list(others)


def _meant(phrases: Phrases, text: str) -> list[Place]:
    """Where phrases stand, without what is denied: « sans moulure », “not the table”."""
    parts = words(text)

    def denied(place: Place) -> bool:
        before = parts[max(0, place.start - 2) : place.start]
        near = before[-1:] if before and before[-1] not in _ARTICLES | {"de", "d"} else before
        return not _NOT.isdisjoint(near)

    return [place for place in phrases.places(text) if not denied(place)]


def _only_places(parts: Sequence[str], place: Place, grid: Grid, *, english: bool) -> bool:
    """Tell whether a complex thing only says where an unknown one goes or what it is of.

    « balance de cuisine » is no kitchen, “kitchen tap” neither.
    """
    if grid.complexity_of[place.phrase] != "complex":
        return False
    if english:
        return any(_is_name(word, grid) for word in parts[place.end : place.end + 1])
    of = place.start > 1 and parts[place.start - 1] in {"de", "d"}
    return of and _is_name(parts[place.start - 2], grid)


def _several(text: str, grid: Grid) -> bool:
    """Tell whether a text counts objects, or joins two: « une table et un buffet »."""
    for sentence in _SENTENCES.split(text):
        joined = _AND.sub(" et ", sentence).replace(",", " virgule ")
        parts = words(joined)
        places = [place for place in _meant(grid.found, joined) if place.exact]
        alike = not _SAME.isdisjoint(parts) and _UNLIKE.isdisjoint(parts)
        if not alike and (_counts(parts, grid) or _counted(parts, places, grid) or _listed(parts)):
            return True
        for one, other in pairwise(places):
            is_part = words(other.phrase) in grid.part_names
            if is_part and _WITH.intersection(parts[places[0].end : other.start]):
                continue  # « buffet avec deux portes et un tiroir »
            apart = _joined(parts[one.end : other.start], is_part)
            if apart and not _alike(one.phrase, other.phrase):
                return True
    return False


def _listed(parts: Sequence[str]) -> bool:
    """« la selle, le guidon et le pédalier », “the paddle + the vest + the bag”: three or more."""
    run = 0
    for named, items in groupby(_items(parts), key=_is_item):
        if named:
            run = max(run, sum(1 for _ in items))
    return run >= _LIST


def _items(parts: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield the pieces of a sentence between its commas and « et », the first from its article."""
    start = 0
    for place, part in enumerate((*parts, "virgule")):
        if part in _BREAKS:
            piece = parts[start:place]
            if not start:
                last = max((n for n, word in enumerate(piece) if word in _THE), default=0)
                piece = piece[last:]
            yield piece
            start = place + 1


def _is_item(piece: Sequence[str]) -> bool:
    named = list(takewhile(lambda word: word not in _OF, piece))
    return 1 < len(named) <= _ITEM and named[0] in _THE


def _counts(parts: Sequence[str], grid: Grid) -> bool:
    """« 30 références », « trois produits », « plusieurs beaux meubles »."""
    return any(
        _is_number(part)
        and any(singular(near) in grid.counted_words for near in parts[place + 1 : place + 3])
        for place, part in enumerate(parts)
    )


def _counted(parts: Sequence[str], places: Sequence[Place], grid: Grid) -> bool:
    """« 40 chaises », « deux belles lampes », but not « buffet 2 portes », « 40 cm : vase »."""
    if not places:
        return False
    if words(places[0].phrase) in grid.part_names and _UNLIKE.isdisjoint(parts):
        return False  # « 35 coussins différents » are no parts
    before = list(parts[max(0, places[0].start - 3) : places[0].start])
    said = before[-1:]
    if said and len(said[0]) > 3 and said[0] not in _MEASURES and (*said,) not in grid.part_names:
        before.pop()  # an adjective, and not “six-drawer dresser”
    coded = len(before) > 1 and before[-2] in _CODED
    return bool(before) and _is_number(before[-1]) and not coded


def _is_number(part: str) -> bool:
    return part in _NUMBERS or (part.isdecimal() and len(part) < 5 and int(part) > 1)


def _joined(between: Sequence[str], is_part: bool) -> bool:
    """Tell whether the words between two objects make them two, and not one of the other."""
    one_more = any(word in _JOINS and after in _ONE for word, after in pairwise(between))
    if is_part or one_more:
        return one_more
    if not (_OF | _ITS).isdisjoint(between[-2:]):
        return False
    return not _JOINS.isdisjoint(between) or "virgule" in between


def _alike(one: str, other: str) -> bool:
    """« table » and « table basse » may well be the same thing said twice."""
    first, second = ({singular(word) for word in words(name)} for name in (one, other))
    return first <= second or second <= first


def _names_something(text: str, directives: Directives) -> bool:
    """Tell whether a text names an object that the grid does not know.

    A name opens a sentence or follows an article: « un zibulon en laiton », “our old widget”.
    """
    grid = directives.grid
    if directives.scorer.names_nothing(text):
        return False
    for sentence in _SENTENCES.split(text):
        parts = words(sentence)
        opening = parts[:2]
        named = [
            near
            for place, part in enumerate(parts)
            if part in _ARTICLES and not _ELSEWHERE.intersection(parts[max(0, place - 1) : place])
            for near in parts[place + 1 : place + 3]
        ]
        if any(_is_name(word, grid) for word in (*opening, *named)):
            return True
    return False


def _is_name(word: str, grid: Grid) -> bool:
    long = len(word) >= 4 and not word[0].isdigit()
    return long and word not in _EMPTY and singular(word) not in grid.generic_words


_EMPTY = frozenset(
    """avec pour dans cette celui celle vous nous votre notre mais plus tres bien faire faites fait
    avoir etre suis sommes voudrais voudrait souhaite souhaitons souhaiterais aimerais besoin cela
    comme tout toute tous toutes voici voila joint jointe joints jointes svp stp merci bonjour
    bonsoir salut cordialement possible rapidement urgent vite ici quel quelle dont leur meme aussi
    pourriez pouvez pourrais peux peut pouvoir savoir savez dire veux veut voulons voudrai voudrions
    jvoudrai jvoudrais jveux jaimerai jaimerais aimerions desire demander demande envoie envoyez
    jeter donner donnez regardez regarde voyez vois verrez quand comment combien pourquoi parce
    ceci quelque chose suivant suivante nouveau nouvelle premier premiere petit petite grand grande
    beau belle super simple complet complete prochain bientot maintenant demain aujourd apres avant
    chez sans sous entre vers depuis afin ainsi alors donc encore toujours jamais trop assez
    realite augmentee augmented reality voir mettre passer transformer convertir creer create
    creation realiser realisation reproduire aide
    with this that have from your need want would like could please make into some thing here there
    attached hello thanks thank very soon possible what which about than them they will shall
    turn does done give show take send sent look help someone something anything following next
    first another asap urgently quick quickly small large nice good best regards dear team
    below above photo photos can't dont fais faite telephone phone ordinateur internet""".split()
)


def _missing(
    lacks: tuple[str, ...],
    about: Mapping[str, str],
    files: Sequence[FileFact],
    grid: Grid,
    tongue: Language,
) -> tuple[str, ...]:
    """Say exactly what is missing, in the client's language."""
    bad = [
        file for file in files if "part_of" not in file.facts and file not in assets.usable(files)
    ]
    if "fichier" in lacks and bad:
        lacks = (lacks[0], "inutilisable", *lacks[1:])
        about = {"inutilisable": ", ".join(map(_with_reason, bad))}
    return tuple(
        Template(getattr(grid.missing[code], tongue)).safe_substitute(noms=about.get(code, ""))
        for code in lacks
    )


def _with_reason(file: FileFact) -> str:
    name = printable(" ".join(file.name.split()))
    return f"{name} ({file.problem})" if file.problem else name
