"""Meshes placed in a scene: what several formats come down to."""

import math
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from figsupport.files.model3d.boxes import IDENTITY, Box, Matrix, keeps_axes, placed, times, union
from figsupport.files.model3d.facts import Extent, measured
from figsupport.files.model3d.values import Damaged, Model, Patch, Unread

#: as many instances are followed; of the points of more than this only the boxes are
_MOST_INSTANCES = 20_000
_MOST_POINTS = 1_000_000
_MOST_DEPTH = 64

#: a turn that makes of z up y up
Y_UP: Matrix = (1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, -1.0, 0.0, 0.0)


class Mesh(NamedTuple):
    """Points and the corners of triangles, three each."""

    points: "array[float]"
    corners: "array[int]"


class Scene(NamedTuple):
    """Meshes by their name in the file, and where each instance of one stands."""

    meshes: Mapping[str, Mesh]
    instances: Sequence[tuple[str, Matrix]]
    metres: float | None  # of its unit; None: it has none
    unit: str = ""
    upright: Matrix = IDENTITY  # what makes y point up


class Node(NamedTuple):
    """A place in a scene: the meshes there, and the nodes below."""

    matrix: Matrix
    meshes: Sequence[str]
    children: Sequence[str]


def mesh(points: "array[float]", polygons: Iterable[Sequence[int]]) -> Mesh:
    """Return a mesh of polygons, each cut into a fan of triangles. Raises Damaged."""
    corners = array("l")
    for polygon in polygons:
        if len(polygon) == 3:
            corners.extend(polygon)
        else:
            for second, third in pairwise(polygon[1:]):
                corners.extend((polygon[0], second, third))
    return triangles(points, corners)


def triangles(points: "array[float]", corners: "array[int]") -> Mesh:
    """Return a mesh of triangles. Raises Damaged for a corner that is not there."""
    if corners and not (min(corners) >= 0 and max(corners) < len(points) // 3):
        raise Damaged("indices")
    return Mesh(points, corners)


def walked(
    nodes: Mapping[str, Node], roots: Iterable[tuple[str, Matrix]]
) -> list[tuple[str, Matrix]]:
    """Return every instance of a mesh below roots. Raises Damaged, and Unread for a maze."""
    found: list[tuple[str, Matrix]] = []
    stack = [(name, matrix, 0) for name, matrix in roots]
    seen = 0
    while stack:
        name, outer, depth = stack.pop()
        node = nodes.get(name)
        if node is None:
            continue
        seen += 1
        if depth > _MOST_DEPTH:
            raise Damaged("nested")
        if seen > _MOST_INSTANCES:
            raise Unread("too_large_to_read")
        matrix = times(outer, node.matrix)
        found += [(mesh_name, matrix) for mesh_name in node.meshes]
        stack += [(child, matrix, depth + 1) for child in node.children]
    return found


def facts(scene: Scene) -> Model:
    """Return what a scene tells of a model that opens. Raises Damaged."""
    known = [scene.meshes[name] for name, _ in scene.instances if name in scene.meshes]
    exact = sum(len(part.points) for part in known) <= 3 * _MOST_POINTS
    boxes = {name: _box(part) for name, part in scene.meshes.items()}
    found: list[Box | None] = []
    for name, matrix in scene.instances:
        box = boxes.get(name)
        if box is not None:
            turned = exact and not keeps_axes(matrix)
            found.append(
                _box(_carried(scene.meshes[name], matrix)) if turned else placed(box, matrix)
            )
    if not all(math.isfinite(edge) for box in found if box for end in box for edge in end):
        raise Damaged("numbers")
    model = Model(
        opens=True,
        triangles=sum(len(part.corners) // 3 for part in scene.meshes.values()),
        triangles_drawn=sum(len(part.corners) // 3 for part in known),
        vertices=sum(len(part.points) // 3 for part in scene.meshes.values()),
        meshes=len(scene.meshes),
        draws=len(known),
        textures=(),
    )
    return measured(model, union(found), scene.metres, scene.unit, exact=exact)


def drawn(scene: Scene) -> Iterator[Patch]:
    """Yield each instance of a mesh, y up."""
    for name, matrix in scene.instances:
        if name in scene.meshes:
            part = _carried(scene.meshes[name], times(scene.upright, matrix))
            yield Patch(part.points, part.corners)


def _box(part: Mesh) -> Box | None:
    extent = Extent()
    extent.add(part.points[0::3], part.points[1::3], part.points[2::3])
    return extent.box


def _carried(part: Mesh, matrix: Matrix) -> Mesh:
    if matrix == IDENTITY:
        return part
    a, b, c, d, e, f, g, h, i, j, k, m = matrix
    points = array("d")
    for x, y, z in zip(part.points[0::3], part.points[1::3], part.points[2::3], strict=False):
        points.extend(
            (a * x + b * y + c * z + d, e * x + f * y + g * z + h, i * x + j * y + k * z + m)
        )
    return Mesh(points, part.corners)


def moved(by: tuple[float, ...], sign: int = 1) -> Matrix:
    """Return the transform that moves by x, y, z; back with a sign of -1."""
    x, y, z = (sign * part for part in by)
    return (1.0, 0.0, 0.0, x, 0.0, 1.0, 0.0, y, 0.0, 0.0, 1.0, z) if any(by) else IDENTITY


def scaled(by: tuple[float, ...]) -> Matrix:
    """Return the transform that scales along x, y, z."""
    x, y, z = by
    return (x, 0.0, 0.0, 0.0, 0.0, y, 0.0, 0.0, 0.0, 0.0, z, 0.0)
