"""Boxes along the axes, and the matrices that place things in a scene."""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

#: the upper three rows of a transform, row by row: x' = m[0]x + m[1]y + m[2]z + m[3] …
Matrix = tuple[float, ...]
Point = tuple[float, ...]

IDENTITY: Matrix = (1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0)
#: how much of a turned axis is noise
_NOISE = 1e-6


class Box(NamedTuple):
    """The smallest and the largest corner."""

    low: Point
    high: Point

    def size(self, unit: float = 1.0) -> tuple[float, float, float] | None:
        """Return its extent along x, y, z, times a unit; None when that is beyond numbers."""
        x, y, z = ((high - low) * unit for low, high in zip(self.low, self.high, strict=True))
        return (x, y, z) if math.isfinite(x + y + z) else None


def around(points: Iterable[Sequence[float]]) -> Box | None:
    """Return the box around points; None: there are none."""
    columns = list(zip(*points, strict=True))
    if not columns:
        return None
    return Box(tuple(map(min, columns)), tuple(map(max, columns)))


def union(boxes: Iterable[Box | None]) -> Box | None:
    """Return the box around boxes; None: there are none."""
    return around(corner for box in boxes if box for corner in box)


def placed(box: Box, matrix: Matrix) -> Box:
    """Return the box around a box that was moved and turned."""
    rows = (matrix[0:4], matrix[4:8], matrix[8:12])
    middle = [(low + high) / 2 for low, high in zip(box.low, box.high, strict=True)]
    half = [(high - low) / 2 for low, high in zip(box.low, box.high, strict=True)]
    centre = [row[3] + sum(map(float.__mul__, row[:3], middle)) for row in rows]
    reach = [sum(map(float.__mul__, map(abs, row[:3]), half)) for row in rows]
    return Box(tuple(map(float.__sub__, centre, reach)), tuple(map(float.__add__, centre, reach)))


def moved(points: Sequence[Sequence[float]], matrix: Matrix) -> list[Point]:
    """Return points that were moved and turned."""
    a, b, c, d, e, f, g, h, i, j, k, l = matrix  # noqa: E741
    return [
        (a * x + b * y + c * z + d, e * x + f * y + g * z + h, i * x + j * y + k * z + l)
        for x, y, z in points
    ]


def times(outer: Matrix, inner: Matrix) -> Matrix:
    """Return the transform that does `inner`, then `outer`."""
    if inner is IDENTITY:
        return outer
    if outer is IDENTITY:
        return inner
    a, b, c, d, e, f, g, h, i, j, k, m = inner
    result: list[float] = []
    for row in (0, 4, 8):
        x, y, z, w = outer[row : row + 4]
        result += (
            x * a + y * e + z * i,
            x * b + y * f + z * j,
            x * c + y * g + z * k,
            x * d + y * h + z * m + w,
        )
    return tuple(result)


def composed(move: Point, turn: Point, scale: Point) -> Matrix:
    """Return the transform that scales, turns (a quaternion x, y, z, w), then moves."""
    x, y, z, w = turn
    length = math.sqrt(x * x + y * y + z * z + w * w) or 1.0
    x, y, z, w = x / length, y / length, z / length, w / length
    s, t, u = scale
    return (
        (1 - 2 * (y * y + z * z)) * s, 2 * (x * y - z * w) * t, 2 * (x * z + y * w) * u, move[0],
        2 * (x * y + z * w) * s, (1 - 2 * (x * x + z * z)) * t, 2 * (y * z - x * w) * u, move[1],
        2 * (x * z - y * w) * s, 2 * (y * z + x * w) * t, (1 - 2 * (x * x + y * y)) * u, move[2],
    )  # fmt: skip


def keeps_axes(matrix: Matrix) -> bool:
    """Tell whether a transform turns no axis but by right angles: a box stays exact."""
    rows = (matrix[0:3], matrix[4:7], matrix[8:11])
    for line in (*rows, *zip(*rows, strict=True)):
        *small, largest = sorted(map(abs, line))
        if small[1] > largest * _NOISE:
            return False
    return True
