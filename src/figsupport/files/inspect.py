"""What files on this machine or behind links really are, side files found beside them."""

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

from figsupport.core.assets import base_name, joined
from figsupport.core.dimensions import doubt
from figsupport.core.intake import last_part
from figsupport.core.model import FileFact, FileRef, Language
from figsupport.core.rules import Grid
from figsupport.errors import FileProblem, InvalidRequest, NotFound
from figsupport.files.model3d.side_files import safe_name
from figsupport.files.model3d.values import Near
from figsupport.files.recognise import recogniser
from figsupport.files.sniff import sniff
from figsupport.steps import Bring, Recognise

#: facts that have a place of their own in the document, or are of no use in it
_ELSEWHERE = ("format", "opens", "ar", "look", "problem")


class Inspected(NamedTuple):
    """A file, its facts, and its thumbnail (PNG) when one was asked for and could be drawn."""

    fact: FileFact
    thumbnail: bytes | None = None


def inspect(
    places: Sequence[str], bring: Bring, grid: Grid, language: Language, *, draw: bool = False
) -> tuple[Inspected, ...]:
    """Return what the files are, in order. Raises NotFound for a path where no file is.

    A file that cannot be fetched or does not open is a finding, not an error.
    """
    paths = [None if "://" in place else _path(place) for place in places]
    given = {base_name(path.name): path for path in paths if path is not None}
    found = []
    beside: Near
    for place, path in zip(places, paths, strict=True):
        if path is None:
            name = last_part(place)
            here, beside = bring(FileRef(name=name, url=place)), given.get
        else:
            name, here, beside = path.name, nullcontext(path), near(path.parent, given)
        known = _inspected(name, here, recogniser(grid, language, beside), beside if draw else None)
        found.append(known)
    facts = joined([one.fact for one in found], language)
    return tuple(one._replace(fact=fact) for one, fact in zip(found, facts, strict=True))


def near(folder: Path, given: Mapping[str, Path]) -> Near:
    """Return what finds side files: in the folder of the model, or among the files given.

    A name may lead into folders below, never out: not by `..`, not by a symbolic link.
    """
    root = folder.resolve()

    def find(name: str) -> Path | None:
        safe = safe_name(name)
        if safe is not None:
            try:
                path = (root / safe).resolve()
                if path.is_relative_to(root) and path.is_file():
                    return path
            except (OSError, RuntimeError):  # a name too long; links in a circle
                pass
        return given.get(base_name(name))

    return find


def document(fact: FileFact, grid: Grid, language: Language) -> dict[str, Any]:
    """Return what `inspect` prints about a file."""
    facts = {name: value for name, value in fact.facts.items() if name not in _ELSEWHERE}
    if fact.kind == "model3d":
        facts["dimensions_doubt"] = doubt(facts.get("dimensions_m"), "", grid, language)
    opens, problem = fact.facts.get("opens"), fact.problem
    if "opens" not in fact.facts and problem and fact.sha256:
        opens = False
    if (
        fact.kind != "model3d"
        and "disagrees" in fact.facts
        and grid.kind_of(fact.name) == "model3d"
    ):
        opens, problem = False, problem or fact.facts["disagrees"]  # a picture named .glb
    return {
        "name": fact.name,
        "kind": fact.kind,
        "format": fact.facts.get("format"),
        "opens": opens,
        "problem": problem,
        "size": fact.size,
        "sha256": fact.sha256,
        "facts": facts,
        "ar": fact.facts.get("ar", {}),
    }


def save_thumbnail(one: Inspected, target: Path, *, alone: bool) -> Path | None:
    """Write a thumbnail to `target`: a folder, or a file when it stands alone; None without one.

    Raises InvalidRequest when it cannot be written.
    """
    if one.thumbnail is None:
        return None
    as_file = alone and target.suffix.lower() == ".png" and not target.is_dir()
    path = target if as_file else target / f"{Path(one.fact.name).stem}-thumbnail.png"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(one.thumbnail)
    except OSError as error:
        raise InvalidRequest(
            f"The thumbnail {path} could not be written: {error.strerror}",
            hint="Give --thumbnail a folder or a .png file that may be written.",
        ) from None
    return path


def _path(place: str) -> Path:
    path = Path(place)
    if not path.is_file():
        raise NotFound(f"There is no file {place}", hint="Give paths of files, or links to them.")
    return path.resolve()


def _inspected(
    name: str, here: AbstractContextManager[Path], recognise: Recognise, drawn_with: Near | None
) -> Inspected:
    fact = FileFact(name=name)
    try:
        with here as path:
            fact = fact.model_copy(update=_measured(path))
            fact.facts["format"] = sniff(path, name).name
            found = recognise(name, path)
            known = {"kind": found.fact.kind, "facts": found.fact.facts}
            thumbnail = found.draw(drawn_with) if drawn_with else None
            return Inspected(fact.model_copy(update=known), thumbnail)
    except FileProblem as problem:
        return Inspected(fact.model_copy(update={"problem": problem.message}))


def _measured(path: Path) -> dict[str, object]:
    with path.open("rb") as file:
        return {
            "size": path.stat().st_size,
            "sha256": hashlib.file_digest(file, "sha256").hexdigest(),
        }
