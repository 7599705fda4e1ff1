"""What readers of 3D formats conclude alike: sizes in metres and the files beside a model."""

import math
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from figsupport.files.model3d.boxes import Box, around, union
from figsupport.files.model3d.images import HEAD, size_of
from figsupport.files.model3d.side_files import read_part, shown, size_of_file
from figsupport.files.model3d.values import Damaged, Model, Source

#: unit → metres
METRES = {"micron": 1e-6, "mm": 1e-3, "cm": 1e-2, "inch": 0.0254, "foot": 0.3048, "m": 1.0}
#: the longest side from which numbers without a unit are taken for this one: objects that
#: clients send measure between 10 cm and 10 m
_LIKELY = ((100.0, "mm"), (10.0, "cm"), (0.0, "m"))
_ABSOLUTE = re.compile(r"(?:[A-Za-z]:|/|~)")
MOST_SIDE_FILES = 500


class Extent:
    """The box around the points seen so far."""

    def __init__(self) -> None:
        self.box: Box | None = None

    def add(self, *columns: Sequence[float]) -> None:
        """Take in points: their x, their y, their z. Raises Damaged for NaN and infinity."""
        if not columns[0]:
            return
        if not all(math.isfinite(sum(column)) for column in columns):
            raise Damaged("numbers")
        ends = Box(tuple(map(min, columns)), tuple(map(max, columns)))
        self.box = union((self.box, ends)) if self.box else around(ends)


def measured(
    model: Model, box: Box | None, metres: float | None, unit: str = "", *, exact: bool = True
) -> Model:
    """Return a model with its dimensions; `metres` is how long its unit is, None: it has none.

    Then a likely unit is taken, which a note names, and the dimensions are not exact.
    """
    if box is None or (metres is not None and not 0 < metres < math.inf):
        return model
    if metres is None:
        sides = box.size() or (0.0, 0.0, 0.0)
        guess = next(name for least, name in _LIKELY if max(sides) >= least)
        metres, exact = METRES[guess], False
        model = model._replace(notes=(*model.notes, f"guessed_{guess}"))
    size = box.size(metres)
    if size is None:
        raise Damaged("numbers")
    return model._replace(dimensions_m=size, dimensions_exact=exact, unit=unit)


def with_textures(
    model: Model, source: Source, names: Iterable[str], others: Iterable[str] = ()
) -> Model:
    """Return a model with the sizes of the pictures it names and what is not near.

    `others` are side files that are no pictures. A name is looked for as it is written, then
    by its last part: programs write paths of the machine they ran on. Raises Damaged.
    """
    pictures = list(dict.fromkeys(filter(None, map(plain, names))))
    rest = list(dict.fromkeys(filter(None, map(plain, others))))
    if len(pictures) + len(rest) > MOST_SIDE_FILES:
        raise Damaged("too_many_files")
    paths = {name: beside(source, name) for name in (*rest, *pictures)}
    return model._replace(
        textures=(model.textures or ())
        + tuple(size_of(read_part(path, 0, HEAD)) for name in pictures if (path := paths[name])),
        side_files=tuple(map(shown, paths)),
        missing_files=tuple(shown(name) for name, path in paths.items() if path is None),
    )


def beside(source: Source, name: str) -> Path | None:
    """Return where a side file is, found by its name or the last part of it; None: missing."""
    for candidate in dict.fromkeys((name, name.rpartition("/")[2])):
        path = source.near(candidate)
        if path is not None and size_of_file(path) is not None:
            return path
    return None


def plain(name: str) -> str:
    """Return a name of a side file as it can be looked for: relative, with slashes.

    Of a path that begins at a drive, a root or a server, the last part.
    """
    name = name.strip().strip('"').replace("\\", "/").removeprefix("file://")
    if _ABSOLUTE.match(name) or ".." in name:
        name = name.rpartition("/")[2]
    return name.removeprefix("./").replace("\0", "")
