"""What a 3D file holds, whatever its format: the values that every reader returns."""

from array import array
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

#: Where a side file is that a model names (relative, plain name or path), or None: not there.
Near = Callable[[str], Path | None]


class Damaged(Exception):
    """The file breaks the rules of its format; the word says how: truncated, nested …"""


class Unread(Exception):
    """The file may be sound but is not for us to read: too_large_to_read, unknown_version …"""


class Source(NamedTuple):
    """A file to read: where it is, and how its side files are found."""

    path: Path
    near: Near = lambda _: None


class Model(NamedTuple):
    """What a 3D file holds. A count is None where the format was only recognised.

    `opens` is True only after structural parsing, None when recognised only; `problem` is a
    code that says why it does not open.
    """

    opens: bool | None = None
    problem: str = ""
    triangles: int | None = None  # stored once, however often they are drawn
    triangles_drawn: int | None = None  # with every instance
    vertices: int | None = None
    draws: int | None = None  # draw calls: one for each primitive of each instance
    meshes: int | None = None
    materials: int | None = None
    textures: tuple[tuple[int, int] | None, ...] | None = None  # width, height; None: unreadable
    animations: int | None = None
    animation_seconds: float | None = None
    uv_sets: int | None = None
    extensions: tuple[str, ...] = ()  # used
    required: tuple[str, ...] = ()  # of these, those without which it cannot be shown
    side_files: tuple[str, ...] = ()  # every other file it names, as it names them
    missing_files: tuple[str, ...] = ()  # of these, those that are not near
    dimensions_m: tuple[float, float, float] | None = None  # metres, along x, y, z
    dimensions_exact: bool = False
    unit: str = ""  # what the file says its unit is, "" when it does not
    notes: tuple[str, ...] = ()  # codes of oddities worth telling


class Patch(NamedTuple):
    """Some triangles of one colour, placed in the scene: what a thumbnail is drawn from."""

    points: "array[float]"  # x, y, z, x, y, z …
    corners: "array[int]"  # three indices of points a triangle
    colour: tuple[int, int, int] = (190, 190, 190)
