"""Small USD files, made on the spot."""

import io
import struct
import zipfile

from .gltf_files import CORNERS, POINTS

MESH = """def Mesh "M" {
    int[] faceVertexCounts = [4, 3]
    int[] faceVertexIndices = [0, 1, 2, 3, 0, 1, 4]
    point3f[] points = [(0, 0, 0), (2, 0, 0), (2, 1, 0), (0, 1, 0), (0, 0, 3)]
    texCoord2f[] primvars:st = [(0, 0)] (interpolation = "constant")
}"""


def usda(body: str, metadata: str = "") -> bytes:
    """A text layer."""
    return f"#usda 1.0\n(\n{metadata})\n{body}\n".encode()


def usdz(members: dict[str, bytes]) -> bytes:
    """A package, stored."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return content.getvalue()


def packed(data: bytes) -> bytes:
    """One LZ4 block of literals only, behind its size."""
    length = (
        b""
        if len(data) < 15
        else b"\xff" * ((len(data) - 15) // 255) + bytes([(len(data) - 15) % 255])
    )
    block = b"\0" + bytes([min(len(data), 15) << 4]) + length + data
    return struct.pack("<Q", len(block)) + block


def integers(numbers: list[int]) -> bytes:
    """Packed integers: every difference written in full."""
    steps = [b - a for a, b in zip([0, *numbers], numbers, strict=False)]
    codes = bytearray((2 * len(steps) + 7) // 8)
    for at in range(len(steps)):
        codes[at // 4] |= 3 << at % 4 * 2
    return packed(
        struct.pack("<i", 0) + codes + b"".join(struct.pack("<i", step) for step in steps)
    )


def crate(
    *, jumps: tuple[int, ...] = (-1, -1, 0, 0, -2), token_bytes: int | None = None, points: int = 5,
    minor: int = 8,
) -> bytes:  # fmt: skip
    """A binary layer of the mesh above in triangles, in millimetres; lies are for the asking."""
    words = ["", "metersPerUnit", "M", "specifier", "typeName", "Mesh", "points", "faceVertexCounts",
             "faceVertexIndices", "default"]  # fmt: skip
    body = bytearray(b"PXR-USDC" + bytes([0, minor, 0]) + bytes(77))

    def stored(
        kind: int, layout: str, items: list[tuple[float, ...]], count: int | None = None
    ) -> int:
        at = len(body)
        body.extend(struct.pack("<Q", len(items) if count is None else count))
        for item in items:
            body.extend(struct.pack(layout, *item))
        return 1 << 63 | kind << 48 | at

    metre = len(body)
    body.extend(struct.pack("<d", 0.001))
    inlined = 1 << 62
    fields = [
        (1, 9 << 48 | metre),
        (3, inlined | 42 << 48),
        (4, inlined | 11 << 48 | 5),
        (9, stored(24, "<3f", [*POINTS], points)),
        (9, stored(3, "<i", [(3,)] * 3)),
        (9, stored(3, "<i", [(corner,) for corner in CORNERS])),
    ]
    text = b"\0".join(word.encode() for word in words) + b"\0"
    sections = {
        "TOKENS": struct.pack("<2Q", len(words), len(text) if token_bytes is None else token_bytes) + packed(text),
        "STRINGS": struct.pack("<Q", 0),
        "FIELDS": struct.pack("<Q", len(fields)) + integers([name for name, _ in fields])
        + packed(b"".join(struct.pack("<Q", rep) for _, rep in fields)),
        "FIELDSETS": struct.pack("<Q", 11) + integers([0, -1, 1, 2, -1, 3, -1, 4, -1, 5, -1]),
        "PATHS": struct.pack("<2Q", 5, 5) + integers([0, 1, 2, 3, 4]) + integers([0, 2, -6, -7, -8]) + integers([*jumps]),
        "SPECS": struct.pack("<Q", 5) + integers([0, 1, 2, 3, 4]) + integers([0, 2, 5, 7, 9]) + integers([7, 6, 1, 1, 1]),
    }  # fmt: skip
    table = struct.pack("<Q", len(sections))
    for name, content in sections.items():
        table += struct.pack("<16sqq", name.encode(), len(body), len(content))
        body.extend(content)
    struct.pack_into("<q", body, 16, len(body))
    return bytes(body + table)
