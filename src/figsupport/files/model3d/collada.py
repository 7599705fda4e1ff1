"""COLLADA: geometries, scenes and pictures in XML. Source: Khronos, COLLADA 1.4.1 and 1.5."""

import math
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import TypeVar
from urllib.parse import unquote

from figsupport.files.model3d import scene as scenes
from figsupport.files.model3d.boxes import IDENTITY, Matrix, composed, times
from figsupport.files.model3d.facts import with_textures
from figsupport.files.model3d.markup import parse
from figsupport.files.model3d.values import Damaged, Model, Patch, Source, Unread

_TEXTS = frozenset(
    "p vcount float_array matrix translate rotate scale init_from ref up_axis".split()
)
_PRIMITIVES = ("triangles", "polylist", "polygons", "tristrips", "trifans")
_UPRIGHT: dict[str, Matrix] = {
    "Z_UP": scenes.Y_UP,
    "X_UP": (0.0, -1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0),
}
_EMPTY = scenes.Node(IDENTITY, (), ())
_MOST_ELEMENTS = 200_000
_MOST_STRIDE = 64
#: coordinates and corners of all geometries that are kept
_MOST_NUMBERS = 5_000_000
_LONGEST_WORD = 1_000


_Numbers = TypeVar("_Numbers", "array[float]", "array[int]")


class _Element:
    """An element: its text is read but once, for a file may be one long list of numbers."""

    __slots__ = ("children", "name", "parts", "values")

    def __init__(self, name: str, values: dict[str, str]) -> None:
        self.name, self.values = name, values
        self.children: Sequence[_Element] = ()  # hundreds of thousands have none
        self.parts: Sequence[str] = ()

    def add(self, child: "_Element") -> None:
        if isinstance(self.children, list):
            self.children.append(child)
        else:
            self.children = [child]

    def named(self, name: str) -> Iterator["_Element"]:
        return (child for child in self.children if child.name == name)

    def all(self, *names: str) -> Iterator["_Element"]:
        """Yield the elements of these names below it, in the order of the document."""
        stack = list(reversed(self.children))
        while stack:
            element = stack.pop()
            if element.name in names:
                yield element
            stack.extend(reversed(element.children))

    def value(self, key: str) -> str:
        return self.values.get(key, "").removeprefix("#")

    def text(self) -> str:
        return "".join(self.parts).strip()

    def numbers(self) -> "array[float]":
        """Return the numbers of its text; some programs write 0,5 for 0.5."""
        found = array("d")
        try:
            for words in self._words():
                found.extend(map(float, words))
                if len(found) > _MOST_NUMBERS:
                    raise Unread("too_large_to_read")
        except ValueError:
            raise Damaged("malformed") from None
        return found

    def integers(self, first: int = 0, step: int = 1) -> "array[int]":
        """Return every so many number of its text."""
        found = array("l")
        try:
            for words in self._words():
                found.extend(map(int, map(float, words[first::step])))
                if len(found) > _MOST_NUMBERS:
                    raise Unread("too_large_to_read")
                first = (first - len(words)) % step
        except (ValueError, OverflowError):
            raise Damaged("malformed") from None
        return found

    def _words(self) -> Iterator[list[str]]:
        """Yield the words of each part of its text, which goes as it is read."""
        parts, self.parts = list(self.parts), ()
        parts.reverse()
        cut = ""
        while parts:
            text = cut + parts.pop().replace(",", ".")
            words = text.split()
            if parts and words and not text[-1].isspace():
                cut = words.pop()
                if len(cut) > _LONGEST_WORD:
                    raise Damaged("malformed")
            else:
                cut = ""
            yield words


class _Document:
    """The outermost element, and all by their names, in their order."""

    def __init__(self, root: _Element, elements: Mapping[str, Sequence[_Element]]) -> None:
        self.root, self.elements, self.kept = root, elements, 0

    def all(self, name: str) -> Sequence[_Element]:
        return self.elements.get(name, ())

    def keep(self, numbers: _Numbers) -> _Numbers:
        """Return numbers of a geometry. Raises Unread when memory has no place for more."""
        self.kept += len(numbers)
        if self.kept > _MOST_NUMBERS:
            raise Unread("too_large_to_read")
        return numbers


def read(source: Source) -> Model:
    """Return what a COLLADA file holds. Raises Damaged, Unread, OSError."""
    document = _document(source)
    scene = _scene(document)
    if not scene.meshes:
        raise Damaged("no_geometry")
    clips = len(document.all("animation_clip"))
    moves = any(
        True
        for library in document.root.named("library_animations")
        for _ in library.all("channel")
    )
    model = scenes.facts(scene)._replace(
        materials=sum(
            part.name == "material"
            for library in document.root.named("library_materials")
            for part in library.children
        ),
        animations=clips or int(moves),
        uv_sets=max(map(_uv_sets, document.all("mesh")), default=0),
    )
    return with_textures(model, source, _pictures(document.root))


def patches(source: Source) -> Iterator[Patch]:
    """Yield a COLLADA file's geometries where they stand. Raises Damaged, Unread, OSError."""
    yield from scenes.drawn(_scene(_document(source)))


def _document(source: Source) -> _Document:
    stack = [_Element("", {})]
    elements: defaultdict[str, list[_Element]] = defaultdict(list)

    def start(name: str, values: dict[str, str]) -> None:
        element = _Element(name, values)
        elements[name].append(element)
        stack[-1].add(element)
        stack.append(element)

    def end(_: str, parts: Sequence[str]) -> None:
        stack.pop().parts = parts

    with source.path.open("rb") as file:
        parse(file, start, end, _MOST_ELEMENTS, _TEXTS)
    root = stack[0].children[0]
    if root.name != "COLLADA":
        raise Damaged("malformed")
    return _Document(root, elements)


def _scene(document: _Document) -> scenes.Scene:
    root = document.root
    nodes: dict[str, scenes.Node] = {}
    roots: list[tuple[str, Matrix]] = []
    shown = next((part.value("url") for part in document.all("instance_visual_scene")), None)
    for visual in document.all("visual_scene"):
        if shown in (None, visual.value("id")):
            roots += [(_key(node), IDENTITY) for node in visual.named("node")]
    skins = _skins(document)
    for node in document.all("node"):
        nodes[_key(node)] = placed = _node(node, skins)
        if name := node.value("id"):
            nodes[name] = placed
    unit = next(chain.from_iterable(part.named("unit") for part in root.named("asset")), None)
    metres = _metres(unit.values.get("meter", "1")) if unit else 1.0
    name = unit.values.get("name", "") if unit else "m"
    ups = [up.text() for part in root.named("asset") for up in part.named("up_axis")]
    return scenes.Scene(
        _meshes(document),
        scenes.walked(nodes, roots),
        metres,
        name[:20] or f"{metres:g} m",
        _UPRIGHT.get("".join(ups[:1]), IDENTITY),
    )


def _meshes(document: _Document) -> dict[str, scenes.Mesh]:
    return {
        geometry.value("id"): _mesh(document, part)
        for library in document.root.named("library_geometries")
        for geometry in library.named("geometry")
        for part in geometry.named("mesh")
    }


def _skins(document: _Document) -> dict[str, str]:
    """Return what each controller moves: a geometry, or another controller."""
    return {
        controller.value("id"): skin.value("source")
        for controller in document.all("controller")
        for skin in controller.all("skin", "morph")
    }


def _node(node: _Element, skins: Mapping[str, str]) -> scenes.Node:
    if not node.children:
        return _EMPTY
    meshes: list[str] = []
    children: list[str] = []
    for part in node.children:
        if part.name == "node":
            children.append(_key(part))
        elif part.name == "instance_node":
            children.append(part.value("url"))
        elif part.name in ("instance_geometry", "instance_controller"):
            target = part.value("url")
            for _ in range(8):  # a skin of a morph of a geometry
                target = skins.get(target, target)
            meshes.append(target)
    return scenes.Node(_matrix(node), meshes, children)


def _metres(text: str) -> float:
    try:
        metres = float(text.replace(",", "."))
    except ValueError:
        raise Damaged("malformed") from None
    if not 0 < metres < math.inf:
        raise Damaged("numbers")
    return metres


def _key(node: _Element) -> str:
    return f"node {id(node)}"  # an id is not compulsory


def _mesh(document: _Document, part: _Element) -> scenes.Mesh:
    """Return a geometry's mesh: every primitive of it, polygons as fans. Raises Damaged."""
    sources = {source.value("id"): source for source in part.named("source")}
    positions = {
        vertices.value("id"): document.keep(numbers.numbers())
        for vertices in part.named("vertices")
        for field in vertices.named("input")
        if field.value("semantic") == "POSITION" and field.value("source") in sources
        for numbers in sources.pop(field.value("source")).named("float_array")
    }
    points, corners = array("d"), array("l")
    begins: dict[str, int] = {}
    for primitive in part.children:
        if primitive.name not in _PRIMITIVES:
            continue
        fields = {field.value("semantic"): field for field in primitive.named("input")}
        vertices_id = fields["VERTEX"].value("source") if "VERTEX" in fields else ""
        if vertices_id not in positions:
            raise Damaged("malformed")
        if vertices_id not in begins:
            begins[vertices_id] = len(points) // 3
            points = points + positions[vertices_id] if points else positions[vertices_id]
        stride = 1 + max(_offset(field) for field in primitive.named("input"))
        offset = _offset(fields["VERTEX"])
        lists = [document.keep(part.integers(offset, stride)) for part in primitive.all("p")]
        found = _triangles(primitive, positions[vertices_id], lists)
        begin = begins[vertices_id]
        corners.extend(array("l", (at + begin for at in found)) if begin else found)
    return scenes.Mesh(points or array("d", chain.from_iterable(positions.values())), corners)


def _triangles(
    primitive: _Element, points: "array[float]", lists: Sequence["array[int]"]
) -> "array[int]":
    """Return the corners of a primitive's triangles, polygons as fans. Raises Damaged."""
    if primitive.name in ("polygons", "trifans"):
        return scenes.mesh(points, lists).corners
    if primitive.name == "tristrips":
        strips = (strip[at : at + 3] for strip in lists for at in range(len(strip) - 2))
        return scenes.mesh(points, strips).corners
    corners = lists[0] if len(lists) == 1 else array("l", chain.from_iterable(lists))
    sizes = array("l", [3]) * (len(corners) // 3)
    if primitive.name == "polylist":
        sizes = array("l", chain.from_iterable(n.integers() for n in primitive.named("vcount")))
    if sum(sizes) != len(corners) or min(sizes, default=0) < 0:
        raise Damaged("malformed")
    if sizes.count(3) == len(sizes):
        return scenes.triangles(points, corners).corners
    return scenes.mesh(points, _cut(corners, sizes)).corners


def _cut(corners: "array[int]", sizes: Iterable[int]) -> Iterator["array[int]"]:
    at = 0
    for size in sizes:
        yield corners[at : at + size]
        at += size


def _offset(field: _Element) -> int:
    text = field.values.get("offset", "0")
    if not (text.isdecimal() and len(text) < 3 and int(text) < _MOST_STRIDE):
        raise Damaged("malformed")
    return int(text)


def _uv_sets(part: _Element) -> int:
    return max(
        (
            sum(field.value("semantic") == "TEXCOORD" for field in primitive.named("input"))
            for primitive in part.children
            if primitive.name in _PRIMITIVES
        ),
        default=0,
    )


def _matrix(node: _Element) -> Matrix:
    """Return where a node stands: its transforms in the order they are written."""
    result = IDENTITY
    for part in node.children:
        numbers = part.numbers()
        match part.name, len(numbers):
            case "matrix", 16:
                result = times(result, tuple(numbers[:12]))
            case "translate", 3:
                result = times(result, scenes.moved(tuple(numbers)))
            case "scale", 3:
                result = times(result, scenes.scaled(tuple(numbers)))
            case "rotate", 4:
                result = times(result, _turned(*numbers))
    if not all(map(math.isfinite, result)):
        raise Damaged("numbers")
    return result


def _turned(x: float, y: float, z: float, degrees: float) -> Matrix:
    length = math.hypot(x, y, z) or 1.0
    half = math.radians(degrees) / 2 if math.isfinite(degrees) else math.nan
    part = math.sin(half) / length
    turn = (x * part, y * part, z * part, math.cos(half))
    return composed((0.0, 0.0, 0.0), turn, (1.0, 1.0, 1.0))


def _pictures(root: _Element) -> list[str]:
    """Return the files that images name: as a text, or as a ref in 1.5."""
    return [
        unquote(part.text())
        for library in root.named("library_images")
        for image in library.named("image")
        for part in image.all("init_from", "ref")
    ]
