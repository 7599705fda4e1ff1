"""What a client's file is and holds: its content decides, and a name that lies is told."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from figsupport.core.model import FileFact, Language
from figsupport.core.pricing import kind_of
from figsupport.core.rules import Grid
from figsupport.errors import FileProblem
from figsupport.files.model3d.values import Damaged, Model, Near, Source, Unread
from figsupport.files.sniff import UNKNOWN, Format, disagreement, is_broken, sniff
from figsupport.private import trace_file
from figsupport.steps import Recognise, Recognised

#: format and file → facts
_Look = Callable[[str, Source], dict[str, Any]]

_PROBLEMS = {
    "empty": ("le fichier est vide", "the file is empty"),
    "html": (
        "c'est une page web enregistrée et non le fichier",
        "this is a saved web page, not the file",
    ),
    "lfs-pointer": (
        "c'est un renvoi (git-lfs) et non le fichier",
        "this is a pointer (git-lfs), not the file",
    ),
    "broken": (
        "le fichier est abîmé ou n'est pas ce que son nom annonce",
        "the file is damaged or not what its name says",
    ),
    "exe": ("c'est un programme", "this is a program"),
}


def recogniser(grid: Grid, language: Language = "fr", near: Near = lambda _: None) -> Recognise:
    """Return what tells a file's kind, format, facts and extension. It raises FileProblem.

    `near` finds the side files of a model; without it they are told as missing.
    """

    def recognise(name: str, path: Path) -> Recognised:
        found = sniff(path, name)
        if found.name in _PROBLEMS:
            raise FileProblem(found.name, _PROBLEMS[found.name][language == "en"])
        if is_broken(name, found):
            raise FileProblem("broken", _PROBLEMS["broken"][language == "en"])
        facts: dict[str, Any] = {"format": found.name}
        if lie := disagreement(name, found, language):
            facts["disagrees"] = lie
        if found is UNKNOWN:  # formats without a signature: the name is all there is
            kind = kind_of(name, grid)
            return Recognised(FileFact(name=name, kind=kind, facts=facts), _suffix(name))
        source = Source(path, near)
        library = found.name == "txt" and _suffix(name) == ".mtl"
        look = _LOOKS.get("mtl" if library else found.name) or _LOOKS.get(found.kind)
        if look is not None:
            facts |= _looked_into(look, found.name, source)
        fact = FileFact(name=name, kind="model3d" if "holds" in facts else found.kind, facts=facts)
        extension = ".mtl" if library else found.extension
        return Recognised(fact, extension, partial(_drawn, found, path))

    return recognise


def _looked_into(look: _Look, format_name: str, source: Source) -> dict[str, Any]:
    """Return the facts inside a file; a reader that fails costs its facts, not the request."""
    try:
        return look(format_name, source)
    except Exception as error:
        return {"opens": None, "bug": str(trace_file(error))}


def _drawn(found: Format, path: Path, near: Near) -> bytes | None:
    """Return a model's thumbnail (PNG); one that cannot be drawn costs the picture alone."""
    if found.kind != "model3d" and found.name != "zip":
        return None
    from figsupport.files import model3d
    from figsupport.files.model3d.archive import models
    from figsupport.files.model3d.thumbnail import thumbnail

    try:
        if found.name != "zip":
            return thumbnail(model3d.patches(found.name, Source(path, near)))
        with models(path) as inner:
            return next((thumbnail(model3d.patches(*one[1:])) for one in inner), None)
    except (Damaged, Unread):
        return None
    except Exception as error:
        trace_file(error)
        return None


def _photo_facts(format_name: str, source: Source) -> dict[str, Any]:
    from figsupport.files.photo_facts import look_at

    photo = look_at(source.path, format_name)._asdict()
    damage = photo.pop("problem")
    opens = False if damage else photo["look"] is not None or None
    return {"opens": opens, "damage": damage, **photo, "duplicate_of": None}


def _model_facts(format_name: str, source: Source) -> dict[str, Any]:
    from figsupport.files import model3d

    model = model3d.read(format_name, source)
    beside = filter(None, (source.near(name) for name in model.side_files))
    return {**facts_of(model), "side_files_size": sum(path.stat().st_size for path in beside)}


def _archive_facts(format_name: str, source: Source) -> dict[str, Any]:
    """Return what the models in a zip hold together; `holds` says of which format they are."""
    from figsupport.files import model3d
    from figsupport.files.model3d.archive import models

    try:
        with models(source.path) as found:
            read = [model3d.read(*one[1:]) for one in found]
    except Damaged as error:
        return {"opens": False, "damage": str(error)}
    except Unread as error:
        return {"opens": None, "notes": [str(error)]}
    if not read:
        return {"opens": True}
    facts = facts_of(together(read))
    if facts["damage"] == "missing_files":  # the zip opens all the same, and names what it lacks
        facts |= {"opens": True, "damage": ""}
    return {**facts, "holds": found[0].format_name, "models": [one.name for one in found]}


def together(models: Sequence[Model]) -> Model:
    """Return what several models hold in all; the dimensions of one alone."""
    if len(models) == 1:
        return models[0]
    facts: dict[str, Any] = {}
    for name, values in zip(Model._fields, zip(*models, strict=True), strict=True):
        known = [value for value in values if value is not None]
        if name == "opens":
            facts[name] = False if False in values else None if None in values else True
        elif name in ("problem", "unit"):
            facts[name] = next(filter(None, values), "")
        elif name in ("uv_sets", "animation_seconds"):
            facts[name] = max(known, default=None)
        elif not name.startswith("dimensions"):
            whole = len(known) == len(values)
            facts[name] = sum(known, () if isinstance(known[0], tuple) else 0) if whole else None
    return Model(**facts)


def _library_facts(format_name: str, source: Source) -> dict[str, Any]:
    """Return the pictures that the materials of an OBJ name."""
    from figsupport.files.model3d.obj import pictures

    names = list(pictures(source.path))
    return {"side_files": names, "missing_files": names}


def facts_of(model: Model) -> dict[str, Any]:
    """Return what a model holds, as JSON values, by the names that facts have in a case."""
    facts = model._asdict()
    facts["damage"] = facts.pop("problem")
    facts["extensions_required"] = facts.pop("required")
    if model.textures:
        sizes = sorted(model.textures, key=lambda size: size or (0, 0))
        facts["textures"] = [size and list(size) for size in sizes]
    return {name: list(fact) if isinstance(fact, tuple) else fact for name, fact in facts.items()}


#: kind, or format → what looks into it
_LOOKS: dict[str, _Look] = {
    "photo": _photo_facts,
    "model3d": _model_facts,
    "zip": _archive_facts,
    "mtl": _library_facts,
}


def _suffix(name: str) -> str:
    suffix = Path(name).suffix.lower()
    return suffix if suffix[1:].isalnum() and suffix.isascii() and len(suffix) <= 9 else ""
