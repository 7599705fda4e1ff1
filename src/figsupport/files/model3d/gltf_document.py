"""A glTF as a document: its JSON, and where the bytes of its buffers and images are.

Source: Khronos, glTF 2.0 specification (ISO/IEC 12113), sections 3.6 and 4.4.
"""

import binascii
import json
import math
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, NoReturn, TypeVar
from urllib.parse import unquote_to_bytes

from figsupport.files.model3d.side_files import (
    Span,
    read_part,
    safe_name,
    shown,
    size_in,
    size_of_file,
)
from figsupport.files.model3d.values import Damaged, Source, Unread

Json = dict[str, Any]
T = TypeVar("T")

#: as much JSON as is parsed, and objects and lists in it: bounds of time and memory
JSON_LIMIT, _PARTS = 8 << 20, 300_000
#: other files and images that are looked at
_FILES = 2_000
#: elements that are unpacked at once
_BLOCK = 4_096

#: componentType → how struct calls it, its bytes, and what 1.0 is when it is normalised
_COMPONENTS = {
    5120: ("b", 1, 127), 5121: ("B", 1, 255), 5122: ("h", 2, 32_767), 5123: ("H", 2, 65_535),
    5125: ("I", 4, 4_294_967_295), 5126: ("f", 4, 1),
}  # fmt: skip
_TYPES = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT2": 4, "MAT3": 9, "MAT4": 16}
_MESHOPT = ("EXT_meshopt_compression", "KHR_meshopt_compression")


class Accessor(NamedTuple):
    """A list of numbers; `span` is None when nothing holds them as they are."""

    items: int
    components: int
    code: str
    size: int  # bytes of an element
    stride: int
    whole: int  # what 1.0 is written as
    span: Span | None
    low: tuple[float, ...] | None
    high: tuple[float, ...] | None

    def blocks(self, most: int) -> Iterator[list[tuple[float, ...]]]:
        """Yield its elements in blocks; of more than `most`, blocks evenly spread over them.

        Raises Damaged.
        """
        if self.span is None:
            return
        step = max(1, math.ceil(self.items / max(most, 1))) * _BLOCK
        block = _BLOCK if step == _BLOCK else max(1, _BLOCK // 16)
        layout = struct.Struct(f"<{self.components}{self.code}{self.stride - self.size}x")
        for first in range(0, self.items, step if block == _BLOCK else step // 16):
            count = min(block, self.items - first)
            data = self.span.read(first * self.stride, (count - 1) * self.stride + self.size)
            data = data.ljust(count * self.stride, b"\0")
            yield list(layout.iter_unpack(data))


class Document:
    """A glTF whose parts are where it says. What is wrong is kept: `problems`, `missing`."""

    def __init__(self, source: Source, root: Json, blob: Span | None) -> None:
        """Resolve buffers and check every list of bytes against what is there. Raises Damaged."""
        self.root = root
        self.problems: list[str] = []
        self.notes: list[str] = []
        self.side_files: list[str] = []
        self.missing: list[str] = []
        self._near = source.near
        self._followed: dict[str, Span | None] = {}
        self.accessors = objects(root, "accessors")
        self.views = objects(root, "bufferViews")
        self.nodes = objects(root, "nodes")
        self.meshes = objects(root, "meshes")
        self._buffers = [
            self._buffer(buffer, blob if number == 0 else None)
            for number, buffer in enumerate(objects(root, "buffers"))
        ]
        for number in range(len(self.accessors)):
            self.accessor(number)

    def problem(self, code: str) -> None:
        """Keep what keeps the file from opening."""
        if code not in self.problems:
            self.problems.append(code)

    def note(self, code: str) -> None:
        """Keep an oddity."""
        if code not in self.notes:
            self.notes.append(code)

    def accessor(self, number: int) -> Accessor:
        """Return an accessor, its place checked against its buffer. Raises Damaged."""
        found = self.accessors[number]
        try:
            code, width, whole = _COMPONENTS[integer(found, "componentType")]
            components = _TYPES[found.get("type", "")]
        except (KeyError, TypeError):
            malformed()
        count, size = integer(found, "count"), width * components
        view = member(found, "bufferView", self.views)
        stride, span = size, None
        if view is not None:
            stride = integer(view, "byteStride", 0) or size
            if not size <= stride <= 252:
                malformed()
            start, length = integer(found, "byteOffset", 0), integer(view, "byteLength")
            if start + stride * (count - 1) + size > length:
                self.problem("out_of_bounds")
            elif (bytes_ := self.view(view)) and "sparse" not in found:
                span = bytes_.part(start, length - start)
        return Accessor(
            count, components, code, size, stride, whole if found.get("normalized") else 1, span,
            numbers(found, "min", components), numbers(found, "max", components),
        )  # fmt: skip

    def view(self, view: Json) -> Span | None:
        """Return the bytes of a buffer view; None when they are missing or compressed."""
        packed = next((e for name in _MESHOPT if (e := extension(view, name))), None)
        where = packed or view
        buffer = member(where, "buffer", self._buffers)
        start, length = integer(where, "byteOffset", 0), integer(where, "byteLength")
        if buffer is None:
            if member(where, "buffer", objects(self.root, "buffers")) is None:
                malformed()
            if not self.missing:
                self.problem("missing_data")
            return None
        if start + length > buffer.length:
            self.problem("out_of_bounds")
            return None
        return None if packed else buffer.part(start, length)

    def image_sizes(self) -> tuple[tuple[int, int] | None, ...]:
        """Return width and height of every image that is there. Raises Damaged."""
        sizes: list[tuple[int, int] | None] = []
        known: dict[Span, tuple[int, int] | None] = {}
        found = objects(self.root, "images")
        if len(found) > _FILES:
            raise Unread("too_large_to_read")
        for image in found:
            span = self._image(image)
            if span is None:
                continue
            if span not in known:
                known[span] = size_in(span)
            if known[span] is None:
                self.note("unreadable_texture")
            sizes.append(known[span])
        return tuple(sizes)

    def _image(self, image: Json) -> Span | None:
        if "uri" in image:
            return self._follow(image["uri"])
        view = member(image, "bufferView", self.views)
        if view is None:
            self.problem("missing_data")
            return None
        return self.view(view)

    def _buffer(self, buffer: Json, blob: Span | None) -> Span | None:
        length = integer(buffer, "byteLength")
        span = self._follow(buffer["uri"]) if "uri" in buffer else blob
        if span is None:
            return None
        if span.length < length:
            self.problem("truncated")
        return span.part(0, length)

    def _follow(self, uri: object) -> Span | None:
        """Return the bytes that a URI stands for; a file that is not there is kept as missing."""
        if not isinstance(uri, str):
            malformed()
        if uri[:5].lower() == "data:":
            return _data(uri)
        if uri not in self._followed:
            if len(self._followed) >= _FILES:
                raise Unread("too_large_to_read")
            self._followed[uri] = self._side_file(uri)
        return self._followed[uri]

    def _side_file(self, uri: str) -> Span | None:
        name = safe_name(uri, encoded=True)
        self.side_files.append(name or shown(uri))
        path = self._near(name) if name else None
        size = size_of_file(path) if path else None
        if size is not None:
            return Span(path, 0, size)
        if name is None:
            self.note("unsafe_reference")
        self.missing.append(self.side_files[-1])
        self.problem("missing_files")
        return None


def open_document(source: Source) -> Document:
    """Return a GLB or glTF as a document. Raises Damaged, Unread and OSError."""
    path = source.path.resolve()
    size = path.stat().st_size
    if read_part(path, 0, 4) != b"glTF":
        return Document(source, _parsed(Span(path, 0, size)), None)
    version, length = struct.unpack("<II", read_part(path, 4, 8))
    if version != 2:
        raise Unread("unknown_version")
    text = _chunk(path, 12, size, b"JSON")
    if text is None:
        raise Damaged("truncated" if size < 20 else "malformed")
    if text.start + text.length > size:
        raise Damaged("truncated")
    end = text.start + text.length
    aligned = -(-end // 4) * 4
    blob = _chunk(path, end, size, b"BIN\0") or _chunk(path, aligned, size, b"BIN\0")
    document = Document(source, _parsed(text), blob)
    if length > size or (blob and blob.start + blob.length > size):
        document.problems.insert(0, "truncated")  # all else comes from that
    if end != aligned:
        document.note("unaligned_chunk")
    return document


def _chunk(path: Path, at: int, size: int, kind: bytes) -> Span | None:
    """Return the bytes of a chunk of this kind that begins here."""
    header = read_part(path, at, 8)
    if len(header) < 8 or header[4:] != kind:
        return None
    (length,) = struct.unpack_from("<I", header)
    return Span(path, at + 8, length if kind == b"JSON" else min(length, size - at - 8))


def _parsed(text: Span) -> Json:
    """Return the JSON, when it is small enough to be parsed and a glTF 2."""
    if text.length > JSON_LIMIT:
        raise Unread("too_large_to_read")
    content = text.read(0, text.length).rstrip(b"\0 \t\r\n")
    if content.count(b"{") + content.count(b"[") > _PARTS:
        raise Unread("too_large_to_read")
    try:
        root = json.loads(content.decode("utf-8-sig"), parse_constant=lambda _: malformed())
    except ValueError:  # also digits without end, and what is no UTF-8
        malformed()
    asset = root.get("asset") if isinstance(root, dict) else None
    version = asset.get("version") if isinstance(asset, dict) else None
    if not isinstance(version, str):
        malformed()
    if not version.startswith("2."):
        raise Unread("unknown_version")
    return dict(root)


def _data(uri: str) -> Span:
    """Return what a data URI holds. Source: RFC 2397."""
    header, _, body = uri.partition(",")
    try:
        content = unquote_to_bytes(body) if "%" in body else body.encode("ascii")
        data = binascii.a2b_base64(content) if header.lower().endswith(";base64") else content
    except ValueError:
        malformed()
    return Span(None, 0, len(data), data)


def malformed() -> NoReturn:
    """Say that the JSON is not what the specification asks for."""
    raise Damaged("malformed")


def objects(parent: Json, key: str) -> list[Json]:
    """Return a list of objects, empty when it is absent. Raises Damaged."""
    found = parent.get(key, [])
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        malformed()
    return found


def extension(parent: Json, name: str) -> Json | None:
    """Return the object of an extension, None when it is absent. Raises Damaged."""
    found = parent.get("extensions", {})
    if not isinstance(found, dict):
        malformed()
    value = found.get(name)
    if value is not None and not isinstance(value, dict):
        malformed()
    return value


def words(parent: Json, key: str) -> tuple[str, ...]:
    """Return the words of a list, in order, each once. Raises Damaged."""
    found = parent.get(key, [])
    if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
        malformed()
    return tuple(sorted({shown(item) for item in found}))


def integer(parent: Json, key: str, default: int | None = None) -> int:
    """Return a count, also one written as 3.0. Raises Damaged."""
    return whole(parent.get(key, default))


def whole(value: object) -> int:
    """Return a whole number from 0 to 2**53. Raises Damaged."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 2**53:
        malformed()
    return value


def indices(parent: Json, key: str, below: int) -> list[int]:
    """Return a list of indices of something that has `below` members. Raises Damaged."""
    found = parent.get(key, [])
    if not isinstance(found, list):
        malformed()
    numbers_ = found if set(map(type, found)) <= {int} else [whole(item) for item in found]
    if numbers_ and not 0 <= min(numbers_) <= max(numbers_) < below:
        malformed()
    return numbers_


def index(parent: Json, key: str, below: int) -> int | None:
    """Return an index of something that has `below` members; None: absent. Raises Damaged."""
    if key not in parent:
        return None
    number = integer(parent, key)
    if number >= below:
        malformed()
    return number


def member(parent: Json, key: str, of: list[T]) -> T | None:
    """Return the member of a list that an index names; None: absent. Raises Damaged."""
    number = index(parent, key, len(of))
    return None if number is None else of[number]


def numbers(parent: Json, key: str, count: int) -> tuple[float, ...] | None:
    """Return so many finite numbers; None when absent or not that. Never raises."""
    found = parent.get(key)
    if not isinstance(found, list) or len(found) != count:
        return None
    if not all(isinstance(n, int | float) and abs(n) < 1e38 for n in found):  # NaN is not either
        return None
    return tuple(map(float, found))
