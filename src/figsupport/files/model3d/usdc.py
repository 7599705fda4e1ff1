"""The binary form of USD: its sections, unpacked in bounds; values are read when asked for.

Source: the crate file format of OpenUSD (pxr/usd/sdf/crateFile, versions 0.4 to 0.13).
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from figsupport.files.model3d import lz4
from figsupport.files.model3d.side_files import Span
from figsupport.files.model3d.usd_layer import SPECS, Asset, Prim, Reference
from figsupport.files.model3d.values import Damaged, Unread

#: bytes of structure that are unpacked and that this may be packed in: bounds of time and memory
_UNPACKED, _PACKED = 24 << 20, 3 << 20
#: elements of a list and bytes of an array that are read as values, and points at once
_ELEMENTS, _ARRAY_BYTES, _BLOCK = 100_000, 4 << 20, 4_096
_DEPTH = 400
_ARRAY, _INLINED, _COMPRESSED, _PAYLOAD = 1 << 63, 1 << 62, 1 << 61, (1 << 48) - 1
#: type → how struct calls one, for those that are plain numbers
_NUMBERS = {
    1: "?", 2: "B", 3: "i", 4: "I", 5: "q", 6: "Q", 7: "e", 8: "f", 9: "d", 15: "16d", 16: "4d",
    17: "4f", 18: "4e", 19: "2d", 20: "2f", 21: "2e", 22: "2i", 23: "3d", 24: "3f", 25: "3e",
    26: "3i", 27: "4d", 28: "4f", 29: "4e", 30: "4i", 42: "I", 56: "d",
}  # fmt: skip
_STRING, _TOKEN, _ASSET, _MATRIX4D = 10, 11, 12, 15
_DOUBLES, _SAMPLES, _SELECTIONS, _PAYLOAD_ONE = 48, 46, 45, 47
#: lists of edits → what they hold
_LISTS = {32: "token", 33: "string", 34: "path", 35: "reference", 55: "payload"}
_VECTORS = {40: "path", 41: "token", 50: "string"}
_SPEC_ATTRIBUTE, _SPEC_PRIM, _SPEC_ROOT, _SPEC_RELATIONSHIP, _SPEC_VARIANT = 1, 6, 7, 8, 10


class Rep(NamedTuple):
    """A value where it stands in the file."""

    bits: int

    @property
    def kind(self) -> int:
        """Its type."""
        return self.bits >> 48 & 0xFF


class Place(NamedTuple):
    """A path: the number of the one above it, and what it adds."""

    parent: int
    name: str
    is_property: bool


class Crate:
    """A binary layer."""

    real_first = False

    def __init__(self, span: Span, folder: str = "") -> None:
        """Unpack its structure. Raises Damaged, Unread and struct.error."""
        self.folder = folder
        self._span = span
        self._packed, self._unpacked = _PACKED, _UNPACKED
        magic, major, minor, patch, toc = struct.unpack("<8s3B5xq", span.read(0, 24))
        self._version = (major, minor, patch)
        if magic != b"PXR-USDC":
            raise Damaged("malformed")
        if major != 0 or minor < 4:
            raise Unread("unknown_version")
        sections = self._sections(toc)
        self._tokens = self._read_tokens(sections["TOKENS"])
        strings = sections["STRINGS"]
        (count,) = strings.numbers("Q")
        self._strings = strings.numbers(f"{self._bounded(count, 4)}I")
        fields = sections["FIELDS"]
        (count,) = fields.numbers("Q")
        names = self._integers(fields, count)
        reps = struct.unpack(f"<{count}Q", self._unpack(fields, 8 * count))
        self._fields = [
            (self._token(name), Rep(rep)) for name, rep in zip(names, reps, strict=True)
        ]
        self._sets = self._counted(sections["FIELDSETS"])
        self._places = self._read_paths(sections["PATHS"])
        self.root = self._tree(sections["SPECS"])

    def value(self, raw: object) -> object:
        """Return what a value is; None for types that nobody here asks for."""
        if not isinstance(raw, Rep):
            return raw
        if raw.bits & _ARRAY:
            return self._array(raw)
        if raw.kind in _NUMBERS:
            found = self._number(raw)
            return found[0] if len(found) == 1 else found
        at = raw.bits & _PAYLOAD
        if raw.kind in (_STRING, _TOKEN, _ASSET):
            word = at if raw.bits & _INLINED else self._at(at).numbers("I")[0]
            inlined = raw.bits & _INLINED and raw.kind == _ASSET
            return Asset(self._token(word)) if inlined else self._word(raw.kind, word)
        if raw.kind in _LISTS:
            return self._list(self._at(at), _LISTS[raw.kind])
        if raw.kind in _VECTORS:
            return self._items(self._at(at), _VECTORS[raw.kind])
        if raw.kind == _PAYLOAD_ONE:
            return [self._item(self._at(at), "payload")]
        if raw.kind == _SELECTIONS:
            cursor = self._at(at)
            pairs = (cursor.numbers("2I") for _ in range(self._few(cursor)))
            return {self._string(name): self._string(choice) for name, choice in pairs}
        return None

    def length(self, raw: object) -> int | None:
        """Return how many elements an array has; None: it is none."""
        if not isinstance(raw, Rep) or not raw.bits & _ARRAY:
            return None
        return self._elements(raw)[1]

    def samples(self, raw: object) -> list[tuple[float, object]]:
        """Return times and values. Raises Damaged."""
        if not isinstance(raw, Rep) or raw.kind != _SAMPLES:
            return []
        cursor = self._at(raw.bits & _PAYLOAD)
        cursor.jump()
        times = Rep(cursor.numbers("Q")[0])
        cursor.jump()
        reps = cursor.numbers(f"{self._few(cursor)}Q")
        if times.kind == _DOUBLES:
            place = self._at(times.bits & _PAYLOAD)
            keys: tuple[float, ...] = place.numbers(f"{self._few(place)}d")
        else:
            found = self._array(times)
            keys = tuple(found) if isinstance(found, list) else ()
        return [(time, Rep(rep)) for time, rep in zip(keys, reps, strict=False)]

    def triples(self, raw: object, most: int) -> Iterator[list[tuple[float, ...]]]:
        """Yield at most so many elements of an array of three numbers, in blocks."""
        if not isinstance(raw, Rep) or not raw.bits & _ARRAY or raw.kind not in (23, 24, 25):
            return
        start, count = self._elements(raw)
        layout = struct.Struct(f"<{_NUMBERS[raw.kind]}")
        count = min(count, most)
        for first in range(0, count, _BLOCK):
            size = min(_BLOCK, count - first) * layout.size
            data = self._span.read(start + first * layout.size, size)
            if len(data) < size:
                raise Damaged("truncated")
            yield list(layout.iter_unpack(data))

    def _sections(self, toc: int) -> dict[str, "Cursor"]:
        cursor = self._at(toc)
        (count,) = cursor.numbers("Q")
        found: dict[str, Cursor] = {}
        for _ in range(min(count, 32)):
            name, start, size = struct.unpack("<16sqq", cursor.take(32))
            if start < 0 or size < 0 or start + size > self._span.length:
                raise Damaged("truncated")
            found[name.rstrip(b"\0").decode()] = Cursor(self._span.part(start, size), 0)
        if not found.keys() >= {"TOKENS", "STRINGS", "FIELDS", "FIELDSETS", "PATHS", "SPECS"}:
            raise Damaged("malformed")
        return found

    def _read_tokens(self, section: "Cursor") -> list[str]:
        count, size = section.numbers("2Q")
        return [
            word.decode("utf-8", "replace")
            for word in self._unpack(section, self._bounded(size, 1)).split(b"\0")[:count]
        ]

    def _read_paths(self, section: "Cursor") -> list[Place | None]:
        """Rebuild the tree of paths from its jumps, without recursion."""
        (count,) = section.numbers("Q")
        (listed,) = section.numbers("Q")
        numbers, elements, jumps = (self._integers(section, listed) for _ in range(3))
        places: list[Place | None] = [None] * self._bounded(count, 16)
        open_ = [(0, -1)] if jumps else []
        seen = 0
        while open_:
            at, parent = open_.pop()
            seen += 1
            if seen > len(jumps) or not 0 <= at < len(jumps) or not 0 <= numbers[at] < count:
                raise Damaged("malformed")
            word = self._token(abs(elements[at])) if parent >= 0 else ""
            places[numbers[at]] = Place(parent, word, elements[at] < 0)
            if jumps[at] >= 0:
                open_.append((at + (jumps[at] or 1), parent))
            if jumps[at] > 0 or jumps[at] == -1:
                open_.append((at + 1, numbers[at]))
        return places

    def _tree(self, section: "Cursor") -> Prim:
        (count,) = section.numbers("Q")
        if count > SPECS:
            raise Unread("too_large_to_read")
        specs = list(zip(*(self._integers(section, count) for _ in range(3)), strict=True))
        prims: dict[int, Prim] = {}
        for number, fields, kind in specs:
            if kind in (_SPEC_PRIM, _SPEC_ROOT, _SPEC_VARIANT):
                prims[number] = Prim()
                prims[number].fields = self._fields_of(fields)
        root = Prim()
        for number, fields, kind in specs:
            place = self._places[number] if 0 <= number < len(self._places) else None
            if place is None:
                raise Damaged("malformed")
            above = prims.get(place.parent)
            if kind == _SPEC_ROOT:
                root = prims[number]
            elif above is None:
                continue
            elif kind == _SPEC_PRIM:
                above.children[place.name] = prims[number]
            elif kind == _SPEC_VARIANT:
                name, _, choice = place.name.strip("{}").partition("=")
                above.variants[name, choice] = prims[number]
            elif kind in (_SPEC_ATTRIBUTE, _SPEC_RELATIONSHIP):
                above.properties[place.name] = self._fields_of(fields)
        return root

    def _fields_of(self, start: int) -> dict[str, object]:
        if start < 0:
            raise Damaged("malformed")
        found: dict[str, object] = {}
        for at in range(start, min(start + 1_000, len(self._sets))):
            number = self._sets[at]
            if number < 0:
                break
            if number >= len(self._fields):
                raise Damaged("malformed")
            name, rep = self._fields[number]
            found[name] = rep
        return found

    def _number(self, raw: Rep) -> tuple[float, ...]:
        layout = _NUMBERS[raw.kind]
        if not raw.bits & _INLINED:
            return self._at(raw.bits & _PAYLOAD).numbers(layout)
        data = struct.pack("<Q", raw.bits & _PAYLOAD)
        if raw.kind == _MATRIX4D:
            diagonal = struct.unpack_from("<4b", data)
            return tuple(float(diagonal[n // 5]) if n % 5 == 0 else 0.0 for n in range(16))
        if layout[0].isdigit():  # small whole numbers, a byte each
            return struct.unpack_from(f"<{layout[0]}b", data)
        return struct.unpack_from({"d": "<f", "q": "<i", "Q": "<I"}.get(layout, f"<{layout}"), data)

    def _array(self, raw: Rep) -> object:
        start, count = self._elements(raw)
        layout = _NUMBERS.get(raw.kind, "I")
        if count * struct.calcsize(f"<{layout}") > _ARRAY_BYTES:
            return None
        cursor = self._at(start)
        if raw.kind in (_STRING, _TOKEN, _ASSET):
            return [self._word(raw.kind, word) for word in cursor.numbers(f"{count}I")]
        if raw.kind not in _NUMBERS:
            return None
        if raw.bits & _COMPRESSED and count >= 16:
            return list(self._integers(cursor, count)) if layout in "iI" else None
        items = struct.iter_unpack(f"<{layout}", cursor.take(struct.calcsize(f"<{layout}") * count))
        return [item[0] if len(item) == 1 else item for item in items]

    def _elements(self, raw: Rep) -> tuple[int, int]:
        """Return where an array's elements begin and how many there are."""
        at = raw.bits & _PAYLOAD
        if not at:
            return 0, 0
        cursor = self._at(at)
        if self._version < (0, 5, 0):
            cursor.numbers("I")  # the number of its dimensions, always 1
        (count,) = cursor.numbers("I" if self._version < (0, 7, 0) else "Q")
        layout = _NUMBERS.get(raw.kind)
        size = struct.calcsize(f"<{layout}") if layout else 4
        if not raw.bits & _COMPRESSED and cursor.at + size * count > self._span.length:
            raise Damaged("truncated")
        if count > 2**40:
            raise Damaged("malformed")
        return cursor.at, count

    def _list(self, cursor: "Cursor", kind: str) -> list[object]:
        """Return what a list of edits adds. Its parts: explicit, added, prepended, appended."""
        (header,) = cursor.numbers("B")
        return [
            item for bit in (2, 4, 32, 64) if header & bit for item in self._items(cursor, kind)
        ]

    def _items(self, cursor: "Cursor", kind: str) -> list[object]:
        return [self._item(cursor, kind) for _ in range(self._few(cursor))]

    def _item(self, cursor: "Cursor", kind: str) -> object:
        (number,) = cursor.numbers("I")
        if kind in ("token", "string"):
            return self._token(number) if kind == "token" else self._string(number)
        if kind == "path":
            return self._path(number)
        (prim,) = cursor.numbers("I")
        if kind == "reference" or self._version >= (0, 8, 0):
            cursor.numbers("2d")  # an offset of time
        if kind == "reference":
            for _ in range(self._few(cursor)):  # what was said of it
                cursor.numbers("I")
                cursor.jump()
                cursor.numbers("Q")
        return Reference(self._string(number), self._path(prim))

    def _word(self, kind: int, number: int) -> object:
        if kind == _TOKEN:
            return self._token(number)
        word = self._string(number)  # the name of a file too, but where a value is inlined
        return Asset(word) if kind == _ASSET else word

    def _token(self, number: int) -> str:
        if not 0 <= number < len(self._tokens):
            raise Damaged("malformed")
        return self._tokens[number]

    def _string(self, number: int) -> str:
        if not 0 <= number < len(self._strings):
            raise Damaged("malformed")
        return self._token(self._strings[number])

    def _path(self, number: int) -> str:
        names: list[str] = []
        while 0 <= number < len(self._places) and len(names) < _DEPTH:
            place = self._places[number]
            if place is None or place.parent < 0:
                break
            names.append(place.name)
            number = place.parent
        return "/".join(reversed(names))

    def _at(self, at: int) -> "Cursor":
        return Cursor(self._span, at)

    def _few(self, cursor: "Cursor") -> int:
        """Read how many there are, no more than are read."""
        (count,) = cursor.numbers("Q")
        if count > _ELEMENTS:
            raise Unread("too_large_to_read")
        return int(count)

    def _bounded(self, count: int, size: int) -> int:
        """Take memory for so many of a size. Raises Unread."""
        self._unpacked -= count * size
        if self._unpacked < 0:
            raise Unread("too_large_to_read")
        return count

    def _unpack(self, cursor: "Cursor", size: int) -> bytes:
        (packed,) = cursor.numbers("Q")
        self._packed -= packed
        if self._packed < 0:
            raise Unread("too_large_to_read")
        self._bounded(size, 1)
        return lz4.unpacked(cursor.take(packed), size)

    def _counted(self, cursor: "Cursor") -> list[int]:
        (count,) = cursor.numbers("Q")
        return self._integers(cursor, count)

    def _integers(self, cursor: "Cursor", count: int) -> list[int]:
        self._bounded(count, 8)
        return lz4.integers(self._unpack(cursor, 4 + (2 * count + 7) // 8 + 4 * count), count)


class Cursor:
    """A place to read from, that moves on as it is read."""

    def __init__(self, span: Span, at: int) -> None:
        """Begin there."""
        self.span, self.at = span, at

    def take(self, size: int) -> bytes:
        """Return so many bytes. Raises Damaged when they are not there."""
        if self.at < 0 or size > self.span.length - self.at:
            raise Damaged("truncated")
        data = self.span.read(self.at, size)
        self.at += size
        return data

    def numbers(self, layout: str) -> tuple[int, ...]:
        """Return numbers, as struct calls them."""
        layout = f"<{layout}"
        return struct.unpack(layout, self.take(struct.calcsize(layout)))

    def jump(self) -> None:
        """Go where the number here says, counted from here."""
        start = self.at
        self.at = start + self.numbers("q")[0]
