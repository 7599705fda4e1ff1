"""COLLADA: geometries, scenes and pictures in XML. Source: Khronos, COLLADA 1.4.1 and 1.5."""

import math
from array import array
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple
from urllib.parse import unquote

from figsupport.files.model3d import scene as scenes
from figsupport.files.model3d.boxes import IDENTITY, Matrix, composed, times
from figsupport.files.model3d.facts import with_textures
from figsupport.files.model3d.markup import parse
from figsupport.files.model3d.values import Damaged, Model, Patch, Source

_LISTS = {"p", "vcount", "float_array", "matrix", "translate", "rotate", "scale"}
_TEXTS = frozenset(_LISTS | {"init_from", "ref", "up_axis"})
_PRIMITIVES = ("triangles", "polylist", "polygons", "tristrips", "trifans")
_UPRIGHT: dict[str, Matrix] = {
    "Z_UP": scenes.Y_UP,
    "X_UP": (0.0, -1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0),
}
_MOST_ELEMENTS = 200_000
_MOST_STRIDE = 64


class _Element(NamedTuple):
    name: str
    values: dict[str, str]
    children: list["_Element"]
    text: list[str]
    numbers: "array[float]"

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


def read(source: Source) -> Model:
    """Return what a COLLADA file holds. Raises Damaged, OSError."""
    root = _document(source)
    scene = _scene(root)
    if not scene.meshes:
        raise Damaged("no_geometry")
    libraries = list(root.named("library_animations"))
    clips = sum(1 for _ in root.all("animation_clip"))
    moves = any(True for library in libraries for _ in library.all("channel"))
    geometries = root.all("mesh")
    model = scenes.facts(scene)._replace(
        materials=sum(
            part.name == "material"
            for library in root.named("library_materials")
            for part in library.children
        ),
        animations=clips or int(moves),
        uv_sets=max((_uv_sets(mesh) for mesh in geometries), default=0),
    )
    return with_textures(model, source, _pictures(root))


def patches(source: Source) -> Iterator[Patch]:
    """Yield a COLLADA file's geometries where they stand. Raises Damaged, OSError."""
    yield from scenes.drawn(_scene(_document(source)))


def _document(source: Source) -> _Element:
    stack = [_Element("", {}, [], [], array("d"))]

    def start(name: str, values: dict[str, str]) -> None:
        element = _Element(name, values, [], [], array("d"))
        stack[-1].children.append(element)
        stack.append(element)

    def end(name: str, text: str) -> None:
        element = stack.pop()
        if name in _LISTS:
            element.numbers.extend(_numbers(text))
        elif text:
            element.text.append(text.strip())

    with source.path.open("rb") as file:
        parse(file, start, end, _MOST_ELEMENTS, _TEXTS)
    root = stack[0].children[0]
    if root.name != "COLLADA":
        raise Damaged("malformed")
    return root


def _numbers(text: str) -> Iterable[float]:
    """Return numbers; some programs write 0,5 for 0.5."""
    try:
        return array("d", map(float, text.replace(",", ".").split()))
    except ValueError:
        raise Damaged("malformed") from None


def _scene(root: _Element) -> scenes.Scene:
    meshes: dict[str, scenes.Mesh] = {}
    for library in root.named("library_geometries"):
        for geometry in library.named("geometry"):
            for part in geometry.named("mesh"):
                meshes[geometry.value("id")] = _mesh(part)
    skins = {
        controller.value("id"): skin.value("source")
        for controller in root.all("controller")
        for skin in controller.all("skin", "morph")
    }
    nodes: dict[str, scenes.Node] = {}
    roots: list[tuple[str, Matrix]] = []
    shown = next((part.value("url") for part in root.all("instance_visual_scene")), None)
    for visual in root.all("visual_scene"):
        if shown in (None, visual.value("id")):
            roots += [(_key(node), IDENTITY) for node in visual.named("node")]
    for node in root.all("node"):
        children = [_key(child) for child in node.named("node")]
        children += [part.value("url") for part in node.named("instance_node")]
        own = [part.value("url") for part in node.named("instance_geometry")]
        for part in node.named("instance_controller"):
            target = part.value("url")
            for _ in range(8):  # a skin of a morph of a geometry
                target = skins.get(target, target)
            own.append(target)
        nodes[_key(node)] = scenes.Node(_matrix(node), own, children)
        if node.value("id"):
            nodes[node.value("id")] = nodes[_key(node)]
    unit = next(chain.from_iterable(part.named("unit") for part in root.named("asset")), None)
    metres = _metres(unit.values.get("meter", "1")) if unit else 1.0
    name = unit.values.get("name", "") if unit else "m"
    ups = [up.text[0] for part in root.named("asset") for up in part.named("up_axis") if up.text]
    return scenes.Scene(
        meshes,
        scenes.walked(nodes, roots),
        metres,
        name[:20] or f"{metres:g} m",
        _UPRIGHT.get("".join(ups[:1]), IDENTITY),
    )


def _metres(text: str) -> float:
    (metres, *_) = (*_numbers(text), 0.0)
    if not 0 < metres < math.inf:
        raise Damaged("numbers")
    return metres


def _key(node: _Element) -> str:
    return f"node {id(node)}"  # an id is not compulsory


def _mesh(part: _Element) -> scenes.Mesh:
    """Return a geometry's mesh: every primitive of it, polygons as fans. Raises Damaged."""
    arrays = {
        source.value("id"): numbers.numbers
        for source in part.named("source")
        for numbers in source.named("float_array")
    }
    positions = {
        vertices.value("id"): arrays[field.value("source")]
        for vertices in part.named("vertices")
        for field in vertices.named("input")
        if field.value("semantic") == "POSITION" and field.value("source") in arrays
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
            points.extend(positions[vertices_id])
        stride = 1 + max(_offset(field) for field in primitive.named("input"))
        indices = [
            _integers(element.numbers[_offset(fields["VERTEX"]) :: stride])
            for element in primitive.all("p")
        ]
        found = scenes.mesh(positions[vertices_id], _polygons(primitive, indices))
        corners.extend(at + begins[vertices_id] for at in found.corners)
    return scenes.Mesh(points or array("d", chain.from_iterable(positions.values())), corners)


def _polygons(primitive: _Element, indices: list[list[int]]) -> Iterator[list[int]]:
    """Yield the corners of a primitive's polygons. Raises Damaged."""
    if primitive.name in ("polygons", "trifans"):
        yield from indices
    elif primitive.name == "tristrips":
        for strip in indices:
            yield from (strip[at : at + 3] for at in range(len(strip) - 2))
    else:
        corners = list(chain.from_iterable(indices))
        sizes = [3] * (len(corners) // 3)
        if primitive.name == "polylist":
            sizes = [n for part in primitive.named("vcount") for n in _integers(part.numbers)]
        if sum(sizes) != len(corners) or min(sizes, default=0) < 0:
            raise Damaged("malformed")
        at = 0
        for size in sizes:
            yield corners[at : at + size]
            at += size


def _offset(field: _Element) -> int:
    text = field.values.get("offset", "0")
    if not (text.isdecimal() and len(text) < 3 and int(text) < _MOST_STRIDE):
        raise Damaged("malformed")
    return int(text)


def _integers(numbers: Iterable[float]) -> list[int]:
    try:
        return list(array("i", map(int, numbers)))
    except (ValueError, OverflowError):
        raise Damaged("malformed") from None


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
        numbers = part.numbers
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
        unquote(text)
        for library in root.named("library_images")
        for image in library.named("image")
        for part in image.all("init_from", "ref")
        for text in part.text
    ]
