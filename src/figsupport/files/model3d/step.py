"""STEP (CAD), as text: unit, bodies, faces, and the box of the vertices of the edges.

The box is short where a part is round (a circle has one vertex), so it is never exact.
Source: ISO 10303-21 (clear text encoding); entity names of AP203, AP214 and AP242.
"""

import re
from collections.abc import Iterator

from figsupport.files.model3d.facts import Box, ModelFacts, cut_short, damaged, measured
from figsupport.files.model3d.facts import too_large
from figsupport.files.model3d.source import MAX_TEXT, MIB, Folder, Source, head

MAX_POINTS = 400_000
MAX_STATEMENTS = 2_000_000
LONGEST = 4_000
PREFIXES = {
    b".MILLI.": 1e-3, b".CENTI.": 1e-2, b".DECI.": 1e-1, b".MICRO.": 1e-6, b".KILO.": 1e3,
    b"$": 1.0,
}  # fmt: skip
_POINT = re.compile(rb"#(\d{1,9})=CARTESIAN_POINT\('[^']{0,500}',\(([-+.,\dEe]{1,200})\)\)")
_VERTEX = re.compile(rb"=VERTEX_POINT\('[^']{0,500}',#(\d{1,9})\)")
_SI = re.compile(rb"SI_UNIT\((\$|\.[A-Z]{3,6}\.),\.METRE\.\)")
_BLANKS = bytes.maketrans(b"", b"")


def read_step(source: Source, folder: Folder) -> ModelFacts:
    """Return the facts of a STEP file; raises Unreadable."""
    del folder
    if not head(source, 200).lstrip().startswith(b"ISO-10303-21"):
        raise damaged("pas un STEP", "not STEP")
    tail = source.read(max(0, source.size - 1000), min(1000, source.size))
    if b"END-ISO-10303-21" not in tail:
        raise cut_short()
    points: dict[int, bytes] = {}
    vertices: set[int] = set()
    solids = faces = 0
    unit: float | None = None
    converted: float | None = None
    for statement in _statements(source):
        if b"CARTESIAN_POINT" in statement:
            found = _POINT.match(statement)
            if found and len(points) <= MAX_POINTS:
                points[int(found[1])] = found[2]
        elif b"=VERTEX_POINT" in statement:
            corner = _VERTEX.search(statement)
            if corner and len(vertices) <= MAX_POINTS:
                vertices.add(int(corner[1]))
        elif b"=ADVANCED_FACE(" in statement or b"=FACE_SURFACE(" in statement:
            faces += 1
        elif b"=MANIFOLD_SOLID_BREP(" in statement or b"=BREP_WITH_VOIDS(" in statement:
            solids += 1
        elif b"_UNIT" in statement:
            si = _SI.search(statement)
            if si:
                unit = PREFIXES.get(si[1])
            elif b"CONVERSION_BASED_UNIT" in statement and b"LENGTH_UNIT" in statement:
                converted = _conversion(statement)
    box = Box()
    whole = len(points) <= MAX_POINTS and len(vertices) <= MAX_POINTS
    if whole:
        corners = (points[key].split(b",") for key in vertices if key in points)
        box.add_points([*map(float, corner)] for corner in corners)
    return ModelFacts(
        format="step",
        size=source.size,
        opens=True,
        meshes=solids,
        draws=faces,
        materials=None,
        animations=0,
        **measured(box, metres_per_unit=converted or unit, exact=False),
    )


def _statements(source: Source) -> Iterator[bytes]:
    """Yield the statements without blanks; over-long ones are cut."""
    if source.size > MAX_TEXT:
        raise too_large("plus de 64 Mo de texte", "more than 64 MB of text")
    rest, count = b"", 0
    for offset in range(0, source.size, MIB):
        text = rest + source.read(offset, min(MIB, source.size - offset))
        if len(text) > 16 * MIB:
            raise damaged("une instruction sans fin", "an endless statement")
        *statements, rest = text.translate(_BLANKS, delete=b" \r\n\t").split(b";")
        count += len(statements)
        if count > MAX_STATEMENTS:
            raise too_large("trop d'éléments", "too many elements")
        yield from (statement[:LONGEST] for statement in statements)


def _conversion(statement: bytes) -> float | None:
    upper = statement.upper()
    if b"'INCH'" in upper or b"'IN'" in upper:
        return 0.0254
    return 0.3048 if b"'FOOT'" in upper else None
