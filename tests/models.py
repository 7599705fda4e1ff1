"""Small 3D files in the formats that clients send, made here: each a square of two triangles."""

import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Sequence

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


def threemf(model: bytes | None = None, unit: str = "millimeter", **parts: bytes) -> bytes:
    """The square as an object, built once as it is and once through a component, moved."""
    if model is None:
        vertices = "".join(f'<vertex x="{x}" y="{y}" z="{z}"/>' for x, y, z in SQUARE)
        triangles = "".join(f'<triangle v1="{a}" v2="{b}" v3="{c}"/>' for a, b, c in FACES)
        model = (
            f'<?xml version="1.0"?><model unit="{unit}" xmlns="http://schemas.microsoft.com/3dmanufacturing/core/2015/02"'
            ' xmlns:m="http://schemas.microsoft.com/3dmanufacturing/material/2015/02"><resources>'
            '<basematerials id="5"><base name="oak"/></basematerials><m:texture2d id="6" path="/3D/oak.png"/>'
            f'<object id="1"><mesh><vertices>{vertices}</vertices><triangles>{triangles}</triangles></mesh></object>'
            '<object id="2"><components><component objectid="1" transform="1 0 0 0 1 0 0 0 1 0 0 3"/></components></object>'
            '</resources><build><item objectid="1"/><item objectid="2"/></build></model>'
        ).encode()
    return zipped(
        {"3D/3dmodel.model": model, **{f"3D/{name}": part for name, part in parts.items()}}
    )


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", method) as archive:
        for name, member in members.items():
            archive.writestr(name, member)
    return content.getvalue()


def dae(
    primitive: str | None = None, head: str = "", numbers: str = "0 0 0 2 0 0 2 1 0 0 1 0"
) -> bytes:
    primitive = primitive or (
        '<polylist count="1"><input semantic="VERTEX" source="#v" offset="0"/>'
        '<input semantic="TEXCOORD" source="#t" offset="1"/><vcount>4</vcount><p>0 0 1 0 2 0 3 0</p></polylist>'
    )
    return (
        f'<?xml version="1.0"?>{head}<COLLADA xmlns="http://www.collada.org/2005/11/COLLADASchema" version="1.4.1">'
        '<asset><unit name="centimeter" meter="0.01"/><up_axis>Z_UP</up_axis></asset>'
        '<library_images><image id="i"><init_from>file:///C:/work/the%20oak.png</init_from></image></library_images>'
        '<library_materials><material id="m"/></library_materials>'
        f'<library_geometries><geometry id="g"><mesh><source id="s"><float_array count="12">{numbers}</float_array></source>'
        f'<vertices id="v"><input semantic="POSITION" source="#s"/></vertices>{primitive}</mesh></geometry></library_geometries>'
        "<library_animations><animation><channel/></animation></library_animations>"
        '<library_visual_scenes><visual_scene id="a"><node id="n"><rotate>0 0 1 90</rotate><scale>2 2 2</scale>'
        '<instance_geometry url="#g"/></node><node><instance_node url="#n"/></node></visual_scene></library_visual_scenes>'
        '<scene><instance_visual_scene url="#a"/></scene></COLLADA>'
    ).encode()


Property = int | float | str | bytes | tuple[float, ...] | tuple[int, ...]


def fbx_node(
    name: str,
    values: Sequence[Property] = (),
    children: bytes = b"",
    start: int = 0,
    wide: bool = False,
) -> bytes:
    """A node of a binary FBX that begins at a place of the file."""
    data = b"".join(map(_property, values))
    layout = "<QQQB" if wide else "<IIIB"
    head = struct.calcsize(layout) + len(name)
    end = start + head + len(data) + len(children)
    return (
        struct.pack(layout, end, len(values), len(data), len(name))
        + name.encode()
        + data
        + children
    )


def _property(value: Property) -> bytes:
    if isinstance(value, int):
        return b"L" + struct.pack("<q", value)
    if isinstance(value, float):
        return b"D" + struct.pack("<d", value)
    if isinstance(value, str):
        return b"S" + struct.pack("<I", len(value)) + value.encode()
    if isinstance(value, bytes):
        return b"R" + struct.pack("<I", len(value)) + value
    kind = "d" if isinstance(value[0], float) else "i"
    packed = zlib.compress(struct.pack(f"<{len(value)}{kind}", *value))
    return kind.encode() + struct.pack("<III", len(value), 1, len(packed)) + packed


Tree = tuple[str, Sequence[Property], Sequence["Tree"]]


def fbx(
    version: int = 7400,
    vertices: Property = (0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 2.0, 1.0, 0.0, 0.0, 1.0, 0.0),
    corners: Property = (0, 1, 2, -4),
    content: bytes = b"",
) -> bytes:
    """The square, scaled by ten and turned, in inches, with a texture that may be inside."""
    video: list[Tree] = [("RelativeFilename", ["..\\oak.png"], ()), ("Content", [content], ())]
    return fbx_file(version, [
        ("GlobalSettings", (), [("Properties70", (), [("P", ["UnitScaleFactor", "double", "Number", "", 2.54], ())])]),
        ("Objects", (), [
            ("Geometry", [1, "square", "Mesh"], [("Vertices", [vertices], ()), ("PolygonVertexIndex", [corners], ()), ("LayerElementUV", [0], ())]),
            ("Model", [2, "square", "Mesh"], [("Properties70", (), [
                ("P", ["Lcl Rotation", "", "", "A", 0.0, 0.0, 90.0], ()), ("P", ["Lcl Scaling", "", "", "A", 10.0, 10.0, 10.0], ()),
            ])]),
            ("Material", [3, "oak", ""], ()),
            ("Texture", [4, "oak", ""], [("RelativeFilename", ["D:\\work\\oak.png"], ())]),
            ("Video", [5, "oak", "Clip"], video if content else ()),
            ("AnimationStack", [6, "walk", ""], ()),
        ]),
        ("Connections", (), [("C", ["OO", 1, 2], ()), ("C", ["OO", 2, 0], ()), ("C", ["OO", 3, 2], ())]),
    ])  # fmt: skip


def fbx_file(version: int, trees: Sequence[Tree]) -> bytes:
    content = b"Kaydara FBX Binary  \0\x1a\0" + struct.pack("<I", version)
    wide = version >= 7500
    for tree in trees:
        content += _fbx_tree(tree, len(content), wide)
    return content + bytes(25 if wide else 13) + bytes(100)


def _fbx_tree(tree: Tree, start: int, wide: bool) -> bytes:
    name, values, children = tree
    inside = start + len(fbx_node(name, values, b"", start, wide))
    content = b""
    for child in children:
        content += _fbx_tree(child, inside + len(content), wide)
    return fbx_node(
        name, values, content + (bytes(25 if wide else 13) if children else b""), start, wide
    )


def chunk(kind: int, *parts: bytes) -> bytes:
    data = b"".join(parts)
    return struct.pack("<HI", kind, 6 + len(data)) + data


def studio(points: bytes | None = None, faces: bytes | None = None) -> bytes:
    """The square as a 3DS, with a material and its map."""
    points = points or struct.pack("<H12f", 4, *(part for point in SQUARE for part in point))
    faces = faces or struct.pack("<H8H", 2, *(part for face in FACES for part in (*face, 0)))
    return chunk(0x4D4D,
        chunk(0x3D3D,
            chunk(0xAFFF, chunk(0xA000, b"oak\0"), chunk(0xA200, chunk(0xA300, b"OAK.PNG\0"))),
            chunk(0x4000, b"square\0", chunk(0x4100, chunk(0x4110, points), chunk(0x4120, faces))),
        ),
    )  # fmt: skip


STEP = b"""ISO-10303-21;
HEADER;
FILE_SCHEMA (( 'AUTOMOTIVE_DESIGN' ));
ENDSEC;
DATA;
#1 = CARTESIAN_POINT ( 'NONE', ( 0., 0., 0. ) ) ;
#2 = CARTESIAN_POINT ( 'NONE', ( 10., 20.E0, -5. ) ) ;
#3 = CARTESIAN_POINT ( 'NONE', ( 900., 0., 0. ) ) ;
#4 = VERTEX_POINT ( 'NONE', #1 ) ;
#5 = VERTEX_POINT ( 'NONE', #2 ) ;
#6 = MANIFOLD_SOLID_BREP ( 'body', #99 ) ;
#7 =( LENGTH_UNIT ( ) NAMED_UNIT ( * ) SI_UNIT ( .MILLI., .METRE. ) );
#8 =( GEOMETRIC_REPRESENTATION_CONTEXT ( 3 ) GLOBAL_UNIT_ASSIGNED_CONTEXT ( ( #7, #9 ) ) REPRESENTATION_CONTEXT ( '', '' ) );
ENDSEC;
END-ISO-10303-21;
"""


def blend(packed: bool = False, old: bool = True, ended: bool = True) -> bytes:
    """A mesh of a quad and a triangle: as old files keep it, tessellated, or as new ones do."""
    names = [b"totvert", b"totloop", b"totpoly", b"*mface", b"v1", b"v2", b"v3", b"v4", b"id[2]"]
    types, lengths = [b"int", b"MFace", b"Mesh"], [4, 16, 28]
    structs = [(1, [(0, 4), (0, 5), (0, 6), (0, 7)]), (2, [(0, 8), (0, 0), (0, 1), (0, 2), (1, 3)])]

    def aligned(data: bytes) -> bytes:
        return data + bytes(-len(data) % 4)

    def words(mark: bytes, found: list[bytes]) -> bytes:
        return aligned(
            mark + struct.pack("<i", len(found)) + b"".join(word + b"\0" for word in found)
        )

    dna = b"SDNA" + words(b"NAME", names) + words(b"TYPE", types)
    dna += (
        aligned(b"TLEN" + struct.pack("<3h", *lengths)) + b"STRC" + struct.pack("<i", len(structs))
    )
    for kind, fields in structs:
        dna += struct.pack("<hh", kind, len(fields)) + b"".join(
            struct.pack("<hh", *field) for field in fields
        )
    mesh = struct.pack("<5iQ", 0, 0, 5, *((0, 0) if old else (7, 2)), 77)
    faces = struct.pack("<8i", 1, 2, 3, 4, 1, 2, 3, 0)
    content = b"BLENDER-v252"
    for code, data, at, kind in (
        (b"ME\0\0", mesh, 5, 1),
        (b"DATA", faces, 77, 0),
        (b"MA\0\0", b"", 6, 9),
        (b"DNA1", dna, 7, 0),
    ):
        content += struct.pack("<4siQii", code, len(data), at, kind, 1) + data
    if ended:
        content += struct.pack("<4siQii", b"ENDB", 0, 0, 0, 0)
    return gzip.compress(content) if packed else content


#: a sound file of each format: format → content
SOUND: dict[str, list[bytes]] = {
    "obj": [OBJ],
    "stl": [binary_stl(), text_stl("a")],
    "ply": [ply(), ply("binary_little_endian"), ply("binary_big_endian")],
    "3mf": [threemf()],
    "dae": [dae()],
    "fbx": [fbx(), fbx(7500)],
    "3ds": [studio()],
    "step": [STEP],
    "blend": [blend(), blend(packed=True), blend(old=False)],
}
