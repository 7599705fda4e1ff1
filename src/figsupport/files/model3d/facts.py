"""What can be said of a client's 3D file, and how a reader says that it cannot read one."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

from figsupport.core.model import Value


class Finding(Value):
    """One remark in words a client understands, in both languages of the desk."""

    fr: str
    en: str


class ModelFacts(Value):
    """A 3D file as it is. `None` means not known; lengths are metres unless said otherwise.

    `opens` is true only after the structure was parsed, false with a `problem`, and `None`
    when the file was only recognised. `triangles` are stored once however often they are
    drawn; `triangles_drawn` counts every instance. `dimensions` are in the file's own unit,
    `dimensions_m` is there only when the file (or its format) states a unit; the axes are
    the file's. `likely_unit` is the unit that would make sense when the stated one does not.
    """

    format: str
    size: int
    opens: bool | None = None
    problem: Finding | None = None
    triangles: int | None = None
    triangles_drawn: int | None = None
    vertices: int | None = None
    meshes: int | None = None
    draws: int | None = None
    materials: int | None = None
    textures: tuple[tuple[int, int], ...] = ()
    uv_sets: int | None = None
    animations: int | None = None
    animation_seconds: float | None = None
    extensions: tuple[str, ...] = ()
    extensions_required: tuple[str, ...] = ()
    missing_files: tuple[str, ...] = ()
    dimensions: tuple[float, float, float] | None = None
    dimensions_m: tuple[float, float, float] | None = None
    dimensions_exact: bool = False
    metres_per_unit: float | None = None
    likely_unit: str | None = None
    findings: tuple[Finding, ...] = ()


class Unreadable(Exception):
    """The file is damaged, incomplete or not what it claims; carries the words for it."""

    def __init__(self, fr: str, en: str) -> None:
        super().__init__(en)
        self.finding = Finding(fr=fr, en=en)


class OnlyRecognised(Unreadable):
    """The file is of a known kind, and we do not look further (too large, not supported)."""


def truncated(have: int, need: int) -> Unreadable:
    """Return the error for a file of `have` bytes that should have at least `need`."""
    return Unreadable(
        f"le fichier est incomplet : {have} octets reçus sur {need} attendus",
        f"the file is incomplete: {have} bytes of {need} expected",
    )


def cut_short() -> Unreadable:
    """Return the error for a text file that stops before its end."""
    return Unreadable(
        "le fichier est incomplet : il s'arrête avant la fin",
        "the file is incomplete: it stops before its end",
    )


def damaged(fr: str, en: str) -> Unreadable:
    """Return the error for a file whose structure contradicts itself."""
    return Unreadable(f"le fichier est endommagé ({fr})", f"the file is damaged ({en})")


def too_large(what_fr: str, what_en: str) -> OnlyRecognised:
    """Return the error for a file we recognise and do not read to the end."""
    return OnlyRecognised(
        f"format reconnu, contenu non lu ({what_fr})", f"recognised only, not read ({what_en})"
    )


Matrix = tuple[float, ...]  # 3 rows of 4: the affine part of a transform, applied to columns

IDENTITY: Matrix = (1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0)


def product(a: Matrix, b: Matrix) -> Matrix:
    """Return the transform that applies `b` first, then `a`."""
    rows = []
    for r in (0, 4, 8):
        x, y, z, t = a[r : r + 4]
        rows += [x * b[c] + y * b[4 + c] + z * b[8 + c] for c in range(4)]
        rows[-1] += t
    return tuple(rows)


def axis_aligned(matrix: Matrix) -> bool:
    """Return whether a box stays a box under this transform."""
    return all(sum(abs(v) > 1e-9 for v in matrix[r : r + 3]) <= 1 for r in (0, 4, 8))


def placement(
    translation: Sequence[float], quaternion: Sequence[float], scale: Sequence[float]
) -> Matrix:
    """Return the transform for a translation, an (x, y, z, w) quaternion and a scale."""
    x, y, z, w = quaternion
    sx, sy, sz = scale
    tx, ty, tz = translation
    return (
        *((1 - 2 * (y * y + z * z)) * sx, 2 * (x * y - z * w) * sy, 2 * (x * z + y * w) * sz, tx),
        *(2 * (x * y + z * w) * sx, (1 - 2 * (x * x + z * z)) * sy, 2 * (y * z - x * w) * sz, ty),
        *(2 * (x * z - y * w) * sx, 2 * (y * z + x * w) * sy, (1 - 2 * (x * x + y * y)) * sz, tz),
    )


class Box:
    """The smallest axis-aligned box round everything added to it."""

    def __init__(self) -> None:
        self.low = [math.inf] * 3
        self.high = [-math.inf] * 3

    def add(self, *axes: Sequence[float]) -> None:
        """Add points given as their x, their y and their z."""
        for axis, values in enumerate(axes):
            self.add_axis(axis, values)

    def add_axis(self, axis: int, values: Sequence[float]) -> None:
        """Add what is known along one axis only."""
        if values:
            self.low[axis] = min(self.low[axis], min(values))
            self.high[axis] = max(self.high[axis], max(values))

    def add_points(self, points: Iterable[Sequence[float]], matrix: Matrix = IDENTITY) -> None:
        """Add points given one by one, moved by `matrix`."""
        axes = tuple(zip(*points, strict=True))
        if axes:
            self.add_moved(axes[0], axes[1], axes[2], matrix)

    def add_moved(
        self, xs: Sequence[float], ys: Sequence[float], zs: Sequence[float], matrix: Matrix
    ) -> None:
        """Add points given as their x, y and z, moved by `matrix`."""
        if matrix == IDENTITY:
            self.add(xs, ys, zs)
            return
        for axis, row in enumerate((matrix[0:4], matrix[4:8], matrix[8:12])):
            a, b, c, t = row
            moved = [a * x + b * y + c * z for x, y, z in zip(xs, ys, zs, strict=True)]
            self.low[axis] = min(self.low[axis], min(moved) + t)
            self.high[axis] = max(self.high[axis], max(moved) + t)

    def add_box(self, low: Sequence[float], high: Sequence[float], matrix: Matrix) -> None:
        """Add the eight corners of a box, moved by `matrix`."""
        corners = [
            (x, y, z)
            for x in (low[0], high[0])
            for y in (low[1], high[1])
            for z in (low[2], high[2])
        ]
        self.add_points(corners, matrix)

    def sizes(self) -> tuple[float, float, float] | None:
        """Return the lengths along x, y and z, or None when nothing (sensible) was added."""
        x, y, z = (high - low for low, high in zip(self.low, self.high, strict=True))
        if not all(math.isfinite(v) and 0 <= v < 1e12 for v in (x, y, z)):
            return None
        return (x, y, z)


def measured(box: Box, *, metres_per_unit: float | None, exact: bool = True) -> dict[str, Any]:
    """Return the fields of ModelFacts that tell the size."""
    sizes = box.sizes()
    if metres_per_unit is not None and not 0 < metres_per_unit < 1e6:
        metres_per_unit = None
    if sizes is None:
        return {"metres_per_unit": metres_per_unit}
    x, y, z = sizes
    metres = None
    if metres_per_unit is not None:
        metres = (x * metres_per_unit, y * metres_per_unit, z * metres_per_unit)
    return {
        "dimensions": sizes,
        "dimensions_m": metres,
        "dimensions_exact": exact,
        "metres_per_unit": metres_per_unit,
    }
