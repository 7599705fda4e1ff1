"""USD's binary layer ("crate", USDC): its structure, without the values we do not need.

Versions 0.4 to 0.x of the format. Source: the OpenUSD reference implementation
(pxr/usd/sdf/crateFile) and the LZ4 block format description.
"""

import struct
from array import array
from collections.abc import Sequence
from typing import NamedTuple

from figsupport.files.model3d.facts import Matrix, damaged, too_large, truncated
from figsupport.files.model3d.source import MIB, Source

MAX_COUNT = 200_000
MAX_SECTION = 16 * MIB
MAX_SEQUENCES = 600_000
MAX_POINTS = 500_000
HALF, FLOAT, DOUBLE, TOKEN, ASSET, MATRIX4D = 7, 8, 9, 11, 12, 15
TIME_SAMPLES, SPECIFIER = 46, 42
VECTORS = {16: "4d", 17: "4f", 18: "4e", 23: "3d", 24: "3f", 25: "3e"}  # quaternions, Vec3
SCALARS = {HALF: "e", FLOAT: "f", DOUBLE: "d", 1: "?", 2: "B", 3: "i", 4: "I"}

Fields = dict[str, "Rep"]


class Rep(NamedTuple):
    """How a value is stored: its type, three flags and 48 bits of value or file offset."""

    kind: int
    is_array: bool
    inlined: bool
    payload: int


class Crate:
    """The prims and properties of a binary layer: path → fields."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._sequences = 0
        start = source.read(0, 24)
        if not start.startswith(b"PXR-USDC"):
            raise damaged("pas un USD binaire", "not binary USD")
        self._version = (start[8], start[9])
        if self._version < (0, 4) or self._version[0] > 0:
            raise too_large("version inconnue d'USD", "unknown version of USD")
        sections = self._sections(struct.unpack_from("<q", start, 16)[0])
        self.tokens = self._tokens(sections["TOKENS"])
        paths = self._paths(sections["PATHS"])
        fields = self._fields(sections["FIELDS"])
        sets = self._fieldsets(sections["FIELDSETS"])
        self.specs = self._specs(sections["SPECS"], paths, fields, sets)

    def token(self, rep: Rep | None) -> str:
        """Return an inlined token or asset path, "" when there is none."""
        if rep is None or rep.kind not in (TOKEN, ASSET) or rep.is_array or not rep.inlined:
            return ""
        return self.tokens[rep.payload]

    def tokens_of(self, rep: Rep | None) -> list[str]:
        """Return an array of tokens."""
        if rep is None or rep.kind != TOKEN or not rep.is_array:
            return []
        count, at = self._array(rep, 4)
        return [
            self.tokens[i] for i in struct.unpack(f"<{count}I", self._source.read(at, 4 * count))
        ]

    def size_of(self, rep: Rep | None) -> int:
        """Return how many items an array has."""
        return 0 if rep is None or not rep.is_array else self._array(rep, 0)[0]

    def number(self, rep: Rep | None) -> float | None:
        """Return a scalar."""
        code = None if rep is None or rep.is_array else SCALARS.get(rep.kind)
        if rep is None or code is None:
            return None
        if rep.inlined:
            bits = struct.pack("<Q", rep.payload)
            return float(struct.unpack_from("<f" if code in "fd" else f"<{code}", bits)[0])
        data = self._source.read(rep.payload, struct.calcsize(code))
        return float(struct.unpack(f"<{code}", data)[0])

    def vector(self, rep: Rep | None) -> tuple[float, ...]:
        """Return a vector of 3, a quaternion (x, y, z, w), or ()."""
        layout = None if rep is None or rep.is_array else VECTORS.get(rep.kind)
        if rep is None or layout is None:
            return ()
        if rep.inlined:
            return struct.unpack_from(f"{layout[0]}b", struct.pack("<Q", rep.payload))
        return struct.unpack(f"<{layout}", self._source.read(rep.payload, struct.calcsize(layout)))

    def matrix(self, rep: Rep | None) -> Matrix | None:
        """Return a 4 × 4 matrix (stored for row vectors) as our transform."""
        if rep is None or rep.kind != MATRIX4D or rep.is_array:
            return None
        if rep.inlined:
            x, y, z, _ = struct.unpack_from("4b", struct.pack("<Q", rep.payload))
            return (x, 0.0, 0.0, 0.0, 0.0, y, 0.0, 0.0, 0.0, 0.0, z, 0.0)
        m = struct.unpack("<16d", self._source.read(rep.payload, 128))
        return tuple(m[column * 4 + row] for row in range(3) for column in range(4))

    def points(self, rep: Rep | None) -> list[Sequence[float]] | None:
        """Return an array of points as its x, y and z; None when there are too many."""
        layout = None if rep is None or not rep.is_array else VECTORS.get(rep.kind)
        if rep is None or layout is None or layout[0] != "3":
            return [(), (), ()]
        item = struct.calcsize(layout)
        count, at = self._array(rep, item)
        if count > MAX_POINTS:
            return None
        data = self._source.read(at, item * count)
        if layout[1] == "e":
            return [*zip(*struct.iter_unpack("<3e", data), strict=True)] or [(), (), ()]
        values = array(layout[1], data)
        return [values[axis::3] for axis in range(3)]

    def first_sample(self, rep: Rep | None) -> Rep | None:
        """Return the first of the values over time."""
        if rep is None or rep.kind != TIME_SAMPLES:
            return None
        at = rep.payload
        at += self._int64(at) + 8  # over the times
        at += self._int64(at)
        return None if self._int64(at) < 1 else _rep(self._int64(at + 8))

    def _int64(self, at: int) -> int:
        return int(struct.unpack("<q", self._source.read(at, 8))[0])

    def _array(self, rep: Rep, item: int) -> tuple[int, int]:
        """Return the number of items and where they begin; raises Unreadable."""
        if rep.payload == 0:
            return 0, 0
        at = rep.payload + (4 if self._version < (0, 5) else 0)
        wide = self._version >= (0, 7)
        (count,) = struct.unpack("<Q" if wide else "<I", self._source.read(at, 8 if wide else 4))
        at += 8 if wide else 4
        if at + count * item > self._source.size:
            raise truncated(self._source.size, at + count * item)
        if count > 64 * self._source.size:  # compressed integers take at least 2 bits
            raise damaged("des quantités impossibles", "impossible counts")
        return count, at

    def _sections(self, at: int) -> dict[str, tuple[int, int]]:
        (count,) = struct.unpack("<Q", self._source.read(at, 8))
        if count > 32:
            raise damaged("trop de sections", "too many sections")
        found = {}
        for raw, start, size in struct.iter_unpack("<16sqq", self._source.read(at + 8, 32 * count)):
            if start < 0 or size < 0 or start + size > self._source.size:
                raise truncated(self._source.size, start + size)
            found[raw.rstrip(b"\0").decode("ascii", "replace")] = (start, size)
        return found

    def _tokens(self, section: tuple[int, int]) -> list[str]:
        count, size, packed = struct.unpack("<QQQ", self._source.read(section[0], 24))
        _bounded(count, size)
        data = self._inflate(self._source.read(section[0] + 24, packed), size)
        tokens = data.decode("utf-8", "replace").split("\0")[:count]
        if len(tokens) != count:
            raise damaged("des noms manquent", "names are missing")
        return tokens

    def _fields(self, section: tuple[int, int]) -> list[tuple[str, Rep]]:
        (count,) = struct.unpack("<Q", self._source.read(section[0], 8))
        names, at = self._ints(section[0] + 8, count)
        (packed,) = struct.unpack("<Q", self._source.read(at, 8))
        _bounded(count, packed)
        data = self._inflate(self._source.read(at + 8, packed), 8 * count)
        reps = struct.unpack(f"<{count}q", data)
        return [(self.tokens[n], _rep(r)) for n, r in zip(names, reps, strict=True)]

    def _fieldsets(self, section: tuple[int, int]) -> list[int]:
        (count,) = struct.unpack("<Q", self._source.read(section[0], 8))
        return self._ints(section[0] + 8, count)[0]

    def _paths(self, section: tuple[int, int]) -> list[str]:
        total, count = struct.unpack("<QQ", self._source.read(section[0], 16))
        _bounded(total)
        at = section[0] + 16
        indexes, at = self._ints(at, count)
        names, at = self._ints(at, count)
        jumps, _ = self._ints(at, count)
        paths = [""] * total
        waiting, seen = [(0, "")], 0
        while waiting:
            this, parent = waiting.pop()
            while True:
                seen += 1
                if seen > count:
                    raise damaged("les chemins se répètent", "the paths repeat themselves")
                path = self._path(parent, names[this], first=this == 0)
                paths[indexes[this]] = path
                jump = jumps[this]
                has_child, has_sibling = jump > 0 or jump == -1, jump >= 0
                if has_child:
                    if has_sibling:
                        waiting.append((this + jump, parent))
                    parent = path
                if not has_child and not has_sibling:
                    break
                this += 1
        return paths

    def _path(self, parent: str, name: int, *, first: bool) -> str:
        if first:
            return "/"
        token = self.tokens[abs(name)]
        if len(parent) + len(token) > 4_000:
            raise damaged("un chemin sans fin", "an endless path")
        if name < 0:
            return f"{parent}.{token}"
        return f"{parent.rstrip('/')}/{token}"

    def _specs(
        self, section: tuple[int, int], paths: list[str], fields: list[tuple[str, Rep]],
        sets: list[int],
    ) -> dict[str, Fields]:  # fmt: skip
        (count,) = struct.unpack("<Q", self._source.read(section[0], 8))
        path_indexes, at = self._ints(section[0] + 8, count)
        set_indexes, _ = self._ints(at, count)
        specs: dict[str, Fields] = {}
        total = 0
        for path, start in zip(path_indexes, set_indexes, strict=True):
            found: Fields = {}
            while sets[start] >= 0:
                name, rep = fields[sets[start]]
                found[name] = rep
                start += 1
            total += len(found)
            if total > 5 * MAX_COUNT:
                raise too_large("trop d'éléments", "too many elements")
            specs[paths[path]] = found
        return specs

    def _ints(self, at: int, count: int) -> tuple[list[int], int]:
        """Return compressed integers and where what follows begins."""
        (packed,) = struct.unpack("<Q", self._source.read(at, 8))
        _bounded(count, packed)
        after = at + 8 + packed
        if count == 0:
            return [], after
        codes_size = (2 * count + 7) // 8
        data = self._inflate(self._source.read(at + 8, packed), 4 + codes_size + 4 * count)
        (common,) = struct.unpack_from("<i", data)
        value, position, values = 0, 4 + codes_size, []
        for index in range(count):
            code = data[4 + index // 4] >> 2 * (index % 4) & 3
            if code == 0:
                value += common
            else:
                size = (1, 2, 4)[code - 1]
                value += int.from_bytes(data[position : position + size], "little", signed=True)
                position += size
            values.append(value)
        if position > len(data):
            raise damaged("des nombres manquent", "numbers are missing")
        return values, after

    def _inflate(self, data: bytes, limit: int) -> bytes:
        """Return LZ4 data inflated, at most `limit` bytes; the first byte counts the chunks."""
        if limit > MAX_SECTION:
            raise too_large("une section trop grande", "a section is too large")
        if not data or data[0] == 0:
            return self._lz4(data[1:], limit)
        done, at = bytearray(), 1
        for _ in range(data[0]):
            (size,) = struct.unpack_from("<i", data, at)
            if size < 0:
                raise damaged("un bloc dépasse", "a chunk does not fit")
            done += self._lz4(data[at + 4 : at + 4 + size], limit - len(done))
            at += 4 + size
        return bytes(done)

    def _lz4(self, data: bytes, limit: int) -> bytes:
        done, at, end = bytearray(), 0, len(data)
        while at < end:
            self._sequences += 1
            if self._sequences > MAX_SEQUENCES:
                raise too_large("trop d'éléments", "too many elements")
            token = data[at]
            at += 1
            literals, at = _length(data, at, token >> 4)
            done += data[at : at + literals]
            at += literals
            if at >= end:
                break
            back = data[at] | data[at + 1] << 8
            length, at = _length(data, at + 2, token & 15)
            length += 4
            if not 0 < back <= len(done) or len(done) + length > limit:
                raise damaged("une compression fausse", "wrong compression")
            piece = done[-back:] if back < length else done[-back : len(done) - back + length]
            done += (piece * (length // back + 1))[:length] if back < length else piece
        if len(done) > limit or at > end:
            raise damaged("une compression fausse", "wrong compression")
        return bytes(done)


def _length(data: bytes, at: int, length: int) -> tuple[int, int]:
    if length == 15:
        while True:
            more = data[at]
            at += 1
            length += more
            if more != 255:
                break
    return length, at


def _rep(bits: int) -> Rep:
    bits &= (1 << 64) - 1
    return Rep(bits >> 48 & 0xFF, bool(bits >> 63), bool(bits >> 62 & 1), bits & (1 << 48) - 1)


def _bounded(count: int, size: int = 0) -> None:
    """Raise OnlyRecognised for more items, or more compressed bytes, than we read."""
    if count > MAX_COUNT or size > MAX_SECTION:
        raise too_large("trop d'éléments", "too many elements")
