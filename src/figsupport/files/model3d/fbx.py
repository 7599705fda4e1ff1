"""Autodesk FBX 7, binary; the older and the text form are recognised only.

Source: Blender's "FBX binary file format specification" (A. Barton, 2013) and the Autodesk
FBX SDK documentation on the transform of a node.
"""

import struct
import zlib
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from figsupport.files.model3d.facts import IDENTITY, Box, Matrix, ModelFacts, Unreadable, damaged
from figsupport.files.model3d.facts import measured, placement, product, too_large, truncated
from figsupport.files.model3d.images import image_size
from figsupport.files.model3d.source import MAX_NAMES, MIB, Folder, Part, Source, base_name, head
from figsupport.files.model3d.xform import FULL, NOWHERE, UPRIGHT, inverse, rotation

MAGIC = b"Kaydara FBX Binary  \0\x1a\0"
MAX_NODES = 300_000
MAX_DEPTH = 50
MAX_INFLATED = 128 * MIB
MAX_TEXT = 4096
SCALARS = {"Y": "h", "C": "B", "I": "i", "F": "f", "D": "d", "L": "q"}
ARRAYS = {"f": "f", "d": "d", "l": "q", "i": "i", "b": "B"}
BLOCK = 24 * 16_384  # bytes: whole points of three doubles
CENTIMETRE = 0.01
MAX_POINTS = 1_000_000
MAX_SHOWN = 20_000


class Numbers(NamedTuple):
    """Where an array of a node is, and how it is stored."""

    code: str
    count: int
    packed: bool
    at: int
    size: int


class Node(NamedTuple):
    """A node: its name, its properties, and the range of its children."""

    name: bytes
    properties: list[Any]
    start: int
    end: int


@dataclass
class _Scene:
    """What the objects and connections said."""

    unit: float = 1.0
    geometries: dict[int, Numbers] = field(default_factory=dict)
    triangles: dict[int, int] = field(default_factory=dict)
    models: dict[int, tuple[Matrix, Matrix]] = field(default_factory=dict)
    links: list[tuple[int, int]] = field(default_factory=list)
    materials: int = 0
    uv_sets: int = 0
    stacks: int = 0
    curves: int = 0
    pictures: dict[str, Source | None] = field(default_factory=dict)


def read_fbx(source: Source, folder: Folder) -> ModelFacts:
    """Return the facts of an FBX; raises Unreadable."""
    if not head(source, len(MAGIC)) == MAGIC:
        raise too_large("FBX en texte", "FBX as text")
    reader = _Reader(source)
    scene = _Scene()
    for node in reader.children(27, source.size, top=True):
        if node.name == b"GlobalSettings":
            unit = reader.settings(node).get("UnitScaleFactor")
            scene.unit = float(unit[0]) if unit else 1.0
        elif node.name == b"Objects":
            for one in reader.children(node.start, node.end):
                _object(reader, one, scene)
        elif node.name == b"Connections":
            for link in reader.children(node.start, node.end):
                if link.properties[:1] == ["OO"]:
                    scene.links.append((link.properties[1], link.properties[2]))
    if not scene.geometries:
        raise Unreadable("le fichier ne contient aucune forme", "the file holds no shape")
    box = Box()
    drawn, exact, vertices = _show(reader, scene, box)
    sizes, missing = _textures(scene, folder)
    return ModelFacts(
        format="fbx",
        size=source.size,
        opens=True,
        triangles=sum(scene.triangles.values()),
        triangles_drawn=drawn,
        vertices=vertices,
        meshes=len(scene.geometries),
        draws=len(scene.geometries),
        materials=scene.materials,
        textures=sizes,
        uv_sets=scene.uv_sets,
        animations=scene.stacks if scene.curves else 0,
        missing_files=missing,
        **measured(box, metres_per_unit=scene.unit * CENTIMETRE, exact=exact),
    )


class _Reader:
    """Walks the nodes of a binary FBX, with limits."""

    def __init__(self, source: Source) -> None:
        self.source = source
        (version,) = struct.unpack("<I", source.read(23, 4))
        if version < 7000:
            raise too_large("version ancienne de FBX", "an old version of FBX")
        self._head = struct.Struct("<QQQB" if version >= 7500 else "<IIIB")
        self._nodes = 0
        self._inflated = 0
        self._window, self._base = b"", 0

    def children(self, at: int, end: int, *, top: bool = False) -> Iterator[Node]:
        """Yield the nodes of a range; raises Unreadable when they do not fit."""
        closed = not top
        while at + self._head.size <= end:
            after, count, length, name_length = self._head.unpack(self._read(at, self._head.size))
            if after == 0:
                closed = True
                break
            self._nodes += 1
            if self._nodes > MAX_NODES:
                raise too_large("trop d'éléments", "too many elements")
            start = at + self._head.size + name_length
            if after > end:
                raise truncated(self.source.size, after) if top else _misfit()
            if start + length > after:
                raise _misfit()
            name = self._read(at + self._head.size, name_length)
            yield Node(name, self._properties(start, count, start + length), start + length, after)
            at = after
        if not closed:
            raise truncated(self.source.size, end + 1)

    def settings(self, node: Node) -> dict[str, list[Any]]:
        """Return the `Properties70` of a node: name → values."""
        found = {}
        for inner in self.children(node.start, node.end):
            if inner.name == b"Properties70":
                for entry in self.children(inner.start, inner.end):
                    found[str(entry.properties[0])] = entry.properties[4:]
        return found

    def blocks(self, numbers: Numbers) -> Iterator[bytes]:
        """Yield the bytes of an array in blocks of whole points; raises Unreadable."""
        wanted = numbers.count * struct.calcsize(numbers.code)
        self._inflated += wanted
        if self._inflated > MAX_INFLATED:
            raise too_large("trop de données", "too much data")
        if not numbers.packed:
            if wanted > numbers.size:
                raise truncated(numbers.size, wanted)
            for at in range(0, wanted, BLOCK):
                yield self.source.read(numbers.at + at, min(BLOCK, wanted - at))
            return
        inflate, taken, have, pending = zlib.decompressobj(), 0, 0, b""
        while have < wanted:
            tail = inflate.unconsumed_tail
            if not tail:
                step = min(64 * 1024, numbers.size - taken)
                tail = self.source.read(numbers.at + taken, step)
                taken += step
            piece = inflate.decompress(tail, BLOCK)
            if not piece and (inflate.eof or not tail):
                raise damaged("un tableau est incomplet", "an array is incomplete")
            piece = piece[: wanted - have]
            have += len(piece)
            pending += piece
            cut = len(pending) if have == wanted else len(pending) // BLOCK * BLOCK
            if cut:
                yield pending[:cut]
                pending = pending[cut:]

    def _read(self, at: int, count: int) -> bytes:
        """Read through a window: nodes are small and close together."""
        first = at - self._base
        if first < 0 or first + count > len(self._window):
            size = max(count, min(64 * 1024, self.source.size - at))
            self._window, self._base, first = self.source.read(at, size), at, 0
        return self._window[first : first + count]

    def _properties(self, at: int, count: int, end: int) -> list[Any]:
        values: list[Any] = []
        for _ in range(min(count, 64)):
            kind = chr(self._read(at, 1)[0])
            at += 1
            if kind in SCALARS:
                size = struct.calcsize(SCALARS[kind])
                values.append(struct.unpack("<" + SCALARS[kind], self._read(at, size))[0])
                at += size
            elif kind in "SR":
                (size,) = struct.unpack("<I", self._read(at, 4))
                if at + 4 + size > end:
                    raise _misfit()
                if kind == "S":
                    text = self._read(at + 4, min(size, MAX_TEXT))
                    values.append(text.partition(b"\0")[0].decode("utf-8", "replace"))
                else:
                    values.append(Numbers("B", size, False, at + 4, size))
                at += 4 + size
            elif kind in ARRAYS:
                length, packed, size = struct.unpack("<III", self._read(at, 12))
                size = size if packed else length * struct.calcsize(ARRAYS[kind])
                values.append(Numbers(ARRAYS[kind], length, bool(packed), at + 12, size))
                at += 12 + size
            else:
                raise _misfit()
            if at > end:
                raise _misfit()
        return values


def _misfit() -> Unreadable:
    return damaged("un bloc dépasse", "a block does not fit")


def _object(reader: _Reader, node: Node, scene: _Scene) -> None:
    match node.name:
        case b"Geometry" if node.properties[-1] == "Mesh":
            _geometry(reader, node, scene)
        case b"Model":
            scene.models[node.properties[0]] = _placements(reader.settings(node))
        case b"Material":
            scene.materials += 1
        case b"AnimationStack":
            scene.stacks += 1
        case b"AnimationCurve":
            scene.curves += 1
        case b"Texture" | b"Video":
            _picture(reader, node, scene)


def _geometry(reader: _Reader, node: Node, scene: _Scene) -> None:
    key, uvs = node.properties[0], 0
    for child in reader.children(node.start, node.end):
        if child.name == b"Vertices":
            scene.geometries[key] = child.properties[0]
        elif child.name == b"PolygonVertexIndex":
            indices: Numbers = child.properties[0]
            # The last corner of each polygon is stored as its complement, a negative number.
            last = sum(_negatives(block) for block in reader.blocks(indices))
            scene.triangles[key] = max(0, indices.count - 2 * last)
        elif child.name == b"LayerElementUV":
            uvs += 1
    scene.uv_sets = max(scene.uv_sets, uvs)


def _negatives(block: bytes) -> int:
    return len(block[3::4].translate(None, delete=bytes(range(128))))


def _placements(settings: dict[str, list[Any]]) -> tuple[Matrix, Matrix]:
    """Return the transform of a node, and the one of its geometry alone."""

    def vector(name: str, default: float = 0.0) -> list[float]:
        return [float(value) for value in settings.get(name, [default] * 3)[:3]]

    def moved(name: str, sign: float = 1.0) -> Matrix:
        return placement([sign * value for value in vector(name)], UPRIGHT, FULL)

    def turned(name: str) -> Matrix:
        return rotation("XYZ", vector(name))

    matrix = IDENTITY
    for step in (
        moved("Lcl Translation"), moved("RotationOffset"), moved("RotationPivot"),
        turned("PreRotation"), turned("Lcl Rotation"), inverse(turned("PostRotation")),
        moved("RotationPivot", -1.0), moved("ScalingOffset"), moved("ScalingPivot"),
        placement(NOWHERE, UPRIGHT, vector("Lcl Scaling", 1.0)), moved("ScalingPivot", -1.0),
    ):  # fmt: skip
        matrix = product(matrix, step)
    geometric = product(moved("GeometricTranslation"), turned("GeometricRotation"))
    sized = placement(NOWHERE, UPRIGHT, vector("GeometricScaling", 1.0))
    return matrix, product(geometric, sized)


def _picture(reader: _Reader, node: Node, scene: _Scene) -> None:
    name, embedded = "", None
    for child in reader.children(node.start, node.end):
        if child.name in (b"RelativeFilename", b"FileName", b"Filename") and child.properties:
            name = name or base_name(str(child.properties[0]))
        elif child.name == b"Content" and child.properties:
            raw = child.properties[0]
            if isinstance(raw, Numbers) and raw.count:
                embedded = Part(reader.source, raw.at, raw.size)
    if name and len(scene.pictures) < MAX_NAMES:
        scene.pictures[name] = scene.pictures.get(name) or embedded


def _show(reader: _Reader, scene: _Scene, box: Box) -> tuple[int, bool, int]:
    """Return the triangles drawn, whether the box is exact, and the vertices stored."""
    parents = {child: parent for child, parent in scene.links if child in scene.models}
    drawn, points, exact = 0, 0, True
    for child, model in scene.links[:MAX_SHOWN]:
        if child not in scene.geometries or model not in scene.models:
            continue
        drawn += scene.triangles.get(child, 0)
        matrix = scene.models[model][1]
        above: int | None = model
        for _ in range(MAX_DEPTH):
            if above is None or above not in scene.models:
                break
            matrix = product(scene.models[above][0], matrix)
            above = parents.get(above)
        points += scene.geometries[child].count // 3
        if points > MAX_POINTS:
            exact = False
        else:
            _add_points(reader, scene.geometries[child], matrix, box)
    vertices = sum(numbers.count // 3 for numbers in scene.geometries.values())
    return drawn or sum(scene.triangles.values()), exact, vertices


def _add_points(reader: _Reader, numbers: Numbers, matrix: Matrix, box: Box) -> None:
    for block in reader.blocks(numbers):
        values = array(numbers.code, block)
        box.add_moved(values[0::3], values[1::3], values[2::3], matrix)


def _textures(scene: _Scene, folder: Folder) -> tuple[tuple[tuple[int, int], ...], tuple[str, ...]]:
    sizes, missing = [], []
    for name, embedded in scene.pictures.items():
        picture = embedded or folder.find(name)
        size = None if picture is None else image_size(picture, name)
        if picture is None:
            missing.append(name)
        elif size is not None:
            sizes.append(size)
    return tuple(sizes), tuple(missing)
