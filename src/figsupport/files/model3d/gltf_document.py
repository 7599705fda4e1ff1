"""A glTF 2.0 document: its JSON, checked against the bytes it speaks of.

Source: Khronos glTF 2.0 specification, sections 3.6 (binary data) and 4 (GLB).
"""

import base64
import binascii
import json
import struct
from array import array
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, TypeVar

from figsupport.files.model3d.facts import IDENTITY, Matrix, Unreadable, damaged, placement
from figsupport.files.model3d.facts import product, too_large, truncated
from figsupport.files.model3d.source import MIB, Folder, Memory, Part, Source, relative_name

MAX_JSON = 8 * MIB
MAX_CONTAINERS = 500_000
MAX_VALUES = 1_000_000
MAX_NODES = 200_000
COMPONENTS = {5120: "b", 5121: "B", 5122: "h", 5123: "H", 5125: "I", 5126: "f"}
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT2": 4, "MAT3": 9, "MAT4": 16}
MESHOPT = ("EXT_meshopt_compression", "KHR_meshopt_compression")

Object = dict[str, Any]
T = TypeVar("T")


class Accessor(NamedTuple):
    """A typed view of a buffer; `source` is None when the bytes are compressed or absent."""

    count: int
    code: str
    width: int
    stride: int
    source: Source | None
    raw: Object


class Drawn(NamedTuple):
    """A mesh as the scene shows it: where, how many times, and whether a skeleton moves it."""

    mesh: int
    matrix: Matrix
    instances: int
    skinned: bool


class Document:
    """A parsed glTF or GLB; raises Unreadable for whatever contradicts itself."""

    def __init__(self, source: Source, folder: Folder, *, binary: bool) -> None:
        self.missing: list[str] = []
        self.forbidden: list[str] = []
        self._folder = folder
        self._bin: Source | None = None
        if binary:
            text = self._glb(source)
        else:
            text = Part(source, 0, source.size)
        self.json = _load(text)
        _version(self.json)
        self.buffers = [self._buffer(i, b) for i, b in enumerate(self.list_of("buffers"))]
        self.views = [self._view(view) for view in self.list_of("bufferViews")]
        self._backed = source.size + sum(buffer.size for buffer in self.buffers if buffer)
        self.accessors = [self._accessor(raw) for raw in self.list_of("accessors")]

    def list_of(self, key: str) -> list[Object]:
        """Return one of the top-level lists of objects."""
        return objects(self.json, key)

    def external(self, uri: str) -> Source | None:
        """Return what a URI means: data in itself or a side file; None is noted as missing."""
        if uri.startswith("data:"):
            return _data(uri)
        name = relative_name(uri)
        if name is None:
            self.forbidden.append(uri[:200])
            return None
        found = self._folder.find(name)
        if found is None and name not in self.missing:
            self.missing.append(name)
        return found

    def image(self, raw: Object) -> tuple[Source | None, str]:
        """Return the bytes of an image and its name; raises Unreadable for a bad view."""
        if "uri" in raw:
            uri = text_of(raw["uri"])
            return self.external(uri), "" if uri.startswith("data:") else uri
        return pick(self.views, raw["bufferView"]), ""

    def _glb(self, source: Source) -> Source:
        magic, version, length, size, kind = struct.unpack("<4sIII4s", source.read(0, 20))
        if magic != b"glTF":
            raise damaged("pas un GLB", "not a GLB")
        if version == 1:
            raise _obsolete("1.0")
        if length > source.size:
            raise truncated(source.size, length)
        if kind != b"JSON" or size > length - 20:
            raise damaged("la partie JSON manque", "the JSON chunk is missing")
        end = 20 + size
        # Chunks are multiples of 4 by the specification; real files forget the padding.
        for start in dict.fromkeys((end, end + -end % 4)):
            if start + 8 <= source.size:
                bytes_, kind = struct.unpack("<I4s", source.read(start, 8))
                if kind == b"BIN\0":
                    self._bin = Part(source, start + 8, bytes_)
                    break
        return Part(source, 20, size)

    def _buffer(self, index: int, raw: Object) -> Source | None:
        length = whole_number(raw.get("byteLength"))
        if "uri" in raw:
            found = self.external(text_of(raw["uri"]))
        elif index == 0 and self._bin is not None:
            found = self._bin
        elif any(key in extensions(raw) for key in MESHOPT):
            return None  # a fallback buffer: only a length, the bytes are compressed elsewhere
        else:
            raise damaged("les données binaires manquent", "the binary data is missing")
        if found is None:
            return None
        return Part(found, 0, length)

    def _view(self, raw: Object) -> Source | None:
        offset, length = whole_number(raw.get("byteOffset", 0)), whole_number(raw["byteLength"])
        buffer = pick(self.buffers, raw["buffer"])
        declared = whole_number(pick(self.list_of("buffers"), raw["buffer"])["byteLength"])
        if offset + length > declared:
            raise truncated(declared, offset + length)
        for key in MESHOPT:
            packed = extensions(raw).get(key)
            if isinstance(packed, dict):
                behind = pick(self.buffers, packed["buffer"])
                at, size = whole_number(packed.get("byteOffset", 0)), packed["byteLength"]
                if behind is not None:
                    Part(behind, at, whole_number(size))
                return None
        return None if buffer is None else Part(buffer, offset, length)

    def _accessor(self, raw: Object) -> Accessor:
        count = whole_number(raw["count"])
        code, width = COMPONENTS[whole_number(raw["componentType"])], WIDTHS[raw["type"]]
        element = struct.calcsize(code) * width
        if "bufferView" not in raw:
            if count > 1000 * self._backed:
                raise damaged("des quantités impossibles", "impossible counts")
            return Accessor(count, code, width, element, None, raw)
        view = pick(self.views, raw["bufferView"])
        described = pick(self.list_of("bufferViews"), raw["bufferView"])
        stride = whole_number(described.get("byteStride", 0)) or element
        offset = whole_number(raw.get("byteOffset", 0))
        need = offset + stride * (count - 1) + element if count else 0
        available = whole_number(described["byteLength"])
        if need > available:
            raise truncated(available, need)
        if view is None or "sparse" in raw:
            return Accessor(count, code, width, stride, None, raw)
        return Accessor(count, code, width, stride, Part(view, offset, view.size - offset), raw)

    def drawn(self) -> Iterator[Drawn]:
        """Yield every mesh the (default) scene shows; raises Unreadable for a cyclic scene."""
        nodes = self.list_of("nodes")
        meshes = len(self.list_of("meshes"))
        if len(nodes) > MAX_NODES:
            raise too_large("trop de nœuds", "too many nodes")
        seen: set[int] = set()
        waiting = [(index, IDENTITY) for index in self._roots(nodes)]
        while waiting:
            index, above = waiting.pop()
            if index in seen:
                raise damaged("la scène se contient elle-même", "the scene contains itself")
            seen.add(index)
            node = pick(nodes, index)
            matrix = product(above, _local(node))
            if "mesh" in node:
                mesh = whole_number(node["mesh"])
                if mesh >= meshes:
                    raise damaged("un maillage manque", "a mesh is missing")
                yield Drawn(mesh, matrix, self._instances(node), "skin" in node)
            waiting += [(whole_number(child), matrix) for child in node.get("children", ())]

    def _roots(self, nodes: list[Object]) -> list[int]:
        scenes = self.list_of("scenes")
        if scenes:
            scene = pick(scenes, self.json.get("scene", 0))
            return [whole_number(index) for index in dict.fromkeys(scene.get("nodes", ()))]
        children = {whole_number(c) for node in nodes for c in node.get("children", ())}
        return [index for index in range(len(nodes)) if index not in children]

    def _instances(self, node: Object) -> int:
        instancing = extensions(node).get("EXT_mesh_gpu_instancing")
        if not isinstance(instancing, dict):
            return 1
        counts = [pick(self.accessors, i).count for i in instancing["attributes"].values()]
        return max(counts, default=1)


def read_columns(accessor: Accessor, start: int, count: int) -> list[Sequence[float]]:
    """Return elements `start` … `start + count` of an accessor with bytes, as its columns."""
    if accessor.source is None:
        raise damaged("données absentes", "no data")
    item, element = struct.calcsize(accessor.code), accessor.width
    stride = accessor.stride
    size = stride * (count - 1) + item * element
    data = accessor.source.read(start * stride, size)
    if stride % item == 0:
        values = array(accessor.code, data)
        step = stride // item
        return [values[column::step] for column in range(element)]
    rows = struct.iter_unpack(
        f"<{element}{accessor.code}{stride - item * element}x",
        data + bytes(stride * count - len(data)),
    )
    return [array(accessor.code, column) for column in zip(*rows, strict=True)]


def objects(raw: Object, key: str) -> list[Object]:
    """Return a list of objects of a JSON object; an absent one is empty."""
    found = raw.get(key, [])
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise damaged(f"« {key} » n'est pas une liste", f"{key!r} is not a list")
    return found


def extensions(raw: Object) -> Object:
    """Return the extensions of a JSON object; an absent one is empty."""
    found = raw.get("extensions", {})
    return found if isinstance(found, dict) else {}


def whole_number(value: object) -> int:
    """Return a count or an index; some exporters write `3.0`."""
    if isinstance(value, float) and value.is_integer() and 0 <= value < 2**53:
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise damaged("un nombre n'a pas de sens", "a number makes no sense")
    return value


def text_of(value: object) -> str:
    """Return a text."""
    if not isinstance(value, str):
        raise damaged("un texte n'en est pas un", "a text is none")
    return value


def pick(items: list[T], index: object) -> T:
    """Return the item of that index; raises Unreadable when there is none."""
    at = whole_number(index)
    if at >= len(items):
        raise damaged("une référence ne mène nulle part", "a reference leads nowhere")
    return items[at]


def _load(source: Source) -> Object:
    if source.size > MAX_JSON:
        raise too_large("plus de 8 Mo de JSON", "more than 8 MB of JSON")
    data = source.read(0, source.size)
    # Parsed JSON takes up to 80 bytes of memory a byte: count before parsing.
    if data.count(b"{") + data.count(b"[") > MAX_CONTAINERS or data.count(b",") > MAX_VALUES:
        raise too_large("trop d'éléments", "too many elements")
    try:
        document = json.loads(data.rstrip(b"\0 \t\r\n").decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise damaged("le JSON est illisible", "the JSON cannot be parsed") from error
    if not isinstance(document, dict):
        raise damaged("ce JSON n'est pas un glTF", "this JSON is not glTF")
    return document


def _version(document: Object) -> None:
    asset = document.get("asset")
    version = asset.get("version") if isinstance(asset, dict) else None
    if not isinstance(version, str):
        raise damaged("ce JSON n'est pas un glTF", "this JSON is not glTF")
    if not version.startswith("2."):
        raise _obsolete(version[:10])


def _obsolete(version: str) -> Unreadable:
    return Unreadable(
        f"la version {version} de glTF n'est pas prise en charge (il faut la 2.0)",
        f"glTF version {version} is not supported (2.0 is)",
    )


def _data(uri: str) -> Source:
    kind, comma, content = uri.partition(",")
    if not comma or not kind.endswith(";base64"):
        raise damaged("des données incluses illisibles", "unreadable embedded data")
    try:
        return Memory(base64.b64decode(content))
    except (binascii.Error, ValueError) as error:
        raise damaged("des données incluses illisibles", "unreadable embedded data") from error


def _local(node: Object) -> Matrix:
    if "matrix" in node:
        m = [float(value) for value in node["matrix"]]
        if len(m) != 16:
            raise damaged("une matrice est incomplète", "a matrix is incomplete")
        return tuple(m[column * 4 + row] for row in range(3) for column in range(4))
    if not {"translation", "rotation", "scale"} & node.keys():
        return IDENTITY
    return placement(
        [float(v) for v in node.get("translation", (0, 0, 0))],
        [float(v) for v in node.get("rotation", (0, 0, 0, 1))],
        [float(v) for v in node.get("scale", (1, 1, 1))],
    )
