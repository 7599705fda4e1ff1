"""STL, binary and ASCII.

Source: 3D Systems "StereoLithography Interface Specification", 1989.
"""

import struct
from array import array

from figsupport.files.model3d.facts import (
    Box,
    ModelFacts,
    Unreadable,
    cut_short,
    measured,
    truncated,
)
from figsupport.files.model3d.source import Folder, Source, head, line_batches

HEADER, RECORD = 84, 50
BLOCK = 20_000  # triangles read at once; even, see _add_block
MAX_MEASURED = 1_000_000  # triangles; beyond, evenly spaced blocks are measured


def read_stl(source: Source, folder: Folder) -> ModelFacts:
    """Return the facts of an STL; STL has no unit. Raises Unreadable."""
    del folder
    start = head(source, 512)
    count = struct.unpack_from("<I", start, 80)[0] if len(start) >= HEADER else 0
    # Many binary files begin with "solid" too: the arithmetic decides.
    if len(start) >= HEADER and source.size == HEADER + RECORD * count:
        return _binary(source, count)
    if start.lstrip()[:5].lower() == b"solid" and b"\0" not in start:
        return _ascii(source)
    if len(start) < HEADER or source.size < HEADER + RECORD * count:
        raise truncated(source.size, HEADER + RECORD * count)
    return _binary(source, count)


def _binary(source: Source, count: int) -> ModelFacts:
    if count == 0:
        raise Unreadable("le fichier ne contient aucune forme", "the file holds no shape")
    box = Box()
    step = BLOCK * -(-count // MAX_MEASURED)
    for first in range(0, count, step):
        triangles = min(BLOCK, count - first)
        _add_block(box, source.read(HEADER + RECORD * first, RECORD * triangles))
    return _facts(source, count, box, exact=step == BLOCK)


def _add_block(box: Box, data: bytes) -> None:
    """Add triangles of 50 bytes: a normal, three corners (12 floats) and 2 bytes.

    Two records are 25 floats, so the even records are columns of one array of floats and
    the odd ones of another that begins 50 bytes later.
    """
    for start in (0, RECORD):
        floats = array("f", data[start : start + (len(data) - start) // 4 * 4])
        for axis in range(3):
            for corner in (3, 6, 9):
                box.add_axis(axis, floats[corner + axis :: 25])


def _ascii(source: Source) -> ModelFacts:
    box, corners, facets, solids, ended = Box(), 0, 0, 0, False
    for lines in line_batches(source):
        lowered = [line.lower() for line in lines]
        points = [line.split()[1:4] for line in lowered if line.startswith(b"vertex")]
        if points:
            box.add(*([*map(float, axis)] for axis in zip(*points, strict=True)))
            corners += len(points)
        facets += sum(line.startswith(b"endfacet") for line in lowered)
        solids += sum(line.startswith(b"endsolid") for line in lowered)
        kept = [line for line in lowered if line]
        ended = kept[-1].startswith(b"endsolid") if kept else ended
    if corners == 0 or corners != 3 * facets or not ended:
        raise cut_short()
    return _facts(source, facets, box, exact=True, meshes=solids)


def _facts(source: Source, triangles: int, box: Box, *, exact: bool, meshes: int = 1) -> ModelFacts:
    return ModelFacts(
        format="stl",
        size=source.size,
        opens=True,
        triangles=triangles,
        triangles_drawn=triangles,
        vertices=3 * triangles,
        meshes=meshes,
        draws=meshes,
        materials=0,
        uv_sets=0,
        animations=0,
        **measured(box, metres_per_unit=None, exact=exact),
    )
