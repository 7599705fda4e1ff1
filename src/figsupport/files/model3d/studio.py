"""3DS: chunks in chunks, of 3D Studio. Source: Autodesk 3D Studio File Format, 1996."""

import struct
from array import array
from collections.abc import Iterator
from typing import NamedTuple

from figsupport.files.model3d import scene as scenes
from figsupport.files.model3d.boxes import IDENTITY
from figsupport.files.model3d.facts import with_textures
from figsupport.files.model3d.text import as_text
from figsupport.files.model3d.values import Damaged, Model, Patch, Source, Unread

_MAIN, _EDIT, _KEYS = 0x4D4D, 0x3D3D, 0xB000
_OBJECT, _MESH, _POINTS, _FACES, _UVS = 0x4000, 0x4100, 0x4110, 0x4120, 0x4140
_MATERIAL, _MAP_NAME = 0xAFFF, 0xA300
#: the maps of a material: texture, specular, opacity, reflection, bump, shininess …
_MAPS = {0xA200, 0xA33A, 0xA204, 0xA210, 0xA220, 0xA230, 0xA33C, 0xA33D, 0xA33E}
#: a track of the key framer: its number of keys stands after 10 bytes
_TRACKS = {0xB020, 0xB021, 0xB022}
_OBJECT_NODE = 0xB002
_OPENED = {_MAIN, _EDIT, _KEYS, _MESH, _MATERIAL, _OBJECT_NODE} | _MAPS
_MOST_BYTES = 64 << 20
_MOST_CHUNKS = 200_000
_MOST_DEPTH = 12


class _Found(NamedTuple):
    meshes: dict[str, scenes.Mesh]
    materials: int
    pictures: list[str]
    moves: bool
    has_uv: bool


def read(source: Source) -> Model:
    """Return what a 3DS holds. Raises Damaged, Unread, OSError."""
    found = _found(source)
    if not found.meshes:
        raise Damaged("no_geometry")
    model = scenes.facts(_scene(found))._replace(
        materials=found.materials, animations=int(found.moves), uv_sets=int(found.has_uv)
    )
    return with_textures(model, source, found.pictures)


def patches(source: Source) -> Iterator[Patch]:
    """Yield a 3DS's meshes; its vertices are where they stand. Raises as `read`."""
    yield from scenes.drawn(_scene(_found(source)))


def _scene(found: _Found) -> scenes.Scene:
    return scenes.Scene(
        found.meshes, [(name, IDENTITY) for name in found.meshes], None, "", scenes.Y_UP
    )


def _found(source: Source) -> _Found:
    if source.path.stat().st_size > _MOST_BYTES:
        raise Unread("too_large_to_read")
    content = source.path.read_bytes()
    meshes: dict[str, scenes.Mesh] = {}
    pictures: list[str] = []
    materials = 0
    moves = has_uv = False
    points: array[float] | None = None
    for kind, start, end in _chunks(content, 0, len(content), 0, [_MOST_CHUNKS]):
        if kind == _MATERIAL:
            materials += 1
        elif kind == _MAP_NAME:
            pictures.append(as_text(content[start:end].split(b"\0")[0]))
        elif kind == _POINTS:
            layout = f"<{3 * _count(content, start)}f"
            points = array("f", struct.unpack(layout, content[start + 2 : end]))
        elif kind == _FACES and points is not None:
            meshes[str(len(meshes))] = scenes.mesh(points, _faces(content, start, end))
        elif kind == _UVS:
            has_uv = True
        elif kind in _TRACKS and end - start >= 14:
            moves = moves or struct.unpack_from("<I", content, start + 10)[0] > 1
    return _Found(meshes, materials, pictures, moves, has_uv)


def _chunks(
    content: bytes, start: int, end: int, depth: int, left: list[int]
) -> Iterator[tuple[int, int, int]]:
    """Yield every chunk that counts: its kind, where its data begins and ends."""
    if depth > _MOST_DEPTH:
        raise Damaged("nested")
    while start < end:
        kind, length = struct.unpack_from("<HI", content, start)
        left[0] -= 1
        if left[0] < 0:
            raise Damaged("too_many_chunks")
        if length < 6:
            raise Damaged("malformed")
        if start + length > end:
            raise Damaged("truncated")
        yield kind, start + 6, start + length
        inside = start + 6
        if kind == _OBJECT:  # its name comes first
            inside = content.find(b"\0", inside, start + length) + 1 or start + length
        if kind in _OPENED or kind == _OBJECT:
            yield from _chunks(content, inside, start + length, depth + 1, left)
        start += length


def _count(content: bytes, start: int) -> int:
    return int(struct.unpack_from("<H", content, start)[0])


def _faces(content: bytes, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Yield the corners of faces: each has flags too, and chunks may come after the last."""
    last = start + 2 + 8 * _count(content, start)
    if last > end:
        raise Damaged("truncated")
    for a, b, c, _ in struct.iter_unpack("<4H", content[start + 2 : last]):
        yield a, b, c
