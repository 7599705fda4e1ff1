"""A USD layer, binary or text, as one tree of prims: what its two readers give."""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

#: prims and properties of one layer that are kept: a bound of memory
SPECS = 150_000


class Asset(NamedTuple):
    """Another file, as a layer names it."""

    path: str


class Reference(NamedTuple):
    """A prim elsewhere; `asset` is "" for this layer, `prim` is "" for the layer's default."""

    asset: str
    prim: str


class Prim:
    """What a layer says of a prim; values are raw: the layer reads them when they are asked for."""

    __slots__ = ("children", "fields", "properties", "variants")

    def __init__(self) -> None:
        """Make one that says nothing."""
        self.fields: dict[str, object] = {}
        self.properties: dict[str, dict[str, object]] = {}
        self.children: dict[str, Prim] = {}
        self.variants: dict[tuple[str, str], Prim] = {}

    def at(self, path: str) -> "Prim | None":
        """Return the prim of a path below this one: /a/b."""
        found: Prim | None = self
        for name in path.strip("/").split("/"):
            found = found.children.get(name) if found else None
        return found


class Layer(Protocol):
    """A layer: its root, and how its raw values are read."""

    root: Prim
    folder: str  # where its assets are looked for
    real_first: bool  # a quaternion's real part stands before the others

    def value(self, raw: object) -> object:
        """Return a number, word, tuple, Asset, Reference or list of these; None: not known."""

    def length(self, raw: object) -> int | None:
        """Return how many elements an array has, without unpacking it; None: no array."""

    def samples(self, raw: object) -> list[tuple[float, object]]:
        """Return times and raw values."""

    def triples(self, raw: object, most: int) -> Iterator[list[tuple[float, ...]]]:
        """Yield at most so many elements of an array of three numbers, in blocks."""
