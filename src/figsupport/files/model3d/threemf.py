"""3MF: a zip of parts, one of them a model in XML. Source: 3MF Core 1.3, Materials 1.2."""

import math
import zipfile
from array import array
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from figsupport.files.model3d import scene as scenes
from figsupport.files.model3d import zips
from figsupport.files.model3d.boxes import IDENTITY, Matrix
from figsupport.files.model3d.facts import METRES
from figsupport.files.model3d.images import HEAD, size_of
from figsupport.files.model3d.markup import parse
from figsupport.files.model3d.side_files import shown
from figsupport.files.model3d.values import Damaged, Model, Patch, Source

_MODEL = "3d/3dmodel.model"
_UNITS = {
    "micron": "micron", "millimeter": "mm", "centimeter": "cm",
    "inch": "inch", "foot": "foot", "meter": "m",
}  # fmt: skip
_MOST_PARTS = 200
_MOST_ELEMENTS = 600_000


class _Part:
    """One model part: what its XML says, by the name of the part and the object's id."""

    def __init__(self, name: str) -> None:
        self.name, self.unit = name, "millimeter"
        self.meshes: dict[str, scenes.Mesh] = {}
        self.nodes: dict[str, scenes.Node] = {}
        self.roots: list[tuple[str, Matrix]] = []
        self.textures: list[str] = []
        self.parts: list[str] = []
        self.materials = 0
        self._key = ""
        self._points, self._corners = array("d"), array("l")
        self._children: list[str] = []

    def start(self, name: str, values: dict[str, str]) -> None:
        try:
            self._start(name, values)
        except (KeyError, ValueError, OverflowError):
            raise Damaged("malformed") from None

    def _start(self, name: str, values: dict[str, str]) -> None:
        if name == "vertex":
            self._points.extend((float(values["x"]), float(values["y"]), float(values["z"])))
        elif name == "triangle":
            self._corners.extend((int(values["v1"]), int(values["v2"]), int(values["v3"])))
        elif name == "object":
            self._key = self._named(values, "id")
            self._points, self._corners, self._children = array("d"), array("l"), []
        elif name in ("component", "item"):
            place = f"{self._key}/{len(self.nodes)}"
            target = self._named(values, "objectid")
            self.nodes[place] = scenes.Node(_matrix(values.get("transform")), (), (target,))
            if name == "item":
                self.roots.append((place, IDENTITY))
            else:
                self._children.append(place)
        elif name == "model":
            self.unit = values.get("unit", self.unit)
        elif name == "base":
            self.materials += 1
        elif name == "texture2d":
            self.textures.append(values["path"].lstrip("/"))

    def end(self, name: str, _: Sequence[str]) -> None:
        if name != "object":
            return
        own = (self._key,) if self._points else ()
        if self._points:
            if self._corners and not (
                min(self._corners) >= 0 and max(self._corners) < len(self._points) // 3
            ):
                raise Damaged("indices")
            self.meshes[self._key] = scenes.Mesh(self._points, self._corners)
        self.nodes[self._key] = scenes.Node(IDENTITY, own, self._children)

    def _named(self, values: dict[str, str], key: str) -> str:
        """Return an object's name; the production extension names one of another part."""
        path = next((_path(value) for at, value in values.items() if at.endswith(":path")), "")
        if path and path not in self.parts:
            self.parts.append(path)
            if len(self.parts) > _MOST_PARTS:
                raise Damaged("too_many_files")
        return f"{path or self.name}#{values[key]}"


class _Content(NamedTuple):
    scene: scenes.Scene
    materials: int
    textures: list[tuple[int, int] | None]
    named: list[str]
    missing: list[str]


def read(source: Source) -> Model:
    """Return what a 3MF holds; a part of it that is not there is missing. Raises Damaged."""
    content = _content(source)
    return scenes.facts(content.scene)._replace(
        materials=content.materials,
        textures=tuple(content.textures),
        animations=0,
        side_files=tuple(map(shown, content.named)),
        missing_files=tuple(map(shown, content.missing)),
    )


def patches(source: Source) -> Iterator[Patch]:
    """Yield a 3MF's objects where they are built. Raises Damaged, OSError."""
    yield from scenes.drawn(_content(source).scene)


def _content(source: Source) -> _Content:
    with zips.opened(source.path) as archive:
        entries = {_path(entry.filename): entry for entry in archive.infolist()}
        if _MODEL not in entries:
            raise Damaged("no_geometry")
        parts = [_Part(_MODEL)]
        for part in parts:  # grows while parts name others
            if part.name in entries:
                _read(archive, entries[part.name], part)
            known = {other.name for other in parts}
            parts += [_Part(name) for name in part.parts if name not in known]
            if len(parts) > _MOST_PARTS:
                raise Damaged("too_many_files")
        textures = list(dict.fromkeys(name for part in parts for name in part.textures))
        sizes = [
            _picture(archive, entries[_path(name)]) for name in textures if _path(name) in entries
        ]
    named = [*(part.name for part in parts[1:]), *textures]
    unit = _UNITS.get(parts[0].unit)
    if unit is None:
        raise Damaged("malformed")
    meshes = {key: mesh for part in parts for key, mesh in part.meshes.items()}
    if not meshes and not named:
        raise Damaged("no_geometry")
    nodes = {key: node for part in parts for key, node in part.nodes.items()}
    return _Content(
        scenes.Scene(meshes, scenes.walked(nodes, parts[0].roots), METRES[unit], unit, scenes.Y_UP),
        sum(part.materials for part in parts),
        sizes,
        named,
        [name for name in named if _path(name) not in entries],
    )


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, part: _Part) -> None:
    with archive.open(entry) as file:
        parse(file, part.start, part.end, _MOST_ELEMENTS)


def _picture(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> tuple[int, int] | None:
    with archive.open(entry) as file:
        return size_of(file.read(HEAD))


def _path(name: str) -> str:
    return name.replace("\\", "/").lstrip("/").lower()


def _matrix(text: str | None) -> Matrix:
    """Return a transform: twelve numbers, column by column of ours."""
    if text is None:
        return IDENTITY
    numbers = [float(word) for word in text.split()]
    if len(numbers) != 12 or not all(map(math.isfinite, numbers)):
        raise Damaged("malformed")
    a, b, c, d, e, f, g, h, i, x, y, z = numbers
    return (a, d, g, x, b, e, h, y, c, f, i, z)
