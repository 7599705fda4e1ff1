"""A zip file read in place, entry by entry, with limits; nothing is ever extracted to disk.

Source: PKWARE APPNOTE 6.3.10, sections 4.3 (layout) and 4.4 (fields). Encryption, zip64
and methods other than stored and deflate are refused.
"""

import struct
import zlib
from typing import NamedTuple

from figsupport.files.model3d.facts import Unreadable, damaged, too_large, truncated
from figsupport.files.model3d.source import MIB, Part, Source, find_name, plain_name

MAX_ENTRIES = 2_000
MAX_DIRECTORY = MIB
MAX_INFLATED = 64 * MIB
STORED, DEFLATED = 0, 8
LINK = 0o120000


class Entry(NamedTuple):
    """One file of an archive: sizes in bytes, `offset` of its local header."""

    name: str
    method: int
    packed: int
    size: int
    offset: int


class Archive:
    """The entries of a zip by safe relative name; raises Unreadable for a hostile one."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._budget = MAX_INFLATED
        self._inflated: dict[str, Inflated] = {}
        self.entries = {entry.name: entry for entry in _directory(source)}

    def find(self, name: str) -> Source | None:
        """Return the file of that name (or of that last part of a name), or None."""
        key = find_name(name, self.entries)
        return None if key is None else self.open(self.entries[key])

    def open(self, entry: Entry) -> Source:
        """Return the bytes of an entry; deflated ones are inflated as far as they are read."""
        start = self.start(entry)
        packed = Part(self._source, start, entry.packed)
        if entry.method == STORED:
            return packed
        if entry.method != DEFLATED:
            raise damaged("une compression inconnue", "an unknown compression")
        if entry.name not in self._inflated:
            self._inflated[entry.name] = Inflated(packed, entry.size, self)
        return self._inflated[entry.name]

    def start(self, entry: Entry) -> int:
        """Return where the bytes of an entry begin."""
        signature, name, extra = struct.unpack("<4s22xHH", self._source.read(entry.offset, 30))
        if signature != b"PK\3\4":
            raise damaged("l'archive se contredit", "the archive contradicts itself")
        return int(entry.offset + 30 + name + extra)

    def spend(self, count: int) -> None:
        """Count inflated bytes; raises OnlyRecognised when the archive grows too much."""
        self._budget -= count
        if self._budget < 0:
            raise too_large("une archive qui gonfle trop", "the archive grows too much")


class Inflated:
    """A deflated entry, inflated only as far as it was read."""

    def __init__(self, packed: Source, size: int, archive: Archive) -> None:
        self.size = size
        self._packed, self._archive = packed, archive
        self._done, self._taken = bytearray(), 0
        self._inflate = zlib.decompressobj(-15)

    def read(self, offset: int, count: int) -> bytes:
        """Return exactly `count` bytes from `offset`, or raise Unreadable."""
        end = offset + count
        if offset < 0 or count < 0 or end > self.size:
            raise truncated(self.size, end)
        while len(self._done) < end:
            self._more(end)
        return bytes(self._done[offset:end])

    def _more(self, end: int) -> None:
        left = min(64 * 1024, self._packed.size - self._taken)
        waiting = self._inflate.unconsumed_tail
        if not waiting:
            waiting = self._packed.read(self._taken, left)
            self._taken += left
        try:
            block = self._inflate.decompress(waiting, end - len(self._done) + 1024)
        except zlib.error as error:
            raise damaged("une entrée de l'archive", "an entry of the archive") from error
        if not block and (not left or self._inflate.eof):
            raise truncated(len(self._done), end)
        self._archive.spend(len(block))
        self._done += block


def _directory(source: Source) -> list[Entry]:
    tail_size = min(source.size, 65_557)
    tail = source.read(source.size - tail_size, tail_size)
    at = tail.rfind(b"PK\5\6")
    if at < 0 or at + 22 > len(tail):
        raise Unreadable(
            "l'archive est incomplète (sa fin manque)", "the archive is incomplete (no end)"
        )
    count, size, offset = struct.unpack_from("<HII", tail, at + 10)
    if count > MAX_ENTRIES or size > MAX_DIRECTORY:
        raise too_large("trop de fichiers dans l'archive", "too many files in the archive")
    data = source.read(offset, size)
    entries, position = [], 0
    for _ in range(count):
        entry, position = _entry(data, position)
        if entry is not None:
            entries.append(entry)
    _apart(entries)
    return entries


def _entry(data: bytes, at: int) -> tuple[Entry | None, int]:
    """Return an entry of the central directory, None for a folder or a link, and the next."""
    fields = struct.unpack_from("<4sHHHHHHIIIHHHHHII", data, at)
    signature, made_by, flags, method = fields[0], fields[1], fields[3], fields[4]
    packed, size, name_length, extra, comment = fields[8:13]
    attributes, offset = fields[15], fields[16]
    if signature != b"PK\1\2":
        raise damaged("l'archive se contredit", "the archive contradicts itself")
    if flags & 1:
        raise Unreadable("l'archive a un mot de passe", "the archive has a password")
    if 0xFFFFFFFF in (packed, size, offset):
        raise too_large("archive de plus de 4 Go", "archive of more than 4 GB")
    raw = data[at + 46 : at + 46 + name_length]
    following = at + 46 + name_length + extra + comment
    text = raw.decode("utf-8" if flags & 0x800 else "cp437", "replace")
    is_link = made_by >> 8 == 3 and attributes >> 16 & 0o170000 == LINK
    name = None if text.endswith("/") or is_link else plain_name(text.replace("\\", "/"))
    return (Entry(name, method, packed, size, offset) if name else None), following


def _apart(entries: list[Entry]) -> None:
    """Raise Unreadable when two entries share bytes, as zip bombs do."""
    ordered = sorted(entries, key=lambda entry: entry.offset)
    for one, two in zip(ordered, ordered[1:], strict=False):
        if one.offset + 30 + len(one.name) + one.packed > two.offset:
            raise damaged("des fichiers se chevauchent", "files overlap in the archive")
