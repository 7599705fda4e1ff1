"""3D Studio (3DS): a tree of chunks.

Source: Autodesk 3D Studio File Toolkit, chunk identifiers as published by Jochen Wilhelmy
and Martin van Velsen (3DS file format, 1996).
"""

import struct
from array import array
from collections.abc import Iterator

from figsupport.files.model3d.facts import Box, ModelFacts, Unreadable, damaged, measured
from figsupport.files.model3d.facts import too_large, truncated
from figsupport.files.model3d.images import image_size
from figsupport.files.model3d.source import MAX_NAMES, Folder, Source, base_name

MAIN, EDITOR, KEYFRAMER = 0x4D4D, 0x3D3D, 0xB000
OBJECT, MESH, VERTICES, FACES, UVS = 0x4000, 0x4100, 0x4110, 0x4120, 0x4140
MATERIAL, TEXTURE_FILE, OBJECT_TRACK, FRAMES = 0xAFFF, 0xA300, 0xB002, 0xB008
TEXTURES = range(0xA200, 0xA354)
MAX_CHUNKS = 200_000


class _Found:
    """What the chunks said so far."""

    def __init__(self) -> None:
        self.box = Box()
        self.triangles = self.vertices = self.meshes = self.materials = 0
        self.uvs = False
        self.chunks = 0
        self.textures: dict[str, None] = {}


def read_3ds(source: Source, folder: Folder) -> ModelFacts:
    """Return the facts of a 3DS; 3DS has no unit. Raises Unreadable."""
    kind, length = struct.unpack("<HI", source.read(0, 6))
    if kind != MAIN:
        raise damaged("pas un 3DS", "not a 3DS")
    if length > source.size:
        raise truncated(source.size, length)
    found = _Found()
    _walk(source, 6, length, found)
    if not found.meshes:
        raise Unreadable("le fichier ne contient aucune forme", "the file holds no shape")
    sizes, missing = [], []
    for name in [*found.textures][:MAX_NAMES]:
        picture = folder.find(name)
        size = None if picture is None else image_size(picture, name)
        if picture is None:
            missing.append(base_name(name))
        elif size is not None:
            sizes.append(size)
    return ModelFacts(
        format="3ds",
        size=source.size,
        opens=True,
        triangles=found.triangles,
        triangles_drawn=found.triangles,
        vertices=found.vertices,
        meshes=found.meshes,
        draws=found.meshes,
        materials=found.materials,
        textures=tuple(sizes),
        uv_sets=int(found.uvs),
        animations=0,
        missing_files=tuple(missing),
        **measured(found.box, metres_per_unit=None),
    )


def _chunks(source: Source, start: int, end: int, found: _Found) -> Iterator[tuple[int, int, int]]:
    """Yield (kind, first byte of content, end) of the chunks in a range."""
    at = start
    while at + 6 <= end:
        kind, length = struct.unpack("<HI", source.read(at, 6))
        found.chunks += 1
        if found.chunks > MAX_CHUNKS:
            raise too_large("trop d'éléments", "too many elements")
        if length < 6 or at + length > end:
            raise damaged("un bloc dépasse", "a chunk does not fit")
        yield kind, at + 6, at + length
        at += length


def _walk(source: Source, start: int, end: int, found: _Found) -> None:
    for kind, at, stop in _chunks(source, start, end, found):
        if kind == EDITOR:
            for inner, first, last in _chunks(source, at, stop, found):
                if inner == OBJECT:
                    _object(source, _after_name(source, first, last), last, found)
                elif inner == MATERIAL:
                    found.materials += 1
                    _material(source, first, last, found)


def _object(source: Source, start: int, end: int, found: _Found) -> None:
    for kind, at, stop in _chunks(source, start, end, found):
        if kind != MESH:
            continue
        found.meshes += 1
        for inner, first, last in _chunks(source, at, stop, found):
            if inner == VERTICES:
                _vertices(source, first, last, found)
            elif inner == FACES:
                (count,) = struct.unpack("<H", source.read(first, 2))
                if first + 2 + 8 * count > last:
                    raise truncated(last, first + 2 + 8 * count)
                found.triangles += count
            elif inner == UVS:
                found.uvs = True


def _vertices(source: Source, start: int, end: int, found: _Found) -> None:
    (count,) = struct.unpack("<H", source.read(start, 2))
    if start + 2 + 12 * count > end:
        raise truncated(end, start + 2 + 12 * count)
    values = array("f", source.read(start + 2, 12 * count))
    found.box.add(values[0::3], values[1::3], values[2::3])
    found.vertices += count


def _material(source: Source, start: int, end: int, found: _Found) -> None:
    for kind, at, stop in _chunks(source, start, end, found):
        if kind not in TEXTURES:
            continue
        for inner, first, last in _chunks(source, at, stop, found):
            if inner == TEXTURE_FILE:
                name = source.read(first, min(last - first, 300)).partition(b"\0")[0]
                if name:
                    found.textures[name.decode("latin-1")] = None


def _after_name(source: Source, start: int, end: int) -> int:
    text = source.read(start, min(200, end - start))
    length = text.find(b"\0")
    if length < 0:
        raise damaged("un nom sans fin", "an endless name")
    return start + length + 1
