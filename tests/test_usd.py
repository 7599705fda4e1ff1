"""USDZ, USDC and USDA: what the stage holds, and what it names that is not there."""

import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from figsupport.files.model3d import patches, read
from figsupport.files.model3d.values import Model, Source

from .gltf_files import CORNERS, PNG, POINTS
from .usd_files import MESH, crate, usda, usdz

Look = Callable[..., Model]


@pytest.fixture
def look(tmp_path: Path) -> Look:
    """Reads a file whose side files are in its folder."""

    def look_(content: bytes, **near: bytes) -> Model:
        path = tmp_path / "model"
        path.write_bytes(content)
        for name, side in near.items():
            (tmp_path / name).write_bytes(side)
        return read("usdz", Source(path, lambda name: tmp_path / name))

    return look_


def test_a_text_layer_opens_and_its_facts_are_read(look: Look) -> None:
    found = look(
        usda(
            'def Material "Wood" { def Shader "T" { asset inputs:file = @wood.png@ } }\n'
            'def Xform "Top" { double xformOp:rotateZ.timeSamples = { 0: 90, 48: 0, }\n'
            f'uniform token[] xformOpOrder = ["xformOp:rotateZ"]\n{MESH} }}',
            "metersPerUnit = 0.001\nendTimeCode = 48\n",
        ),
        **{"wood.png": PNG},
    )
    assert found.dimensions_m == pytest.approx((0.001, 0.002, 0.003))
    assert found._replace(dimensions_m=None) == Model(
        opens=True, triangles=3, triangles_drawn=3, vertices=5, draws=1, meshes=1, materials=1,
        textures=((640, 480),), animations=1, animation_seconds=2.0, uv_sets=1,
        side_files=("wood.png",), dimensions_exact=True, unit="mm",
    )  # fmt: skip


def test_no_unit_means_centimetres(look: Look) -> None:
    found = look(usda(MESH))
    assert found.unit == ""
    assert found.dimensions_m == pytest.approx((0.02, 0.01, 0.03))


def test_a_binary_layer_is_read_as_its_text_would_be(look: Look) -> None:
    found = look(crate())
    assert (found.opens, found.triangles, found.meshes, found.unit) == (True, 3, 1, "mm")
    assert found.dimensions_m == pytest.approx((0.002, 0.001, 0.003))
    assert found.dimensions_exact is True


def test_a_package_holds_its_own_files(look: Look) -> None:
    tga = bytes((0, 0, 2)) + bytes(9) + struct.pack("<HHBB", 40, 21, 24, 0)
    scene = usda(
        f'{MESH}\ndef Shader "T" {{ asset inputs:file = @0/a.tga@\nasset inputs:b = @0/gone.png@ }}'
    )
    found = look(usdz({"scene.usd": scene, "0/a.tga": tga}))
    assert (found.opens, found.problem, found.missing_files) == (
        False,
        "missing_files",
        ("0/gone.png",),
    )
    assert (found.triangles, found.textures) == (3, ((40, 21),))


@pytest.mark.parametrize("way", ["compressed", "encrypted", "cut", "foreign", "empty"])
def test_a_package_that_no_device_opens(way: str, look: Look) -> None:
    content = usdz({"a.usda": usda(MESH)})
    expected = {
        "compressed": "compressed_package",
        "foreign": "malformed",
        "encrypted": "encrypted",
    }
    if way == "compressed":
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.usda", usda(MESH))
        content = packed.getvalue()
    elif way == "encrypted":
        content = content[:6] + b"\1" + content[7:]
    elif way == "cut":
        content = content[:200]
    elif way == "foreign":
        content = usdz({"a.txt": b"", "b.usda": usda(MESH)})
    else:
        content = b"PK\5\6" + bytes(18)
    found = look(content)
    assert (found.opens, found.problem) == (False, expected.get(way, "truncated"))


def test_what_is_referenced_is_drawn_where_it_is_referenced(look: Look) -> None:
    part = usda(f'def Xform "P" {{ {MESH} }}', 'defaultPrim = "P"\n')
    scene = usda(
        'def "a" (references = @part.usda@) {}\n'
        'def "b" (prepend references = @./part.usda@</P> (offset = 1)) {\n'
        "double3 xformOp:translate = (10, 0, 0)\n"
        'uniform token[] xformOpOrder = ["xformOp:translate"] }\n'
        'def "c" (payload = @gone.usda@) {}\ndef "d" (inherits = </_c>) {}\n'
        f'class "_c" {{ {MESH} }}\nover "nothing" {{ {MESH} }}\n'
        f'def "off" (active = false) {{ {MESH} }}\n'
        'def "v" (variants = { string size = "big" } append variantSets = "size") {\n'
        f'variantSet "size" = {{ "big" {{ {MESH} }} "small" {{ }} }} }}'
    )
    found = look(scene, **{"part.usda": part})
    assert (found.triangles, found.triangles_drawn, found.draws, found.meshes) == (9, 12, 4, 3)
    assert found.missing_files == ("gone.usda",)
    assert found.dimensions_m == pytest.approx((0.12, 0.01, 0.03))


def test_harmful_references_are_not_followed(look: Look) -> None:
    found = look(
        usda('def Shader "T" { asset[] inputs:f = [@/etc/passwd@, @../a.png@, @file:///a@] }')
    )
    assert found.missing_files == ("/etc/passwd", "../a.png", "file:///a")
    assert found.notes == ("unsafe_reference",)


@pytest.mark.parametrize(
    ("content", "problem"),
    [(b"", "truncated"), (b"#usda 1.0\ndef {", "malformed"), (b'#usda 1.0\ndef "a" {', "truncated"),
     (b"no layer", "malformed"), (b"PXR-USDC", "truncated"), (b"#usda 1.0\n}", "malformed"),
     (b"#usda 1.0\n( a = \xff )", "malformed"), (b"#usda 1.0\n(a = " + b"[" * 500, "nested"),
     (b"#usda 1.0\n" + b'def "a" {' * 500, "nested")],
)  # fmt: skip
def test_damaged_layers_do_not_open(content: bytes, problem: str, look: Look) -> None:
    assert look(content) == Model(opens=False, problem=problem)


@pytest.mark.parametrize("content", [crate(), usda(MESH)], ids=["binary", "text"])
def test_meshes_are_drawn_as_triangles(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(content)
    (patch,) = patches("usdc", Source(tmp_path / "a"))
    assert [*patch.corners] == [*CORNERS]
    assert [*patch.points] == [n for point in POINTS for n in point]


def test_a_scene_whose_z_points_up_is_drawn_standing(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(usda(MESH, 'upAxis = "Z"\n'))
    (patch,) = patches("usda", Source(tmp_path / "a"))
    assert [*patch.points] == [n for x, y, z in POINTS for n in (x, z, -y)]


@pytest.mark.parametrize("lie", ["[4, 4]", "[]", "4", "[99]"])
def test_a_mesh_whose_faces_lie_is_not_drawn(lie: str, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(usda(MESH.replace("[4, 3]", lie)))
    assert [*patches("usda", Source(tmp_path / "a"))] == []
