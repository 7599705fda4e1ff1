"""STL: triangles and nothing else. Source: 3D Systems, StereoLithography Interface, 1989."""

import re
import struct
from array import array
from collections.abc import Iterator
from itertools import chain

from figsupport.files.model3d.facts import Extent, measured
from figsupport.files.model3d.text import blocks, numbers
from figsupport.files.model3d.values import Damaged, Model, Patch, Source

_HEAD = 84
_TRIANGLE = 50
_BLOCK = 4_096  # triangles
_VERTEX = re.compile(rb"^[ \t]*vertex[ \t]+(\S+)[ \t]+(\S+)[ \t]+(\S+)[ \t]*$", re.MULTILINE)
_WORDS = {
    word: re.compile(rb"^[ \t]*" + word, re.MULTILINE)
    for word in (b"solid", b"facet", b"vertex", b"endfacet", b"endsolid")
}


def read(source: Source) -> Model:
    """Return what an STL holds. Raises Damaged, OSError."""
    extent = Extent()
    triangles = solids = 0
    if _is_text(source):
        counts = dict.fromkeys(_WORDS, 0)
        for flat in _text_corners(source, counts):
            extent.add(flat[0::3], flat[1::3], flat[2::3])
        triangles, solids = counts[b"endfacet"], counts[b"solid"]
    else:
        for flat in _binary_corners(source):
            triangles += len(flat) // 9
            extent.add(flat[0::3], flat[1::3], flat[2::3])
        solids = 1
    if not triangles:
        raise Damaged("no_geometry")
    model = Model(
        opens=True,
        triangles=triangles,
        triangles_drawn=triangles,
        vertices=3 * triangles,
        draws=solids,
        meshes=solids,
        materials=0,
        textures=(),
        animations=0,
        uv_sets=0,
    )
    return measured(model, extent.box, None)


def patches(source: Source) -> Iterator[Patch]:
    """Yield an STL's triangles; up, its z, becomes y. Raises Damaged, OSError."""
    text = _is_text(source)
    found = _text_corners(source, dict.fromkeys(_WORDS, 0)) if text else _binary_corners(source)
    for flat in found:
        points = array("f", flat)
        points[1::3], points[2::3] = array("f", flat[2::3]), array("f", [-y for y in flat[1::3]])
        yield Patch(points, array("l", range(len(flat) // 3)))


def _is_text(source: Source) -> bool:
    """Tell a text by its first facet: a binary STL may begin with « solid » too."""
    size = source.path.stat().st_size
    with source.path.open("rb") as file:
        head = file.read(4_096)
    count = int.from_bytes(head[80:_HEAD], "little")
    counted = len(head) >= _HEAD and _HEAD + count * _TRIANGLE == size
    low = head.lower()
    return not counted and low.lstrip().startswith(b"solid") and b"\0" not in head


def _binary_corners(source: Source) -> Iterator[tuple[float, ...]]:
    """Yield nine numbers a triangle, in blocks."""
    size = source.path.stat().st_size
    with source.path.open("rb") as file:
        head = file.read(_HEAD)
        if len(head) < _HEAD:
            raise Damaged("truncated")
        left = int.from_bytes(head[80:], "little")
        if _HEAD + left * _TRIANGLE > size:
            raise Damaged("truncated")
        while left:
            block = min(left, _BLOCK)
            yield struct.unpack("<" + "12x9f2x" * block, file.read(block * _TRIANGLE))
            left -= block


def _text_corners(source: Source, counts: dict[bytes, int]) -> Iterator[tuple[float, ...]]:
    """Yield nine numbers a triangle, in blocks, and count the words of the format."""
    vertices = 0
    for block in blocks(source.path):
        low = block.lower()
        for word, pattern in _WORDS.items():
            counts[word] += len(pattern.findall(low)) if word in low else 0
        corners = _VERTEX.findall(low)
        vertices += len(corners)
        if corners:
            yield tuple(numbers(chain.from_iterable(corners)))
    facets = counts[b"endfacet"]
    if counts[b"endsolid"] < counts[b"solid"] or counts[b"facet"] > facets:
        raise Damaged("truncated")
    if counts[b"vertex"] != 3 * facets or vertices != 3 * facets:
        raise Damaged("malformed")
