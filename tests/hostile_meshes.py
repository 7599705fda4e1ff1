"""Meshes and CAD files that mean harm: a format that is claimed, and what makes the bytes."""

import gzip
import struct
import zlib
from collections.abc import Callable

from .models import (
    OBJ,
    SOUND,
    STEP,
    binary_stl,
    blend,
    chunk,
    dae,
    fbx,
    fbx_file,
    ply,
    studio,
    text_stl,
    threemf,
    zipped,
)

Case = tuple[str, Callable[[], bytes]]
HUGE = 2**31 - 1
MEGABYTE = 1 << 20
LAUGHS = (
    '<!DOCTYPE a [<!ENTITY a "haha">' + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(12)) + "]>"
)  # fmt: skip


def ply_head(*lines: str, form: str = "binary_little_endian") -> bytes:
    return "\n".join(("ply", f"format {form} 1.0", *lines, "end_header", "")).encode()


def fbx_bomb(count: int) -> bytes:
    """An array that unpacks to eight bytes for each of many numbers."""
    packed = zlib.compress(bytes(8 * min(count, 16 << 20)))
    value = b"d" + struct.pack("<III", count, 1, len(packed)) + packed
    sound = fbx(vertices=b"MARK")
    marked = b"R" + struct.pack("<I", 4) + b"MARK"
    grown = len(value) - len(marked)
    return lengthened(sound, marked, value, grown)


def lengthened(content: bytes, old: bytes, new: bytes, grown: int) -> bytes:
    """Replace a property of the first geometry and lengthen the three nodes around it."""
    at = content.index(old)
    changed = bytearray(content[:at] + new + content[at + len(old) :])
    for name in (b"Objects", b"Geometry", b"Vertices"):
        start = content.index(name) - 13
        (end,) = struct.unpack_from("<I", changed, start)
        struct.pack_into("<I", changed, start, end + grown)
    start = content.index(b"Vertices") - 13
    (length,) = struct.unpack_from("<I", changed, start + 8)
    struct.pack_into("<I", changed, start + 8, length + grown)
    return bytes(changed)


def deep_fbx(levels: int) -> bytes:
    content = b""
    for _ in range(levels):
        content = struct.pack("<IIIB", 0, 0, 0, 7) + b"Objects" + content
    head = b"Kaydara FBX Binary  \0\x1a\0" + struct.pack("<I", 7400)
    whole = bytearray(head + content + bytes(13))
    for level in range(levels):
        struct.pack_into("<I", whole, len(head) + 20 * level, len(whole))
    return bytes(whole)


def many_fbx(count: int) -> bytes:
    head = b"Kaydara FBX Binary  \0\x1a\0" + struct.pack("<I", 7400)
    return head + b"".join(
        struct.pack("<IIIB", 27 + 14 * (n + 1), 0, 0, 1) + b"a" for n in range(count)
    )


def deep_chunks(levels: int) -> bytes:
    content = b""
    for _ in range(levels):
        content = chunk(0x3D3D, content)
    return chunk(0x4D4D, content)


def components(levels: int, mesh: bool = True) -> bytes:
    """Each object holds the one before it twice: 2 ** levels ways to the first."""
    first = (
        "<mesh><vertices><vertex x='0' y='0' z='0'/></vertices><triangles/></mesh>" if mesh else ""
    )
    objects = f"<object id='0'>{first}</object>" + "".join(
        f"<object id='{n + 1}'><components><component objectid='{n}'/><component objectid='{n}'/></components></object>"
        for n in range(levels)
    )
    return threemf(
        f"<model><resources>{objects}</resources><build><item objectid='{levels}'/></build></model>".encode()
    )


def doubled_nodes(levels: int) -> bytes:
    nodes = "".join(
        f'<node id="x{n}"><instance_node url="#x{n + 1}"/><instance_node url="#x{n + 1}"/></node>'
        for n in range(levels)
    )
    return dae().replace(b'<node id="n">', nodes.encode() + b'<node id="n">')


def triangles(primitive: str) -> bytes:
    return dae(primitive.replace("INPUT", '<input semantic="VERTEX" source="#v" offset="0"/>'))


def blocks(length: int, count: int = 1) -> bytes:
    return b"BLENDER-v252" + struct.pack("<4siQii", b"ME\0\0", length, 1, 0, 1) * count


CASES: dict[str, Case] = {
    "an obj of one line": ("obj", lambda: b"v 0 0 0 " * 7_500_000),
    "a face of 60 MB": ("obj", lambda: b"v 0 0 0\nf" + b" 1" * 30_000_000),
    "an obj that always goes on": ("obj", lambda: b"v 0 0 0\n" + b"\\\n" * 10_000_000),
    "an obj of carriage returns": ("obj", lambda: b"v 0 0 0\n" + b"\r" * 20_000_000),
    "an obj of spaces": ("obj", lambda: (b" " * 1_000 + b"\n") * 20_000),
    "an obj of blanks in lines": ("obj", lambda: (b"v" + b" " * 100_000 + b"\n") * 100),
    "a corner of 10^300": ("obj", lambda: OBJ + b"f 1 2 1" + b"0" * 300),
    "a corner of a million digits": ("obj", lambda: OBJ + b"f 1 2 1" + b"0" * 900_000),
    "a vertex that is no number": ("obj", lambda: OBJ + b"v nan inf -inf\n"),
    "a vertex beyond numbers": ("obj", lambda: OBJ + b"v 1e308 1e308 1e308\nv -1e308 -1e308 -1e308\n"),
    "a hundred thousand libraries": ("obj", lambda: OBJ + b"".join(b"mtllib %d.mtl\n" % n for n in range(90_000))),
    "libraries that are elsewhere": ("obj", lambda: OBJ + b"mtllib ../secret\nmtllib /etc/passwd\nmtllib link\nmtllib pipe\nmtllib folder\n"),
    "a library named by a lot": ("obj", lambda: OBJ + b"mtllib " + b"a.mtl " * 100_000 + b"\n"),
    "a stl that counts 2^31": ("stl", lambda: binary_stl(counted=HUGE)),
    "a stl that counts 2^32": ("stl", lambda: binary_stl(counted=2**32 - 1)),
    "a stl of noughts": ("stl", lambda: bytes(84 + 50 * 3)),
    "a stl of no numbers": ("stl", lambda: b"x" * 80 + struct.pack("<I", 2) + b"\xff" * 100),
    "a stl of a head": ("stl", lambda: b"solid"),
    "a text stl of one line": ("stl", lambda: b"solid a facet " + b"vertex 0 0 0 " * 4_000_000),
    "a text stl of vertices": ("stl", lambda: b"solid a\nfacet normal 0 0 1\n" + b"vertex 1e400 0 0\n" * 100_000),
    "a text stl that never ends": ("stl", lambda: text_stl("a")[:-1] * 2_000),
    "a ply that counts 2^31": ("ply", lambda: ply_head(f"element vertex {HUGE}", "property float x", "property float y", "property float z")),
    "a ply that counts 10^30": ("ply", lambda: ply_head(f"element vertex {10**30}", "property float x", "property float y", "property float z")),
    "a ply of nothing, often": ("ply", lambda: ply_head("element vertex 1", "property float x", f"element nothing {HUGE}")),
    "a ply of a list of 2^32": ("ply", lambda: ply_head("element vertex 1", "property list uint char x") + b"\xff" * 64),
    "a ply of lists that go back": ("ply", lambda: ply(faces="list int int vertex_indices", form="ascii").replace(b"9 4", b"9 -4")),
    "a ply of lists beyond numbers": ("ply", lambda: ply().replace(b"9 4", b"9 1e300")),
    "a ply of infinite lists": ("ply", lambda: ply().replace(b"9 4", b"9 inf")),
    "a ply of ten thousand properties": ("ply", lambda: ply_head("element vertex 1", *["property list uchar int a"] * 2_000) + bytes(MEGABYTE)),
    "a ply of a head": ("ply", lambda: b"ply\nformat ascii 1.0\n" + b"comment x\n" * 100_000),
    "a ply of empty faces": ("ply", lambda: ply_head("element vertex 1", "property float x", "property float y", "property float z", f"element face {HUGE}", "property list uchar int vertex_indices") + bytes(MEGABYTE)),
    "an fbx of a head": ("fbx", lambda: fbx()[:25]),
    "an fbx bomb": ("fbx", lambda: fbx_bomb(16 << 20)),
    "an fbx of 2^31 numbers": ("fbx", lambda: fbx_bomb(HUGE)),
    "an fbx of a small bomb": ("fbx", lambda: fbx_bomb(4 << 20)),
    "an fbx, deep": ("fbx", lambda: deep_fbx(10_000)),
    "an fbx of nodes": ("fbx", lambda: many_fbx(1_000_000)),
    "an fbx that ends before it begins": ("fbx", lambda: fbx_file(7400, ())[:27] + struct.pack("<IIIB", 1, 0, 0, 0) * 1_000),
    "an fbx whose nodes run on": ("fbx", lambda: fbx()[:27] + struct.pack("<IIIB", 2**32 - 1, 2**32 - 1, 2**32 - 1, 255) + bytes(400)),
    "an fbx of numbers that are none": ("fbx", lambda: fbx(vertices=(float("nan"), float("inf"), 0.0) * 4)),
    "an fbx of corners that are not there": ("fbx", lambda: fbx(corners=(0, 1, -HUGE))),
    "an fbx of one endless polygon": ("fbx", lambda: fbx(corners=(0,) * 300_000)),
    "a 3ds, deep": ("3ds", lambda: deep_chunks(50_000)),
    "a 3ds of small chunks": ("3ds", lambda: chunk(0x4D4D, chunk(0x1234) * 2_000_000)),
    "a 3ds of chunks of nothing": ("3ds", lambda: chunk(0x4D4D, struct.pack("<HI", 0x1234, 0) * 10)),
    "a 3ds that runs on": ("3ds", lambda: struct.pack("<HI", 0x4D4D, 2**32 - 1) + bytes(100)),
    "a 3ds of points that are not there": ("3ds", lambda: studio(points=struct.pack("<H", 65_535))),
    "a 3ds of faces that are not there": ("3ds", lambda: studio(faces=struct.pack("<H", 65_535))),
    "a 3ds of points that are no numbers": ("3ds", lambda: studio(points=struct.pack("<H", 4) + b"\xff" * 48)),
    "a dae that laughs": ("dae", lambda: dae(head=LAUGHS)),
    "a dae that reads a file": ("dae", lambda: dae(head='<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>').replace(b"0 0 0 2", b"&x;")),
    "a dae that asks the network": ("dae", lambda: dae(head='<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd">')),
    "a dae, deep": ("dae", lambda: b"<COLLADA>" + b"<node>" * 1_000_000),
    "a dae of elements": ("dae", lambda: b"<COLLADA>" + b"<a/>" * 5_000_000 + b"</COLLADA>"),
    "a dae of nodes": ("dae", lambda: b"<COLLADA><library_visual_scenes><visual_scene>" + b'<node id="a"/>' * 199_000 + b"</visual_scene></library_visual_scenes></COLLADA>"),
    "a dae of polygons": ("dae", lambda: triangles("<polygons>INPUT" + "<p>0 1 2</p>" * 199_000 + "</polygons>")),
    "a dae of 100 MB": ("dae", lambda: dae(numbers="0 " * (50 * MEGABYTE))),
    "a dae of one word": ("dae", lambda: dae(numbers="0" * (50 * MEGABYTE))),
    "a dae of attributes": ("dae", lambda: b"<COLLADA " + b" ".join(b'a%d=""' % n for n in range(300_000)) + b"/>"),
    "a dae of one text": ("dae", lambda: dae(numbers="0 " * 8_000_000)),
    "a dae of nodes that double": ("dae", lambda: doubled_nodes(60)),
    "a dae of a node in itself": ("dae", lambda: dae().replace(b'url="#n"', b'url="#loop"').replace(b"<node><inst", b'<node id="loop"><inst')),
    "a dae that counts 2^31 corners": ("dae", lambda: triangles(f"<polylist>INPUT<vcount>{HUGE}</vcount><p>0 1 2</p></polylist>")),
    "a dae that counts backwards": ("dae", lambda: triangles("<polylist>INPUT<vcount>-3 6</vcount><p>0 1 2</p></polylist>")),
    "a dae of corners that are no numbers": ("dae", lambda: triangles("<triangles>INPUT<p>nan inf -inf</p></triangles>")),
    "a dae of corners that are not there": ("dae", lambda: triangles(f"<triangles>INPUT<p>0 1 {HUGE}</p></triangles>")),
    "a dae of numbers that are none": ("dae", lambda: dae(numbers="nan inf 0 1e400 0 0 0 0 0 0 0 0")),
    "a dae of a unit of nothing": ("dae", lambda: dae().replace(b'meter="0.01"', b'meter="nan"')),
    "a dae in utf-7": ("dae", lambda: dae().replace(b'version="1.0"', b'version="1.0" encoding="utf-7"', 1)),
    "a step without an end": ("step", lambda: STEP[:-20]),
    "a step of one statement": ("step", lambda: STEP[:60] + b"#1=(" * 5_000_000),
    "a step of open points": ("step", lambda: STEP[:60] + b"#1=CARTESIAN_POINT('" * 50_000 + b";\n" + STEP[60:]),
    "a step of open units": ("step", lambda: STEP[:60] + b"#1=( UNIT SI_UNIT" * 5_000 + b";\n" + STEP[60:]),
    "a step of digits": ("step", lambda: STEP[:60] + b"#" + b"1" * 900_000 + b";\n" + STEP[60:]),
    "a step of spaces": ("step", lambda: STEP[:60] + b"#1" + b" " * 900_000 + b";\n" + STEP[60:]),
    "a step of a unit of itself": ("step", lambda: STEP.replace(b"SI_UNIT ( .MILLI., .METRE. )", b"CONVERSION_BASED_UNIT ( 'A', #10 )") + b"#10=LENGTH_MEASURE_WITH_UNIT(LENGTH_MEASURE(1e300),#7);"),
    "a step of numbers that are none": ("step", lambda: STEP.replace(b"20.E0", b"1.E999")),
    "a blend bomb": ("blend", lambda: gzip.compress(b"BLENDER-v252" + struct.pack("<4siQii", b"DATA", HUGE, 1, 0, 1) + bytes(300 << 20), 1)),
    "a blend that counts 2^31": ("blend", lambda: blocks(HUGE)),
    "a blend that counts below zero": ("blend", lambda: blocks(-HUGE)),
    "a blend of blocks": ("blend", lambda: blocks(0, 500_000)),
    "a blend without an end": ("blend", lambda: blend(ended=False)),
    "a blend of Blender 5": ("blend", lambda: b"BLENDER17-01v0500" + bytes(100)),
    "a blend in zstd": ("blend", lambda: b"(\xb5/\xfd" + bytes(100)),
    "a 3mf of components that double": ("3mf", lambda: components(60)),
    "a 3mf of components in themselves": ("3mf", lambda: threemf(b"<model><resources><object id='1'><components><component objectid='1'/></components></object></resources><build><item objectid='1'/></build></model>")),
    "a 3mf that laughs": ("3mf", lambda: threemf(LAUGHS.encode() + b"<model>&m;</model>")),
    "a 3mf bomb": ("3mf", lambda: threemf(b"<model>" + b" " * (200 * MEGABYTE))),
    "a 3mf of elements": ("3mf", lambda: threemf(b"<model>" + b"<vertex x='0' y='0' z='0'/>" * 1_200_000 + b"</model>")),
    "a 3mf of parts": ("3mf", lambda: threemf(b"<model xmlns:p='p'><build>" + b"".join(b"<item objectid='1' p:path='/%d'/>" % n for n in range(20_000)) + b"</build></model>")),
    "a 3mf of nothing": ("3mf", lambda: zipped({"3D/3dmodel.model": b""})),
    "a 3mf of numbers that are none": ("3mf", lambda: threemf(b"<model><resources><object id='1'><mesh><vertices><vertex x='nan' y='1e999' z='0'/></vertices></mesh></object></resources><build><item objectid='1'/></build></model>")),
    "a 3mf of corners beyond numbers": ("3mf", lambda: threemf(b"<model><resources><object id='1'><mesh><triangles><triangle v1='99999999999999999999' v2='0' v3='0'/></triangles></mesh></object></resources></model>")),
    "a 3mf out of its folder": ("3mf", lambda: zipped({"3D/3dmodel.model": b"<model/>", "../../secret": b"x"})),
}  # fmt: skip
CASES |= {
    f"half of a {format_name} ({number})": (format_name, content[: len(content) // 2].__bytes__)
    for format_name, contents in SOUND.items()
    for number, content in enumerate(contents)
}
