"""OBJ: a text of vertices and faces, its materials in a file beside it.

Read in blocks, most of it by regular expressions: constant memory.
Source: Wavefront, Advanced Visualizer manual, appendices B1 (OBJ) and B2 (MTL).
"""

import re
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain, pairwise, takewhile
from pathlib import Path
from typing import NamedTuple

from figsupport.files.model3d.facts import (
    MOST_SIDE_FILES,
    Extent,
    beside,
    measured,
    plain,
    with_textures,
)
from figsupport.files.model3d.side_files import read_part, shown
from figsupport.files.model3d.text import as_text, blocks, numbers
from figsupport.files.model3d.values import Damaged, Model, Patch, Source

_VERTEX = re.compile(rb"^[ \t]*v[ \t]+(\S+)[ \t]+(\S+)[ \t]+(\S+)", re.MULTILINE)
_VERTICES = re.compile(rb"^[ \t]*v[ \t]", re.MULTILINE)
_FACE = re.compile(rb"^[ \t]*fo?[ \t]+([^\n#]*)", re.MULTILINE)
_CORNER = re.compile(rb"(?:^|(?<=[ \t]))[^ \t/\n]+", re.MULTILINE)
_UV = re.compile(rb"^[ \t]*vt[ \t]", re.MULTILINE)
_USED = re.compile(rb"^[ \t]*(usemtl[ \t][^\n#]*)", re.MULTILINE)
#: the lines that name something or that we do not measure
_WORD = re.compile(rb"^[ \t]*(o|usemtl|mtllib|curv2?|surf)[ \t]+(.*)$", re.MULTILINE)
_SPLIT_LIBRARIES = re.compile(r"(?<=\.mtl)\s+", re.IGNORECASE)
_MOST_POINTS = 2**31 - 1
_MOST_NAMES = 100_000
_MOST_DRAWN = 6_000_000  # corners of a material
_MOST_LIBRARIES = 20
_LARGEST_LIBRARY = 4 << 20
_LONGEST_NAME = 1_024
#: words of a material that name a picture
_MAPS = re.compile(r"map_\w+|bump|disp|decal|refl|norm", re.IGNORECASE)
_NUMBER = re.compile(r"[-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?")
#: options of a map → how many words follow; where there may be several they are numbers
_OPTIONS = {"-mm": 2, "-o": 3, "-s": 3, "-t": 3} | dict.fromkeys(
    ("-blendu", "-blendv", "-boost", "-texres", "-clamp", "-bm", "-imfchan", "-type", "-cc"), 1
)
_GREY = (190, 190, 190)


class _Materials(NamedTuple):
    """What material libraries say: the pictures they name, and each material's colour."""

    pictures: list[str]
    colours: dict[str, tuple[int, int, int]]


def read(source: Source) -> Model:
    """Return what an OBJ and its materials hold. Raises Damaged, OSError."""
    extent = Extent()
    words: dict[bytes, Counter[bytes]] = {}
    vertices = triangles = first = last = 0
    has_uv = False
    for block in blocks(source.path):
        columns = _columns(block)
        if columns:
            extent.add(*columns)
            vertices += len(columns[0])
        faces = _FACE.findall(block)
        if faces:
            corners = _corners(faces)
            triangles += len(corners) - 2 * len(faces)
            first, last = min(first, min(corners) + vertices), max(last, *corners)
        has_uv = has_uv or _UV.search(block) is not None
        _count_words(block, words)
    if not vertices:
        raise Damaged("no_geometry")
    if last > vertices or first < 0:
        raise Damaged("indices")
    libraries = _names(words.get(b"mtllib", ()), source)
    materials = _materials(libraries, source)
    model = Model(
        opens=True,
        triangles=triangles,
        triangles_drawn=triangles,
        vertices=vertices,
        meshes=max(words.get(b"o", Counter()).total(), 1),
        materials=len(words.get(b"usemtl", ())),
        textures=(),
        animations=0,
        uv_sets=int(has_uv),
        notes=("curves",) if {b"curv", b"curv2", b"surf"} & words.keys() else (),
    )
    return with_textures(measured(model, extent.box, None), source, materials.pictures, libraries)


def patches(source: Source) -> Iterator[Patch]:
    """Yield an OBJ's faces, one patch a material. Raises Damaged, OSError."""
    points = array("d")
    drawn: dict[bytes, array[int]] = {}
    words: dict[bytes, Counter[bytes]] = {}
    corners = drawn.setdefault(b"", array("i"))
    for block in blocks(source.path):
        points.extend(chain.from_iterable(zip(*_columns(block), strict=True)))
        _count_words(block, words)
        for part in _USED.split(block):
            if part.startswith(b"usemtl"):
                corners = drawn.setdefault(part.removeprefix(b"usemtl").strip(), array("i"))
            elif len(corners) < _MOST_DRAWN:
                corners.extend(_fans(_FACE.findall(part), len(points) // 3))
    colours = _materials(_names(words.get(b"mtllib", ()), source), source).colours
    for material, corners in drawn.items():
        yield Patch(points, corners, colours.get(as_text(material), _GREY))


def pictures(library: Path) -> tuple[str, ...]:
    """Return the pictures that a material library names, as they can be looked for."""
    named = _materials([library.name], Source(library, lambda _: library)).pictures
    return tuple(dict.fromkeys(shown(name) for name in map(plain, named) if name))


def _columns(block: bytes) -> list[list[float]]:
    """Return the x, the y and the z of a block's vertices. Raises Damaged."""
    found = _VERTEX.findall(block)
    if len(found) != len(_VERTICES.findall(block)):
        raise Damaged("truncated")
    return [numbers(column) for column in zip(*found, strict=True)]


def _corners(faces: list[bytes]) -> list[int]:
    """Return the vertices of faces, as they count them: from 1, or from the end below 0."""
    found = _CORNER.findall(b"\n".join(faces))
    try:
        corners = list(map(int, found))
    except ValueError:
        raise Damaged("malformed") from None
    if 0 in corners or len(corners) < 3 * len(faces) or max(map(abs, corners)) > _MOST_POINTS:
        raise Damaged("indices")
    return corners


def _fans(faces: list[bytes], vertices: int) -> Iterator[int]:
    """Yield the corners of triangles that faces are made of, counted from 0."""
    for face in faces:
        first, *others = (at - 1 if at > 0 else at + vertices for at in _corners([face]))
        for second, third in pairwise(others):
            yield from (first, second, third)


def _count_words(block: bytes, words: dict[bytes, Counter[bytes]]) -> None:
    for word, rest in _WORD.findall(block):
        names = words.setdefault(word, Counter())
        names[rest.strip()] += 1
        if len(names) > _MOST_NAMES:
            raise Damaged("too_many_names")


def _names(lines: Iterable[bytes], source: Source) -> list[str]:
    """Return the libraries that lines name: names with spaces in them, or several."""
    found: list[str] = []
    for name in map(as_text, lines):
        if len(found) > MOST_SIDE_FILES:
            raise Damaged("too_many_files")
        found += [name] if beside(source, plain(name)) else _SPLIT_LIBRARIES.split(name)
    return found


def _materials(libraries: list[str], source: Source) -> _Materials:
    """Return what the libraries say that are near."""
    pictures: list[str] = []
    colours: dict[str, tuple[int, int, int]] = {}
    for library in libraries[:_MOST_LIBRARIES]:
        path = beside(source, plain(library))
        text = read_part(path, 0, _LARGEST_LIBRARY) if path else b""
        name = ""
        for line in text.splitlines():
            word, _, rest = as_text(line[:_LONGEST_NAME]).partition(" ")
            if word == "newmtl":
                name = rest.strip()
            elif word == "Kd":
                colours[name] = _colour(rest)
            elif _MAPS.fullmatch(word):
                pictures.append(_picture(rest.split()))
    return _Materials(pictures, colours)


def _colour(rest: str) -> tuple[int, int, int]:
    try:
        red, green, blue = (round(255 * min(max(float(part), 0), 1)) for part in rest.split())
    except ValueError:
        return _GREY
    return red, green, blue


def _picture(words: list[str]) -> str:
    """Return the name that follows a map's options: the rest of the line, spaces and all."""
    while words and words[0] in _OPTIONS:
        most = _OPTIONS[words[0]]
        numeric = takewhile(_NUMBER.fullmatch, words[1 : 1 + most])
        del words[: 2 if most == 1 else 1 + len(list(numeric))]
    return " ".join(words)
