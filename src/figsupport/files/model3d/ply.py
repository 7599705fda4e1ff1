"""PLY: elements with properties, as text or binary. Source: Turk, The PLY Polygon File Format."""

import re
import struct
from array import array
from collections.abc import Iterator
from itertools import chain, islice, pairwise
from typing import BinaryIO, NamedTuple

from figsupport.files.model3d.facts import Extent, measured, with_textures
from figsupport.files.model3d.text import as_text, blocks, numbers
from figsupport.files.model3d.values import Damaged, Model, Patch, Source

_HEADER = 1 << 16
_END = re.compile(rb"^end_header[ \t]*(?:\r\n|\n|\r)", re.MULTILINE)
_TYPES = {
    "char": "b", "int8": "b", "uchar": "B", "uint8": "B", "short": "h", "int16": "h",
    "ushort": "H", "uint16": "H", "int": "i", "int32": "i", "uint": "I", "uint32": "I",
    "float": "f", "float32": "f", "double": "d", "float64": "d",
}  # fmt: skip
_ORDERS = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}
_CORNERS = ("vertex_indices", "vertex_index")
_BLOCK = 8_192  # records
_LONGEST_LIST = 100_000

#: a vertex, or the corners of a face
_Row = tuple[float, ...]


class _Property(NamedTuple):
    name: str
    kind: str  # of struct
    length: str  # the same for a list's length; "": no list


class _Element(NamedTuple):
    name: str
    rows: int
    properties: list[_Property]


class _Header(NamedTuple):
    order: str  # of struct; "": a text
    elements: list[_Element]
    textures: list[str]
    end: int  # where the data begins


def read(source: Source) -> Model:
    """Return what a PLY holds; a cloud of points has no triangles. Raises Damaged, OSError."""
    header = _header(source)
    extent = Extent()
    triangles = vertices = 0
    for element, rows in _data(source, header):
        if element.name == "vertex":
            columns = _columns(element, rows)
            extent.add(*columns)
            vertices += len(columns[0])
        else:
            triangles += sum(max(len(face) - 2, 0) for face in rows)
    model = Model(
        opens=True,
        triangles=triangles,
        triangles_drawn=triangles,
        vertices=vertices,
        draws=1,
        meshes=1,
        materials=min(len(header.textures), 1),
        textures=(),
        animations=0,
        notes=() if triangles else ("point_cloud",),
    )
    return with_textures(measured(model, extent.box, None), source, header.textures)


def patches(source: Source) -> Iterator[Patch]:
    """Yield a PLY's faces; up is z, as scanners have it. Raises Damaged, OSError."""
    points, corners = array("d"), array("i")
    for element, rows in _data(source, _header(source)):
        if element.name == "vertex":
            for x, y, z in zip(*_columns(element, rows), strict=True):
                points.extend((x, z, -y))
        else:
            for first, *others in filter(None, rows):
                for second, third in pairwise(others):
                    corners.extend((int(first), int(second), int(third)))
    yield Patch(points, corners)


def _header(source: Source) -> _Header:
    with source.path.open("rb") as file:
        head = file.read(_HEADER)
    end = _END.search(head)
    if end is None:
        raise Damaged("truncated")
    order, elements, textures = None, [], []
    for line in head[: end.start()].decode("latin-1").splitlines():
        match line.split():
            case ["format", name, *_] if name in _ORDERS:
                order = _ORDERS[name]
            case ["comment", "TextureFile", *_]:
                textures.append(as_text(line.encode("latin-1")).split(None, 2)[2])
            case ["element", name, count] if count.isdecimal():
                elements.append(_Element(name, int(count), []))
            case ["property", "list", length, kind, name] if elements:
                elements[-1].properties.append(_Property(name, _kind(kind), _count(length)))
            case ["property", kind, name] if elements:
                elements[-1].properties.append(_Property(name, _kind(kind), ""))
            case ["property" | "element" | "format", *_]:
                raise Damaged("malformed")
            case _:
                pass
    if order is None:
        raise Damaged("malformed")
    return _Header(order, elements, textures, end.end())


def _count(name: str) -> str:
    kind = _kind(name)
    if kind in "fd":
        raise Damaged("malformed")
    return kind


def _kind(name: str) -> str:
    if name not in _TYPES:
        raise Damaged("malformed")
    return _TYPES[name]


def _columns(element: _Element, rows: list[_Row]) -> list[tuple[float, ...]]:
    """Return the x, the y and the z of vertices. Raises Damaged."""
    names = [part.name for part in element.properties]
    if not {"x", "y", "z"} <= set(names) or any(part.length for part in element.properties):
        raise Damaged("malformed")
    columns = list(zip(*rows, strict=True))
    return [columns[names.index(axis)] for axis in "xyz"]


def _data(source: Source, header: _Header) -> Iterator[tuple[_Element, list[_Row]]]:
    """Yield vertices, a row each, and the corners of faces, in blocks. Raises Damaged.

    Every other element is passed over, yet must be whole.
    """
    vertices = next((part.rows for part in header.elements if part.name == "vertex"), 0)
    if not vertices:
        raise Damaged("no_geometry")
    with source.path.open("rb") as file:
        file.seek(header.end)
        lines = _lines(source, header)
        for element in header.elements:
            if not element.properties and element.rows:
                raise Damaged("malformed")
            rows = _binary(file, element, header.order) if header.order else _text(lines, element)
            left = element.rows
            while left:
                block = list(islice(rows, min(left, _BLOCK)))
                if not block:
                    raise Damaged("truncated")
                left -= len(block)
                if element.name == "face":
                    corners = list(chain.from_iterable(block))
                    if corners and not 0 <= min(corners) <= max(corners) < vertices:
                        raise Damaged("indices")
                if element.name in ("vertex", "face"):
                    yield element, block


def _lines(source: Source, header: _Header) -> Iterator[list[bytes]]:
    for block in blocks(source.path, header.end):
        yield from filter(None, map(bytes.split, block.split(b"\n")))


def _text(lines: Iterator[list[bytes]], element: _Element) -> Iterator[_Row]:
    """Yield an element's rows from the words of lines."""
    if not any(part.length for part in element.properties):
        for words in lines:
            if len(words) != len(element.properties):
                raise Damaged("malformed")
            yield tuple(numbers(words))
    for words in lines:
        values = numbers(words)
        corners: _Row = ()
        at = 0
        for part in element.properties:
            if at >= len(values):
                raise Damaged("truncated")
            length = int(values[at]) if part.length else 0
            if part.name in _CORNERS:
                corners = tuple(values[at + 1 : at + 1 + length])
                if len(corners) != length:
                    raise Damaged("truncated")
            at += 1 + max(length, 0)
        yield corners


def _binary(file: BinaryIO, element: _Element, order: str) -> Iterator[_Row]:
    """Yield an element's rows; of one with lists, its corners."""
    if not any(part.length for part in element.properties):
        record = struct.Struct(order + "".join(part.kind for part in element.properties))
        for left in range(element.rows, 0, -_BLOCK):
            block = file.read(record.size * min(left, _BLOCK))
            if not block:
                break
            yield from record.iter_unpack(block)
        return
    plan = [
        (part.name in _CORNERS, part.length and struct.Struct(order + part.length), part.kind)
        for part in element.properties
    ]
    while True:
        corners: _Row = ()
        for are_corners, counter, kind in plan:
            length = counter.unpack(file.read(counter.size))[0] if counter else 1
            if not 0 <= length <= _LONGEST_LIST:
                raise Damaged("malformed")
            form = f"{order}{length}{kind}"
            values = struct.unpack(form, file.read(struct.calcsize(form)))
            if are_corners:
                corners = values
        yield corners
