"""LZ4 blocks and the packed integers of USD, unpacked in bounds.

Source: LZ4 block format description; OpenUSD pxr/base/tf/fastCompression and
pxr/usd/sdf/integerCoding.
"""

import struct
from itertools import accumulate

from figsupport.files.model3d.values import Damaged


def unpacked(data: bytes, most: int) -> bytes:
    """Return what a run of LZ4 blocks holds, at most so many bytes. Raises Damaged."""
    if not data:
        raise Damaged("truncated")
    if data[0] == 0:
        return _block(data[1:], most)
    result = b""
    at = 1
    for _ in range(data[0]):
        (size,) = struct.unpack_from("<i", data, at)
        if size < 0:
            raise Damaged("malformed")
        result += _block(data[at + 4 : at + 4 + size], most - len(result))
        at += 4 + size
    return result


def _block(data: bytes, most: int) -> bytes:
    out = bytearray()
    at, end = 0, len(data)
    try:
        while at < end:
            token = data[at]
            at += 1
            length = token >> 4
            if length == 15:
                length, at = _longer(data, at, length)
            if length:
                out += data[at : at + length]
                at += length
            if at >= end:
                break
            offset = data[at] | data[at + 1] << 8
            at += 2
            length = token & 15
            if length == 15:
                length, at = _longer(data, at, length)
            length += 4
            start = len(out) - offset
            if start < 0 or offset == 0 or len(out) + length > most:
                raise Damaged("malformed")
            piece = out[start : start + length]
            out += piece if offset >= length else (piece * (length // offset + 1))[:length]
    except IndexError:
        raise Damaged("truncated") from None
    if len(out) > most or at > end:
        raise Damaged("malformed")
    return bytes(out)


def _longer(data: bytes, at: int, length: int) -> tuple[int, int]:
    while True:
        length += data[at]
        at += 1
        if data[at - 1] != 255:
            return length, at


def integers(data: bytes, count: int) -> list[int]:
    """Return so many 32-bit integers, written as differences. Raises Damaged."""
    if not count:
        return []
    (common,) = struct.unpack_from("<i", data)
    codes = data[4 : 4 + (2 * count + 7) // 8]
    at = 4 + len(codes)
    steps: list[int] = []
    for code in codes:
        if not code:
            steps += (common, common, common, common)
            continue
        for shift in (0, 2, 4, 6):
            kind = code >> shift & 3
            if kind == 0:
                steps.append(common)
                continue
            size = 1 << kind - 1
            piece = data[at : at + size]
            at += size
            steps.append(int.from_bytes(piece, "little", signed=True))
    del steps[count:]
    if len(steps) < count or at > len(data):
        raise Damaged("truncated")
    return list(accumulate(steps))
