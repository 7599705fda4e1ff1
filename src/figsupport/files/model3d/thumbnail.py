"""A small picture of a model: flat shaded, from the front and above, by a z-buffer of our own."""

import math
import struct
import zlib
from array import array
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple

from figsupport.files.model3d.values import Patch

SIZE = 320
#: pixels of the buffer for one of the picture, each way: edges are smooth
_FINE = 2
_WIDE = SIZE * _FINE
_MARGIN = 0.05
#: as many triangles are drawn; of more, every nth, grown to cover its neighbours
_MOST_DRAWN = 200_000
#: as many triangles and numbers are taken in, and pixels tried: memory and time are bounded
_MOST_KEPT = 1_500_000
_MOST_NUMBERS = 6_000_000
_MOST_TRIED = 10_000_000
#: beyond this a number is nonsense, and its square soon no number
_FAR = 1e12
_TURN, _TILT = math.radians(-32), math.radians(24)
#: where the light comes from, as the eye sees it: right, up, towards
_LIGHT = (-0.40, 0.62, 0.67)
_AMBIENT, _DIFFUSE = 0.34, 0.70
_WHITE = 0xFFFFFF

Colour = tuple[int, int, int]


#: x, y and z of points
_Columns = tuple["array[float]", "array[float]", "array[float]"]


class _View(NamedTuple):
    """A patch as the eye sees it: x to the right, y up, z towards the eye."""

    points: _Columns
    corners: "array[int]"
    colour: Colour


class _Frame(NamedTuple):
    """What is in the picture: pixels of the buffer a unit, and the unit in its middle."""

    scale: float
    x: float
    y: float


def thumbnail(patches: Iterable[Patch]) -> bytes | None:
    """Return a PNG of 320 × 320 pixels on white; None: there is nothing to draw.

    y points up, the front is towards z. Numbers that are none or far too large are left out.
    """
    views = list(_views(patches))
    frame = _frame(views)
    if frame is None:
        return None
    depth = array("d", [-math.inf]) * (_WIDE * _WIDE)
    shade = array("L", [_WHITE]) * (_WIDE * _WIDE)
    tried = 0
    step = math.ceil(sum(len(view.corners) for view in views) / 3 / _MOST_DRAWN)
    for view in views:
        for corners, colour in _shaded(view, frame, step):
            if tried < _MOST_TRIED:
                tried += _fill(corners, colour, depth, shade)
    return _png(shade)


def _views(patches: Iterable[Patch]) -> Iterator[_View]:
    kept = numbers = 0
    last: array[float] | None = None
    for patch in patches:
        if patch.points is not last:  # patches often share their points
            last = patch.points
            numbers += len(last)
            if numbers > _MOST_NUMBERS:
                return
            seen = _seen(last)
        corners = _sound(patch)[: 3 * (_MOST_KEPT - kept)]
        kept += len(corners) // 3
        if corners:
            yield _View(seen, corners, patch.colour)


def _seen(points: "array[float]") -> _Columns:
    """Return points, turned and tilted as the eye sees them."""
    x, y, z = points[0::3], points[1::3], points[2::3]
    c, s = math.cos(_TURN), math.sin(_TURN)
    d, t = math.cos(_TILT), math.sin(_TILT)
    back = array("d", (c * b - s * a for a, b in zip(x, z, strict=False)))
    return (
        array("d", (c * a + s * b for a, b in zip(x, z, strict=False))),
        array("d", (d * a - t * b for a, b in zip(y, back, strict=False))),
        array("d", (t * a + d * b for a, b in zip(y, back, strict=False))),
    )


def _sound(patch: Patch) -> "array[int]":
    """Return the corners of a patch whose points are there and are sensible numbers."""
    points, corners = patch.points, patch.corners[: len(patch.corners) // 3 * 3]
    count = len(points) // 3
    if not corners or not count:
        return array("l")
    tame = math.isfinite(sum(points)) and min(points) > -_FAR and max(points) < _FAR
    if tame and min(corners) >= 0 and max(corners) < count:
        return corners
    wild = {at // 3 for at, number in enumerate(points) if not -_FAR < number < _FAR}
    triangles = zip(corners[0::3], corners[1::3], corners[2::3], strict=True)
    return array(
        "l",
        chain.from_iterable(
            triangle
            for triangle in triangles
            if all(0 <= at < count and at not in wild for at in triangle)
        ),
    )


def _frame(views: list[_View]) -> _Frame | None:
    """Return where the corners of all views are; None: they cover nothing."""
    ends: list[tuple[float, float, float, float]] = []
    for view in views:
        x, y, _ = (set(map(column.__getitem__, view.corners)) for column in view.points)
        ends.append((min(x), max(x), min(y), max(y)))
    if not ends:
        return None
    lefts, rights, lows, highs = zip(*ends, strict=True)
    left, right, low, high = min(lefts), max(rights), min(lows), max(highs)
    widest = max(right - left, high - low)
    if widest <= 0:
        return None
    return _Frame(_WIDE * (1 - 2 * _MARGIN) / widest, (left + right) / 2, (low + high) / 2)


def _shaded(
    view: _View, frame: _Frame, step: int
) -> Iterator[tuple[list[tuple[float, float, float]], int]]:
    """Yield each triangle that shows: its corners in the buffer (y down), and its colour."""
    scale, half = frame.scale, _WIDE / 2
    xs, ys, zs = view.points
    right, up, towards = _LIGHT
    grown = math.sqrt(step)
    triangles = (view.corners[part :: 3 * step] for part in range(3))
    for i, j, k in zip(*triangles, strict=True):
        x, y, z = xs[i], ys[i], zs[i]
        a, b, c = (xs[j] - x) * scale, (y - ys[j]) * scale, (zs[j] - z) * scale
        d, e, f = (xs[k] - x) * scale, (y - ys[k]) * scale, (zs[k] - z) * scale
        x, y, z = (x - frame.x) * scale + half, half - (y - frame.y) * scale, z * scale
        m, n, o = b * f - c * e, c * d - a * f, a * e - b * d
        length = math.sqrt(m * m + n * n + o * o)
        if abs(o) <= 1e-9 * length or not length:
            continue  # seen from its edge
        lit = max((m * right - n * up + o * towards) / (length if o > 0 else -length), 0.0)
        light = _AMBIENT + _DIFFUSE * lit
        red, green, blue = (min(int(part * light), 255) for part in view.colour)
        corners = [(x, y, z), (x + a, y + b, z + c), (x + d, y + e, z + f)]
        if step > 1:
            u, v, w = x + (a + d) / 3, y + (b + e) / 3, z + (c + f) / 3
            corners = [
                (u + (p - u) * grown, v + (q - v) * grown, w + (r - w) * grown)
                for p, q, r in corners
            ]
        yield corners, red << 16 | green << 8 | blue


def _fill(
    corners: list[tuple[float, float, float]],
    colour: int,
    depth: "array[float]",
    shade: "array[int]",
) -> int:
    """Fill the pixels whose middle a triangle covers, where nothing is nearer to the eye.

    Returns how many pixels were tried.
    """
    corners.sort(key=_by_row)
    (x, y, z), (x1, y1, z1), (x2, y2, z2) = corners
    first, last = max(math.ceil(y - 0.5), 0), min(math.ceil(y2 - 0.5), _WIDE)
    if first >= last:
        return 1
    a, b, c, d, e, f = x1 - x, y1 - y, z1 - z, x2 - x, y2 - y, z2 - z
    across = a * e - b * d
    if not across:
        return 1
    tried = 1
    z_x, z_y = (c * e - b * f) / across, (a * f - c * d) / across
    for row in range(first, last):
        middle = row + 0.5 - y
        long = x + d * middle / e
        short = x + a * middle / b if middle < b else x1 + (x2 - x1) * (middle - b) / (e - b)
        if short < long:
            long, short = short, long
        start, end = max(math.ceil(long - 0.5), 0), min(math.ceil(short - 0.5), _WIDE)
        near = z + (start + 0.5 - x) * z_x + middle * z_y
        for at in range(row * _WIDE + start, row * _WIDE + end):
            if near > depth[at]:
                depth[at], shade[at] = near, colour
            near += z_x
        tried += max(end - start, 1)
    return tried


def _by_row(corner: tuple[float, float, float]) -> float:
    return corner[1]


def _png(shade: "array[int]") -> bytes:
    """Return the buffer as a PNG of a quarter of its pixels, each the mean of four."""
    rows = bytearray()
    for top in range(0, _WIDE * _WIDE, 2 * _WIDE):
        above, below = shade[top : top + _WIDE], shade[top + _WIDE : top + 2 * _WIDE]
        rows.append(0)  # no filter
        for four in zip(above[0::2], above[1::2], below[0::2], below[1::2], strict=True):
            odd = sum(pixel & 0xFF00FF for pixel in four) >> 2 & 0xFF00FF
            even = sum(pixel & 0x00FF00 for pixel in four) >> 2 & 0x00FF00
            rows += (odd | even).to_bytes(3, "big")
    header = struct.pack(">IIBBBBB", SIZE, SIZE, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 6)), (b"IEND", b""))
    )
