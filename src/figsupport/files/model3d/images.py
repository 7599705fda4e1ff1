"""The size of a texture from the first bytes of its file.

Formats: PNG, JPEG, WebP, KTX2, GIF, BMP, DDS, TGA (each by its public specification).
"""

import struct

from figsupport.files.model3d.facts import Unreadable
from figsupport.files.model3d.source import Source, head

MAX_SIDE = 1 << 17


def image_size(source: Source, name: str = "") -> tuple[int, int] | None:
    """Return (width, height) in pixels, or None when this is no picture we know."""
    try:
        size = _size(source, name)
    except (Unreadable, struct.error, IndexError):
        return None
    if size is None or not all(0 < side <= MAX_SIDE for side in size):
        return None
    return size


def _size(source: Source, name: str) -> tuple[int, int] | None:
    start = head(source, 64)
    if start.startswith(b"\x89PNG\r\n\x1a\n"):
        return _pair(struct.unpack_from(">II", start, 16))
    if start.startswith(b"\xff\xd8\xff"):
        return _jpeg(source)
    if start.startswith(b"RIFF") and start[8:12] == b"WEBP":
        return _webp(start)
    if start.startswith(b"\xabKTX 20\xbb\r\n\x1a\n"):
        return _pair(struct.unpack_from("<II", start, 20))
    if start.startswith((b"GIF87a", b"GIF89a")):
        return _pair(struct.unpack_from("<HH", start, 6))
    if start.startswith(b"BM"):
        width, height = struct.unpack_from("<ii", start, 18)
        return (width, abs(height))
    if start.startswith(b"DDS "):
        height, width = struct.unpack_from("<II", start, 12)
        return (width, height)
    if name.lower().endswith(".tga") and start[1] in (0, 1) and start[2] in (1, 2, 3, 9, 10, 11):
        return _pair(struct.unpack_from("<HH", start, 12))
    return None


def _pair(values: tuple[int, ...]) -> tuple[int, int]:
    return (values[0], values[1])


def _jpeg(source: Source) -> tuple[int, int] | None:
    """Walk the markers up to the frame header (ITU-T T.81, annex B)."""
    at = 2
    for _ in range(500):
        marker, length = struct.unpack(">HH", source.read(at, 4))
        if marker == 0xFFFF:  # a fill byte
            at += 1
            continue
        if marker >> 8 != 0xFF or length < 2:
            return None
        if 0xFFC0 <= marker <= 0xFFCF and marker not in (0xFFC4, 0xFFC8, 0xFFCC):
            height, width = struct.unpack(">HH", source.read(at + 5, 4))
            return (width, height)
        at += 2 + length
    return None


def _webp(start: bytes) -> tuple[int, int] | None:
    kind = start[12:16]
    if kind == b"VP8X":
        return (
            1 + int.from_bytes(start[24:27], "little"),
            1 + int.from_bytes(start[27:30], "little"),
        )
    if kind == b"VP8L":
        bits = int.from_bytes(start[21:25], "little")
        return (1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF))
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", start, 26)
        return (width & 0x3FFF, height & 0x3FFF)
    return None
