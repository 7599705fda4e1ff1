"""Opening a zip that a stranger made: every entry checked before one is unpacked."""

import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from figsupport.files.model3d.values import Damaged, Unread
from figsupport.files.sniff import zip_members

_MOST_ENTRIES = 2_000
_DIRECTORY = 1 << 20
_MOST_BYTES = 1 << 30
_RATIO = 200  # text packs to a hundredth at best
_FREE = 16 << 20  # as much may be unpacked whatever the ratio
#: flags of entries. Source: PKWARE APPNOTE 4.4.4
_ENCRYPTED, _PATCHED = 0x1 | 0x40, 0x20
_LINK = 0o120000
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


@contextmanager
def opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open a zip whose entries are few, plain, apart from each other and no bomb.

    Raises Damaged, Unread for what is too large or encrypted, OSError.
    """
    members = zip_members(path)
    if not members:
        raise Damaged("truncated")
    if len(members) >= _MOST_ENTRIES or _directory_size(path) > _DIRECTORY:
        raise Unread("too_many_entries")
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError, ValueError):
        raise Damaged("malformed") from None
    with archive:
        _check(archive, path.stat().st_size)
        try:
            yield archive
        except EOFError:  # an entry ends before its data does
            raise Damaged("truncated") from None
        except (zipfile.BadZipFile, zlib.error, UnicodeError):
            raise Damaged("malformed") from None  # a checksum, a name, or it is elsewhere


def _check(archive: zipfile.ZipFile, size: int) -> None:
    entries = archive.infolist()
    if any(entry.flag_bits & _ENCRYPTED for entry in entries):
        raise Unread("encrypted")
    if any(e.compress_type not in _METHODS or e.flag_bits & _PATCHED for e in entries):
        raise Unread("compression")
    if any(entry.external_attr >> 16 & 0o170000 == _LINK for entry in entries):
        raise Damaged("links")
    if any(not is_plain(entry.filename) for entry in entries):
        raise Damaged("names")
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > min(_MOST_BYTES, max(_FREE, _RATIO * size)):
        raise Damaged("bomb")
    end = 0
    for entry in sorted(entries, key=lambda entry: entry.header_offset):
        if entry.header_offset < end:
            raise Damaged("overlap")
        end = entry.header_offset + 30 + entry.compress_size
    if end > size:
        raise Damaged("truncated")


def is_plain(name: str) -> bool:
    """Tell whether an entry's name stays below the folder it would be unpacked to."""
    parts = name.replace("\\", "/").split("/")
    return bool(name) and parts[0] != "" and ".." not in parts and ":" not in parts[0]


def _directory_size(path: Path) -> int:
    """Return how long the directory is said to be. Source: PKWARE APPNOTE 4.3.16."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 22 - 65_535))
        tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    (size,) = struct.unpack_from("<I", tail, at + 12)
    return int(size)
