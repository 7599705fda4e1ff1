"""Blender files, plain or gzip-compressed, versions 2.4 to 4; others are recognised only.

A .blend describes its own structures (the DNA block), so counts are read by field name.
Source: Blender documentation, "The mystery of the blend" (J. Gumprecht, 2009).
"""

import struct
import zlib
from array import array
from typing import NamedTuple

from figsupport.files.model3d.facts import Box, Matrix, ModelFacts, damaged, measured, too_large
from figsupport.files.model3d.images import image_size
from figsupport.files.model3d.source import MAX_NAMES, MIB, Folder, Memory, Source, base_name, head

MAX_INFLATED = 64 * MIB
MAX_BLOCKS = 300_000
MAX_OBJECTS = 20_000
MAX_POINTS = 500_000
MESH_OBJECT = 1


class Block(NamedTuple):
    """A block of the file: which structure, how many, where."""

    code: bytes
    struct: int
    count: int
    at: int
    size: int


class _File:
    """The blocks and the structures of a .blend."""

    def __init__(self, source: Source) -> None:
        self.source = source
        start = source.read(0, 12)
        if not start.startswith(b"BLENDER") or start[7:8] not in (b"_", b"-"):
            raise too_large("version récente de Blender", "a recent version of Blender")
        self.pointer = "I" if start[7:8] == b"_" else "Q"
        self.order = "<" if start[8:9] == b"v" else ">"
        self.blocks: list[Block] = []
        self.by_address: dict[int, Block] = {}
        self._walk()
        self._sizes, self._structs = self._dna()

    def _walk(self) -> None:
        header = struct.Struct(f"{self.order}4si{self.pointer}ii")
        at = 12
        while True:
            code, size, address, kind, count = header.unpack(self.source.read(at, header.size))
            if code == b"ENDB":
                return
            block = Block(code.rstrip(b"\0"), kind, count, at + header.size, size)
            at += header.size + size
            if size < 0 or at > self.source.size:
                raise damaged("un bloc dépasse", "a block does not fit")
            self.blocks.append(block)
            self.by_address[address] = block
            if len(self.blocks) > MAX_BLOCKS:
                raise too_large("trop d'éléments", "too many elements")

    def _dna(self) -> tuple[list[int], list[tuple[str, int, dict[str, tuple[int, str]]]]]:
        """Return nothing but field offsets: struct index → (name, size, field → offset)."""
        block = next((b for b in self.blocks if b.code == b"DNA1"), None)
        if block is None:
            raise damaged("la description manque", "its description is missing")
        if block.size > 4 * MIB:
            raise too_large("trop d'éléments", "too many elements")
        data = self.source.read(block.at, block.size)
        names, at = self._strings(data, 8)
        types, at = self._strings(data, at + 4)
        at += -at % 4 + 4
        sizes = [*struct.unpack_from(f"{self.order}{len(types)}h", data, at)]
        at += 2 * len(types)
        at += -at % 4 + 4
        (count,) = struct.unpack_from(f"{self.order}i", data, at)
        at += 4
        found = []
        for _ in range(min(count, 10_000)):
            kind, fields = struct.unpack_from(f"{self.order}2h", data, at)
            pairs = struct.unpack_from(f"{self.order}{2 * fields}h", data, at + 4)
            at += 4 + 4 * fields
            offsets, offset = {}, 0
            for t, n in zip(pairs[::2], pairs[1::2], strict=True):
                name = names[n]
                offsets[name.lstrip("*(").split("[")[0].rstrip(")(")] = (offset, types[t])
                offset += self._width(name, sizes[t])
            found.append((types[kind], sizes[kind], offsets))
        return sizes, found

    def _strings(self, data: bytes, at: int) -> tuple[list[str], int]:
        (count,) = struct.unpack_from(f"{self.order}i", data, at)
        if not 0 <= count <= 50_000:
            raise damaged("trop de noms", "too many names")
        strings = []
        at += 4
        for _ in range(count):
            end = data.index(b"\0", at)
            strings.append(data[at:end].decode("ascii", "replace"))
            at = end + 1
        return strings, at + -at % 4

    def _width(self, name: str, size: int) -> int:
        width = struct.calcsize(self.order + self.pointer) if name[0] in "*(" else size
        for part in name.split("[")[1:]:
            width *= int(part.rstrip("])("))
        return width

    def fields(self, block: Block, wanted: str) -> dict[str, tuple[int, str]]:
        """Return the fields of the structure of a block, {} when it is another structure."""
        name, _, offsets = self._structs[block.struct]
        return offsets if name == wanted else {}

    def stride(self, block: Block) -> int:
        """Return the bytes of one structure of a block."""
        return self._structs[block.struct][1]

    def value(self, block: Block, offset: int, code: str) -> int:
        """Return one integer of a block."""
        size = struct.calcsize(self.order + code)
        if offset + size > block.size:
            raise damaged("un bloc dépasse", "a block does not fit")
        data = self.source.read(block.at + offset, size)
        return int(struct.unpack(self.order + code, data)[0])

    def number(self, block: Block, wanted: str, name: str, code: str = "i") -> int:
        """Return an integer field of the structure of a block, 0 when it has none."""
        field = self.fields(block, wanted).get(name)
        return 0 if field is None else self.value(block, field[0], code)

    def pointed(self, block: Block, wanted: str, name: str) -> Block | None:
        """Return the block a pointer field leads to."""
        return self.by_address.get(self.number(block, wanted, name, self.pointer))


def read_blend(source: Source, folder: Folder) -> ModelFacts:
    """Return the facts of a .blend; raises Unreadable."""
    file = _File(_plain(source))
    meshes = [b for b in file.blocks if b.code == b"ME"]
    triangles = {id(mesh): _triangles(file, mesh) for mesh in meshes}
    box = Box()
    drawn, exact = 0, True
    for one in [b for b in file.blocks if b.code == b"OB"][:MAX_OBJECTS]:
        mesh = file.pointed(one, "Object", "data")
        if mesh is None or mesh.code != b"ME":
            continue
        drawn += triangles[id(mesh)]
        exact = _add(file, mesh, _place(file, one), box) and exact
    sizes, missing = _textures(file, folder)
    return ModelFacts(
        format="blend",
        size=source.size,
        opens=True,
        triangles=sum(triangles.values()),
        triangles_drawn=drawn,
        vertices=sum(file.number(mesh, "Mesh", "totvert") for mesh in meshes),
        meshes=len(meshes),
        draws=len(meshes),
        materials=sum(b.code == b"MA" for b in file.blocks),
        textures=sizes,
        animations=sum(b.code == b"AC" for b in file.blocks),
        missing_files=missing,
        **measured(box, metres_per_unit=1.0, exact=exact),
    )


def _plain(source: Source) -> Source:
    start = head(source, 4)
    if start == b"\x28\xb5\x2f\xfd":
        raise too_large("compressé en zstd", "zstd-compressed")
    if not start.startswith(b"\x1f\x8b"):
        return source
    inflate = zlib.decompressobj(31)
    done = bytearray()
    for offset in range(0, source.size, MIB):
        data = source.read(offset, min(MIB, source.size - offset))
        done += inflate.decompress(data, MAX_INFLATED + 1 - len(done))
        if len(done) > MAX_INFLATED:
            raise too_large("plus de 64 Mo", "more than 64 MB")
        if inflate.eof:
            return Memory(bytes(done))
    raise damaged("la compression s'arrête avant la fin", "the compression stops early")


def _triangles(file: _File, mesh: Block) -> int:
    polygons = file.number(mesh, "Mesh", "totpoly")
    if polygons:
        return max(0, file.number(mesh, "Mesh", "totloop") - 2 * polygons)
    faces = file.number(mesh, "Mesh", "totface")
    block = file.pointed(mesh, "Mesh", "mface")
    if block is None or faces <= 0:
        return 0
    offset, kind = file.fields(block, "MFace")["v4"]
    code = {"int": "I", "short": "H"}.get(kind, "I")
    stride = file.stride(block)
    if stride * faces > block.size:
        raise damaged("des faces manquent", "faces are missing")
    data = file.source.read(block.at, stride * faces)
    fourth = struct.iter_unpack(
        f"{file.order}{offset}x{code}{stride - offset - struct.calcsize(code)}x", data
    )
    return faces + sum(corner != 0 for (corner,) in fourth)


def _place(file: _File, one: Block) -> Matrix:
    offset, _ = file.fields(one, "Object")["obmat"]
    m = struct.unpack(f"{file.order}16f", file.source.read(one.at + offset, 64))
    return tuple(m[column * 4 + row] for row in range(3) for column in range(4))


def _add(file: _File, mesh: Block, matrix: Matrix, box: Box) -> bool:
    """Add the vertices of a mesh to the box; return whether that was possible."""
    block = file.pointed(mesh, "Mesh", "mvert")
    count = file.number(mesh, "Mesh", "totvert")
    if block is None or not 0 < count <= MAX_POINTS or "co" not in file.fields(block, "MVert"):
        return False
    stride = file.stride(block)
    if stride * count > block.size:
        raise damaged("des points manquent", "points are missing")
    data = file.source.read(block.at, stride * count)
    offset = file.fields(block, "MVert")["co"][0]
    rows = struct.iter_unpack(f"{file.order}{offset}x3f{stride - offset - 12}x", data)
    x, y, z = (array("f", axis) for axis in zip(*rows, strict=True))
    box.add_moved(x, y, z, matrix)
    return True


def _textures(file: _File, folder: Folder) -> tuple[tuple[tuple[int, int], ...], tuple[str, ...]]:
    sizes, missing = [], dict[str, None]()
    for block in [b for b in file.blocks if b.code == b"IM"][:MAX_NAMES]:
        fields = file.fields(block, "Image")
        field = fields.get("name") or fields.get("filepath")
        if field is None or file.number(block, "Image", "packedfile", file.pointer):
            continue
        size = min(240, block.size - field[0])
        name = base_name(
            file.source.read(block.at + field[0], size).split(b"\0")[0].decode("utf-8", "replace")
        )
        picture = folder.find(name) if name else None
        found = None if picture is None else image_size(picture, name)
        if name and picture is None:
            missing[name] = None
        elif found is not None:
            sizes.append(found)
    return tuple(sizes), tuple(missing)
