"""The transform operations of USD (UsdGeomXformOp) as our matrices."""

import math
from collections.abc import Sequence

from figsupport.files.model3d.facts import IDENTITY, Matrix, placement, product

NOWHERE, UPRIGHT, FULL = (0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 1.0), (1.0, 1.0, 1.0)


def operation(name: str, values: Sequence[float], matrix: Matrix | None) -> Matrix:
    """Return the transform of `[!invert!]xformOp:<kind>[:suffix]`; angles in degrees."""
    inverted = name.startswith("!invert!")
    parts = name.removeprefix("!invert!").split(":")
    kind = parts[1] if len(parts) > 1 else ""
    if kind == "transform" and matrix is not None:
        return inverse(matrix) if inverted else matrix
    if kind == "translate" and len(values) == 3:
        sign = -1.0 if inverted else 1.0
        return placement([sign * v for v in values], UPRIGHT, FULL)
    if kind == "scale" and len(values) == 3:
        return placement(NOWHERE, UPRIGHT, [1 / v for v in values] if inverted else values)
    if kind == "orient" and len(values) == 4:
        x, y, z, w = values
        return placement(NOWHERE, (-x, -y, -z, w) if inverted else (x, y, z, w), FULL)
    if kind.startswith("rotate"):
        turned = rotation(kind.removeprefix("rotate"), values)
        return inverse(turned) if inverted else turned
    return IDENTITY


def rotation(axes: str, degrees: Sequence[float]) -> Matrix:
    """Return turns about the named axes; the first named is applied first."""
    result = IDENTITY
    angles = {axis: degrees["XYZ".index(axis)] for axis in axes} if len(degrees) == 3 else {}
    if len(degrees) == 1 and len(axes) == 1:
        angles = {axes: degrees[0]}
    for axis in axes:
        half = math.radians(angles.get(axis, 0.0)) / 2
        quaternion = [math.sin(half) if axis == name else 0.0 for name in "XYZ"]
        result = product(placement(NOWHERE, (*quaternion, math.cos(half)), FULL), result)
    return result


def inverse(matrix: Matrix) -> Matrix:
    """Return the inverse; raises ZeroDivisionError for a flat transform."""
    a, b, c, tx, d, e, f, ty, g, h, i, tz = matrix
    k = 1 / (a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g))
    rows = (
        ((e * i - f * h) * k, (c * h - b * i) * k, (b * f - c * e) * k),
        ((f * g - d * i) * k, (a * i - c * g) * k, (c * d - a * f) * k),
        ((d * h - e * g) * k, (b * g - a * h) * k, (a * e - b * d) * k),
    )
    return tuple(value for x, y, z in rows for value in (x, y, z, -(x * tx + y * ty + z * tz)))
