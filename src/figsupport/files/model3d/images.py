"""How large a picture is, from the first bytes of its file: nothing is unpacked."""

import re
import struct

#: as much of a picture's beginning as its size may take to find (JPEG: after its metadata)
HEAD = 262_144
_SEGMENTS = 200
_RADIANCE = re.compile(rb"[-+]Y +(\d{1,6}) +[-+]X +(\d{1,6})\n")


def size_of(head: bytes) -> tuple[int, int] | None:
    """Return width and height in pixels, as stored; None when the bytes do not show them.

    Knows png, jpeg, webp, gif, bmp, tiff, avif, heic, dds, ktx, ktx2, basis, exr, hdr and tga.
    """
    try:
        size = _size(head)
    except struct.error:  # cut before its size
        return None
    return size if size and min(size) > 0 else None


def _size(head: bytes) -> tuple[int, int] | None:
    for signature, layout, at in _PLAIN:
        if head.startswith(signature):
            width, height = struct.unpack_from(layout, head, at)
            return width, height
    for signature, reader in _READERS:
        if head.startswith(signature):
            return reader(head)
    if head[4:8] == b"ftyp":
        return _heif(head)
    return _tga(head)


def _jpeg(head: bytes) -> tuple[int, int] | None:
    """Walk the segments to the frame header. Source: ITU T.81, B.1.1 and B.2.2."""
    at = 2
    for _ in range(_SEGMENTS):
        mark, code, length = struct.unpack_from(">BBH", head, at)
        if mark != 0xFF:
            return None
        if code == 0xFF:  # a fill byte
            at += 1
        elif 0xC0 <= code <= 0xCF and code not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", head, at + 5)
            return width, height
        else:
            at += 2 + length
    return None


def _webp(head: bytes) -> tuple[int, int] | None:
    """Source: RFC 9649, 2.5 to 2.7."""
    if head[8:12] != b"WEBP":
        return None
    kind = head[12:16]
    if kind == b"VP8X":
        width, high, height, high2 = struct.unpack_from("<HBHB", head, 24)
        return width + (high << 16) + 1, height + (high2 << 16) + 1
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", head, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", head, 26)
        return width & 0x3FFF, height & 0x3FFF
    return None


def _bmp(head: bytes) -> tuple[int, int]:
    (header,) = struct.unpack_from("<I", head, 14)
    width, height = struct.unpack_from("<HH" if header == 12 else "<ii", head, 18)
    return width, abs(height)  # a negative height counts from the top


def _tiff(head: bytes) -> tuple[int, int] | None:
    """Read ImageWidth and ImageLength of the first directory. Source: TIFF 6.0, section 2."""
    order = "<" if head[0] == 0x49 else ">"
    (at,) = struct.unpack_from(f"{order}I", head, 4)
    (entries,) = struct.unpack_from(f"{order}H", head, at)
    found: dict[int, int] = {}
    for entry in range(min(entries, 500)):
        tag, kind = struct.unpack_from(f"{order}HH", head, at + 2 + 12 * entry)
        if tag in (256, 257) and kind in (3, 4):
            (found[tag],) = struct.unpack_from(
                f"{order}{'H' if kind == 3 else 'I'}", head, at + 10 + 12 * entry
            )
    return (found[256], found[257]) if len(found) == 2 else None


def _basis(head: bytes) -> tuple[int, int]:
    """Read the first slice's size. Source: the .basis file format, header and slice table."""
    (slices,) = struct.unpack_from("<I", head, 65)
    width, height = struct.unpack_from("<HH", head, slices + 5)
    return width, height


def _exr(head: bytes) -> tuple[int, int] | None:
    at = head.find(b"dataWindow\0box2i\0")
    if at < 0:
        return None
    left, top, right, bottom = struct.unpack_from("<4i", head, at + 21)
    return right - left + 1, bottom - top + 1


def _radiance(head: bytes) -> tuple[int, int] | None:
    found = _RADIANCE.search(head, 0, 8_192)
    return (int(found[2]), int(found[1])) if found else None


def _heif(head: bytes) -> tuple[int, int] | None:
    """Return the largest image that a property gives. Source: ISO/IEC 23008-12, 6.5.3."""
    sizes: list[tuple[int, int]] = []
    at = head.find(b"ispe")
    while at >= 0 and len(sizes) < _SEGMENTS:
        width, height = struct.unpack_from(">II", head, at + 8)
        sizes.append((width, height))
        at = head.find(b"ispe", at + 4)
    return max(sizes, default=None)


def _tga(head: bytes) -> tuple[int, int] | None:
    """Tell a TGA, which has no signature, by a header that makes sense. Source: TGA 2.0, C."""
    mapped, kind = struct.unpack_from("<BB", head, 1)
    width, height, depth, flags = struct.unpack_from("<HHBB", head, 12)
    sane = (
        mapped == (kind in (1, 9))
        and kind in (1, 2, 3, 9, 10, 11)
        and depth in (8, 15, 16, 24, 32)
        and flags < 0x40
    )
    return (width, height) if sane else None


#: signature, and where width and height stand side by side
_PLAIN = (
    (b"\x89PNG\r\n\x1a\n", ">II", 16),
    (b"GIF8", "<HH", 6),
    (b"\xabKTX 20\xbb\r\n\x1a\n", "<II", 20),
    (b"\xabKTX 11\xbb\r\n\x1a\n", "<II", 36),
)
_READERS = (
    (b"\xff\xd8\xff", _jpeg),
    (b"RIFF", _webp),
    (b"BM", _bmp),
    (b"II*\0", _tiff),
    (b"MM\0*", _tiff),
    (b"DDS ", lambda head: struct.unpack_from("<II", head, 12)[::-1]),
    (b"sB", _basis),
    (b"v/1\x01", _exr),
    (b"#?", _radiance),
)
