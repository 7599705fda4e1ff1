"""GLB and glTF: what the JSON says, and whether the bytes it speaks of are there."""

import json
import os
import struct
from collections.abc import Callable
from math import sqrt
from pathlib import Path
from typing import Any

import pytest

from figsupport.files.model3d import patches, read
from figsupport.files.model3d.values import Model, Patch, Source

from .gltf_files import BLOB, PNG, POINTS, Json, data_uri, glb, gltf, model

Look = Callable[..., Model]
HALF = sqrt(0.5)
PRIMITIVE = {"attributes": {"POSITION": 1}, "indices": 0}


@pytest.fixture
def look(tmp_path: Path) -> Look:
    """Reads a file whose side files are in its folder."""

    def look_(content: bytes | Json, **near: bytes) -> Model:
        path = tmp_path / "model"
        path.write_bytes(glb(content) if isinstance(content, dict) else content)
        for name, side in near.items():
            (tmp_path / name).write_bytes(side)
        return read("glb", Source(path, lambda name: tmp_path / name))

    return look_


def nodes(*nodes_: Json, **changes: Any) -> Json:
    return model(nodes=[{"mesh": 0, **node} for node in nodes_], **changes)


def test_a_sound_file_opens_and_its_facts_are_read(look: Look) -> None:
    found = look(
        model(
            materials=[{}, {}],
            images=[{"bufferView": 2}],
            animations=[{"channels": [], "samplers": [{"input": 2, "output": 1}]}, {}],
            accessors=[*model()["accessors"], {"componentType": 5126, "count": 2, "type": "SCALAR", "min": [0], "max": [2.5]}],
            extensionsUsed=["KHR_materials_unlit", "EXT_texture_webp"],
            extensionsRequired=["EXT_texture_webp"],
            skins=[{"joints": [0]}],
            meshes=[{"primitives": [{**PRIMITIVE, "targets": [{"POSITION": 1}], "attributes": {"POSITION": 1, "TEXCOORD_0": 1, "TEXCOORD_1": 1}}]}],
        )
    )  # fmt: skip
    assert found == Model(
        opens=True,
        triangles=3,
        triangles_drawn=3,
        vertices=5,
        draws=1,
        meshes=1,
        materials=2,
        textures=((640, 480),),
        animations=2,
        animation_seconds=2.5,
        uv_sets=2,
        extensions=("EXT_texture_webp", "KHR_materials_unlit"),
        required=("EXT_texture_webp",),
        dimensions_m=(2, 1, 3),
        dimensions_exact=True,
        unit="m",
        notes=("morph_targets", "skinned"),
    )


def test_a_gltf_may_hold_its_buffer_and_pictures(look: Look) -> None:
    root = model(images=[{"uri": data_uri(PNG, "image/png")}, {"uri": "data:image/png,%89PNG"}])
    found = look(b"\xef\xbb\xbf" + gltf(root))
    assert (found.opens, found.triangles, found.side_files) == (True, 3, ())
    assert found.textures == ((640, 480), None)
    assert found.notes == ("unreadable_texture",)


def test_side_files_are_read_by_their_decoded_name(look: Look) -> None:
    root = model(
        buffers=[{"byteLength": len(BLOB), "uri": "un%20mod%C3%A8le.bin"}],
        images=[{"uri": "./a.png"}, {"uri": "./a.png"}],
    )
    found = look(json.dumps(root).encode(), **{"un modèle.bin": BLOB, "a.png": PNG})
    assert (found.opens, found.side_files) == (True, ("un modèle.bin", "a.png"))
    assert found.textures == ((640, 480), (640, 480))


def test_side_files_that_are_not_there_are_named(look: Look) -> None:
    root = model(
        buffers=[{"byteLength": len(BLOB), "uri": "a.bin"}],
        images=[{"uri": "here.png"}, {"uri": "t/gone.png"}],
    )
    found = look(json.dumps(root).encode(), **{"here.png": PNG})
    assert (found.opens, found.problem) == (False, "missing_files")
    assert found.missing_files == ("a.bin", "t/gone.png")
    assert (found.triangles, found.textures) == (3, ((640, 480),))


def test_a_side_file_that_is_too_short_is_truncated(look: Look) -> None:
    root = model(buffers=[{"byteLength": len(BLOB), "uri": "a.bin"}])
    found = look(json.dumps(root).encode(), **{"a.bin": BLOB[:-1]})
    assert (found.opens, found.problem) == (False, "truncated")


@pytest.mark.parametrize(
    "uri",
    ["file:///etc/passwd", "http://example.com/a.bin", "/etc/passwd", "../a.bin", "t/../../a.bin",
     "%2e%2e/a.bin", "..%2Fa.bin", "%252e%252e/a.bin", "\\\\server\\share\\a.bin", "C:\\a.bin", "c:a.bin",
     "//server/a.bin", "a%00.bin", "a.bin\n", "%2Fetc/passwd", "", ".", "DATA", "data%3A,"],
)  # fmt: skip
def test_a_harmful_reference_is_never_followed(uri: str, tmp_path: Path) -> None:
    asked: list[str] = []

    def near(name: str) -> Path | None:
        asked.append(name)
        return None

    path = tmp_path / "a.gltf"
    path.write_text(json.dumps(model(buffers=[{"byteLength": 4, "uri": uri}])))
    found = read("gltf", Source(path, near))
    assert (found.opens, found.problem) == (False, "missing_files")
    assert len(found.missing_files) == 1
    assert asked == (["DATA"] if uri == "DATA" else [])
    assert uri == "DATA" or "unsafe_reference" in found.notes


@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_only_regular_files_are_opened(kind: str, look: Look, tmp_path: Path) -> None:
    side = tmp_path / "a.bin"
    if kind == "link":
        (tmp_path / "b.bin").write_bytes(BLOB)
        side.symlink_to(tmp_path / "b.bin")
    elif kind == "pipe":
        os.mkfifo(side)
    else:
        side.mkdir()
    found = look(json.dumps(model(buffers=[{"byteLength": 4, "uri": "a.bin"}])).encode())
    assert (found.problem, found.missing_files) == ("missing_files", ("a.bin",))


@pytest.mark.parametrize(
    ("mode", "triangles"),
    [(0, 0), (1, 0), (2, 0), (3, 0), (4, 3), (5, 7), (6, 7), (7, 0), (4.0, 3)],
)
def test_triangles_are_counted_by_drawing_mode(mode: float, triangles: int, look: Look) -> None:
    assert (
        look(model(meshes=[{"primitives": [{**PRIMITIVE, "mode": mode}]}])).triangles == triangles
    )


def test_a_mesh_without_indices_draws_its_vertices_in_turn(look: Look) -> None:
    found = look(
        model(meshes=[{"primitives": [{"attributes": {"POSITION": 1}}, {"attributes": {}}]}])
    )
    assert (found.triangles, found.vertices, found.draws) == (1, 5, 2)


def test_instances_are_drawn_but_stored_once(look: Look) -> None:
    found = look(nodes({"children": [1, 2]}, {}, {}))
    assert (found.triangles, found.triangles_drawn, found.draws, found.meshes) == (3, 9, 3, 1)


def test_what_is_in_no_scene_is_not_drawn(look: Look) -> None:
    assert look(nodes({}, {})).triangles_drawn == 3
    assert look(nodes({}, {}, scenes=[{}, {"nodes": [0, 1]}], scene=1)).triangles_drawn == 6
    unseen = look(nodes({}, scenes=[{}]))
    assert (unseen.triangles_drawn, unseen.dimensions_m, unseen.dimensions_exact) == (
        0,
        None,
        False,
    )
    without = nodes({"children": [1]}, {}, scenes=[])
    del without["scene"]
    assert look(without).triangles_drawn == 6


def test_instances_on_the_graphics_card_are_drawn(look: Look) -> None:
    def instanced(**attributes: int) -> Json:
        return {"extensions": {"EXT_mesh_gpu_instancing": {"attributes": attributes}}}

    found = look(nodes(instanced(TRANSLATION=1)))
    assert (found.triangles, found.triangles_drawn) == (3, 15)
    assert found.dimensions_m == (4, 2, 6)
    assert look(nodes(instanced(TRANSLATION=0))).problem == "malformed"
    assert (
        look(nodes({"extensions": {"EXT_mesh_gpu_instancing": {"attributes": 4}}})).problem
        == "malformed"
    )


@pytest.mark.parametrize(
    ("node", "size", "exact"),
    [
        ({"scale": [2, 2, 2]}, (4, 2, 6), True),
        ({"translation": [9, 9, 9]}, (2, 1, 3), True),
        ({"rotation": [0, 0, HALF, HALF]}, (1, 2, 3), True),
        ({"matrix": [0, 0, -2, 0, 0, 2, 0, 0, 2, 0, 0, 0, 7, 0, 0, 1]}, (6, 2, 4), True),
        # turned by 45° about z: the quad's corners, not those of the box, are what counts
        ({"rotation": [0, 0, 0.3826834323650898, 0.9238795325112867]}, (3 * HALF, 3 * HALF, 3), True),
        ({"rotation": [0, 0.3826834323650898, 0, 0.9238795325112867]}, (3 * HALF, 1, 5 * HALF), True),
        ({"rotation": [0, 0, 0, 0], "scale": "no"}, (2, 1, 3), True),
    ],
)  # fmt: skip
def test_dimensions_are_those_of_the_placed_points(
    node: Json, size: tuple[float, ...], exact: bool, look: Look
) -> None:
    found = look(nodes(node))
    assert found.dimensions_m == pytest.approx(size)
    assert found.dimensions_exact is exact


def test_transforms_of_parents_apply_too(look: Look) -> None:
    found = look(nodes({"scale": [2, 1, 1], "children": [1]}, {"translation": [5, 0, 0]}))
    assert found.dimensions_m == (14, 1, 3)


def test_quantized_positions_are_what_they_mean(look: Look) -> None:
    points = b"".join(struct.pack("<3hxx", *(5_000 * n for n in point)) for point in POINTS)
    root = nodes(
        {"scale": [32_767 / 5_000] * 3},
        accessors=[{"bufferView": 0, "componentType": 5122, "count": 5, "type": "VEC3", "normalized": True, "min": [0, 0, 0], "max": [10_000, 5_000, 15_000]}] * 2,
        bufferViews=[{"buffer": 0, "byteLength": 40, "byteStride": 8}],
        buffers=[{"byteLength": 40}],
    )  # fmt: skip
    found = look(glb(root, points))
    assert found.dimensions_m == pytest.approx((2, 1, 3))
    root["nodes"][0]["rotation"] = [0, 0, 0.3826834323650898, 0.9238795325112867]
    assert look(glb(root, points)).dimensions_m == pytest.approx((3 * HALF, 3 * HALF, 3))


def test_bounds_that_are_not_stated_are_measured(look: Look) -> None:
    root = model()
    del root["accessors"][1]["min"]
    found = look(root)
    assert (found.dimensions_m, found.dimensions_exact) == ((2, 1, 3), True)


def test_the_box_of_compressed_points_that_are_turned_is_not_exact(look: Look) -> None:
    turned = {"rotation": [0, 0, 0.3826834323650898, 0.9238795325112867]}
    root = nodes(turned)
    del root["accessors"][1]["bufferView"]
    found = look(root)
    assert (found.opens, found.dimensions_exact) == (True, False)
    assert found.dimensions_m == pytest.approx((3 * HALF, 3 * HALF, 3))
    root = nodes({})
    root["bufferViews"][1]["extensions"] = {
        "EXT_meshopt_compression": {"buffer": 0, "byteLength": 9}
    }
    root["bufferViews"][1]["buffer"] = 1
    root["buffers"].append({"byteLength": 900})
    found = look(root)
    assert (found.opens, found.dimensions_m, found.dimensions_exact) == (True, (2, 1, 3), False)


def test_more_points_than_are_measured_give_a_box_that_is_not_exact(look: Look) -> None:
    count = 300_000
    points = b"".join(struct.pack("<3f", n % 7, n % 3, 0) for n in range(count))
    root = nodes(
        {"rotation": [0.1, 0.1, 0, 0.9]},
        accessors=[{"bufferView": 0, "componentType": 5126, "count": count, "type": "VEC3"}] * 2,
        bufferViews=[{"buffer": 0, "byteLength": len(points)}],
        buffers=[{"byteLength": len(points)}],
    )  # fmt: skip
    found = look(glb(root, points))
    assert found.opens is True
    assert found.dimensions_exact is False
    assert found.dimensions_m is not None
    assert 5 < found.dimensions_m[0] < 7


def test_counts_may_be_written_with_a_point(look: Look) -> None:
    root = model()
    root["accessors"][0]["count"] = 9.0
    root["nodes"][0]["mesh"] = 0.0
    assert look(root).triangles_drawn == 3


def test_chunks_need_not_be_padded(look: Look) -> None:
    text = json.dumps(model())
    for unpadded in (text, text + " ", text + "  "):
        found = look(glb(unpadded, pad=False))
        assert (found.opens, found.triangles) == (True, 3)


def test_a_cut_glb_is_truncated_but_its_facts_are_told(look: Look) -> None:
    found = look(glb(model())[:-30])
    assert (found.opens, found.problem, found.triangles) == (False, "truncated", 3)


@pytest.mark.parametrize(
    "content",
    [b"glTF\1\0\0\0" + bytes(20), b'{"asset": {"version": "1.0"}}', glb(model(), version=3)],
)
def test_other_versions_are_only_recognised(content: bytes, look: Look) -> None:
    assert look(content) == Model(notes=("unknown_version",))


def test_a_format_that_nobody_reads_is_only_recognised(tmp_path: Path) -> None:
    assert read("skp", Source(tmp_path / "none")) == Model()


# --- drawn ---------------------------------------------------------------------------------


def drawn(tmp_path: Path, **changes: Any) -> list[Patch]:
    path = tmp_path / "model.glb"
    path.write_bytes(glb(model(**changes)))
    return list(patches("glb", Source(path)))


def test_what_is_drawn_stands_where_the_scene_puts_it(tmp_path: Path) -> None:
    nodes = [{"mesh": 0}, {"mesh": 0, "translation": [0, 0, 10]}, {"children": [0, 1]}]
    here, there = drawn(tmp_path, nodes=nodes, scenes=[{"nodes": [2]}])
    assert list(here.corners) == list(there.corners) == [0, 1, 2, 0, 2, 3, 0, 1, 4]
    assert list(here.points[2::3]) == [0, 0, 0, 0, 3]
    assert list(there.points[2::3]) == [10, 10, 10, 10, 13]


@pytest.mark.parametrize(
    ("mode", "corners"),
    [
        (4, [0, 1, 2, 0, 2, 3, 0, 1, 4]),
        (5, [0, 1, 2, 1, 2, 0, 2, 0, 2, 0, 2, 3, 2, 3, 0, 3, 0, 1, 0, 1, 4]),
        (6, [0, 1, 2, 0, 2, 0, 0, 0, 2, 0, 2, 3, 0, 3, 0, 0, 0, 1, 0, 1, 4]),
        (1, []),
    ],
)
def test_triangles_strips_and_fans_are_drawn(tmp_path: Path, mode: int, corners: list[int]) -> None:
    part = {"attributes": {"POSITION": 1}, "indices": 0, "mode": mode}
    found = drawn(tmp_path, meshes=[{"primitives": [part]}])
    assert [list(patch.corners) for patch in found] == ([corners] if corners else [])


def test_a_colour_is_that_of_its_material_and_grey_under_a_texture(tmp_path: Path) -> None:
    part = {"attributes": {"POSITION": 1}, "indices": 0, "material": 0}
    red = {"baseColorFactor": [1, 0, 0, 1]}
    for surface, colour in (
        (red, (255, 0, 0)),
        ({**red, "baseColorTexture": {"index": 0}}, (190, 190, 190)),
        ({}, (190, 190, 190)),
        ("paint", (190, 190, 190)),
    ):
        material = {"pbrMetallicRoughness": surface}
        (patch,) = drawn(tmp_path, meshes=[{"primitives": [part]}], materials=[material])
        assert patch.colour == colour
    (patch,) = drawn(tmp_path)
    assert patch.colour == (190, 190, 190)


def test_points_that_are_not_there_are_not_drawn(tmp_path: Path) -> None:
    root = model()
    root["accessors"][1]["count"] = 4
    path = tmp_path / "model.glb"
    path.write_bytes(glb(root))
    (patch,) = patches("glb", Source(path))
    assert list(patch.corners) == [0, 1, 2, 0, 2, 3]
