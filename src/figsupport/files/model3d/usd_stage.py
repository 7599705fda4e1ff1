"""Layers put together: what a prim is when all that is said of it is heard, and where it stands.

Source: OpenUSD glossary (LIVERPS strength order), UsdGeomXformable.
"""

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

from figsupport.files.model3d.boxes import IDENTITY, Matrix, composed, times
from figsupport.files.model3d.usd_layer import Asset, Layer, Prim, Reference
from figsupport.files.model3d.values import Damaged, Unread

#: prims that are visited and opinions on one of them: bounds of time
_VISITS, _OPINIONS, _DEPTH = 40_000, 64, 200
_CLASS, _OVER = 2, 1
_AXES = {"X": (1.0, 0.0, 0.0), "Y": (0.0, 1.0, 0.0), "Z": (0.0, 0.0, 1.0)}

Opinion = tuple[Layer, Prim]
#: Opens the layer that another one names; None when it is not there or no layer
Opener = Callable[[str, Layer], Layer | None]


class Seen(NamedTuple):
    """A prim of the stage: the strongest opinion first, and its transform to the world."""

    opinions: list[Opinion]
    matrix: Matrix
    type_name: str

    def raw(self, name: str, at: float | None = None) -> tuple[Layer, object] | None:
        """Return a property's strongest value, at a time when it has several."""
        return _raw(self.opinions, name, at)

    def value(self, name: str) -> object:
        """Return the same, read."""
        found = self.raw(name)
        return found[0].value(found[1]) if found else None


class Stage:
    """A root layer with all that it brings in."""

    def __init__(self, root: Layer, opener: Opener) -> None:
        """Open its sublayers. Raises Damaged."""
        self._open = opener
        self._stacks: dict[int, list[Layer]] = {}
        self.layers = self._stack(root)
        self.start = self.number("startTimeCode")

    def metadata(self, name: str) -> object:
        """Return what the root layer says, None when it does not."""
        for layer in self.layers:
            if (raw := layer.root.fields.get(name)) is not None:
                return layer.value(raw)
        return None

    def number(self, name: str) -> float | None:
        """Return the same as a finite number."""
        found = self.metadata(name)
        return float(found) if isinstance(found, int | float) and math.isfinite(found) else None

    def prims(self) -> Iterator[Seen]:
        """Yield every prim that is defined and active. Raises Unread when they are too many."""
        root: list[Opinion] = [(layer, layer.root) for layer in self.layers]
        open_ = [(iter(self._children(root)), IDENTITY)]
        left = _VISITS
        while open_:
            siblings, outer = open_[-1]
            name = next(siblings, None)
            if name is None:
                open_.pop()
                continue
            left -= 1
            if left < 0 or len(open_) > _DEPTH:
                raise Unread("too_large_to_read")
            opinions = self._composed(name)
            if not _is_shown(opinions):
                continue
            matrix, resets = _local(opinions, self.start)
            world = matrix if resets else times(outer, matrix)
            yield Seen(opinions, world, _word(opinions, "typeName"))
            open_.append((iter(self._children(opinions)), world))

    def _children(self, opinions: list[Opinion]) -> list[list[Opinion]]:
        found: dict[str, list[Opinion]] = {}
        for layer, prim in opinions:
            for name, child in prim.children.items():
                found.setdefault(name, []).append((layer, child))
        return list(found.values())

    def _composed(self, opinions: list[Opinion]) -> list[Opinion]:
        """Add what a prim brings in: variants, inherited, referenced and payload prims."""
        found: list[Opinion] = []
        waiting = list(opinions)
        while waiting and len(found) < _OPINIONS:
            layer, prim = waiting.pop(0)
            if any(prim is known for _, known in found):
                continue
            found.append((layer, prim))
            waiting[:0] = self._brought(layer, prim, found)
        return found

    def _brought(self, layer: Layer, prim: Prim, known: list[Opinion]) -> list[Opinion]:
        brought: list[Opinion] = []
        if prim.variants:
            chosen = _selections([*known, (layer, prim)])
            brought += (
                (layer, variant)
                for (name, choice), variant in prim.variants.items()
                if chosen.get(name) == choice
            )
        for name in ("inherits", "inheritPaths", "references", "payload", "specializes"):
            if name in prim.fields:
                for reference in _references(layer.value(prim.fields[name])):
                    brought += self._target(layer, reference)
        return brought

    def _target(self, layer: Layer, reference: Reference) -> list[Opinion]:
        target = self._open(reference.asset, layer) if reference.asset else layer
        if target is None:
            return []
        stack = self._stack(target)
        path = reference.prim
        if not path:
            default = target.value(target.root.fields.get("defaultPrim"))
            path = default if isinstance(default, str) else ""
        if not path.strip("/"):
            return []
        return [(each, prim) for each in stack if (prim := each.root.at(path))]

    def _stack(self, layer: Layer) -> list[Layer]:
        """Return a layer and those under it."""
        if id(layer) in self._stacks:
            return self._stacks[id(layer)]
        stack: list[Layer] = []
        waiting = [layer]
        while waiting:
            one = waiting.pop(0)
            if any(one is known for known in stack):
                continue
            if len(stack) >= _OPINIONS:
                raise Unread("too_large_to_read")
            stack.append(one)
            below = one.value(one.root.fields.get("subLayers"))
            for name in below if isinstance(below, list) else ():
                path = name.path if isinstance(name, Asset) else name
                if isinstance(path, str) and (found := self._open(path, one)):
                    waiting.append(found)
        self._stacks[id(layer)] = stack
        return stack


def _is_shown(opinions: list[Opinion]) -> bool:
    specifiers = [_field(layer, prim, "specifier") for layer, prim in opinions]
    strongest = next((one for one in specifiers if one not in (_OVER, None)), _OVER)
    active = next((a for o in opinions if (a := _field(*o, "active")) is not None), True)
    return strongest not in (_OVER, _CLASS) and active not in (False, "false", 0)


def _field(layer: Layer, prim: Prim, name: str) -> object:
    raw = prim.fields.get(name)
    return None if raw is None else layer.value(raw)


def _word(opinions: list[Opinion], name: str) -> str:
    for layer, prim in opinions:
        if (found := _field(layer, prim, name)) and isinstance(found, str):
            return found
    return ""


def _selections(opinions: list[Opinion]) -> dict[str, str]:
    chosen: dict[str, str] = {}
    for layer, prim in opinions:
        for name in ("variantSelection", "variants"):
            found = _field(layer, prim, name)
            if isinstance(found, dict):
                chosen = {str(k): str(v) for k, v in found.items()} | chosen
    return chosen


def _references(value: object) -> Iterator[Reference]:
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, Reference):
            yield item
        elif isinstance(item, Asset):
            yield Reference(item.path, "")
        elif isinstance(item, str) and item != "None":
            yield Reference("", item)


def _raw(opinions: list[Opinion], name: str, at: float | None) -> tuple[Layer, object] | None:
    for layer, prim in opinions:
        fields = prim.properties.get(name, {})
        samples = layer.samples(fields.get("timeSamples"))
        if samples:
            before = [raw for time, raw in samples if at is not None and time <= at]
            return layer, before[-1] if before else samples[0][1]
        if "default" in fields:
            return layer, fields["default"]
    return None


def _local(opinions: list[Opinion], at: float | None) -> tuple[Matrix, bool]:
    """Return a prim's own transform, and whether it leaves out those above it."""
    found = _raw(opinions, "xformOpOrder", at)
    order = found[0].value(found[1]) if found else None
    if not isinstance(order, list):
        return IDENTITY, False
    matrix = IDENTITY
    resets = False
    for name in order[:100]:
        if name == "!resetXformStack!":
            matrix, resets = IDENTITY, True
        elif isinstance(name, str):
            plain = name.removeprefix("!invert!")
            found = _raw(opinions, plain, at)
            value = found[0].value(found[1]) if found else None
            step = _step(plain, value, real_first=bool(found and found[0].real_first))
            matrix = times(matrix, _inverse(step) if name != plain else step)
    return matrix, resets


def _step(name: str, value: object, *, real_first: bool) -> Matrix:
    """Return the transform of one operation: xformOp:rotateXYZ …"""
    kind = name.split(":")[1] if ":" in name else ""
    flat = _flat(value)
    if not all(map(math.isfinite, flat)):
        return IDENTITY
    if kind == "transform" and len(flat) == 16:  # written for rows: its transpose is ours
        return (*flat[0::4], *flat[1::4], *flat[2::4])
    if kind == "translate" and len(flat) == 3:
        return composed(flat, (0, 0, 0, 1), (1, 1, 1))
    if kind == "scale" and len(flat) == 3:
        return composed((0, 0, 0), (0, 0, 0, 1), flat)
    if kind == "orient" and len(flat) == 4:
        return composed((0, 0, 0), (*flat[1:], flat[0]) if real_first else flat, (1, 1, 1))
    if kind.startswith("rotate") and len(flat) == len(kind) - 6:
        matrix = IDENTITY
        for axis, degrees in zip(kind[6:], flat, strict=True):
            half = math.radians(degrees) / 2
            x, y, z = (part * math.sin(half) for part in _AXES.get(axis, (0, 0, 0)))
            turn = composed((0, 0, 0), (x, y, z, math.cos(half)), (1, 1, 1))
            matrix = times(turn, matrix)  # the first letter turns first
        return matrix
    return IDENTITY


def _flat(value: object) -> tuple[float, ...]:
    if isinstance(value, int | float):
        return (float(value),)
    items = value if isinstance(value, tuple | list) else ()
    return tuple(number for item in items for number in _flat(item))


def _inverse(m: Matrix) -> Matrix:
    """Return the transform that undoes one; the same where nothing does. Source: Cramer."""
    a, b, c, x, d, e, f, y, g, h, i, z = m
    det = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)
    if not det:
        raise Damaged("malformed")
    rows = (
        ((e * i - f * h) / det, (c * h - b * i) / det, (b * f - c * e) / det),
        ((f * g - d * i) / det, (a * i - c * g) / det, (c * d - a * f) / det),
        ((d * h - e * g) / det, (b * g - a * h) / det, (a * e - b * d) / det),
    )
    return tuple(n for p, q, r in rows for n in (p, q, r, -(p * x + q * y + r * z)))
