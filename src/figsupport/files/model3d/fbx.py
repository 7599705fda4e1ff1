"""FBX: a tree of nodes, binary or a text; the text is only recognised.

Only the nodes that count are read; the others are passed over by their length.
Source: the format as Blender's developers describe it (FBX binary file format specification),
Autodesk FBX SDK reference (node transformations, UnitScaleFactor in centimetres).
"""

import math
import struct
import zlib
from array import array
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO, NamedTuple, TypeAlias

from figsupport.files.model3d import scene as scenes
from figsupport.files.model3d.boxes import IDENTITY, Matrix, times
from figsupport.files.model3d.facts import with_textures
from figsupport.files.model3d.images import HEAD, size_of
from figsupport.files.model3d.values import Damaged, Model, Patch, Source, Unread

_MAGIC = b"Kaydara FBX Binary  \0\x1a\0"
_WIDE = 7_500  # from this version on, 64 bits
_MOST_NODES = 200_000
_MOST_DEPTH = 16
#: bytes of arrays that are unpacked of one file, and of a property that is kept
_MOST_UNPACKED = 64 << 20
_LONGEST = 1 << 16
#: the nodes whose children count
_OPENED = {
    "GlobalSettings", "Properties70", "Objects", "Geometry", "Model", "Material", "Texture",
    "Video", "AnimationStack", "Connections", "LayerElementUV",
}  # fmt: skip
_SCALARS = {"C": "B", "Y": "h", "I": "i", "F": "f", "D": "d", "L": "q"}
_ARRAYS = {"f": "f", "d": "d", "i": "i", "l": "q", "b": "b", "c": "b"}
_READ_ARRAYS = {"Vertices", "PolygonVertexIndex"}
_ZERO, _ONE = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)

_Value: TypeAlias = "float | bytes | array[Any]"


class _Node(NamedTuple):
    name: str
    values: list[_Value]
    children: list["_Node"]

    def named(self, name: str) -> Iterator["_Node"]:
        return (child for child in self.children if child.name == name)

    def text(self, at: int) -> str:
        value = self.values[at] if at < len(self.values) else b""
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else ""

    @property
    def key(self) -> str:
        return str(self.values[0]) if self.values else ""

    @property
    def settings(self) -> dict[str, list[_Value]]:
        """Its Properties70: name → values, after four words."""
        return {
            line.text(0): line.values[4:]
            for group in self.named("Properties70")
            for line in group.named("P")
        }


class _File:
    """The nodes of a binary FBX, read as they are needed."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        head = file.read(27)
        if len(head) < 27:
            raise Damaged("truncated")
        self.file, self.size = file, size
        self.version = int.from_bytes(head[23:], "little")
        self.header = struct.Struct("<QQQB" if self.version >= _WIDE else "<IIIB")
        self.nodes = self.unpacked = 0

    def children(self, end: int, depth: int) -> Iterator[_Node]:
        """Yield the nodes up to `end`; the last is empty."""
        while self.file.tell() < end:
            start = self.file.tell()
            stop, count, length, name_length = self.header.unpack(self.file.read(self.header.size))
            if stop == 0:
                return
            self.nodes += 1
            if self.nodes > _MOST_NODES:
                raise Unread("too_large_to_read")
            values_at = start + self.header.size + name_length
            if stop > end or values_at + length > stop or count > length:
                raise Damaged("truncated" if stop > self.size else "malformed")
            if depth > _MOST_DEPTH:
                raise Damaged("nested")
            name = self.file.read(name_length).decode("latin-1")
            values = [self.value(name, values_at + length) for _ in range(min(count, 16))]
            self.file.seek(values_at + length)
            node = _Node(name, values, [])
            if name in _OPENED and values_at + length < stop:
                node.children.extend(self.children(stop, depth + 1))
            self.file.seek(stop)
            yield node

    def value(self, name: str, end: int) -> _Value:
        """Return the property that comes next; an array that does not count is left empty."""
        kind = self.file.read(1).decode("latin-1")
        if kind in _SCALARS:
            form = "<" + _SCALARS[kind]
            (value,) = struct.unpack(form, self.file.read(struct.calcsize(form)))
            return value if isinstance(value, int) else float(value)
        if kind in ("S", "R"):
            (length,) = struct.unpack("<I", self.file.read(4))
            self.fits(length, end)
            kept = self.file.read(min(length, HEAD if kind == "R" else _LONGEST))
            self.file.seek(length - len(kept), 1)
            return kept
        if kind not in _ARRAYS:
            raise Damaged("malformed")
        count, packed, length = struct.unpack("<III", self.file.read(12))
        self.fits(length, end)
        found = array(_ARRAYS[kind])
        if name not in _READ_ARRAYS:
            self.file.seek(length, 1)
            return found
        size = count * found.itemsize
        self.unpacked += size
        if self.unpacked > _MOST_UNPACKED:
            raise Unread("too_large_to_read")
        content = self.file.read(length)
        if packed:
            content = zlib.decompressobj().decompress(content, size + 1)
        if len(content) != size:
            raise Damaged("malformed")
        found.frombytes(content)
        return found

    def fits(self, length: int, end: int) -> None:
        if self.file.tell() + length > end:
            raise Damaged("malformed")


class _Content(NamedTuple):
    scene: scenes.Scene
    materials: int
    pictures: list[str]
    embedded: dict[str, tuple[int, int] | None]
    animations: int
    uv_sets: int


def read(source: Source) -> Model:
    """Return what an FBX holds; a text or an old one is recognised. Raises Damaged, OSError."""
    content = _content(source)
    model = scenes.facts(content.scene)._replace(
        materials=content.materials,
        textures=tuple(content.embedded.values()),
        animations=content.animations,
        uv_sets=content.uv_sets,
    )
    beside = [name for name in content.pictures if _base(name) not in content.embedded]
    return with_textures(model, source, beside)


def patches(source: Source) -> Iterator[Patch]:
    """Yield an FBX's meshes where they stand. Raises Damaged, OSError."""
    yield from scenes.drawn(_content(source).scene)


def _content(source: Source) -> _Content:
    size = source.path.stat().st_size
    with source.path.open("rb") as file:
        if not file.read(len(_MAGIC)) == _MAGIC:
            raise Unread("text_form")
        file.seek(0)
        binary = _File(file, size)
        if binary.version < 7_000:
            raise Unread("unknown_version")
        root = _Node("", [], list(binary.children(size, 0)))
    objects = [node for part in root.named("Objects") for node in part.children]
    if not objects:
        raise Damaged("no_geometry" if any(root.named("Connections")) else "truncated")
    settings = next((part.settings for part in root.named("GlobalSettings")), {})
    geometries = [
        node for node in objects if node.name == "Geometry" and any(node.named("Vertices"))
    ]
    textures = [node for node in objects if node.name == "Texture"]
    videos = [node for node in objects if node.name == "Video"]
    return _Content(
        scene=_scene(root, objects, geometries, settings),
        materials=sum(node.name == "Material" for node in objects),
        pictures=[_picture(node) for node in textures],
        embedded={
            _base(_picture(node)): size_of(part.values[0])
            for node in videos
            for part in node.named("Content")
            if part.values and isinstance(part.values[0], bytes) and part.values[0]
        },
        animations=sum(node.name == "AnimationStack" for node in objects),
        uv_sets=max(
            (sum(1 for _ in node.named("LayerElementUV")) for node in geometries), default=0
        ),
    )


def _scene(
    root: _Node,
    objects: list[_Node],
    geometries: list[_Node],
    settings: dict[str, list[_Value]],
) -> scenes.Scene:
    models = {node.key: node for node in objects if node.name == "Model"}
    meshes = {node.key: _mesh(node) for node in geometries}
    below: dict[str, list[str]] = {}
    for part in root.named("Connections"):
        for line in part.named("C"):
            if len(line.values) > 2:
                below.setdefault(str(line.values[2]), []).append(str(line.values[1]))
    nodes: dict[str, scenes.Node] = {}
    for key, node in models.items():
        place, inner = _placed(node)
        children = below.get(key, [])
        parts = [child for child in children if child in meshes]
        nodes[key] = scenes.Node(place, (), [c for c in children if c in models] + [f"{key}/"])
        nodes[f"{key}/"] = scenes.Node(inner, parts, ())
    roots = [(key, IDENTITY) for key in below.get("0", ()) if key in models]
    (factor,) = _floats(settings.get("UnitScaleFactor", [1.0]), (1.0,))
    (up,) = _floats(settings.get("UpAxis", [1.0]), (1.0,))
    return scenes.Scene(
        meshes,
        scenes.walked(nodes, roots),
        factor / 100,
        _UNITS.get(round(factor, 4), f"{factor:g} cm"),
        scenes.Y_UP if up == 2 else IDENTITY,
    )


_UNITS = {0.1: "mm", 1: "cm", 2.54: "inch", 30.48: "foot", 100: "m"}


def _mesh(node: _Node) -> scenes.Mesh:
    """Return a mesh: the last corner of each polygon is told by its complement."""
    values = {
        part.name: part.values[0]
        for part in node.children
        if part.name in _READ_ARRAYS and part.values
    }
    vertices, indices = values.get("Vertices"), values.get("PolygonVertexIndex")
    if not isinstance(vertices, array) or vertices.typecode not in "fd" or len(vertices) % 3:
        raise Damaged("malformed")
    if indices is None:  # a line or a nurbs
        return scenes.Mesh(vertices, array("l"))
    if not isinstance(indices, array) or indices.typecode not in "iq":
        raise Damaged("malformed")
    return scenes.mesh(vertices, _polygons(indices))


def _polygons(indices: Iterable[int]) -> Iterator[list[int]]:
    polygon: list[int] = []
    for at in indices:
        if at >= 0:
            polygon.append(at)
        else:
            yield [*polygon, ~at]
            polygon = []


def _placed(node: _Node) -> tuple[Matrix, Matrix]:
    """Return where a model stands, and where its own geometry stands in it."""
    settings = node.settings

    def three(name: str, default: tuple[float, ...] = _ZERO) -> tuple[float, ...]:
        return _floats(settings.get(name, []), default)

    turn, pivot = three("Lcl Rotation"), three("RotationPivot")
    scale, point = three("Lcl Scaling", _ONE), three("ScalingPivot")
    steps = [
        scenes.moved(three("Lcl Translation")),
        scenes.moved(three("RotationOffset")),
        scenes.moved(pivot),
        _turned(three("PreRotation")),
        _turned(turn),
        _unturned(three("PostRotation")),
        scenes.moved(pivot, -1),
        scenes.moved(three("ScalingOffset")),
        scenes.moved(point),
        scenes.scaled(scale),
        scenes.moved(point, -1),
    ]
    inner = [
        scenes.moved(three("GeometricTranslation")),
        _turned(three("GeometricRotation")),
        scenes.scaled(three("GeometricScaling", _ONE)),
    ]
    return _product(steps), _product(inner)


def _product(steps: list[Matrix]) -> Matrix:
    result = IDENTITY
    for step in steps:
        result = times(result, step)
    return result


def _turned(degrees: tuple[float, ...]) -> Matrix:
    """Return the turn about x, then y, then z."""
    if not any(degrees):
        return IDENTITY
    (a, b, c), (s, t, u) = (
        [of(math.radians(part)) for part in degrees] for of in (math.cos, math.sin)
    )
    return (
        b * c, s * t * c - a * u, a * t * c + s * u, 0.0,
        b * u, s * t * u + a * c, a * t * u - s * c, 0.0,
        -t, s * b, a * b, 0.0,
    )  # fmt: skip


def _unturned(degrees: tuple[float, ...]) -> Matrix:
    a, b, c, _, d, e, f, _, g, h, i, _ = _turned(degrees)
    return (a, d, g, 0.0, b, e, h, 0.0, c, f, i, 0.0) if any(degrees) else IDENTITY


def _floats(values: list[_Value], default: tuple[float, ...]) -> tuple[float, ...]:
    found = tuple(value for value in values if isinstance(value, int | float))
    if not all(map(math.isfinite, found)):
        raise Damaged("numbers")
    return found if len(found) == len(default) else default


def _picture(node: _Node) -> str:
    names = [
        part.text(0)
        for name in ("RelativeFilename", "FileName", "Filename")
        for part in node.named(name)
    ]
    return next(filter(None, names), "")


def _base(name: str) -> str:
    return name.replace("\\", "/").rpartition("/")[2]
