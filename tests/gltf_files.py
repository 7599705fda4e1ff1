"""Small glTF files, made on the spot."""

import base64
import json
import struct
from typing import Any

Json = dict[str, Any]

#: a flat quad of 2 × 1 metres, and a point above it: two triangles in the quad, one upright
POINTS = ((0, 0, 0), (2, 0, 0), (2, 1, 0), (0, 1, 0), (0, 0, 3))
CORNERS = (0, 1, 2, 0, 2, 3, 0, 1, 4)
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", 640, 480)

BLOB = (
    struct.pack(f"<{len(CORNERS)}H2x", *CORNERS)
    + b"".join(struct.pack("<3f", *point) for point in POINTS)
    + PNG
)  # fmt: skip


def model(**changes: Any) -> Json:
    """A sound glTF of one node, whose buffer is BLOB; named parts are replaced."""
    return {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 1}, "indices": 0}]}],
        "accessors": [
            {"bufferView": 0, "componentType": 5123, "count": 9, "type": "SCALAR"},
            {"bufferView": 1, "componentType": 5126, "count": 5, "type": "VEC3",
             "min": [0, 0, 0], "max": [2, 1, 3]},
        ],
        "bufferViews": [
            {"buffer": 0, "byteLength": 18},
            {"buffer": 0, "byteOffset": 20, "byteLength": 60},
            {"buffer": 0, "byteOffset": 80, "byteLength": len(PNG)},
        ],
        "buffers": [{"byteLength": len(BLOB)}],
        **changes,
    }  # fmt: skip


def glb(
    root: Json | bytes | str, blob: bytes = BLOB, *, pad: bool = True, version: int = 2
) -> bytes:
    """A GLB of a JSON chunk, which may be any bytes, and a binary chunk."""
    text = json.dumps(root).encode() if isinstance(root, dict) else root
    text = text.encode() if isinstance(text, str) else text
    if pad:
        text = text.ljust(-(-len(text) // 4) * 4)
        blob = blob.ljust(-(-len(blob) // 4) * 4, b"\0")
    chunks = struct.pack("<I4s", len(text), b"JSON") + text
    if blob:
        chunks += struct.pack("<I4s", len(blob), b"BIN\0") + blob
    return struct.pack("<4sII", b"glTF", version, 12 + len(chunks)) + chunks


def gltf(root: Json | None = None) -> bytes:
    """The same as text, with its buffer inside unless it has another."""
    root = model() if root is None else root
    for buffer in root["buffers"]:
        buffer.setdefault("uri", data_uri(BLOB))
    return json.dumps(root).encode()


def data_uri(content: bytes, kind: str = "application/octet-stream") -> str:
    """A data URI."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
