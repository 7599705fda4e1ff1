"""What the files of a request mean together: parts of one another, the same twice, unusable. Pure.

Each file is looked at alone (`files.recognise`); what only all of them tell is decided here.
"""

import base64
import binascii
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from figsupport.core import ar, dimensions
from figsupport.core.model import FileFact, Kind, Language
from figsupport.core.rules import Grid
from figsupport.core.words import number_in_words, printable, size_in_words

#: the grey copy of a photo that is compared: so many pixels wide and high
LOOK_SIDE = 64
#: photos are the same when so many of 64 gradients differ at most, and grey levels less than so
_ALIKE_GRADIENTS, _ALIKE_LEVELS = 5, 3.0
#: grey levels that are no gradient: on a plain wall the noise of a camera decides
_FLAT = 1.0
#: a photo whose long side has fewer pixels does not show enough
LEAST_PIXELS = 1_000
#: codes of what 3D files lack: nothing else about the request need be asked
OF_MODELS = frozenset({"fichier3d", "accompagnent"})
_USABLE: frozenset[Kind] = frozenset({"photo", "plan", "model3d"})
_MOST_NAMES = 10
#: what is told of a file whose content says nothing, or which was not looked at
_NO_FORMATS = (None, "unknown", "empty")


class Lack(NamedTuple):
    """What the files leave out: the code of the grid's sentence, and what it is about."""

    code: str
    names: str = ""


def joined(files: Sequence[FileFact], language: Language) -> tuple[FileFact, ...]:
    """Return the facts of the files with what they say of each other.

    A model's missing files are those that no file of the request is; who is part of a model
    says so (`part_of`); of photos that are the same, the later ones name the first
    (`duplicate_of`); `problem` and `ar` follow. Joining again changes nothing.
    """
    there: dict[str, FileFact] = {}
    for file in files:
        if file.problem is None or "opens" in file.facts:
            there.setdefault(base_name(file.name), file)
    parts: dict[str, str] = {}  # a part's name → whose part it is
    for whole in files:
        for name in map(base_name, whole.facts.get("side_files", ())):
            if name in there and there[name] is not whole:
                parts.setdefault(name, whole.name)
    told: list[FileFact] = []
    for file in files:
        facts = dict(file.facts)
        if file.problem is None and base_name(file.name) in parts:
            facts["part_of"] = parts[base_name(file.name)]
        elif twin := _twin(file, told):
            facts["duplicate_of"] = twin
        told.append(_judged(file, _completed(facts, there), language))
    return tuple(told)


def usable(files: Sequence[FileFact]) -> list[FileFact]:
    """Return the files that a price may rest on: neither unusable nor part of another."""
    return [
        file
        for file in files
        if file.problem is None and file.kind in _USABLE and "part_of" not in file.facts
    ]


def lacking(files: Sequence[FileFact], grid: Grid) -> tuple[Lack, ...]:
    """Return what must be sent (again) although files came: whole 3D files, better photos.

    What is not known (a file known by name only) is trusted.
    """
    models = [file for file in files if _promised(file, grid) == "model3d"]
    if models:
        whole = any(file.problem is None for file in models)
        return () if whole else tuple(_broken(models))
    good = usable(files)
    photos = [file for file in good if file.kind == "photo"]
    if len(photos) < len(good) or not photos:
        return ()
    if all(_is_small(photo) for photo in photos):
        return (Lack("photos", _names(_with_size(photo) for photo in photos)),)
    if len(photos) > 1 and all(photo.facts.get("duplicate_of") for photo in photos[1:]):
        return (Lack("angles", _names(photo.name for photo in photos)),)
    return ()


def adjustments(file: FileFact, language: Language) -> tuple[str, ...]:
    """Return what keeps a 3D file from the web's augmented reality, as sentences."""
    if file.kind != "model3d":
        return ()
    found = _verdicts(file.facts, file.size, language)
    return found["web"].findings if found else ()


def summary(file: FileFact, language: Language = "fr") -> str:
    """Return what is known of a file in one short line; empty when nothing is."""
    facts = file.facts
    formats = (facts.get(name) for name in ("format", "holds"))
    parts = [str(name).upper() for name in formats if name not in _NO_FORMATS]
    if file.size is not None and parts:
        parts.append(size_in_words(file.size, language))
    parts += _of_model(facts, language) if file.kind == "model3d" else _of_photo(facts, language)
    if "disagrees" in facts:
        parts.append(str(facts["disagrees"]))
    if "part_of" in facts:
        parts.append(_SAYS["part_of"][language].format(_line(facts["part_of"])))
    return ", ".join(parts)


def base_name(name: str) -> str:
    """Return the last part of a name to compare by: programs write paths of their machine."""
    return unicodedata.normalize("NFC", name.replace("\\", "/").rpartition("/")[2]).casefold()


def line(file: FileFact) -> str:
    """Return a file in one line for staff: its name and its link, or why it is not there."""
    both = f"{file.url} ({file.problem})" if file.url and file.problem else None
    return f"{_line(file.name)} : {both or file.url or file.problem or 'non reçu'}"


def remarks(file: FileFact) -> tuple[str, ...]:
    """Return what staff should know of a file, in French: facts, adjustments, thumbnail."""
    known, adjust = summary(file), " ; ".join(adjustments(file, "fr"))
    told = (known, adjust and f"à ajuster : {adjust}")
    picture = f"aperçu : {file.thumbnail}" if file.thumbnail else ""
    return tuple(filter(None, (*told, picture)))


_SAYS: dict[str, dict[Language, str]] = {
    "triangles": {"fr": "{} triangles", "en": "{} triangles"},
    "triangle": {"fr": "{} triangle", "en": "{} triangle"},
    "materials": {"fr": "{} matières", "en": "{} materials"},
    "material": {"fr": "{} matière", "en": "{} material"},
    "textures": {"fr": "textures {}", "en": "textures {}"},
    "recognised": {"fr": "reconnu sans être lu", "en": "recognised only"},
    "blurred": {"fr": "floue ?", "en": "blurred?"},
    "duplicate_of": {"fr": "la même image que {}", "en": "the same picture as {}"},
    "part_of": {"fr": "fait partie de {}", "en": "part of {}"},
    "missing_files": {"fr": "il manque {}", "en": "missing: {}"},
}
#: why a file that came is of no use, by the codes of the readers; any other code: it is damaged
_PROBLEMS: dict[str, dict[Language, str]] = {
    "truncated": {"fr": "le fichier est coupé", "en": "the file is cut short"},
    "missing_data": {"fr": "des données manquent", "en": "some of its data is missing"},
    "too_many_pixels": {
        "fr": "l'image dépasse 80 millions de pixels",
        "en": "the picture has more than 80 million pixels",
    },
    "no_model": {
        "fr": "l'archive ne contient pas de fichier 3D",
        "en": "the archive holds no 3D file",
    },
    "compressed_package": {
        "fr": "un USDZ ne doit pas être compressé",
        "en": "a USDZ must not be compressed",
    },
}
_DAMAGED: dict[Language, str] = {
    "fr": "le fichier est abîmé et ne s'ouvre pas",
    "en": "the file is damaged and does not open",
}


def _completed(facts: dict[str, Any], there: dict[str, FileFact]) -> dict[str, Any]:
    """Return a model's facts with what other files of the request bring to it.

    A part may itself name files: the materials of an OBJ name its pictures.
    """
    found: list[FileFact] = []
    still: list[str] = []
    names = list(facts.get("missing_files", ()))
    for name in names:
        part = there.get(base_name(name))
        if part is None:
            still.append(name)
        else:
            found.append(part)
            names += [one for one in part.facts.get("missing_files", ()) if one not in names]
    if not found:
        return facts
    sizes = [[one.facts["width"], one.facts["height"]] for one in found if one.facts.get("width")]
    beside = facts.get("side_files_size", 0) + sum(one.size or 0 for one in found)
    facts |= {
        "missing_files": still,
        "textures": [*(facts.get("textures") or ()), *sizes],
        "side_files_size": beside,
    }
    if not still and facts.get("damage") == "missing_files":
        facts |= {"opens": True, "damage": ""}
    return facts


def _judged(file: FileFact, facts: dict[str, Any], language: Language) -> FileFact:
    """Return a file with what its facts lead to."""
    if "opens" not in facts:
        return file.model_copy(update={"facts": facts})
    if file.kind == "model3d":
        targets = _verdicts(facts, file.size, language)
        facts["ar"] = {target: verdict._asdict() for target, verdict in targets.items()}
    return file.model_copy(update={"facts": facts, "problem": _problem(facts, language)})


def _verdicts(
    facts: Mapping[str, Any], size: int | None, language: Language
) -> dict[ar.Target, ar.Verdict]:
    whole = None if size is None else size + facts.get("side_files_size", 0)
    return ar.verdicts(facts, whole, str(facts.get("holds") or facts.get("format")), language)


def _problem(facts: dict[str, Any], language: Language) -> str | None:
    """Say why a model or a photo that came cannot be used; None when it can."""
    if missing := facts.get("missing_files"):
        return _SAYS["missing_files"][language].format(_names(missing))
    if facts["opens"] is not False:
        return None
    return _PROBLEMS.get(str(facts.get("damage")), _DAMAGED)[language]


def _promised(file: FileFact, grid: Grid) -> Kind:
    """Return what a file is, or for one that is of no use what its name promised."""
    unread = file.problem is not None and "opens" not in file.facts
    return grid.kind_of(file.name) if unread else file.kind


def _broken(models: Sequence[FileFact]) -> Iterator[Lack]:
    missing = [name for model in models for name in model.facts.get("missing_files", ())]
    if missing:
        yield Lack("accompagnent", _names(missing))
    closed = [model for model in models if not model.facts.get("missing_files")]
    if closed:
        yield Lack("fichier3d", _names(f"{model.name} ({model.problem})" for model in closed))


def _is_small(photo: FileFact) -> bool:
    width, height = photo.facts.get("width"), photo.facts.get("height")
    return width is not None and height is not None and max(width, height) < LEAST_PIXELS


def _with_size(photo: FileFact) -> str:
    return f"{photo.name} ({photo.facts['width']} × {photo.facts['height']})"


def _of_model(facts: dict[str, Any], language: Language) -> list[str]:
    if facts.get("opens") is None:
        return [_SAYS["recognised"][language]] if "opens" in facts else []
    parts = []
    triangles = facts.get("triangles_drawn") or facts.get("triangles")
    for what, number in (("triangles", triangles), ("materials", facts.get("materials"))):
        if number is not None:
            one = number == 1 or (number == 0 and language == "fr")  # 0 triangle, 0 triangles
            said = _SAYS[what.removesuffix("s") if one else what][language]
            parts.append(said.format(number_in_words(number, language)))
    sizes = {" × ".join(map(str, size)) for size in facts.get("textures") or () if size}
    if sizes:
        parts.append(_SAYS["textures"][language].format(", ".join(sorted(sizes)[:3])))
    if size := facts.get("dimensions_m"):
        about = "" if facts.get("dimensions_exact") else "≈ "
        parts.append(about + dimensions.in_words(size, language))
    return parts


def _of_photo(facts: dict[str, Any], language: Language) -> list[str]:
    parts = []
    if facts.get("width") and facts.get("height"):
        parts.append(f"{facts['width']} × {facts['height']}")
    if facts.get("blurred") and "part_of" not in facts:  # textures are often smooth
        parts.append(_SAYS["blurred"][language])
    if facts.get("duplicate_of"):
        parts.append(_SAYS["duplicate_of"][language].format(_line(facts["duplicate_of"])))
    return parts


def _twin(photo: FileFact, earlier: Sequence[FileFact]) -> str | None:
    """Return the name of the first earlier photo that shows the same, or None."""
    if photo.kind != "photo" or photo.problem is not None:
        return None
    look = _look(photo)
    for first in usable(earlier):
        if first.kind != "photo" or first.facts.get("duplicate_of"):
            continue
        if photo.sha256 is not None and photo.sha256 == first.sha256:
            return first.name
        other = _look(first)
        if look and other and _alike(look, other):
            return first.name
    return None


def _alike(one: bytes, other: bytes) -> bool:
    """Tell whether two grey copies show the same: gradients alone call two sides of it alike."""
    apart = (_gradients(one) ^ _gradients(other)).bit_count()
    return apart <= _ALIKE_GRADIENTS and _difference(one, other) < _ALIKE_LEVELS


def _look(file: FileFact) -> bytes | None:
    try:
        look = base64.b64decode(file.facts.get("look") or "", validate=True)
    except (binascii.Error, TypeError, ValueError):
        return None
    return look if len(look) == LOOK_SIDE * LOOK_SIDE else None


def _gradients(look: bytes) -> int:
    """Return 64 bits: whether each of 8 × 8 fields is brighter than the one on its right.

    Source: N. Krawetz, Kind of like that, 2013 (difference hash).
    """
    across = [LOOK_SIDE * place // 9 for place in range(10)]
    down = [LOOK_SIDE * place // 8 for place in range(9)]
    bits = 0
    for top, bottom in pairwise(down):
        lines = [look[LOOK_SIDE * y : LOOK_SIDE * (y + 1)] for y in range(top, bottom)]
        means = [
            sum(sum(line[left:right]) for line in lines) / (right - left)
            for left, right in pairwise(across)
        ]
        for one, other in pairwise(means):
            bits = bits << 1 | (one > other + _FLAT)
    return bits


def _difference(one: bytes, other: bytes) -> float:
    return sum(abs(a - b) for a, b in zip(one, other, strict=True)) / len(one)


def _names(names: Iterator[str] | Sequence[str]) -> str:
    told = list(dict.fromkeys(map(_line, names)))
    more = f" … (+ {len(told) - _MOST_NAMES})" if len(told) > _MOST_NAMES else ""
    return ", ".join(told[:_MOST_NAMES]) + more


def _line(name: str) -> str:
    return printable(" ".join(name.split()))
