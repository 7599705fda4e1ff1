"""COLLADA (DAE).

Source: COLLADA 1.4.1 Digital Asset Schema, chapters 3 (schema concepts) and 5 (reference).
"""

import math
from collections.abc import Iterator
from typing import NamedTuple
from xml.etree.ElementTree import Element

from figsupport.files.model3d.facts import IDENTITY, Box, Matrix, ModelFacts, Unreadable, damaged
from figsupport.files.model3d.facts import measured, placement, product, too_large
from figsupport.files.model3d.images import image_size
from figsupport.files.model3d.source import MAX_NAMES, MIB, Folder, Source, base_name
from figsupport.files.model3d.xml import parse

MAX_XML = 48 * MIB
MAX_SHOWN = 20_000
MAX_MOVED = 1_500_000


class _Shape(NamedTuple):
    """A geometry: its triangles and its points as columns."""

    triangles: int
    columns: list[list[float]]


def read_dae(source: Source, folder: Folder) -> ModelFacts:
    """Return the facts of a COLLADA document; raises Unreadable."""
    root = parse(source, MAX_XML)
    if root.tag != "COLLADA":
        raise damaged("pas un COLLADA", "not COLLADA")
    shapes = {g.get("id", ""): _shape(g) for g in root.iter("geometry")}
    if not shapes:
        raise Unreadable("le fichier ne contient aucune forme", "the file holds no shape")
    box, drawn, exact = _show(root, shapes)
    sizes, missing = _textures(root, folder)
    unit = root.find("asset/unit")
    metre = 1.0 if unit is None else _number(unit.get("meter", "1"))
    return ModelFacts(
        format="dae",
        size=source.size,
        opens=True,
        triangles=sum(shape.triangles for shape in shapes.values()),
        triangles_drawn=drawn,
        vertices=sum(len(shape.columns[0]) for shape in shapes.values()),
        meshes=len(shapes),
        draws=sum(1 for g in root.iter("geometry") for _ in _primitives(g)),
        materials=len(root.findall("library_materials/material")),
        textures=sizes,
        uv_sets=max((_uv_sets(g) for g in root.iter("geometry")), default=0),
        animations=int(root.find("library_animations/animation") is not None),
        missing_files=missing,
        **measured(box, metres_per_unit=metre, exact=exact),
    )


def _primitives(geometry: Element) -> Iterator[Element]:
    for mesh in geometry.iter("mesh"):
        for kind in ("triangles", "polylist", "polygons", "tristrips", "trifans"):
            yield from mesh.findall(kind)


def _uv_sets(geometry: Element) -> int:
    return max(
        (sum(i.get("semantic") == "TEXCOORD" for i in p.findall("input"))
         for p in _primitives(geometry)),
        default=0,
    )  # fmt: skip


def _shape(geometry: Element) -> _Shape:
    return _Shape(sum(map(_triangles, _primitives(geometry))), _points(geometry))


def _triangles(primitive: Element) -> int:
    """Count triangles as the indices say; a `count` that disagrees is damage."""
    count = int(primitive.get("count", "0"))
    offsets = [int(i.get("offset", "0")) for i in primitive.findall("input")]
    stride = max(offsets, default=0) + 1
    lists = [len((p.text or "").split()) // stride for p in primitive.findall("p")]
    match primitive.tag:
        case "triangles":
            if sum(lists) < 3 * count:
                raise damaged("des faces manquent", "faces are missing")
            return count
        case "polylist":
            sides = [int(word) for word in (primitive.findtext("vcount") or "").split()]
            if len(sides) != count or sum(lists) < sum(sides):
                raise damaged("des faces manquent", "faces are missing")
            return sum(max(0, side - 2) for side in sides)
        case "polygons":
            lists += [len((p.text or "").split()) // stride for p in primitive.findall("ph/p")]
    return sum(max(0, corners - 2) for corners in lists)


def _points(geometry: Element) -> list[list[float]]:
    """Return the x, y and z of the POSITION source of a mesh."""
    mesh = geometry.find("mesh")
    named = {
        i.get("semantic"): i.get("source", "") for i in geometry.iterfind("mesh/vertices/input")
    }
    wanted = (named.get("POSITION") or "").removeprefix("#")
    for source in () if mesh is None else mesh.findall("source"):
        if source.get("id") != wanted:
            continue
        text = source.findtext("float_array") or ""
        # Some exporters write decimal commas; numbers are separated by blanks only.
        values = [*map(float, text.replace(",", ".").split())]
        accessor = source.find("technique_common/accessor")
        stride = 3 if accessor is None else int(accessor.get("stride", "3"))
        if stride < 3 or len(values) % stride:
            raise damaged("des points manquent", "points are missing")
        return [values[axis::stride] for axis in range(3)]
    return [[], [], []]


def _show(root: Element, shapes: dict[str, _Shape]) -> tuple[Box, int, bool]:
    """Return the box of the scene, the triangles drawn, and whether the box is exact."""
    library = {node.get("id", ""): node for node in root.iter("node")}
    controllers = {
        c.get("id", ""): skin.get("source", "") for c in root.iter("controller") for skin in c
    }
    scenes = root.findall("library_visual_scenes/visual_scene")
    waiting = [(node, IDENTITY) for scene in scenes[:1] for node in scene.findall("node")]
    box, drawn, shown, moved, exact = Box(), 0, 0, 0, True
    while waiting:
        node, above = waiting.pop()
        shown += 1
        if shown > MAX_SHOWN:
            raise too_large("trop de nœuds", "too many nodes")
        matrix = product(above, _local(node))
        waiting += [(child, matrix) for child in node.findall("node")]
        for reference in node.findall("instance_node"):
            inner = library.get(_target(reference))
            if inner is not None:
                waiting.append((inner, matrix))
        for reference in [*node.findall("instance_geometry"), *node.findall("instance_controller")]:
            key = _target(reference)
            exact = exact and reference.tag == "instance_geometry"
            shape = shapes.get(controllers.get(key, key).removeprefix("#"))
            if shape is None:
                continue
            drawn += shape.triangles
            moved += len(shape.columns[0])
            if shape.columns[0] and moved <= MAX_MOVED:
                x, y, z = shape.columns
                box.add_moved(x, y, z, matrix)
            exact = exact and moved <= MAX_MOVED
    return box, drawn, exact


def _target(reference: Element) -> str:
    return reference.get("url", "").removeprefix("#")


def _local(node: Element) -> Matrix:
    matrix = IDENTITY
    for step in node:
        if step.tag not in ("matrix", "translate", "rotate", "scale"):
            continue
        v = [_number(word) for word in (step.text or "").split()]
        if step.tag == "matrix":
            matrix = product(matrix, tuple(v[:12]))
        elif step.tag == "translate":
            matrix = product(matrix, placement(v[:3], (0, 0, 0, 1), (1, 1, 1)))
        elif step.tag == "scale":
            matrix = product(matrix, placement((0, 0, 0), (0, 0, 0, 1), v[:3]))
        else:
            matrix = product(matrix, _rotation(*v[:4]))
    return matrix


def _rotation(x: float, y: float, z: float, degrees: float) -> Matrix:
    half = math.radians(degrees) / 2
    length = math.hypot(x, y, z) or 1.0
    s = math.sin(half) / length
    return placement((0, 0, 0), (x * s, y * s, z * s, math.cos(half)), (1, 1, 1))


def _number(word: str) -> float:
    return float(word.replace(",", "."))


def _textures(root: Element, folder: Folder) -> tuple[tuple[tuple[int, int], ...], tuple[str, ...]]:
    sizes, missing = [], dict[str, None]()
    for image in root.findall("library_images/image")[:MAX_NAMES]:
        name = (image.findtext("init_from/ref") or image.findtext("init_from") or "").strip()
        if not name:
            continue
        picture = folder.find(base_name(name))
        size = None if picture is None else image_size(picture, name)
        if picture is None:
            missing[base_name(name)] = None
        elif size is not None:
            sizes.append(size)
    return tuple(sizes), tuple(missing)
