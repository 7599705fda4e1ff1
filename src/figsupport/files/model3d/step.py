"""STEP: surfaces of a CAD program, as a text; no triangles. Source: ISO 10303-21, 10303-42."""

import re
from collections import Counter

from figsupport.files.model3d.boxes import Box
from figsupport.files.model3d.facts import Extent, measured
from figsupport.files.model3d.text import blocks, numbers
from figsupport.files.model3d.values import Damaged, Model, Source

_END = re.compile(rb"END-ISO-10303-21\s*;")
_BODIES = re.compile(
    rb"=\s*(?:MANIFOLD_SOLID_BREP|BREP_WITH_VOIDS|FACETED_BREP|SHELL_BASED_SURFACE_MODEL"
    rb"|GEOMETRIC_CURVE_SET|TESSELLATED_SOLID)\s*\("
)
_NUMBER = rb"([-+0-9.Ee]+)"
_POINT = re.compile(
    rb"#(\d+)\s*=\s*CARTESIAN_POINT\s*\(\s*'[^']*'\s*,\s*\(\s*"
    + _NUMBER + rb"\s*,\s*" + _NUMBER + rb"\s*,\s*" + _NUMBER + rb"\s*\)"
)  # fmt: skip
_CORNER = re.compile(rb"VERTEX_POINT\s*\(\s*'[^']*'\s*,\s*#(\d+)")
_UNIT_SETS = re.compile(rb"GLOBAL_UNIT_ASSIGNED_CONTEXT\s*\(\s*\(([^)]*)\)")
_UNIT = re.compile(
    rb"#(\d+)\s*=\s*\([^;]*?(?:SI_UNIT\s*\(\s*(\$|\.[A-Z]+\.)\s*,\s*\.METRE\."
    rb"|CONVERSION_BASED_UNIT\s*\(\s*'([^']*)'\s*,\s*#(\d+))[^;]*"
)
_MEASURE = re.compile(
    rb"#(\d+)\s*=\s*\(?\s*LENGTH_MEASURE_WITH_UNIT\s*\(\s*LENGTH_MEASURE\s*\(\s*"
    + _NUMBER + rb"\s*\)\s*,\s*#(\d+)"
)  # fmt: skip
_PREFIXES = {b"$": 1.0, b".MILLI.": 1e-3, b".CENTI.": 1e-2, b".DECI.": 0.1, b".MICRO.": 1e-6,
             b".KILO.": 1e3}  # fmt: skip
_NAMES = {1.0: "m", 1e-3: "mm", 1e-2: "cm", 0.0254: "inch", 0.3048: "foot", 1e-6: "micron"}
_LONGEST_UNIT = 2_000
_MOST_POINTS = 2_000_000


class _Found:
    """What the statements of a file say, by number where others name them."""

    def __init__(self) -> None:
        self.bodies = 0
        self.parts = 0
        self.points: dict[bytes, tuple[bytes, bytes, bytes]] = {}
        self.corners: set[bytes] = set()
        self.units: dict[bytes, tuple[bytes, bytes]] = {}  # prefix, or the number of a measure
        self.measures: dict[bytes, tuple[bytes, bytes]] = {}  # factor and the number of a unit
        self.sets: Counter[bytes] = Counter()

    def take(self, text: bytes) -> None:
        self.bodies += len(_BODIES.findall(text))
        self.parts += text.count(b"NEXT_ASSEMBLY_USAGE_OCCURRENCE")
        if len(self.points) < _MOST_POINTS:
            self.points.update((number, (x, y, z)) for number, x, y, z in _POINT.findall(text))
            self.corners.update(_CORNER.findall(text))
        if b"UNIT" in text:
            for statement in text.split(b";"):
                if b"UNIT" not in statement or len(statement) > _LONGEST_UNIT:
                    continue
                if unit := _UNIT.search(statement):
                    number, prefix, _, measure = unit.groups(b"")
                    self.units[number] = (prefix, measure)
                if measured_ := _MEASURE.search(statement):
                    number, factor, unit_ = measured_.groups()
                    self.measures[number] = (factor, unit_)
            self.sets.update(_UNIT_SETS.findall(text))

    def metres(self, number: bytes, depth: int = 0) -> float | None:
        """Return how long a unit is; None when that is not told."""
        if number not in self.units or depth > 4:
            return None
        prefix, measure = self.units[number]
        if prefix:
            return _PREFIXES.get(prefix)
        factor, unit = self.measures.get(measure, (b"", b""))
        base = self.metres(unit, depth + 1)
        return None if base is None else base * numbers([factor])[0]


def read(source: Source) -> Model:
    """Return what a STEP holds; its dimensions are those of its corners. Raises Damaged."""
    found = _Found()
    ended = False
    rest = b""
    for block in blocks(source.path):
        text = rest + block
        cut = text.rfind(b";") + 1
        found.take(text[:cut])
        ended = ended or _END.search(text[:cut]) is not None
        rest = text[cut:]
        if len(rest) > 1 << 20:
            raise Damaged("long_line")
    if not ended:
        raise Damaged("truncated")
    if not found.points:
        raise Damaged("no_geometry")
    notes = ("assembly",) if found.parts else ()
    model = Model(opens=True, meshes=found.bodies, animations=0, textures=(), notes=notes)
    if found.parts:  # parts are moved; only a CAD kernel knows where to
        return model
    return measured(model, _box(found), *_unit(found), exact=False)


def _box(found: _Found) -> Box | None:
    """Return the box around the corners; of a file without corners, around every point."""
    extent = Extent()
    points = [found.points[number] for number in found.corners if number in found.points]
    for column in [list(zip(*(points or found.points.values()), strict=True))]:
        extent.add(*map(numbers, column))
    return extent.box


def _unit(found: _Found) -> tuple[float | None, str]:
    """Return the unit of length that most contexts name, in metres, and its name."""
    for members, _ in found.sets.most_common():
        for number in re.findall(rb"#(\d+)", members):
            metres = found.metres(number)
            if metres:
                known = (name for size, name in _NAMES.items() if abs(size / metres - 1) < 1e-6)
                return metres, next(known, f"{metres:g} m")
    return None, ""
