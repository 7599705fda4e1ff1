"""USDZ, USDC and USDA: the layers, their side files, and the facts of the stage they make.

Source: OpenUSD documentation, UsdGeom and UsdShade schemas; USDZ file format specification.
"""

import posixpath
import re
import struct
from collections.abc import Iterator
from pathlib import Path

from figsupport.files.model3d import usd_patches
from figsupport.files.model3d.boxes import Box, around, moved, union
from figsupport.files.model3d.side_files import (
    Span,
    safe_name,
    shown,
    size_in,
    size_of_file,
)
from figsupport.files.model3d.usd_layer import Asset, Layer
from figsupport.files.model3d.usd_stage import Seen, Stage
from figsupport.files.model3d.usda import LIMIT, Text
from figsupport.files.model3d.usdc import Crate
from figsupport.files.model3d.values import Damaged, Model, Patch, Source, Unread
from figsupport.files.sniff import zip_members

#: points that are unpacked for the box, and other files that are looked at: bounds of time
_POINTS, _FILES = 300_000, 2_000
_UNITS = {1.0: "m", 0.1: "dm", 0.01: "cm", 0.001: "mm", 0.0254: "in", 0.3048: "ft"}
_CENTIMETRES, _FRAMES = 0.01, 24.0
_LAYER = re.compile(r"\.usd[ac]?$", re.IGNORECASE)
_PICTURE = re.compile(r"\.(?:png|jpe?g|tga|bmp|tiff?|exr|hdr|webp|avif|gif)$", re.IGNORECASE)
_UV = re.compile(r"texCoord[23][fdh]\[\]|float2\[\]")


def read(source: Source) -> Model:
    """Return what a USD layer or package holds. Raises Damaged, Unread and OSError."""
    files = Files(source)
    stage = Stage(files.root(), files.layer)
    facts = _Facts(files)
    for prim in stage.prims():
        facts.add(prim, stage.start)
    unit = stage.number("metersPerUnit")
    scale = unit if unit and unit > 0 else _CENTIMETRES
    box = union(facts.boxes)
    size = box.size(scale) if box else None
    first, last = stage.number("startTimeCode") or 0.0, stage.number("endTimeCode") or 0.0
    frames = stage.number("timeCodesPerSecond") or stage.number("framesPerSecond") or _FRAMES
    return Model(
        opens=not files.missing,
        problem="missing_files" if files.missing else "",
        triangles=sum(facts.meshes.values()),
        triangles_drawn=facts.drawn,
        vertices=facts.vertices,
        draws=facts.draws,
        meshes=len(facts.meshes),
        materials=facts.materials,
        textures=tuple(facts.textures),
        animations=int(facts.animated),
        animation_seconds=max(last - first, 0.0) / abs(frames) if facts.animated else None,
        uv_sets=facts.uv_sets,
        side_files=tuple(files.named),
        missing_files=tuple(files.missing),
        dimensions_m=size,
        dimensions_exact=bool(size and facts.exact),
        unit=_UNITS.get(scale, f"{scale:g} m") if unit else "",
        notes=(*files.notes, *(("skinned",) if facts.skinned else ())),
    )


def patches(source: Source) -> Iterator[Patch]:
    """Yield what a thumbnail is drawn from. Raises Damaged, Unread and OSError."""
    files = Files(source)
    yield from usd_patches.patches(Stage(files.root(), files.layer))


class Files:
    """The layers and pictures of a model: members of its package, or files beside it."""

    def __init__(self, source: Source) -> None:
        """Open the package, if it is one. Raises Damaged and OSError."""
        self._near = source.near
        self._path = source.path.resolve()
        self._span = Span(self._path, 0, self._path.stat().st_size)
        self._package = self._span.read(0, 2) == b"PK"
        self._members = _members(self._path, self._span.length) if self._package else {}
        self._layers: dict[str, Layer | None] = {}
        self.named: list[str] = []
        self.missing: list[str] = []
        self.notes: list[str] = []

    def root(self) -> Layer:
        """Return the layer that is opened first. Raises Damaged and Unread."""
        if not self._package:
            return _layer(self._span, "")
        name, span = next(iter(self._members.items()))
        return _layer(span, posixpath.dirname(name))

    def layer(self, asset: str, by: Layer) -> Layer | None:
        """Return the layer that another one names; None when it is missing or none."""
        name, span = self.find(asset, by)
        if name not in self._layers:
            self._layers[name] = None
            if span and _LAYER.search(name):
                self._layers[name] = _layer(span, posixpath.dirname(name))
            elif span:
                self._note("unread_layer")
        return self._layers[name]

    def find(self, asset: str, by: Layer) -> tuple[str, Span | None]:
        """Return an asset's name from the root on, and its bytes; missing ones are kept."""
        name = posixpath.normpath(posixpath.join(by.folder, asset))
        safe = safe_name(name) if safe_name(asset.replace("../", "")) else None
        span = self._bytes(safe) if safe else None
        word = safe or shown(asset)
        if not self._package and word not in self.named:
            self.named.append(word)
        if len(self.named) + len(self.missing) > _FILES:
            raise Unread("too_large_to_read")
        if not safe:
            self._note("unsafe_reference")
        if not span and shown(asset) not in self.missing:
            self.missing.append(shown(asset))
        return word, span

    def _bytes(self, name: str) -> Span | None:
        if self._package:
            return self._members.get(name)
        path = self._near(name)
        size = size_of_file(path) if path else None
        return None if path is None or size is None else Span(path, 0, size)

    def _note(self, code: str) -> None:
        if code not in self.notes:
            self.notes.append(code)


def _layer(span: Span, folder: str) -> Layer:
    if span.read(0, 8) == b"PXR-USDC":
        return Crate(span, folder)
    if span.read(0, 5) != b"#usda":
        raise Damaged("malformed" if span.length else "truncated")
    if span.length > LIMIT:
        raise Unread("too_large_to_read")
    return Text(span.read(0, span.length), folder)


def _members(path: Path, size: int) -> dict[str, Span]:
    """Return a package's files by name, the root first. Raises Damaged."""
    members = sorted(zip_members(path) or (), key=lambda member: member.start)
    if not members:
        raise Damaged("truncated")
    found: dict[str, Span] = {}
    whole = Span(path, 0, size)
    for member in members:
        if member.name.endswith("/"):
            continue
        header = whole.read(member.start, 30)
        if len(header) < 30 or header[:4] != b"PK\3\4":
            raise Damaged("truncated")
        flags, names, extra = (struct.unpack_from("<H", header, at)[0] for at in (6, 26, 28))
        start = member.start + 30 + names + extra
        if not member.stored or flags & 1:
            raise Damaged("encrypted" if flags & 1 else "compressed_package")
        if member.packed != member.size or start + member.size > size:
            raise Damaged("truncated")
        found[posixpath.normpath(member.name)] = whole.part(start, member.size)
    if not found or not _LAYER.search(next(iter(found))):
        raise Damaged("malformed")
    return found


class _Facts:
    """What is counted over the prims of a stage."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self.meshes: dict[int, int] = {}  # the strongest prim of each → triangles
        self.boxes: list[Box | None] = []
        self.textures: list[tuple[int, int] | None] = []
        self.drawn = self.vertices = self.draws = self.materials = self.uv_sets = 0
        self.animated = self.skinned = False
        self.exact = True
        self._left = _POINTS
        self._pictures: set[str] = set()

    def add(self, prim: Seen, at: float | None) -> None:
        """Count one prim."""
        if prim.type_name == "Mesh":
            self._mesh(prim, at)
        elif prim.type_name == "Material":
            self.materials += 1
        elif prim.type_name in ("Skeleton", "SkelRoot"):
            self.skinned = self.skinned or prim.type_name == "Skeleton"
        elif prim.type_name == "PointInstancer":
            self.exact = False  # what it draws is not followed
        self._properties(prim)

    def _mesh(self, prim: Seen, at: float | None) -> None:
        corners, faces = _length(prim, "faceVertexIndices"), _length(prim, "faceVertexCounts")
        triangles = max(corners - 2 * faces, 0)  # a face of n corners is n - 2 triangles
        mesh = id(next((p for _, p in reversed(prim.opinions) if "points" in p.properties), prim))
        if mesh not in self.meshes:
            self.meshes[mesh] = triangles
            self.vertices += _length(prim, "points")
        self.drawn += triangles
        self.draws += 1
        points = prim.raw("points", at)
        count = _length(prim, "points")
        if points is None:
            return
        self.exact = self.exact and count <= self._left
        blocks = points[0].triples(points[1], self._left)
        self.boxes += (around(moved(block, prim.matrix)) for block in blocks)
        self._left = max(self._left - count, 0)

    def _properties(self, prim: Seen) -> None:
        uv_sets: set[str] = set()
        for layer, opinion in prim.opinions:
            for name, fields in opinion.properties.items():
                kind = layer.value(fields.get("typeName"))
                if name.startswith("primvars:") and _UV.fullmatch(str(kind)):
                    uv_sets.add(name)
                if "timeSamples" in fields and len(layer.samples(fields["timeSamples"])) > 1:
                    self.animated = True
                if kind in ("asset", "asset[]"):
                    self._assets(layer, layer.value(fields.get("default")))
        self.uv_sets = max(self.uv_sets, len(uv_sets))

    def _assets(self, layer: Layer, value: object) -> None:
        for asset in value if isinstance(value, list) else [value]:
            if not isinstance(asset, Asset) or not asset.path or "<UDIM>" in asset.path:
                continue
            name, span = self._files.find(asset.path, layer)
            if span and name not in self._pictures and _PICTURE.search(name):
                self._pictures.add(name)
                self.textures.append(size_in(span))


def _length(prim: Seen, name: str) -> int:
    found = prim.raw(name)
    return (found[0].length(found[1]) or 0) if found else 0
