"""What a glTF's scene draws: how often each mesh, where, and the box around it all.

Source: Khronos, glTF 2.0 specification, 3.5; EXT_mesh_gpu_instancing.
"""

import math
from collections import Counter
from collections.abc import Iterator
from itertools import chain, islice
from typing import NamedTuple

from figsupport.files.model3d.boxes import (
    IDENTITY,
    Box,
    Matrix,
    around,
    composed,
    keeps_axes,
    moved,
    placed,
    times,
    union,
)
from figsupport.files.model3d.gltf_document import (
    Accessor,
    Document,
    Json,
    extension,
    index,
    indices,
    integer,
    malformed,
    numbers,
    objects,
)
from figsupport.files.model3d.values import Damaged

#: placements that are walked, and points that are unpacked for a box: bounds of time
_PLACEMENTS, _POINTS = 40_000, 250_000
_MANY = 2**53
#: what places an instance → how many numbers it has
_INSTANCED = {"TRANSLATION": 3, "ROTATION": 4, "SCALE": 3}
#: drawing mode → how many triangles so many corners are. 4: triangles, 5: strip, 6: fan
_TRIANGLES = {4: lambda n: n // 3, 5: lambda n: max(n - 2, 0), 6: lambda n: max(n - 2, 0)}


class Primitive(NamedTuple):
    """A part of a mesh, drawn with one material: numbers are indices of accessors."""

    mode: int
    corners: int  # as many as are drawn
    vertices: int
    positions: int | None
    order: int | None  # of its corners
    material: int | None
    uv_sets: int
    morphed: bool

    @property
    def triangles(self) -> int:
        """How many are drawn."""
        count = _TRIANGLES.get(self.mode)
        return count(self.corners) if count else 0


class Scene:
    """The scene that is shown: the default one, else the first, else all that has no parent."""

    def __init__(self, document: Document) -> None:
        """Count how often each node is drawn. Raises Damaged when a node holds itself."""
        self.document = document
        self.meshes = [_primitives(document, mesh) for mesh in document.meshes]
        count = len(document.nodes)
        self._children = [indices(node, "children", count) for node in document.nodes]
        self._roots = self._shown()
        self._times = self._counted()
        self._left = _POINTS
        self.whole = not any("skin" in node for node in document.nodes)  # bones move it

    def drawn(self) -> list[int]:
        """Return how often each mesh is drawn, a huge number at most."""
        result = [0] * len(self.meshes)
        for node, number in self._times.items():
            mesh = index(self.document.nodes[node], "mesh", len(self.meshes))
            if mesh is not None:
                instances = self._instances(self.document.nodes[node])
                result[mesh] = min(result[mesh] + number * instances, _MANY)
        return result

    def placements(self) -> Iterator[tuple[int, Matrix]]:
        """Yield each mesh where it is drawn: its number, and its transform to the world.

        A scene of too many is walked in part: `whole` is then False.
        """
        open_ = [(iter(self._roots), IDENTITY)]
        left = _PLACEMENTS
        while open_:
            siblings, outer = open_[-1]
            number = next(siblings, None)
            if number is None:
                open_.pop()
                continue
            node = self.document.nodes[number]
            matrix = times(outer, _local(node))
            mesh = index(node, "mesh", len(self.meshes))
            if mesh is not None:
                for inner in islice(self._instance_matrices(node), left):
                    left -= 1
                    yield mesh, times(matrix, inner)
            left -= 1
            if left <= 0:
                self.whole = False
                return
            open_.append((iter(self._children[number]), matrix))

    def box(self) -> tuple[Box | None, bool]:
        """Return the box around everything drawn in metres, and whether it is exact."""
        known: dict[int, Box | None] = {}
        boxes: list[Box | None] = []
        for mesh, matrix in self.placements():
            if not keeps_axes(matrix):
                boxes.append(self._placed(mesh, matrix))
                continue
            if mesh not in known:
                known[mesh] = self._placed(mesh, IDENTITY)
            own = known[mesh]
            boxes.append(placed(own, matrix) if own else None)
        return union(boxes), self.whole

    def _shown(self) -> list[int]:
        scenes = objects(self.document.root, "scenes")
        chosen = index(self.document.root, "scene", len(scenes))
        if scenes:
            return indices(scenes[chosen or 0], "nodes", len(self._children))
        inner = set(chain.from_iterable(self._children))
        return [number for number in range(len(self._children)) if number not in inner]

    def _counted(self) -> dict[int, int]:
        """Count every way to each node without walking them all: they may multiply."""
        order: list[int] = []  # every node after those below it
        above: set[int] = set()
        seen: set[int] = set()
        open_ = [(-1, iter(self._roots))]
        while open_:
            parent, children = open_[-1]
            node = next((child for child in children if child not in seen or child in above), None)
            if node is None:
                open_.pop()
                above.discard(parent)
                order.append(parent)
            elif node in above:
                raise Damaged("recursive_nodes")
            else:
                seen.add(node)
                above.add(node)
                open_.append((node, iter(self._children[node])))
        order.pop()  # the scene itself
        ways = dict.fromkeys(order, 0)
        for root in self._roots:
            ways[root] += 1
        for node in reversed(order):
            if self._children[node]:
                for child, number in Counter(self._children[node]).items():
                    ways[child] = min(ways[child] + number * ways[node], _MANY)
        return ways

    def _instanced(self, node: Json) -> dict[str, Accessor]:
        found = extension(node, "EXT_mesh_gpu_instancing")
        attributes = found.get("attributes") if found else {}
        if not isinstance(attributes, dict):
            malformed()
        accessors = {
            name: self.document.accessor(index(attributes, name, len(self.document.accessors)) or 0)
            for name in _INSTANCED
            if name in attributes
        }
        if any(found.components != _INSTANCED[name] for name, found in accessors.items()):
            malformed()
        return accessors

    def _instances(self, node: Json) -> int:
        if "extensions" not in node:
            return 1
        found = self._instanced(node).values()
        return min((accessor.items for accessor in found), default=1)

    def _instance_matrices(self, node: Json) -> Iterator[Matrix]:
        found = self._instanced(node)
        if not found:
            yield IDENTITY
            return
        if not all(accessor.span for accessor in found.values()):
            self.whole = False
        columns = [
            chain.from_iterable(unpacked(accessor, accessor.items)) if accessor else None
            for accessor in map(found.get, _INSTANCED)
        ]
        for _ in range(self._instances(node)):
            move, turn, scale = (next(column, None) if column else None for column in columns)
            yield composed(move or (0, 0, 0), turn or (0, 0, 0, 1), scale or (1, 1, 1))

    def _placed(self, mesh: int, matrix: Matrix) -> Box | None:
        """Return the box of a mesh in its place."""
        boxes: list[Box | None] = []
        for primitive in self.meshes[mesh]:
            if primitive.positions is None:
                continue
            positions = self.document.accessor(primitive.positions)
            own = _stated(positions)
            self.whole = self.whole and positions.span is not None  # packed ones are rounded
            if own and keeps_axes(matrix):
                boxes.append(placed(own, matrix))
            elif positions.span and positions.components == 3 and self._left > 0:
                most = min(self._left, positions.items)
                self._left -= most
                self.whole = self.whole and most == positions.items
                boxes += (around(moved(b, matrix)) for b in unpacked(positions, most))
            else:
                self.whole = False
                boxes.append(placed(own, matrix) if own else None)
        return union(boxes)


def _primitives(document: Document, mesh: Json) -> list[Primitive]:
    return [_primitive(document, primitive) for primitive in objects(mesh, "primitives")]


def _primitive(document: Document, primitive: Json) -> Primitive:
    attributes = primitive.get("attributes", {})
    if not isinstance(attributes, dict):
        malformed()
    accessors = document.accessors
    for name in attributes:
        index(attributes, name, len(accessors))
    positions = index(attributes, "POSITION", len(accessors))
    order = index(primitive, "indices", len(accessors))
    vertices = 0 if positions is None else integer(accessors[positions], "count")
    return Primitive(
        integer(primitive, "mode", 4),
        vertices if order is None else integer(accessors[order], "count"),
        vertices,
        positions,
        order,
        index(primitive, "material", len(objects(document.root, "materials"))),
        sum(name.startswith("TEXCOORD_") for name in attributes),
        "targets" in primitive,
    )


def _local(node: Json) -> Matrix:
    """Return a node's own transform."""
    if not node.keys() & {"matrix", "translation", "rotation", "scale"}:
        return IDENTITY
    if m := numbers(node, "matrix", 16):
        return (*m[0::4], *m[1::4], *m[2::4])  # it is written column by column
    return composed(
        numbers(node, "translation", 3) or (0.0, 0.0, 0.0),
        numbers(node, "rotation", 4) or (0.0, 0.0, 0.0, 1.0),
        numbers(node, "scale", 3) or (1.0, 1.0, 1.0),
    )


def _stated(positions: Accessor) -> Box | None:
    """Return the box that an accessor states, in its mesh's own measure."""
    if not positions.low or not positions.high or positions.components != 3:
        return None
    return Box(_scaled(positions.low, positions), _scaled(positions.high, positions))


def _scaled(element: tuple[float, ...], accessor: Accessor) -> tuple[float, ...]:
    if accessor.whole == 1:
        return element
    return tuple(max(value / accessor.whole, -1.0) for value in element)


def unpacked(
    accessor: Accessor, most: int, *, finite: bool = True
) -> Iterator[list[tuple[float, ...]]]:
    """Yield elements in blocks, as the numbers they mean; `finite`: without those that are not."""
    for block in accessor.blocks(most):
        if accessor.whole != 1:
            yield [_scaled(element, accessor) for element in block]
        elif accessor.code == "f" and finite:
            yield [element for element in block if all(map(math.isfinite, element))]
        else:
            yield block
