"""Files that mean harm: each is a format that is claimed, and a function that makes the bytes."""

import json
import struct
from collections.abc import Callable
from typing import Any

from .gltf_files import BLOB, PNG, Json, data_uri, glb, gltf, model
from .usd_files import MESH, crate, usda, usdz

Case = tuple[str, Callable[[], bytes]]


def with_nodes(nodes: list[Json], **changes: Any) -> bytes:
    return glb(model(nodes=nodes, **changes))


def with_accessor(**changes: Any) -> bytes:
    root = model()
    root["accessors"][1].update(changes)
    return glb(root)


def with_view(**changes: Any) -> bytes:
    root = model()
    root["bufferViews"][1].update(changes)
    return glb(root)


def with_uri(uri: str) -> bytes:
    root = model(buffers=[{"byteLength": 100, "uri": uri}], images=[{"uri": uri}])
    return json.dumps(root).encode()


def doubling(levels: int, mesh: bool) -> bytes:
    """Each node holds the next one twice: 2 ** levels ways to the last."""
    nodes: list[Json] = [{"children": [n + 1, n + 1], "scale": [1, 1, 0.5]} for n in range(levels)]
    return with_nodes([*nodes, {"mesh": 0} if mesh else {}])


def ladder(levels: int, wide: int) -> bytes:
    """Every node of a level holds every node of the next one."""
    nodes = [
        {"children": [*range((level + 1) * wide, (level + 2) * wide)]}
        for level in range(levels)
        for _ in range(wide)
    ]
    return with_nodes([*nodes, *({"mesh": 0} for _ in range(wide))])


def chained(count: int) -> bytes:
    nodes: list[Json] = [{"children": [n + 1], "rotation": [0.1, 0, 0, 1]} for n in range(count)]
    return with_nodes([*nodes, {"mesh": 0}])


def turned_instances(count: int) -> bytes:
    """One mesh of many points, turned another way by each of many nodes."""
    points = bytes(12 * 100_000)
    root = model(
        scenes=[{"nodes": [*range(count)]}],
        nodes=[{"mesh": 0, "rotation": [0.1, 0.2, 0.3, 1]}] * count,
        accessors=[{"bufferView": 0, "componentType": 5126, "count": 100_000, "type": "VEC3"}] * 2,
        bufferViews=[{"buffer": 0, "byteLength": len(points)}],
        buffers=[{"byteLength": len(points)}],
    )
    return glb(root, points)


def segments() -> bytes:
    """Many pictures, each a JPEG of nothing but segments."""
    jpeg = b"\xff\xd8" + b"\xff\xe0\0\2" * 60_000
    views = [
        {"buffer": 0, "byteOffset": n, "byteLength": len(jpeg) - n} for n in range(0, 7_200, 4)
    ]
    root = model(bufferViews=views, images=[{"bufferView": n} for n in range(len(views))])
    return glb({**root, "accessors": [], "meshes": [], "nodes": [], "scenes": [], "buffers": [{"byteLength": len(jpeg)}]}, jpeg)  # fmt: skip


def text(content: str | bytes) -> Case:
    return "glb", lambda: glb(content)


def lying_lengths(total: int, chunk: int) -> bytes:
    return struct.pack("<4sIIII", b"glTF", 2, total, chunk, 0x4E4F534A) + gltf()


HUGE = 2**31
GLTF: dict[str, Case] = {
    "nothing": ("glb", lambda: b""),
    "only the magic": ("glb", lambda: b"glTF"),
    "only a header": ("glb", lambda: struct.pack("<4sII", b"glTF", 2, 12)),
    "a header without its chunk": ("glb", lambda: glb(model())[:19]),
    "JSON cut": ("glb", lambda: glb(model())[:200]),
    "binary chunk cut": ("glb", lambda: glb(model())[:-30]),
    "no binary chunk": ("glb", lambda: glb(model(), b"")),
    "a chunk of 4 GB": ("glb", lambda: lying_lengths(1_000, 2**32 - 1)),
    "a chunk past the end": ("glb", lambda: lying_lengths(2**32 - 1, 5_000_000)),
    "a chunk of nothing": ("glb", lambda: lying_lengths(20, 0)),
    "binary chunk first": ("glb", lambda: struct.pack("<4sII4sI4s", b"glTF", 2, 24, b"\4\0\0\0", 0x004E4942, b"JSON")),
    "JSON of 9 MB": text(b" " * (9 << 20)),
    "JSON text of 9 MB": ("gltf", lambda: b'{"asset": {"version": "2.0"}}' + b" " * (9 << 20)),
    "nested lists": text('{"asset":{"version":"2.0"},"a":' + "[" * 100_000 + "]" * 100_000 + "}"),
    "nested objects": text('{"a":' * 100_000 + "1" + "}" * 100_000),
    "millions of lists": text("[" + "[]," * 2_700_000 + "[]]"),
    "millions of nodes": text('{"asset":{"version":"2.0"},"nodes":[' + "{}," * 2_700_000 + "{}]}"),
    "as many nodes as are read": text('{"asset":{"version":"2.0"},"nodes":[' + '{"mesh":0},' * 290_000 + '{}],"meshes":[{}]}'),
    "as many accessors as are read": text('{"asset":{"version":"2.0"},"accessors":[' + ",".join(['{"count":1,"componentType":5126,"type":"VEC3"}'] * 140_000) + "]}"),
    "millions of numbers": text('{"asset":{"version":"2.0"},"scenes":[{"nodes":[' + "0," * 4_000_000 + "0]}]}"),
    "millions of fractions": text('{"asset":{"version":"2.0"},"a":[' + "0.1," * 2_000_000 + "0]}"),
    "millions of names": text('{"asset":{"version":"2.0"}' + "".join(f',"{n:x}":1' for n in range(800_000)) + "}"),
    "millions of strings": text('{"asset":{"version":"2.0"},"a":[' + '"ab",' * 1_600_000 + "0]}"),
    "millions of extensions": text('{"asset":{"version":"2.0"},"extensionsUsed":[' + ",".join(f'"{n:x}"' for n in range(900_000)) + "]}"),
    "a number without end": text('{"asset":{"version":"2.0"},"scene":' + "9" * 1_000_000 + "}"),
    "a name of half a character": text('{"asset":{"version":"2.0"},"extensionsUsed":["\\ud800"]}'),
    "not a number": text('{"asset":{"version":"2.0"},"scene":NaN}'),
    "no UTF-8": text(b'{"asset":{"version":"2.0\xff"}}'),
    "no object": text("[1, 2]"),
    "no JSON": text("once upon a time"),
    "nothing but an asset": text('{"asset":{"version":"2.0"}}'),
    "nodes that are no list": text('{"asset":{"version":"2.0"},"nodes":{"0":{}}}'),
    "nodes that are numbers": text('{"asset":{"version":"2.0"},"nodes":[1]}'),
    "extensions that are a list": ("glb", lambda: with_nodes([{"mesh": 0, "extensions": [1]}])),
    "a node that holds itself": ("glb", lambda: with_nodes([{"mesh": 0, "children": [0]}])),
    "nodes that hold each other": ("glb", lambda: with_nodes([{"children": [1]}, {"children": [0]}])),
    "a child that is not there": ("glb", lambda: with_nodes([{"children": [7]}])),
    "a child below zero": ("glb", lambda: with_nodes([{"children": [-1]}])),
    "a child that is true": ("glb", lambda: with_nodes([{"children": [True]}, {}])),
    "a mesh that is not there": ("glb", lambda: with_nodes([{"mesh": HUGE}])),
    "nodes that double": ("glb", lambda: doubling(60_000, mesh=True)),
    "nodes that double to nothing": ("glb", lambda: doubling(60_000, mesh=False)),
    "nodes that multiply": ("glb", lambda: ladder(20, 200)),
    "one node many times": ("glb", lambda: with_nodes([{"children": [1] * 1_000_000}, {"children": [2] * 1_000_000}, {"mesh": 0}])),
    "a chain of nodes": ("glb", lambda: chained(100_000)),
    "a turned mesh many times": ("glb", lambda: turned_instances(5_000)),
    "2^31 corners": ("glb", lambda: with_accessor(count=HUGE)),
    "2^31 points that nothing holds": ("glb", lambda: glb(model(accessors=[{"componentType": 5126, "count": HUGE, "type": "VEC3"}] * 2))),
    "2^31 points, turned": ("glb", lambda: glb(model(nodes=[{"mesh": 0, "rotation": [0.1, 0, 0, 1]}], accessors=[{"componentType": 5126, "count": HUGE, "type": "VEC3"}] * 2))),
    "2^31 instances": ("glb", lambda: glb(model(nodes=[{"mesh": 0, "extensions": {"EXT_mesh_gpu_instancing": {"attributes": {"TRANSLATION": 0}}}}], accessors=[{"componentType": 5126, "count": HUGE, "type": "VEC3"}] * 2))),
    "a count of 10^300": ("glb", lambda: with_accessor(count=1e300)),
    "a count below zero": ("glb", lambda: with_accessor(count=-1)),
    "half a count": ("glb", lambda: with_accessor(count=1.5)),
    "an offset past the end": ("glb", lambda: with_accessor(byteOffset=HUGE)),
    "a stride of nothing": ("glb", lambda: with_view(byteStride=1)),
    "a view past the end": ("glb", lambda: with_view(byteOffset=HUGE)),
    "a view of no buffer": ("glb", lambda: with_view(buffer=9)),
    "bounds that are infinite": ("glb", lambda: with_accessor(max=[1e999, 1, 1])),
    "a transform beyond numbers": ("glb", lambda: with_nodes([{"mesh": 0, "scale": [1e37] * 3, "children": [1]}, {"mesh": 0, "scale": [1e37] * 3, "rotation": [1, 1, 0, 1]}])),
    "points that are no numbers": ("glb", lambda: glb(model(nodes=[{"mesh": 0, "rotation": [1, 2, 3, 4]}]), b"\xff" * len(BLOB))),
    "a buffer that claims 8 EB": ("glb", lambda: glb(model(buffers=[{"byteLength": 2**53}]))),
    "pictures of segments": ("glb", segments),
    "a hundred thousand pictures": ("glb", lambda: glb(model(images=[{"bufferView": 2}] * 100_000))),
    "a hundred thousand side files": ("gltf", lambda: json.dumps(model(images=[{"uri": f"{n}.png"} for n in range(100_000)])).encode()),
    "a picture of nothing": ("glb", lambda: glb(model(images=[{}, {"uri": "data:"}, {"uri": "data:;base64,AAA"}]))),
    "a picture that is a number": ("glb", lambda: glb(model(images=[{"uri": 7}]))),
    "a large picture inside": ("gltf", lambda: gltf(model(images=[{"uri": data_uri(PNG + bytes(5 << 20))}]))),
}  # fmt: skip
REFERENCES: dict[str, Case] = {
    f"a reference to {uri}": ("gltf", lambda uri=uri: with_uri(uri))  # type: ignore[misc]
    for uri in (
        "file:///etc/passwd", "FILE:/etc/passwd", "http://127.0.0.1/a.bin", "/etc/passwd", "../secret",
        "a/../../secret", "%2e%2e/secret", "%2e%2e%2fsecret", "%252e%252e%252fsecret", "..\\secret",
        "\\\\server\\share\\a", "//server/share/a", "C:\\secret", "secret%00.bin", "/dev/zero", "link",
        "pipe", "folder", "model", "x" * 100_000, "é" * 300,
    )
}  # fmt: skip


def fan(levels: int) -> bytes:
    """Each prim brings the next one in twice."""
    return usda(
        "".join(
            f'def "p{n}" {{ def "a" (references = </p{n + 1}>) {{}} def "b" (references = </p{n + 1}>) {{}} }}\n'
            for n in range(levels)
        )
    )


def bomb(content: bytes) -> bytes:
    """A binary layer whose words are packed to be enormous."""
    layer = crate(token_bytes=1 << 40)
    at = layer.index(struct.pack("<Q", 1 << 40))
    return layer[: at + 8] + struct.pack("<Q", len(content)) + content + layer[at + 16 :]


def at_once(content: bytes) -> Case:
    return "usda", lambda: content


USD: dict[str, Case] = {
    "usdc: only the magic": ("usdc", lambda: b"PXR-USDC"),
    "usdc: cut": ("usdc", lambda: crate()[:-60]),
    "usdc: its table cut": ("usdc", lambda: crate()[:-4]),
    "usdc: table past the end": ("usdc", lambda: crate()[:16] + struct.pack("<q", 2**62) + crate()[24:]),
    "usdc: table before the beginning": ("usdc", lambda: crate()[:16] + struct.pack("<q", -5) + crate()[24:]),
    "usdc: another version": ("usdc", lambda: crate(minor=1)),
    "usdc: 2^60 points": ("usdc", lambda: crate(points=2**60)),
    "usdc: 2^31 points": ("usdc", lambda: crate(points=2**31)),
    "usdc: words of 1 TB": ("usdc", lambda: crate(token_bytes=1 << 40)),
    "usdc: words of 20 MB": ("usdc", lambda: crate(token_bytes=20 << 20)),
    "usdc: a bomb": ("usdc", lambda: bomb(b"\0\x1fa\1\0" + b"\xff" * 2_000_000)),
    "usdc: paths that go round": ("usdc", lambda: crate(jumps=(-1, -1, 1, -3, -2))),
    "usdc: paths that go back": ("usdc", lambda: crate(jumps=(-1, 2**30, 0, 0, -2))),
    "usdc: paths that go below": ("usdc", lambda: crate(jumps=(-1, -(2**31) + 1, 0, 0, -2))),
    "usda: nothing said": at_once(b"#usda 1.0"),
    "usda: cut": at_once(usda(MESH)[:60]),
    "usda: 9 MB": ("usda", lambda: usda(" " * (9 << 20))),
    "usda: a line of 7 MB": ("usda", lambda: usda(f"def Mesh \"M\" {{ point3f[] points = [{'(0,0,0),' * 900_000}] }}")),
    "usda: nested prims": ("usda", lambda: usda('def "a" {' * 100_000)),
    "usda: nested lists": ("usda", lambda: usda("int a = " + "[" * 100_000)),
    "usda: nested tuples": ("usda", lambda: usda("int a = " + "(" * 100_000)),
    "usda: nested metadata": ("usda", lambda: usda("", "a = {" * 100_000)),
    "usda: millions of words": ("usda", lambda: usda("a b\n" * 2_000_000)),
    "usda: millions of prims": ("usda", lambda: usda('def "a" {}\n' * 700_000)),
    "usda: quotes without end": ("usda", lambda: usda("string a = " + '"' * 1_000_001)),
    "usda: openings without end": ("usda", lambda: usda('"\\' * 1_000_000)),
    "usda: brackets without end": ("usda", lambda: usda("[" + "1" * 3_000_000)),
    "usda: many brackets": ("usda", lambda: usda("int a = " + "[ 1 " * 1_000_000)),
    "usda: prims that multiply": ("usda", lambda: fan(60)),
    "usda: a prim that brings itself in": at_once(usda('def "a" (references = </a>) {}')),
    "usda: a prim that brings in what holds it": at_once(usda('def "a" { def "b" (references = </a>) {} }')),
    "usda: a layer under itself": at_once(usda("", "subLayers = [@model@]")),
    "usda: a unit of nothing": at_once(usda(MESH, "metersPerUnit = 0")),
    "usda: a unit beyond numbers": at_once(usda(MESH, "metersPerUnit = 1e999")),
    "usda: time that stands still": at_once(usda(MESH, "timeCodesPerSecond = 0\nendTimeCode = 9")),
    "usda: a transform that nothing undoes": at_once(usda('def "a" { double3 xformOp:scale = (0, 0, 0)\nuniform token[] xformOpOrder = ["!invert!xformOp:scale"] }')),
    "usda: a hundred thousand side files": ("usda", lambda: usda("def Shader \"a\" { asset[] inputs:a = [" + ",".join(f"@{n}.png@" for n in range(100_000)) + "] }")),
    **{
        f"usda: a reference to {name}": at_once(usda(f'def "a" (references = @{name}@) {{ asset inputs:a = @{name}@ }}'))
        for name in ("/etc/passwd", "../secret", "link", "pipe", "folder", "file:///etc/passwd", "\\\\s\\a", "a/%2e%2e/b")
    },
    "usdz: nothing in it": ("usdz", lambda: b"PK\5\6" + bytes(18)),
    "usdz: cut": ("usdz", lambda: usdz({"a.usda": usda(MESH)})[:100]),
    "usdz: a name that climbs": ("usdz", lambda: usdz({"a.usda": usda('def "a" { asset inputs:a = @../../secret@ }'), "../../secret": b""})),
    "usdz: a member past the end": ("usdz", lambda: usdz({"a.usda": usda(MESH)}).replace(struct.pack("<I", len(usda(MESH))), b"\xff\xff\xff\x7f")),
    "usdz: two thousand members": ("usdz", lambda: usdz({"a.usda": usda(MESH), **{f"{n}.png": b"" for n in range(3_000)}})),
}  # fmt: skip
CASES: dict[str, Case] = {**GLTF, **REFERENCES, **USD}
