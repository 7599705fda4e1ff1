"""The triangles of a glTF where they stand in its scene: what a thumbnail is drawn from."""

from array import array
from collections.abc import Iterator
from itertools import chain, islice

from figsupport.files.model3d.boxes import Matrix, moved
from figsupport.files.model3d.gltf_document import Accessor, Document, numbers, objects
from figsupport.files.model3d.gltf_scene import Primitive, Scene, unpacked
from figsupport.files.model3d.values import Patch

#: placed meshes, points and corners that are drawn in all: bounds of time and memory
_MESHES, _POINTS, _CORNERS = 2_000, 400_000, 900_000
_GREY = (190, 190, 190)


def patches(document: Document) -> Iterator[Patch]:
    """Yield what is drawn and not packed, at most 300,000 triangles. Raises Damaged, OSError."""
    scene = Scene(document)
    points, corners = _POINTS, _CORNERS
    for mesh, matrix in islice(scene.placements(), _MESHES):
        for primitive in scene.meshes[mesh]:
            points -= primitive.vertices
            if points < 0 or corners < 3:
                return
            if patch := _patch(document, primitive, matrix, corners):
                corners -= len(patch.corners)
                yield patch


def _patch(document: Document, primitive: Primitive, matrix: Matrix, most: int) -> Patch | None:
    if primitive.positions is None or not primitive.triangles:
        return None
    positions = document.accessor(primitive.positions)
    if positions.span is None or positions.components != 3:
        return None
    points = array("f")
    for block in unpacked(positions, positions.items, finite=False):
        points.extend(chain.from_iterable(moved(block, matrix)))
    corners = _corners(document, primitive, len(points) // 3, most)
    return Patch(points, corners, _colour(document, primitive)) if corners else None


def _corners(document: Document, primitive: Primitive, points: int, most: int) -> "array[int]":
    """Return the corners of the triangles whose points are there, evenly thinned to `most`."""
    order: Iterator[int] = iter(range(points))
    if primitive.order is not None:
        order = _flat(document.accessor(primitive.order))
    step = -(-3 * primitive.triangles // most)
    found = array("l")
    for triangle in islice(_triangles(order, primitive.mode), 0, None, step):
        if max(triangle) < points:
            found.extend(triangle)
    return found


def _triangles(order: Iterator[int], mode: int) -> Iterator[tuple[int, int, int]]:
    """Yield the triangles of a list (4), a strip (5) or a fan (6)."""
    if mode == 4:
        yield from zip(order, order, order, strict=False)
        return
    first, last = next(order, None), next(order, None)
    if first is None or last is None:
        return
    for corner in order:
        yield first, last, corner
        first, last = (last if mode == 5 else first), corner


def _flat(order: Accessor) -> Iterator[int]:
    if order.components != 1 or order.code == "f":
        return
    for block in order.blocks(order.items):
        yield from (int(element[0]) for element in block)


def _colour(document: Document, primitive: Primitive) -> tuple[int, int, int]:
    """Return the base colour of its material, as screens show it; grey under a texture."""
    if primitive.material is None:
        return _GREY
    material = objects(document.root, "materials")[primitive.material]
    surface = material.get("pbrMetallicRoughness")
    if not isinstance(surface, dict) or "baseColorTexture" in surface:
        return _GREY
    factor = numbers(surface, "baseColorFactor", 4)
    if not factor:
        return _GREY
    red, green, blue = (round(255 * min(max(part, 0.0), 1.0) ** (1 / 2.2)) for part in factor[:3])
    return red, green, blue
