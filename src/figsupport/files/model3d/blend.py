"""BLEND: Blender's memory, block after block, and the layout of its structs at the end.

Counts come from the meshes as they are kept: modifiers are not applied, so that what Blender
shows may be more. Nothing is measured.
Source: Blender's documentation of the file format (doc/blender_file_format) and of its DNA.
"""

import re
import struct
import zlib
from collections import Counter
from collections.abc import Iterator
from math import prod
from typing import BinaryIO, NamedTuple

from figsupport.files.model3d.values import Damaged, Model, Source, Unread

_MOST_BLOCKS = 400_000
#: a packed file may grow to a hundred times its size; a small one to this
_RATIO, _FREE, _MOST_BYTES = 100, 32 << 20, 256 << 20
_STEP = 1 << 18
_LARGEST_LAYOUT = 4 << 20
_LARGEST_MESH = 1 << 16
_LARGEST_FACES = 32 << 20


class _Unzipped:
    """A gzip as a stream of bytes: no more is unpacked than is asked for, and no bomb."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file, self._left = file, min(_MOST_BYTES, max(_FREE, _RATIO * size))
        self._unpacker = zlib.decompressobj(31)
        self._ready = b""

    def read(self, length: int) -> bytes:
        parts = [self._ready[:length]]
        self._ready = self._ready[length:]
        missing = length - len(parts[0])
        while missing > 0 and not self._unpacker.eof:
            packed = self._unpacker.unconsumed_tail or self._file.read(_STEP)
            if not packed:
                break
            part = self._unpacker.decompress(packed, _STEP)
            self._left -= len(part)
            if self._left < 0:
                raise Damaged("bomb")
            parts.append(part[:missing])
            self._ready = part[missing:]
            missing -= len(parts[-1])
        return b"".join(parts)

    def skip(self, length: int) -> None:
        while length:
            part = len(self.read(min(length, _STEP)))
            if not part:
                raise Damaged("truncated")
            length -= part


class _Plain:
    """The same of a file that is not packed."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file, self._size = file, size

    def read(self, length: int) -> bytes:
        return self._file.read(length)

    def skip(self, length: int) -> None:
        if self._file.tell() + length > self._size:
            raise Damaged("truncated")
        self._file.seek(length, 1)


_Stream = _Unzipped | _Plain


class _Block(NamedTuple):
    code: bytes
    length: int
    old: int  # where it was in memory
    kind: int  # the number of its struct


class _Blend(NamedTuple):
    """A file as its head says it is written: byte order and pointers as struct names them."""

    stream: _Stream
    order: str
    pointer: str


class _Layout(NamedTuple):
    """Where the fields of a struct are, and how long it is."""

    offsets: dict[str, int]
    length: int


def read(source: Source) -> Model:
    """Return what a BLEND holds; packed by zstd or of Blender 5 it is recognised.

    Raises Damaged, Unread, OSError.
    """
    size = source.path.stat().st_size
    layouts: list[tuple[str, _Layout]] = []
    with source.path.open("rb") as file:
        for block, blend in _blocks(file, size):
            if block.code == b"DNA1" and block.length <= _LARGEST_LAYOUT:
                layouts = _layouts(blend.stream.read(block.length), blend)
            else:
                blend.stream.skip(block.length)
        if "Mesh" not in dict(layouts):
            raise Damaged("malformed")
        return _counted(file, size, layouts)


def _counted(file: BinaryIO, size: int, layouts: list[tuple[str, _Layout]]) -> Model:
    """Walk the blocks again, now that it is known what they hold, and count."""
    known = dict(layouts)
    codes: Counter[bytes] = Counter()
    meshes: list[tuple[int, int, int, int]] = []
    tessellated: dict[int, int] = {}  # where faces were in memory → triangles
    for block, blend in _blocks(file, size):
        codes[block.code] += 1
        kind = layouts[block.kind][0] if block.kind < len(layouts) else ""
        if block.code == b"ME\0\0" and block.length <= _LARGEST_MESH:
            data = blend.stream.read(block.length)
            vertices, loops, polygons = (
                _number(data, known["Mesh"], name, blend.order + "i")
                for name in ("totvert", "totloop", "totpoly")
            )
            faces = _number(data, known["Mesh"], "*mface", blend.order + blend.pointer)
            meshes.append((vertices, loops, polygons, faces))
        elif kind == "MFace" and block.length <= _LARGEST_FACES:
            data = blend.stream.read(block.length)
            tessellated[block.old] = _triangles(data, known["MFace"], blend.order)
        else:
            blend.stream.skip(block.length)
    if min(map(min, meshes), default=0) < 0:
        raise Damaged("malformed")
    return Model(
        opens=True,
        triangles=sum(
            max(loops - 2 * polygons, 0) if polygons else tessellated.get(faces, 0)
            for _, loops, polygons, faces in meshes
        ),
        vertices=sum(vertices for vertices, *_ in meshes),
        meshes=len(meshes),
        materials=codes[b"MA\0\0"],
        animations=codes[b"AC\0\0"],
    )


def _blocks(file: BinaryIO, size: int) -> Iterator[tuple[_Block, _Blend]]:
    """Yield the head of each block up to the end; who asks reads or skips the rest of it."""
    file.seek(0)
    start = file.read(4)
    file.seek(0)
    if start == b"(\xb5/\xfd":
        raise Unread("zstd")
    stream: _Stream = (_Unzipped if start[:2] == b"\x1f\x8b" else _Plain)(file, size)
    head = stream.read(12)
    if len(head) < 12:
        raise Damaged("truncated")
    if head[:7] != b"BLENDER" or head[7:8] not in (b"_", b"-"):
        raise Unread("unknown_version")
    order = ">" if head[8:9] == b"V" else "<"
    blend = _Blend(stream, order, "Q" if head[7:8] == b"-" else "I")
    layout = struct.Struct(f"{order}4si{blend.pointer}ii")
    for _ in range(_MOST_BLOCKS):
        code, length, old, kind, _count = layout.unpack(stream.read(layout.size))
        if code == b"ENDB":
            return
        if min(length, kind) < 0:
            raise Damaged("malformed")
        yield _Block(code, length, old, kind), blend
    raise Unread("too_large_to_read")


class _Dna:
    """The block that says how structs are laid out, read from its beginning."""

    def __init__(self, data: bytes, order: str) -> None:
        self.data, self.order, self.at = data, order, 4

    def mark(self, name: bytes) -> None:
        self.at = (self.at + 3) // 4 * 4
        if self.data[self.at : self.at + 4] != name:
            raise Damaged("malformed")
        self.at += 4

    def numbers(self, count: int, kind: str = "h") -> tuple[int, ...]:
        if not 0 <= count <= len(self.data):
            raise Damaged("malformed")
        layout = f"{self.order}{count}{kind}"
        found = struct.unpack_from(layout, self.data, self.at)
        self.at += struct.calcsize(layout)
        return found

    def words(self, name: bytes) -> list[str]:
        self.mark(name)
        (count,) = self.numbers(1, "i")
        found: list[str] = []
        for _ in range(count):
            end = self.data.find(b"\0", self.at)
            if end < 0:
                raise Damaged("malformed")
            found.append(self.data[self.at : end].decode("latin-1"))
            self.at = end + 1
        return found


def _layouts(data: bytes, blend: _Blend) -> list[tuple[str, _Layout]]:
    """Return the structs by their number: name and layout. Raises Damaged."""
    dna = _Dna(data, blend.order)
    names, types = dna.words(b"NAME"), dna.words(b"TYPE")
    dna.mark(b"TLEN")
    lengths = dna.numbers(len(types))
    dna.mark(b"STRC")
    (count,) = dna.numbers(1, "i")
    pointer = struct.calcsize(blend.pointer)
    found: list[tuple[str, _Layout]] = []
    for _ in range(count):
        kind, fields = dna.numbers(2)
        pairs = dna.numbers(2 * fields)
        if not 0 <= kind < len(types):
            raise Damaged("malformed")
        offsets: dict[str, int] = {}
        at = 0
        for of, called in zip(pairs[0::2], pairs[1::2], strict=True):
            if not (0 <= of < len(types) and 0 <= called < len(names)):
                raise Damaged("malformed")
            name = names[called]
            offsets[name] = at
            size = pointer if name[:1] in ("*", "(") else lengths[of]
            at += size * prod(map(int, re.findall(r"\[(\d{1,6})\]", name)))
        found.append((types[kind], _Layout(offsets, lengths[kind])))
    return found


def _number(data: bytes, layout: _Layout, name: str, kind: str) -> int:
    """Return a field of a struct; of one that has none, 0."""
    if name not in layout.offsets:
        return 0
    return int(struct.unpack_from(kind, data, layout.offsets[name])[0])


def _triangles(data: bytes, layout: _Layout, order: str) -> int:
    """Return how many triangles faces of three or four corners make."""
    fourth, length = layout.offsets.get("v4", -1), layout.length
    if fourth < 0 or length < fourth + 4:
        raise Damaged("malformed")
    whole = len(data) // length
    form = order + f"{fourth}xi{length - fourth - 4}x" * whole
    last = struct.unpack(form, data[: whole * length])
    return 2 * whole - last.count(0)
