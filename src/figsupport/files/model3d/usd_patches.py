"""The meshes of a USD stage where they stand: what a thumbnail is drawn from."""

from array import array
from collections.abc import Iterator
from itertools import accumulate, chain, islice

from figsupport.files.model3d.boxes import IDENTITY, Matrix, moved, times
from figsupport.files.model3d.usd_stage import Seen, Stage
from figsupport.files.model3d.values import Patch

#: meshes, points and corners that are drawn in all: bounds of time and memory
_MESHES, _POINTS, _CORNERS = 2_000, 400_000, 900_000
#: the turn that has z, where it points up, point where y does
_STANDING: Matrix = (1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, -1.0, 0.0, 0.0)


def patches(stage: Stage) -> Iterator[Patch]:
    """Yield what is drawn, y up, at most 300,000 triangles. Raises Damaged, Unread, OSError."""
    turn = _STANDING if stage.metadata("upAxis") == "Z" else IDENTITY
    points, corners = _POINTS, _CORNERS
    meshes = (prim for prim in stage.prims() if prim.type_name == "Mesh")
    for prim in islice(meshes, _MESHES):
        patch = _patch(prim, stage.start, turn, points, corners)
        if patch:
            points -= len(patch.points) // 3
            corners -= len(patch.corners)
            yield patch


def _patch(prim: Seen, at: float | None, turn: Matrix, most: int, left: int) -> Patch | None:
    """Return a mesh, None when it says nothing sound or has more than is left to draw."""
    found = prim.raw("points", at)
    if found is None or (found[0].length(found[1]) or 0) > most:
        return None
    sizes, order = _whole(prim, "faceVertexCounts", left), _whole(prim, "faceVertexIndices", left)
    points, corners = array("f"), array("l")
    matrix = times(turn, prim.matrix)
    for block in found[0].triples(found[1], most):
        points.extend(chain.from_iterable(moved(block, matrix)))
    if sum(sizes) > len(order):
        return None
    for first, size in zip(accumulate(sizes, initial=0), sizes, strict=False):
        for corner in range(first + 1, first + size - 1):  # a face is a fan
            corners.extend((order[first], order[corner], order[corner + 1]))
    if not corners or len(corners) > left or max(corners) >= len(points) // 3:
        return None
    return Patch(points, corners)


def _whole(prim: Seen, name: str, most: int) -> list[int]:
    """Return an array of counts; empty when it holds anything else or more than is drawn."""
    found = prim.raw(name)
    if found is None or (found[0].length(found[1]) or 0) > most:
        return []
    numbers = found[0].value(found[1])
    if not isinstance(numbers, list):
        return []
    return [int(number) for number in numbers if isinstance(number, int | float) and number >= 0]
