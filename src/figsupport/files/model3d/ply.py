"""PLY, ASCII and binary of both byte orders: meshes and point clouds.

Source: Greg Turk, "The PLY Polygon File Format", 1994.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from figsupport.files.model3d.facts import Box, ModelFacts, cut_short, damaged, measured
from figsupport.files.model3d.facts import too_large, truncated
from figsupport.files.model3d.images import image_size
from figsupport.files.model3d.source import MAX_NAMES, MIB, Folder, Source, base_name, head
from figsupport.files.model3d.source import line_batches

MAX_HEADER = 64 * 1024
MAX_WALKED = 1_000_000  # elements walked one by one
MAX_MEASURED = 1_500_000  # vertices; beyond, evenly spaced blocks are measured
TYPES = {
    "char": "b", "uchar": "B", "short": "h", "ushort": "H", "int": "i", "uint": "I",
    "float": "f", "double": "d", "int8": "b", "uint8": "B", "int16": "h", "uint16": "H",
    "int32": "i", "uint32": "I", "float32": "f", "float64": "d",
}  # fmt: skip
FACES = ("face", "tristrips")


class Property(NamedTuple):
    """One column: a name, the struct code of its values, and that of its length if a list."""

    name: str
    code: str
    length: str | None


class Element(NamedTuple):
    """A table of the file."""

    name: str
    count: int
    properties: list[Property]


class Header(NamedTuple):
    """What the header says; `start` is where the data begins."""

    order: str  # of struct: "<" or ">"; "" for ASCII
    elements: list[Element]
    textures: list[str]
    start: int


def read_ply(source: Source, folder: Folder) -> ModelFacts:
    """Return the facts of a PLY; PLY has no unit. Raises Unreadable."""
    header = _header(source)
    box = Box()
    read = _binary if header.order else _ascii
    triangles, exact = read(source, header, box)
    counts = {element.name: element for element in header.elements}
    vertex = counts.get("vertex")
    names = {p.name for e in header.elements for p in e.properties}
    sizes, missing = [], []
    for name in header.textures:
        picture = folder.find(name)
        size = None if picture is None else image_size(picture, name)
        if picture is None:
            missing.append(base_name(name))
        elif size is not None:
            sizes.append(size)
    return ModelFacts(
        format="ply",
        size=source.size,
        opens=True,
        triangles=triangles,
        triangles_drawn=triangles,
        vertices=vertex.count if vertex else 0,
        meshes=1,
        draws=1,
        materials=len(header.textures),
        textures=tuple(sizes),
        uv_sets=int(bool(names & {"s", "u", "texture_u", "texcoord"})),
        animations=0,
        missing_files=tuple(missing),
        **measured(box, metres_per_unit=None, exact=exact),
    )


def _header(source: Source) -> Header:
    start = head(source, MAX_HEADER)
    end = start.find(b"end_header")
    line_end = start.find(b"\n", end)
    if end < 0:
        raise cut_short()
    if line_end < 0:  # old Macintosh line ends
        line_end = end + len(b"end_header")
    order: str | None = None
    elements: list[Element] = []
    textures: list[str] = []
    for line in start[:end].decode("latin-1").splitlines():
        words = line.split()
        match words:
            case ["format", kind, *_]:
                order = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}[kind]
            case ["element", name, count]:
                if not count.isdecimal() or len(count) > 12:
                    raise damaged("un nombre n'a pas de sens", "a number makes no sense")
                elements.append(Element(name, int(count), []))
            case ["property", "list", length, kind, name]:
                elements[-1].properties.append(Property(name, TYPES[kind], TYPES[length]))
            case ["property", kind, name]:
                elements[-1].properties.append(Property(name, TYPES[kind], None))
            case ["comment", word, *rest] if word.lower() == "texturefile" and rest:
                textures.append(line.split(None, 2)[2].strip())
    if order is None or not elements:
        raise damaged("l'en-tête est incomplet", "the header is incomplete")
    return Header(order, elements, textures[:MAX_NAMES], line_end + 1)


def _binary(source: Source, header: Header, box: Box) -> tuple[int, bool]:
    at, triangles, exact = header.start, 0, True
    for element in header.elements:
        if any(p.length for p in element.properties):
            at, found = _lists(source, at, element, header.order)
            triangles += found if element.name in FACES else 0
            continue
        row = struct.Struct(header.order + "".join(p.code for p in element.properties))
        if at + row.size * element.count > source.size:
            raise truncated(source.size, at + row.size * element.count)
        if element.name == "vertex":
            exact = _points(source, at, element, row, box)
        at += row.size * element.count
    return triangles, exact


def _points(source: Source, at: int, element: Element, row: struct.Struct, box: Box) -> bool:
    block = max(1, MIB // row.size)
    step = block * max(1, -(-element.count // MAX_MEASURED))
    columns = _columns(element)
    for first in range(0, element.count, step):
        count = min(block, element.count - first)
        data = source.read(at + first * row.size, count * row.size)
        table = [*zip(*row.iter_unpack(data), strict=True)]
        box.add(*(table[column] for column in columns))
    return step == block


def _columns(element: Element) -> list[int]:
    names = [p.name for p in element.properties]
    return [names.index(axis) for axis in ("x", "y", "z")]


def _lists(source: Source, at: int, element: Element, order: str) -> tuple[int, int]:
    """Return where the element ends and how many triangles its polygons make."""
    uniform = _uniform(source, at, element, order)
    if uniform is not None:
        return uniform
    if element.count > MAX_WALKED:
        raise too_large("trop de faces", "too many faces")
    triangles = 0
    window, base = b"", at
    for _ in range(element.count):
        for position, column in enumerate(element.properties):
            if at + 8 > base + len(window):
                base, window = at, source.read(at, min(MIB, source.size - at))
            if column.length is None:
                at += struct.calcsize(column.code)
                continue
            (length,) = struct.unpack_from(order + column.length, window, at - base)
            if length < 0:
                raise damaged("un nombre n'a pas de sens", "a number makes no sense")
            at += struct.calcsize(column.length) + length * struct.calcsize(column.code)
            if _is_polygon(element, position):
                triangles += max(0, length - 2)
        if at > source.size:
            raise truncated(source.size, at)
    return at, triangles


def _uniform(source: Source, at: int, element: Element, order: str) -> tuple[int, int] | None:
    """Handle at once the usual file, in which every face has as many corners as the first."""
    first = element.properties[0]
    if element.count == 0:
        return at, 0
    if first.length != "B" or any(p.length for p in element.properties[1:]):
        return None
    corners = source.read(at, 1)[0]
    rest = struct.calcsize(order + "".join(p.code for p in element.properties[1:]))
    stride = 1 + corners * struct.calcsize(first.code) + rest
    end = at + stride * element.count
    if end > source.size:
        return None
    block = max(1, MIB // stride)
    for start in range(0, element.count, block):
        count = min(block, element.count - start)
        lengths = source.read(at + start * stride, count * stride)[::stride]
        if lengths.count(corners) != count:
            return None
    return end, max(0, corners - 2) * element.count if _is_polygon(element, 0) else 0


def _is_polygon(element: Element, position: int) -> bool:
    return element.properties[position].name in ("vertex_indices", "vertex_index")


def _ascii(source: Source, header: Header, box: Box) -> tuple[int, bool]:
    lines = _lines(source, header.start)
    triangles = 0
    for element in header.elements:
        if element.count > source.size:
            raise cut_short()
        left = element.count
        while left:
            batch = next(lines, None)
            if batch is None:
                raise cut_short()
            lines_here, rest = batch[:left], batch[left:]
            left -= len(lines_here)
            triangles += _ascii_rows(element, lines_here, box)
            lines = _again(rest, lines)
    return triangles, True


def _ascii_rows(element: Element, lines: list[bytes], box: Box) -> int:
    if element.name == "vertex":
        table = [*zip(*map(bytes.split, lines), strict=True)]
        box.add(*([*map(float, table[column])] for column in _columns(element)))
    elif element.name in FACES and element.properties and _is_polygon(element, 0):
        return sum(max(0, int(line.split(None, 1)[0]) - 2) for line in lines)
    return 0


def _lines(source: Source, start: int) -> Iterator[list[bytes]]:
    for batch in line_batches(source, start):
        kept = [line for line in batch if line]
        if kept:
            yield kept


def _again(rest: list[bytes], lines: Iterator[list[bytes]]) -> Iterator[list[bytes]]:
    if rest:
        yield rest
    yield from lines
