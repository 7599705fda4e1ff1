"""Small 3D files in the formats that clients send, made here; each a unit cube or a corner of it."""

import struct

#: two triangles that fill a square of 2 × 1 in the plane z = 0
SQUARE = ((0, 0, 0), (2, 0, 0), (2, 1, 0), (0, 1, 0))
FACES = ((0, 1, 2), (0, 2, 3))

OBJ = b"""# made here
mtllib square.mtl
o square
v 0 0 0
v 2 0 0
v 2 1 0
v 0 1 0
vt 0 0
usemtl wood
f 1/1 2/1 3/1 4/1
"""
MTL = b"newmtl wood\nKd 1 0.5 0\nmap_Kd -s 1 1 1 -bm 0.2 wood oak.png\n"
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", 640, 480)


def binary_stl(header: bytes = b"", counted: int | None = None) -> bytes:
    triangles = [[SQUARE[at] for at in face] for face in FACES]
    data = b"".join(
        struct.pack("<12fH", 0, 0, 1, *(part for point in triangle for part in point), 0)
        for triangle in triangles
    )
    return (
        header.ljust(80, b" ")
        + struct.pack("<I", len(FACES) if counted is None else counted)
        + data
    )


def text_stl(*names: str) -> bytes:
    facets = "".join(
        "facet normal 0 0 1\n outer loop\n"
        + "".join(f"  vertex {x} {y} {z}\n" for x, y, z in (SQUARE[at] for at in face))
        + " endloop\nendfacet\n"
        for face in FACES
    )
    return "".join(f"solid {name}\n{facets}endsolid {name}\n" for name in names).encode()


def ply(
    form: str = "ascii", extra: str = "", faces: str = "list uchar int vertex_indices"
) -> bytes:
    """One quad, with a colour for each point and a mark for the face."""
    header = (
        f"ply\nformat {form} 1.0\n{extra}element vertex 4\nproperty float x\nproperty float y\n"
        f"property float z\nproperty uchar red\nelement face 1\nproperty uchar mark\nproperty {faces}\nend_header\n"
    ).encode()
    if form == "ascii":
        points = "".join(f"{x} {y} {z} 7\n" for x, y, z in SQUARE)
        return header + f"{points}9 4 0 1 2 3\n".encode()
    order = "<" if "little" in form else ">"
    points_ = b"".join(struct.pack(f"{order}3fB", *point, 7) for point in SQUARE)
    return header + points_ + struct.pack(f"{order}BB4i", 9, 4, 0, 1, 2, 3)
